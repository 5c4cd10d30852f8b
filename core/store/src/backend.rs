//! What an embedded engine is below the committer: it reads, and it writes one synced batch at a time.
//!
//! A backend knows no checks, no conflicts, no groups and no waiting; the committer gives it batches that hold.

use std::sync::Arc;

use bytes::Bytes;

use crate::engine::{Direction, KeyRange, Row, StoreError, Version};

/// Rows of one engine commit: a group of transactions, merged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    /// Rises by one with every batch of the store's life: a gap at its end means that acknowledged data is gone.
    pub(crate) number: u64,
    /// The version of the last transaction of the group.
    pub(crate) last: Version,
    /// What becomes of each row; a key stands here once.
    pub(crate) rows: Vec<Change>,
}

/// What a batch does to one row.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// The row.
    pub(crate) key: Bytes,
    /// The transaction that did it.
    pub(crate) version: Version,
    /// The new value; `None` removes the row.
    pub(crate) value: Option<Bytes>,
}

/// Why a batch was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WriteFault {
    /// No room, and not a byte of the batch was applied.
    Full,
    /// Whether the batch is on disk is unknown.
    Unknown(String),
}

/// The state of the store at one version.
pub(crate) trait View: Send + Sync {
    /// The row under `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError>;
    /// At most `limit` rows of `range` from the end that `direction` names; never a reserved row.
    fn scan(
        &self,
        range: &KeyRange,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Bytes, Row)>, StoreError>;
}

/// An embedded engine.
pub(crate) trait Backend: Send + 'static {
    /// Its name, as `Engine::name`.
    fn name(&self) -> &'static str;
    /// The last batch that it holds and that batch's last version; zeros if it is empty.
    fn newest(&self) -> (u64, Version);
    /// All that is written.
    fn view(&self) -> Result<Arc<dyn View>, StoreError>;
    /// Writes `batch` and syncs it, or leaves everything as it was.
    fn write(&mut self, batch: &Batch) -> Result<(), WriteFault>;
    /// Bytes that are written and still held in memory, because they are not flushed; 0 if it never holds any.
    fn unflushed(&self) -> u64 {
        0
    }
    /// Flushes and releases the data.
    fn close(&mut self) -> Result<(), StoreError>;
    /// Proves what reading every row does not prove.
    fn check(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The first byte of keys that belong to the store itself and that no commit may name.
pub(crate) const RESERVED: u8 = 0xFF;

/// The end of a scan of `range`: what is unbounded ends in front of the reserved keys.
pub(crate) fn scan_end(range: &KeyRange) -> &[u8] {
    if range.end.is_empty() || range.end[0] == RESERVED { &[RESERVED] } else { &range.end }
}

impl Batch {
    /// Bytes of its rows.
    pub(crate) fn bytes(&self) -> u64 {
        let row = |c: &Change| c.key.len() + c.value.as_ref().map_or(0, Bytes::len);
        self.rows.iter().map(row).sum::<usize>() as u64
    }
}
