//! Commits that run where they are asked for.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::admission::admit;
use crate::backend::Backend;
use crate::core::{Core, Public};
use crate::engine::{Commit, CommitError, Engine, Snapshot, StoreError, Version};
use crate::floor::ScanFloor;
use crate::watch::Wake;

/// An engine whose commits run where they are asked for: there is no sync to share, hence nothing to wait for.
pub(crate) struct Inline<B> {
    core: Mutex<Core<B>>,
    public: Arc<Public>,
    name: &'static str,
}

impl<B: Backend> Inline<B> {
    pub(crate) fn new(core: Core<B>) -> Inline<B> {
        Inline { public: core.public(), name: core.name(), core: Mutex::new(core) }
    }

    fn commit_now(&self, commit: Commit) -> Result<Version, CommitError> {
        admit(&commit)?;
        let verdict = self.core.lock().run(vec![commit]).pop();
        verdict.unwrap_or_else(|| Err(CommitError::Store(StoreError::Unavailable("no verdict".to_owned()))))
    }
}

impl<B: Backend> Engine for Inline<B> {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        std::future::ready(self.public.snapshot()).boxed()
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Version, CommitError>> {
        async move { self.commit_now(commit) }.boxed()
    }

    fn watch(&self, prefix: &[u8]) -> Wake {
        self.public.watches.watch(prefix)
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        async move { self.core.lock().close() }.boxed()
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn failure(&self) -> Option<StoreError> {
        self.public.failure()
    }

    fn floor(&self) -> &ScanFloor {
        &self.public.floor
    }
}
