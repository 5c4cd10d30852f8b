//! Durable rows: the engine seam, its engines, order-preserving keys and the shapes `Map`, `Due`, `Log` and `Blob`.
//!
//! Knows no service, no protocol and no clock: a time is an argument here.

mod admission;
mod backend;
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
