//! Where a store is, and how it is opened.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use crate::backend::Backend;
use crate::core::{Core, Public};
use crate::directory::Directory;
use crate::engine::StoreError;
use crate::fault::{Faults, Faulty};
use crate::fjall::Fjall;
use crate::grouped::Grouped;
use crate::guarded::Guarded;
use crate::inline::Inline;
use crate::memory::Memory;
use crate::postgres::Postgres;
use crate::redb::Redb;
use crate::watch::SharedEngine;

/// The newest format of a store on disk that this code reads and writes.
pub const FORMAT: u32 = 1;

/// A kind of engine, by the name that the command line and [`crate::Engine::name`] use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EngineName {
    /// Nothing on disk; gone when the process ends.
    Memory,
    /// A log-structured tree in a directory; the default.
    Fjall,
    /// A copy-on-write tree in a directory.
    Redb,
    /// A PostgreSQL database.
    Postgres,
}

impl EngineName {
    /// All of them, the default first.
    pub const ALL: [EngineName; 4] =
        [EngineName::Fjall, EngineName::Redb, EngineName::Postgres, EngineName::Memory];

    /// Its name: `fjall`, `redb`, `postgres` or `memory`.
    pub const fn as_str(self) -> &'static str {
        match self {
            EngineName::Memory => "memory",
            EngineName::Fjall => "fjall",
            EngineName::Redb => "redb",
            EngineName::Postgres => "postgres",
        }
    }
}

impl fmt::Display for EngineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no engine: use fjall, redb, postgres or memory")]
pub struct UnknownEngine(pub String);

impl FromStr for EngineName {
    type Err = UnknownEngine;

    fn from_str(text: &str) -> Result<EngineName, UnknownEngine> {
        let named = EngineName::ALL.into_iter().find(|name| name.as_str() == text);
        named.ok_or_else(|| UnknownEngine(text.to_owned()))
    }
}

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In this process only.
    Memory,
    /// In this directory, which is made if it is absent.
    Fjall(PathBuf),
    /// In this directory, which is made if it is absent.
    Redb(PathBuf),
    /// In the database of this URL, e.g. `postgres://user:password@host/database`.
    Postgres(String),
}

impl Location {
    /// The engine that serves it.
    pub fn engine(&self) -> EngineName {
        match self {
            Location::Memory => EngineName::Memory,
            Location::Fjall(_) => EngineName::Fjall,
            Location::Redb(_) => EngineName::Redb,
            Location::Postgres(_) => EngineName::Postgres,
        }
    }

    /// The directory that holds it, for the engines that have one.
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Location::Fjall(path) | Location::Redb(path) => Some(path),
            Location::Memory | Location::Postgres(_) => None,
        }
    }
}

/// Why a store was not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process writes it.
    #[error("the store at {place} is in use by {holder}")]
    InUse {
        /// The directory or database.
        place: String,
        /// The other process, as far as it is known.
        holder: String,
    },
    /// It was written by a newer Buswork.
    #[error("the store at {place} has format {found}; this Buswork reads up to {FORMAT}")]
    Newer {
        /// The directory or database.
        place: String,
        /// Its format.
        found: u32,
    },
    /// It belongs to another engine.
    #[error("the store at {place} was made by the engine {found}, not {asked}")]
    OtherEngine {
        /// The directory.
        place: String,
        /// Whose it is.
        found: String,
        /// Who was to open it.
        asked: EngineName,
    },
    /// Something that must be there is not, or is not what was written.
    #[error("the store at {place} is damaged: {what}")]
    Damaged {
        /// The directory or database.
        place: String,
        /// What is missing or wrong, by name.
        what: String,
    },
    /// It could not be reached or read.
    #[error("cannot open the store at {place}: {why}")]
    Unavailable {
        /// The directory or database.
        place: String,
        /// The cause.
        why: String,
    },
}

impl OpenError {
    pub(crate) fn unavailable(place: impl fmt::Display, why: impl fmt::Display) -> OpenError {
        OpenError::Unavailable { place: place.to_string(), why: why.to_string() }
    }

    pub(crate) fn damaged(place: impl fmt::Display, what: impl fmt::Display) -> OpenError {
        OpenError::Damaged { place: place.to_string(), what: what.to_string() }
    }

    pub(crate) fn from_store(place: impl fmt::Display, error: StoreError) -> OpenError {
        match error {
            StoreError::Damaged(what) => OpenError::damaged(place, what),
            StoreError::Unavailable(why) => OpenError::unavailable(place, why),
            other => OpenError::unavailable(place, other),
        }
    }
}

/// What may be chosen when a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The most that an engine on disk keeps of it in memory for reading, in bytes. It grows with use.
    pub cache_bytes: u64,
    /// Whether a store is made where there is none.
    pub make: bool,
    /// A switch for faults of the disk, for tests; engines in this process only.
    pub faults: Option<Faults>,
}

impl Default for Options {
    fn default() -> Self {
        Options { cache_bytes: 64 << 20, make: true, faults: None }
    }
}

/// Opens the store at `location`, making it if there is none.
///
/// # Errors
/// [`OpenError`] says whose fault it is; nothing was changed then, except that an empty store may have been begun.
pub fn open(location: &Location) -> Result<SharedEngine, OpenError> {
    open_with(location, &Options::default())
}

/// As [`open`], with choices.
pub fn open_with(location: &Location, options: &Options) -> Result<SharedEngine, OpenError> {
    match location {
        Location::Memory => {
            let core = Core::new(Faulty::new(Memory::default(), options.faults.clone()))
                .map_err(|e| OpenError::from_store("memory", e))?;
            Ok(Arc::new(Inline::new(core)))
        }
        Location::Fjall(path) => grouped(path, EngineName::Fjall, options, fjall_in),
        Location::Redb(path) => grouped(path, EngineName::Redb, options, redb_in),
        Location::Postgres(_) if options.faults.is_some() => {
            Err(OpenError::unavailable("postgres", "faults are injected into embedded engines only"))
        }
        Location::Postgres(url) => Ok(Arc::new(Postgres::open(url, options.make)?)),
    }
}

/// The store in `path` for one user who needs no committer.
pub(crate) fn fjall(path: &Path, options: &Options) -> Result<Guarded<Fjall>, OpenError> {
    fjall_in(Directory::take(path, EngineName::Fjall, options.make)?, options)
}

/// As [`fjall`].
pub(crate) fn redb(path: &Path, options: &Options) -> Result<Guarded<Redb>, OpenError> {
    redb_in(Directory::take(path, EngineName::Redb, options.make)?, options)
}

fn fjall_in(directory: Directory, options: &Options) -> Result<Guarded<Fjall>, OpenError> {
    let (data, used) = (directory.data(), directory.mark.is_some());
    let engine = sound(directory.path(), || Fjall::open(&data, used, options.cache_bytes))?;
    Guarded::new(engine, directory)
}

fn redb_in(directory: Directory, options: &Options) -> Result<Guarded<Redb>, OpenError> {
    let (data, used) = (directory.data(), directory.mark.is_some());
    let engine = sound(directory.path(), || Redb::open(&data, used, options.cache_bytes))?;
    Guarded::new(engine, directory)
}

/// Runs an engine's recovery. On damaged files the engines' own assertions may fail: that is an error of the data.
fn sound<B>(path: &Path, recover: impl FnOnce() -> Result<B, StoreError>) -> Result<B, OpenError> {
    match catch_unwind(AssertUnwindSafe(recover)) {
        Ok(recovered) => recovered.map_err(|e| OpenError::from_store(path.display(), e)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text =
                text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it cannot be recovered");
            Err(OpenError::damaged(path.display(), text))
        }
    }
}

/// Opens a store in a directory. The making of a new one costs dozens of syncs: the committer does it, while the store
/// can be read as what it is, empty.
fn grouped<B: Backend>(
    path: &Path,
    engine: EngineName,
    options: &Options,
    open: fn(Directory, &Options) -> Result<Guarded<B>, OpenError>,
) -> Result<SharedEngine, OpenError> {
    let directory = Directory::take(path, engine, options.make)?;
    let faults = options.faults.clone();
    let started = if directory.data().exists() {
        let core = Core::new(Faulty::new(open(directory, options)?, faults));
        Grouped::start(core.map_err(|e| OpenError::from_store(path.display(), e))?)
    } else {
        let (public, options) = (Arc::new(Public::empty()), options.clone());
        let shown = public.clone();
        Grouped::start_making(engine.as_str(), public, move || {
            let made = open(directory, &options).map_err(|e| StoreError::Unavailable(e.to_string()))?;
            Core::behind(shown, Faulty::new(made, faults))
        })
    };
    Ok(Arc::new(started.map_err(|e| OpenError::unavailable(path.display(), e))?))
}
