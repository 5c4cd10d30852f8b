//! A store that a process loses: from some commit on, nothing is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use futures::future::BoxFuture;
use store::engine::{Commit, CommitError, Engine, Snapshot, StoreError, Version};
use store::floor::ScanFloor;
use store::watch::{SharedEngine, Wake};

/// How many more commits a process is given, and how large those were that it has done.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    left: Arc<AtomicI64>,
    largest: Arc<AtomicUsize>,
}

impl Life {
    pub(crate) fn unending() -> Life {
        Life { left: Arc::new(AtomicI64::new(i64::MAX)), largest: Arc::default() }
    }

    pub(crate) fn end_after(&self, commits: u32) {
        self.left.store(i64::from(commits), Ordering::SeqCst);
    }

    /// Whether a commit was asked for that was not taken.
    pub(crate) fn is_over(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    /// The bytes that the largest commit wrote.
    pub(crate) fn largest(&self) -> usize {
        self.largest.load(Ordering::SeqCst)
    }

    fn take(&self, commit: &Commit) -> bool {
        let puts = commit.puts.iter().map(|(key, value)| key.len() + value.len());
        let appends = commit.appends.iter().map(|append| append.prefix.len() + append.value.len());
        self.largest.fetch_max(puts.chain(appends).sum(), Ordering::SeqCst);
        self.left.fetch_sub(1, Ordering::SeqCst) > 0
    }
}

/// An engine as one process sees it: when its life is over, no commit is taken, while the rows stay for the next one.
pub(crate) struct Mortal {
    pub(crate) inner: SharedEngine,
    pub(crate) life: Life,
}

impl Engine for Mortal {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        self.inner.snapshot()
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Version, CommitError>> {
        if !self.life.take(&commit) {
            return Box::pin(async { Err(StoreError::Unavailable("the process is dead".to_owned()).into()) });
        }
        self.inner.commit(commit)
    }

    fn watch(&self, prefix: &[u8]) -> Wake {
        self.inner.watch(prefix)
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.close()
    }

    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn floor(&self) -> &ScanFloor {
        self.inner.floor()
    }
}
