//! Durable rows: the engine seam, its engines, order-preserving keys and the shapes `Map`, `Due`, `Log` and `Blob`.
//!
//! Knows no service, no protocol and no clock: a time is an argument here. Holds no conversation: a transaction is a value
//! ([`Commit`]) that an [`Engine`] applies or refuses, and everything that is acknowledged is synced.
//!
//! The way of a commit in an embedded engine: `admission` refuses what breaks a limit, `grouped` queues it for the one
//! committing thread (`inline` runs it where it is asked for, in memory), where large ones wait in `backlog` while the engine
//! has much to flush, `core` takes a group through `ledger` (which
//! hold, in what order, merged into one batch), `fault` (tests), `guarded` (room on the disk, the mark of what was
//! acknowledged) and the engine, and then shows it: to floors, to snapshots, to watches, to whoever waits. `postgres`
//! has the same way with the judging done by the server.
//!
//! Keys: what starts with `0xFF` is the engine's own; what starts with [`chunk::CHUNK_SPACE`] holds the chunks of values
//! that are too large for a row; all else is for the layers above, which build it from [`KeyPart`]s.

mod admission;
mod backend;
mod backlog;
mod core;
mod directory;
mod fjall;
mod grouped;
mod guarded;
mod high_water;
mod inline;
mod ledger;
mod memory;
mod postgres;
mod prefixes;
mod redb;
mod resolver;
mod row;

pub mod blob;
pub mod chunk;
pub mod codec;
pub mod due;
pub mod engine;
pub mod fault;
pub mod floor;
pub mod key;
pub mod limits;
pub mod location;
pub mod log;
pub mod verify;
pub mod watch;

pub use bytes;
pub use codec::{CodecError, Stored};
pub use due::{DueKey, due_key, due_until, parse_due_key};
pub use engine::{
    Append, Check, Commit, CommitError, Direction, Engine, Expect, KeyRange, Row, Snapshot, StoreError,
    Version,
};
pub use floor::ScanFloor;
pub use key::{FromKey, KeyError, KeyPart, KeyReader, KeyWriter};
pub use location::{EngineName, Location, OpenError, Options, open, open_with};
pub use log::Position;
pub use verify::{Report, verify};
pub use watch::{SharedEngine, Wake};
