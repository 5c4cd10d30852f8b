//! The committer: one thread that turns all waiting transactions into one synced batch.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use parking_lot::{Condvar, Mutex};

use crate::admission::{admit, size};
use crate::backend::Backend;
use crate::backlog::{Backlog, LARGE_BYTES_MIN};
use crate::core::{Core, Public, closed};
use crate::engine::{Commit, CommitError, Engine, Snapshot, StoreError, Version};
use crate::floor::ScanFloor;
use crate::watch::Wake;

/// Transactions of one batch.
const GROUP_MAX: usize = 512;
/// Bytes of one batch, unless its only transaction is larger.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// How long the committer waits for work while large commits wait for flushes, of which the engine tells nobody.
const LOOK: Duration = Duration::from_millis(5);

/// An engine whose commits wait for a sync that they share.
pub(crate) struct Grouped {
    queue: Arc<Queue>,
    public: Arc<Public>,
    name: &'static str,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    /// Large commits, which wait until less is unflushed.
    large: Backlog<Waiting>,
    /// Whether the committer waits for work.
    idle: bool,
    /// Once closing, nothing is taken any more.
    closing: bool,
    /// Who waits for the end.
    closers: Vec<oneshot::Sender<Result<(), StoreError>>>,
    /// How it ended, once it did.
    ended: Option<Result<(), StoreError>>,
}

struct Waiting {
    commit: Commit,
    bytes: usize,
    answer: oneshot::Sender<Result<Version, CommitError>>,
}

impl Grouped {
    /// Starts the committer of `core`.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub(crate) fn start<B: Backend>(core: Core<B>) -> io::Result<Grouped> {
        Grouped::start_making(core.name(), core.public(), || Ok(core))
    }

    /// Starts a committer that makes its engine first, while `public` is in use already. If it cannot, that is what
    /// every commit is answered.
    pub(crate) fn start_making<B: Backend>(
        name: &'static str,
        public: Arc<Public>,
        make: impl FnOnce() -> Result<Core<B>, StoreError> + Send + 'static,
    ) -> io::Result<Grouped> {
        let queue = Arc::new(Queue::default());
        let committer = Committer { core: None, queue: queue.clone(), end: Err(ended_early()) };
        std::thread::Builder::new().name("committer".to_owned()).spawn(move || committer.run(make))?;
        Ok(Grouped { queue, public, name })
    }

    fn enqueue(
        &self,
        commit: Commit,
    ) -> Result<oneshot::Receiver<Result<Version, CommitError>>, CommitError> {
        admit(&commit)?;
        let (answer, verdict) = oneshot::channel();
        let waiting = Waiting { bytes: size(&commit), commit, answer };
        let mut state = self.queue.state.lock();
        match &state.ended {
            Some(Err(poison)) => return Err(CommitError::Store(poison.clone())),
            _ if state.closing => return Err(CommitError::Store(closed())),
            _ if waiting.bytes >= LARGE_BYTES_MIN => state.large.hold(waiting),
            _ => state.waiting.push(waiting),
        }
        self.queue.wake(state);
        Ok(verdict)
    }

    fn ask_to_close(&self) -> Result<oneshot::Receiver<Result<(), StoreError>>, Result<(), StoreError>> {
        let (answer, end) = oneshot::channel();
        let mut state = self.queue.state.lock();
        if let Some(ended) = &state.ended {
            return Err(ended.clone());
        }
        state.closing = true;
        state.closers.push(answer);
        self.queue.wake(state);
        Ok(end)
    }
}

impl Queue {
    fn wake(&self, mut state: parking_lot::MutexGuard<'_, State>) {
        if std::mem::take(&mut state.idle) {
            drop(state);
            self.changed.notify_one();
        }
    }

    /// The next group in the order of arrival, but for large commits that wait while much is `unflushed`; `None` once
    /// closing and all are served.
    fn next_group(&self, unflushed: impl Fn() -> u64) -> Option<Vec<Waiting>> {
        let mut state = self.state.lock();
        loop {
            state.let_large_pass(&unflushed);
            if !state.waiting.is_empty() {
                break;
            }
            if state.closing {
                return None;
            }
            state.idle = true;
            if state.large.is_empty() {
                self.changed.wait(&mut state);
            } else {
                self.changed.wait_for(&mut state, LOOK);
            }
        }
        let mut bytes = 0;
        let fits = state.waiting.iter().take(GROUP_MAX).take_while(|waiting| {
            bytes += waiting.bytes;
            bytes <= GROUP_BYTES_MAX
        });
        let count = fits.count().max(1);
        if count == state.waiting.len() {
            return Some(std::mem::take(&mut state.waiting));
        }
        let rest = state.waiting.split_off(count);
        Some(std::mem::replace(&mut state.waiting, rest))
    }
}

impl State {
    /// Takes at most one large commit at a time, so that the next one is decided when this one is written.
    fn let_large_pass(&mut self, unflushed: impl Fn() -> u64) {
        if self.large.is_empty() || self.waiting.iter().any(|w| w.bytes >= LARGE_BYTES_MIN) {
            return;
        }
        let passes = if self.closing { self.large.release() } else { self.large.look(unflushed()) };
        self.waiting.extend(passes);
    }
}

fn ended_early() -> StoreError {
    StoreError::Poisoned("the committer ended unexpectedly".to_owned())
}

/// The writing thread.
struct Committer<B: Backend> {
    /// Gone before anybody hears of the end, so that the store can be opened again at once.
    core: Option<Core<B>>,
    queue: Arc<Queue>,
    /// How it ends; until it closed in order, as a failure.
    end: Result<(), StoreError>,
}

impl<B: Backend> Committer<B> {
    fn run(mut self, make: impl FnOnce() -> Result<Core<B>, StoreError>) {
        let core = match make() {
            Ok(core) => self.core.insert(core),
            Err(why) => {
                self.end = Err(why);
                return;
            }
        };
        while let Some(group) = self.queue.next_group(|| core.unflushed()) {
            let (commits, answers): (Vec<_>, Vec<_>) =
                group.into_iter().map(|w| (w.commit, w.answer)).unzip();
            for (verdict, answer) in core.run(commits).into_iter().zip(answers) {
                // Whoever stopped waiting loses the answer, not the commit.
                let _ = answer.send(verdict);
            }
        }
        self.end = core.close();
    }
}

/// Also when it panics: who waits is told, and nothing is taken any more.
impl<B: Backend> Drop for Committer<B> {
    fn drop(&mut self) {
        if let Some(core) = self.core.take() {
            core.abandon();
        }
        let mut state = self.queue.state.lock();
        state.closing = true;
        state.ended = Some(self.end.clone());
        let (waiting, closers) = (std::mem::take(&mut state.waiting), std::mem::take(&mut state.closers));
        let large = std::mem::take(&mut state.large);
        drop(state);
        drop((waiting, large));
        for closer in closers {
            let _ = closer.send(self.end.clone());
        }
    }
}

impl Engine for Grouped {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        std::future::ready(self.public.snapshot()).boxed()
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Version, CommitError>> {
        async move {
            let verdict = self.enqueue(commit)?;
            verdict.await.unwrap_or_else(|_| Err(CommitError::Store(ended_early())))
        }
        .boxed()
    }

    fn watch(&self, prefix: &[u8]) -> Wake {
        self.public.watches.watch(prefix)
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            match self.ask_to_close() {
                Ok(end) => end.await.unwrap_or_else(|_| Err(ended_early())),
                Err(ended) => ended,
            }
        }
        .boxed()
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn failure(&self) -> Option<StoreError> {
        let ended = || self.queue.state.lock().ended.clone().and_then(Result::err);
        self.public.failure().or_else(ended)
    }

    fn floor(&self) -> &ScanFloor {
        &self.public.floor
    }
}

/// An engine that nobody holds any more finishes what is queued and ends.
impl Drop for Grouped {
    fn drop(&mut self) {
        let mut state = self.queue.state.lock();
        state.closing = true;
        self.queue.wake(state);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::backend::{Batch, View, WriteFault};
    use crate::backlog::UNFLUSHED_BYTES_MAX;
    use crate::memory::Memory;
    use bytes::Bytes;

    /// An engine that flushes when it is told to.
    struct Slow(Memory, Arc<AtomicU64>);

    impl Backend for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }

        fn newest(&self) -> (u64, Version) {
            self.0.newest()
        }

        fn view(&self) -> Result<Arc<dyn View>, StoreError> {
            self.0.view()
        }

        fn write(&mut self, batch: &Batch) -> Result<(), WriteFault> {
            self.1.fetch_add(batch.bytes(), Ordering::SeqCst);
            self.0.write(batch)
        }

        fn unflushed(&self) -> u64 {
            self.1.load(Ordering::SeqCst)
        }

        fn close(&mut self) -> Result<(), StoreError> {
            self.0.close()
        }
    }

    fn store(unflushed: u64) -> (Grouped, Arc<AtomicU64>) {
        let unflushed = Arc::new(AtomicU64::new(unflushed));
        let core = Core::new(Slow(Memory::default(), unflushed.clone())).expect("opens");
        (Grouped::start(core).expect("starts"), unflushed)
    }

    /// Rows of 64 KiB at most below `key`.
    fn put(key: &str, bytes: usize) -> Commit {
        let row = |n: usize| (Bytes::from(format!("{key}/{n}")), Bytes::from(vec![0; bytes.min(64 << 10)]));
        Commit { puts: (0..bytes.div_ceil(64 << 10)).map(row).collect(), ..Commit::default() }
    }

    #[tokio::test]
    async fn large_commits_wait_for_flushes_and_others_do_not() {
        let (engine, unflushed) = store(UNFLUSHED_BYTES_MAX + 1);
        let mut large = engine.commit(put("large", LARGE_BYTES_MIN));
        assert!((&mut large).now_or_never().is_none());
        let small = engine.commit(put("small", 1)).await.expect("passes");
        assert!((&mut large).now_or_never().is_none());
        unflushed.store(0, Ordering::SeqCst);
        assert!(large.await.expect("passes once all is flushed") > small);
    }

    #[tokio::test]
    async fn closing_writes_what_waits() {
        let (engine, _) = store(u64::MAX / 2);
        let mut large = engine.commit(put("large", LARGE_BYTES_MIN));
        assert!((&mut large).now_or_never().is_none());
        assert_eq!(engine.close().await, Ok(()));
        assert!(large.await.is_ok());
    }

    #[tokio::test]
    async fn those_that_wait_are_written_when_nobody_holds_the_engine_any_more() {
        let (engine, unflushed) = store(UNFLUSHED_BYTES_MAX + 1);
        let large: Vec<_> = [put("a", LARGE_BYTES_MIN), put("b", 2 * LARGE_BYTES_MIN)]
            .into_iter()
            .map(|commit| engine.enqueue(commit).expect("queues"))
            .collect();
        unflushed.store(0, Ordering::SeqCst);
        drop(engine);
        for answer in large {
            assert!(answer.await.expect("answered").is_ok());
        }
    }
}
