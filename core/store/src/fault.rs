//! Faults of the disk, for tests: injected below the committer, above the engine.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::backend::{Backend, Batch, View, WriteFault};
use crate::engine::{StoreError, Version};

/// What the disk does with the batches that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no room: nothing is written.
    Full,
    /// The write fails and nothing of it is there when the store is opened again.
    WriteFails,
    /// The write is done, but its sync fails: all of it is there when the store is opened again.
    SyncFails,
    /// The engine's code panics.
    Panics,
}

/// A switch for faults, shared with the store through [`crate::Options::faults`].
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Option<Fault>>>);

impl Faults {
    /// From now on every batch meets `fault`; `None` ends it.
    pub fn set(&self, fault: Option<Fault>) {
        *self.0.lock() = fault;
    }
}

/// An engine whose writes fail when the switch says so.
pub(crate) struct Faulty<B> {
    engine: B,
    faults: Option<Faults>,
}

impl<B> Faulty<B> {
    pub(crate) fn new(engine: B, faults: Option<Faults>) -> Faulty<B> {
        Faulty { engine, faults }
    }
}

impl<B: Backend> Backend for Faulty<B> {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn newest(&self) -> (u64, Version) {
        self.engine.newest()
    }

    fn view(&self) -> Result<Arc<dyn View>, StoreError> {
        self.engine.view()
    }

    fn write(&mut self, batch: &Batch) -> Result<(), WriteFault> {
        let fault = self.faults.as_ref().and_then(|faults| *faults.0.lock());
        match fault {
            None => self.engine.write(batch),
            Some(Fault::Full) => Err(WriteFault::Full),
            Some(Fault::WriteFails) => Err(WriteFault::Unknown("injected: the write failed".to_owned())),
            Some(Fault::SyncFails) => {
                self.engine.write(batch)?;
                Err(WriteFault::Unknown("injected: the sync failed".to_owned()))
            }
            Some(Fault::Panics) => std::panic::panic_any("injected: the engine panicked"),
        }
    }

    fn unflushed(&self) -> u64 {
        self.engine.unflushed()
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.engine.close()
    }

    fn check(&mut self) -> Result<(), StoreError> {
        self.engine.check()
    }
}
