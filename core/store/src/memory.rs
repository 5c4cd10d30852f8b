//! The engine that keeps everything in memory and nothing on disk.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use imbl::OrdMap;
use parking_lot::Mutex;

use crate::admission::admit;
use crate::backend::{Backend, Batch, View, WriteFault, scan_end};
use crate::core::{Core, Public};
use crate::engine::{Commit, CommitError, Direction, Engine, KeyRange, Row, Snapshot, StoreError, Version};
use crate::floor::ScanFloor;
use crate::watch::Wake;

/// Rows in a persistent map: a snapshot is a copy of its root.
#[derive(Default)]
pub(crate) struct Memory {
    rows: OrdMap<Bytes, Row>,
    number: u64,
    last: Version,
}

impl Backend for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn newest(&self) -> (u64, Version) {
        (self.number, self.last)
    }

    fn view(&self) -> Result<Arc<dyn View>, StoreError> {
        Ok(Arc::new(MemoryView(self.rows.clone())))
    }

    fn write(&mut self, batch: &Batch) -> Result<(), WriteFault> {
        for change in &batch.rows {
            match &change.value {
                Some(value) => {
                    let row = Row { version: change.version, value: value.clone() };
                    self.rows.insert(change.key.clone(), row);
                }
                None => {
                    self.rows.remove(&change.key);
                }
            }
        }
        self.number = batch.number;
        self.last = batch.last;
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.rows = OrdMap::new();
        Ok(())
    }
}

struct MemoryView(OrdMap<Bytes, Row>);

impl View for MemoryView {
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(
        &self,
        range: &KeyRange,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Bytes, Row)>, StoreError> {
        let end = scan_end(range);
        if *range.start >= *end {
            return Ok(Vec::new());
        }
        let bounds = (Bound::Included(&*range.start), Bound::Excluded(end));
        let rows = self.0.range::<_, [u8]>(bounds);
        let owned = |(key, row): (&Bytes, &Row)| (key.clone(), row.clone());
        Ok(match direction {
            Direction::Forward => rows.take(limit).map(owned).collect(),
            Direction::Backward => rows.rev().take(limit).map(owned).collect(),
        })
    }
}

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

    fn floor(&self) -> &ScanFloor {
        &self.public.floor
    }
}
