//! The committer: one thread that turns all waiting transactions into one synced batch.

use std::io;
use std::sync::Arc;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use parking_lot::{Condvar, Mutex};

use crate::admission::{admit, size};
use crate::backend::Backend;
use crate::core::{Core, Public, closed};
use crate::engine::{Commit, CommitError, Engine, Snapshot, StoreError, Version};
use crate::floor::ScanFloor;
use crate::watch::Wake;

/// Transactions of one batch.
const GROUP_MAX: usize = 512;
/// Bytes of one batch, unless its only transaction is larger.
const GROUP_BYTES_MAX: usize = 4 << 20;

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

    /// The next group in the order of arrival; `None` once closing and all are served.
    fn next_group(&self) -> Option<Vec<Waiting>> {
        let mut state = self.state.lock();
        while state.waiting.is_empty() {
            if state.closing {
                return None;
            }
            state.idle = true;
            self.changed.wait(&mut state);
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
        while let Some(group) = self.queue.next_group() {
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
        drop(state);
        drop(waiting);
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
