//! The seam below which engines differ: ordered bytes, one transaction a value.

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::floor::ScanFloor;
use crate::watch::Wake;

/// The number of a commit. Versions rise by commit order; two commits never share one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

/// A row as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The commit that wrote it.
    pub version: Version,
    /// What was written, at most [`crate::limits::VALUE_BYTES_MAX`].
    pub value: Bytes,
}

/// What a row must still be for a commit to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No such row.
    Absent,
    /// Written by exactly this commit.
    At(Version),
}

/// A guard of a commit: `key` must still be as expected when the commit is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The row.
    pub key: Bytes,
    /// Its state.
    pub expect: Expect,
}

/// A row that gets its key at commit: `prefix`, then the [`crate::log::Position`] (ten bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The log's key.
    pub prefix: Bytes,
    /// The record.
    pub value: Bytes,
}

/// A whole transaction. Applied entirely or not at all; acknowledged when it is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// All must hold.
    pub checks: Vec<Check>,
    /// Rows written. A key stands at most once in `puts` and `deletes` together.
    pub puts: Vec<(Bytes, Bytes)>,
    /// Rows removed; removing what is absent is no error.
    pub deletes: Vec<Bytes>,
    /// Records appended, in this order.
    pub appends: Vec<Append>,
    /// The snapshot that the checks were read at, if all were read at one: lets the committer prove them without reading.
    pub read_at: Option<Version>,
}

/// A range of keys: `start` included, `end` excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// First key of the range.
    pub start: Bytes,
    /// First key behind the range; empty means no bound.
    pub end: Bytes,
}

/// Which end a scan starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Ascending keys.
    Forward,
    /// Descending keys.
    Backward,
}

/// Why a commit was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A check did not hold: read again, decide again.
    #[error("conflict on a row that was read")]
    Conflict {
        /// The row that had changed.
        key: Bytes,
    },
    /// The commit breaks a limit of the store; it would never succeed.
    #[error("refused: {0}")]
    Refused(String),
    /// The engine could not write. `StoreError` says whether it will ever again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an engine does not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no room on the disk. Nothing acknowledged is lost; writes are refused until there is room.
    #[error("no space left on the device that holds the store")]
    Full,
    /// A sync failed or the outcome of a write is unknown: the store acknowledges nothing any more.
    #[error("the store is poisoned and acknowledges nothing any more: {0}")]
    Poisoned(String),
    /// The data on disk is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The engine cannot be reached or failed in another way; the write was not applied.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

/// Reads at one version.
pub trait Snapshot: Send + Sync {
    /// The newest commit that this snapshot sees.
    fn version(&self) -> Version;
    /// The row under `key`.
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Row>, StoreError>>;
    /// At most `limit` rows of `range`, in key order from the end that `direction` names.
    fn scan<'a>(
        &'a self,
        range: KeyRange,
        limit: usize,
        direction: Direction,
    ) -> BoxFuture<'a, Result<Vec<(Bytes, Row)>, StoreError>>;
}

/// An ordered, transactional key-value store. Object safe and narrow: anything more is built on top, once.
pub trait Engine: Send + Sync + 'static {
    /// A view of everything that is acknowledged now.
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>>;
    /// Applies `commit` or says why not. The answer comes when the commit is on disk.
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Version, CommitError>>;
    /// A hint that something below `prefix` was committed; never a promise.
    fn watch(&self, prefix: &[u8]) -> Wake;
    /// Stops taking commits, finishes what is queued, releases the data. The error says what may be lost.
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>>;
    /// `fjall`, `redb`, `memory`, `postgres`.
    fn name(&self) -> &'static str;
    /// Why nothing is acknowledged any more, once that is so: the store is poisoned or closed.
    fn failure(&self) -> Option<StoreError> {
        None
    }
    /// Hints where scans of queue heads may start; exact for snapshots of this engine.
    fn floor(&self) -> &ScanFloor {
        ScanFloor::none()
    }
}
