//! Fresh stores for tests.

use std::sync::atomic::{AtomicU32, Ordering};

use store::{EngineName, Location};
use tempfile::TempDir;

/// Where a test's stores are; gone when it is dropped.
pub(crate) struct Place {
    engine: EngineName,
    directory: TempDir,
    postgres: String,
    stores: u32,
}

impl Place {
    /// `None` if the engine needs a server that the environment does not name.
    pub(crate) fn new(engine: EngineName) -> Option<Place> {
        let postgres = match engine {
            EngineName::Postgres => std::env::var("BUSWORK_TEST_POSTGRES").ok()?,
            _ => String::new(),
        };
        Some(Place { engine, directory: tempfile::tempdir().unwrap(), postgres, stores: 0 })
    }

    /// A location that holds no store yet.
    pub(crate) fn fresh(&mut self) -> Location {
        static SCHEMAS: AtomicU32 = AtomicU32::new(0);
        self.stores += 1;
        let path = self.directory.path().join(format!("store-{}", self.stores));
        match self.engine {
            EngineName::Memory => Location::Memory,
            EngineName::Fjall => Location::Fjall(path),
            EngineName::Redb => Location::Redb(path),
            EngineName::Postgres => {
                let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
                let schema = format!("t{}_{number}", std::process::id());
                let and = if self.postgres.contains('?') { '&' } else { '?' };
                Location::Postgres(format!("{}{and}options=-csearch_path%3D{schema}", self.postgres))
            }
        }
    }
}
