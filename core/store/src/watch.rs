//! Hints that something was committed below a prefix.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::prefixes::each_prefix_of;

/// Completes when something may have been committed below the watched prefix since it was asked for.
pub struct Wake(BoxFuture<'static, ()>);

impl Wake {
    /// A wake that follows `signal`.
    pub fn new(signal: impl Future<Output = ()> + Send + 'static) -> Wake {
        Wake(Box::pin(signal))
    }
}

impl Future for Wake {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

/// An engine behind a shared handle.
pub type SharedEngine = Arc<dyn crate::engine::Engine>;

/// Who waits for which prefix, within this process.
#[derive(Default)]
pub(crate) struct Watches {
    waiting: Mutex<Waiting>,
    /// How many wait: a commit that nobody waits for takes no lock.
    count: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    by_prefix: BTreeMap<Bytes, Vec<(u64, oneshot::Sender<()>)>>,
    next: u64,
}

impl Watches {
    /// Waits for a commit below `prefix` from now on, polled or not.
    pub(crate) fn watch(self: &Arc<Self>, prefix: &[u8]) -> Wake {
        let (sender, receiver) = oneshot::channel();
        let prefix = Bytes::copy_from_slice(prefix);
        let mut waiting = self.waiting.lock();
        let id = waiting.next;
        waiting.next += 1;
        waiting.by_prefix.entry(prefix.clone()).or_default().push((id, sender));
        self.count.fetch_add(1, Ordering::SeqCst);
        drop(waiting);
        let place = Place { watches: self.clone(), prefix, id };
        Wake::new(async move {
            // The sender is dropped without a word when the store closes: that is a hint to look again, too.
            let _ = receiver.await;
            drop(place);
        })
    }

    /// Wakes whoever waits for a prefix of one of `keys`.
    pub(crate) fn wake<'a>(&self, keys: impl Iterator<Item = &'a Bytes>) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut due = Vec::new();
        let mut waiting = self.waiting.lock();
        for key in keys {
            each_prefix_of(&mut waiting.by_prefix, key, |waiters| due.append(waiters));
        }
        self.count.fetch_sub(due.len(), Ordering::SeqCst);
        drop(waiting);
        for (_, sender) in due {
            // Whoever stopped waiting needs no hint.
            let _ = sender.send(());
        }
    }

    /// Wakes everybody, since nothing will be committed any more.
    pub(crate) fn wake_all(&self) {
        let mut waiting = self.waiting.lock();
        let all = std::mem::take(&mut waiting.by_prefix);
        self.count.store(0, Ordering::SeqCst);
        drop(waiting);
        drop(all);
    }
}

/// A place among those who wait, given up when the wake is dropped.
struct Place {
    watches: Arc<Watches>,
    prefix: Bytes,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.watches.waiting.lock();
        let Some(waiters) = waiting.by_prefix.get_mut(&self.prefix) else { return };
        let before = waiters.len();
        waiters.retain(|(id, _)| *id != self.id);
        self.watches.count.fetch_sub(before - waiters.len(), Ordering::SeqCst);
        if waiters.is_empty() {
            waiting.by_prefix.remove(&self.prefix);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn key(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn a_wake_follows_its_prefix_only() {
        let watches = Arc::new(Watches::default());
        let mut near = watches.watch(b"queue/1");
        let mut far = watches.watch(b"queue/2");
        watches.wake([key("queue/1/message")].iter());
        assert_eq!((&mut near).now_or_never(), Some(()));
        assert_eq!((&mut far).now_or_never(), None);
        watches.wake_all();
        assert_eq!(far.now_or_never(), Some(()));
    }

    #[test]
    fn a_dropped_wake_leaves_nothing_behind() {
        let watches = Arc::new(Watches::default());
        let first = watches.watch(b"a");
        let second = watches.watch(b"a");
        drop(first);
        watches.wake([key("abc")].iter());
        assert_eq!(second.now_or_never(), Some(()));
        assert_eq!(watches.count.load(Ordering::SeqCst), 0);
        assert!(watches.waiting.lock().by_prefix.is_empty());
    }
}
