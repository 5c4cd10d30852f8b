//! A store that a process loses: from some commit on, nothing is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::future::BoxFuture;
use store::engine::{Commit, CommitError, Engine, Snapshot, StoreError, Version};
use store::floor::ScanFloor;
use store::watch::{SharedEngine, Wake};

/// How many more commits a process is given.
#[derive(Clone, Debug)]
pub(crate) struct Life(Arc<AtomicI64>);

impl Life {
    pub(crate) fn unending() -> Life {
        Life(Arc::new(AtomicI64::new(i64::MAX)))
    }

    pub(crate) fn end_after(&self, commits: u32) {
        self.0.store(i64::from(commits), Ordering::SeqCst);
    }

    /// Whether a commit was asked for that was not taken.
    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Ordering::SeqCst) < 0
    }

    fn take(&self) -> bool {
        self.0.fetch_sub(1, Ordering::SeqCst) > 0
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
        if !self.life.take() {
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
