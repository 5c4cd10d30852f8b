//! What every engine on disk needs around it: room, and a mark of what was acknowledged.

use std::fs::File;
use std::sync::Arc;

use crate::backend::{Backend, Batch, View, WriteFault};
use crate::directory::Directory;
use crate::engine::{StoreError, Version};
use crate::high_water::{HighWater, Mark};
use crate::location::OpenError;

/// Room that is left free, so that an engine's flushes, compactions and journals never meet a full disk half-way.
const RESERVE_BYTES: u64 = 64 << 20;
/// A batch is written once to the journal and, flushed, once more.
const COPIES: u64 = 2;

/// An engine in a directory.
pub(crate) struct Guarded<B> {
    /// First, so that the engine is gone before the directory is given free.
    engine: B,
    high_water: HighWater,
    filesystem: File,
    _directory: Directory,
}

impl<B: Backend> Guarded<B> {
    /// Guards `engine`, which was opened in `directory`.
    ///
    /// # Errors
    /// The engine ends before what was acknowledged.
    pub(crate) fn new(engine: B, directory: Directory) -> Result<Guarded<B>, OpenError> {
        let place = || directory.path().display();
        let (number, last) = engine.newest();
        if let Some(mark) = directory.mark
            && number < mark.number
        {
            let what = format!(
                "the journal ends at batch {number} (version {}), but batch {} (version {}) was acknowledged; \
                 restore a backup, or remove `{}` to go on with what is left",
                last.0,
                mark.number,
                mark.last.0,
                crate::high_water::FILE,
            );
            return Err(OpenError::damaged(place(), what));
        }
        let unavailable = |e| OpenError::unavailable(place(), e);
        let high_water = HighWater::open(directory.path()).map_err(unavailable)?;
        if directory.mark.is_none() {
            directory.sync().map_err(unavailable)?;
        }
        let filesystem = File::open(directory.path()).map_err(unavailable)?;
        Ok(Guarded { engine, high_water, filesystem, _directory: directory })
    }

    fn has_room_for(&self, bytes: u64) -> bool {
        match rustix::fs::fstatvfs(&self.filesystem) {
            Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize) >= RESERVE_BYTES + bytes * COPIES,
            // Whoever cannot say what room there is does not get in the way of the engine that will see.
            Err(_) => true,
        }
    }
}

impl<B: Backend> Backend for Guarded<B> {
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
        if !self.has_room_for(batch.bytes()) {
            return Err(WriteFault::Full);
        }
        self.engine.write(batch)?;
        let mark = Mark { number: batch.number, last: batch.last };
        self.high_water
            .note(mark)
            .map_err(|e| WriteFault::Unknown(format!("`high-water` cannot be written: {e}")))
    }

    fn unflushed(&self) -> u64 {
        self.engine.unflushed()
    }

    fn close(&mut self) -> Result<(), StoreError> {
        let closed = self.engine.close();
        let noted = self.high_water.sync();
        closed?;
        noted.map_err(|e| StoreError::Unavailable(format!("`high-water` cannot be synced: {e}")))
    }

    fn check(&mut self) -> Result<(), StoreError> {
        self.engine.check()
    }
}
