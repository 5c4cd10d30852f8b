//! The default engine: fjall, a log-structured tree, one keyspace in the store's directory.

use std::io::ErrorKind;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use fjall::{
    CompressionType, Database, Guard, Keyspace, KeyspaceCreateOptions, LsmError, PersistMode, Readable,
};

use crate::backend::{Backend, Batch, View, WriteFault, scan_end};
use crate::engine::{Direction, KeyRange, Row, StoreError, Version};
use crate::row::{self, LAST_BATCH};

/// The one keyspace: rows of all shapes share a tree, since one journal entry then carries a whole batch.
const KEYSPACE: &str = "rows";
/// Written by fjall when its directory is complete.
const COMPLETE: &str = "version";
/// What is replayed at most after a crash, and held in memory; a larger one compacts less.
const MEMTABLE_BYTES: u64 = 16 << 20;
/// One for flushes while the other compacts.
const WORKERS: usize = 2;

/// An open database. Gone once it is closed.
pub(crate) struct Fjall {
    open: Option<Open>,
    newest: (u64, Version),
}

struct Open {
    database: Database,
    rows: Keyspace,
}

impl Fjall {
    /// Opens the database in `directory`. In a store that never acknowledged anything it is made if it is missing, and
    /// made anew where its making was interrupted.
    pub(crate) fn open(directory: &Path, used: bool, cache_bytes: u64) -> Result<Fjall, StoreError> {
        let complete = directory.join(COMPLETE).exists();
        if used && !complete {
            return Err(StoreError::Damaged(format!("`data/{COMPLETE}` is missing")));
        }
        if !complete && directory.exists() {
            std::fs::remove_dir_all(directory).map_err(|e| StoreError::Unavailable(e.to_string()))?;
        }
        let database = Database::builder(directory)
            .cache_size(cache_bytes)
            .worker_threads(WORKERS)
            .journal_compression(CompressionType::None)
            .manual_journal_persist(true)
            .open()
            .map_err(store_error)?;
        let options = || {
            KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES).manual_journal_persist(true)
        };
        let rows = database.keyspace(KEYSPACE, options).map_err(store_error)?;
        let newest = match rows.get(LAST_BATCH).map_err(store_error)? {
            Some(bytes) => row::decode_batch(bytes.into())?,
            None if rows.first_key_value().is_some() => {
                return Err(StoreError::Damaged("the row of the last batch is missing".to_owned()));
            }
            None => (0, Version(0)),
        };
        Ok(Fjall { open: Some(Open { database, rows }), newest })
    }

    fn opened(&self) -> Result<&Open, StoreError> {
        self.open.as_ref().ok_or_else(crate::core::closed)
    }
}

impl Backend for Fjall {
    fn name(&self) -> &'static str {
        "fjall"
    }

    fn newest(&self) -> (u64, Version) {
        self.newest
    }

    fn view(&self) -> Result<Arc<dyn View>, StoreError> {
        let Open { database, rows } = self.opened()?;
        Ok(Arc::new(FjallView { snapshot: database.snapshot(), rows: rows.clone() }))
    }

    fn write(&mut self, batch: &Batch) -> Result<(), WriteFault> {
        let unknown = |e: fjall::Error| WriteFault::Unknown(store_error(e).to_string());
        let Open { database, rows } = self.opened().map_err(|e| WriteFault::Unknown(e.to_string()))?;
        let mut write = fjall::OwnedWriteBatch::with_capacity(database.clone(), batch.rows.len() + 1)
            .durability(Some(PersistMode::SyncData));
        for change in &batch.rows {
            match &change.value {
                Some(value) => write.insert(rows, change.key.clone(), row::encode(change.version, value)),
                None => write.remove(rows, change.key.clone()),
            }
        }
        write.insert(rows, LAST_BATCH, row::encode_batch(batch.number, batch.last));
        write.commit().map_err(unknown)?;
        self.newest = (batch.number, batch.last);
        Ok(())
    }

    fn unflushed(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.database.write_buffer_size())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        let Some(Open { database, .. }) = self.open.take() else { return Ok(()) };
        database.persist(PersistMode::SyncAll).map_err(store_error)
    }
}

struct FjallView {
    snapshot: fjall::Snapshot,
    rows: Keyspace,
}

impl View for FjallView {
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        match self.snapshot.get(&self.rows, key).map_err(store_error)? {
            Some(bytes) => row::decode(key, bytes.into()).map(Some),
            None => Ok(None),
        }
    }

    fn scan(
        &self,
        range: &KeyRange,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Bytes, Row)>, StoreError> {
        let end = scan_end(range);
        if *range.start >= *end || limit == 0 {
            return Ok(Vec::new());
        }
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Included(&range.start), Bound::Excluded(end));
        let rows = self.snapshot.range::<&[u8], _>(&self.rows, bounds);
        match direction {
            Direction::Forward => rows.take(limit).map(read).collect(),
            Direction::Backward => rows.rev().take(limit).map(read).collect(),
        }
    }
}

fn read(guard: Guard) -> Result<(Bytes, Row), StoreError> {
    let (key, value) = guard.into_inner().map_err(store_error)?;
    let row = row::decode(&key, value.into())?;
    Ok((key.into(), row))
}

fn store_error(error: fjall::Error) -> StoreError {
    match error {
        fjall::Error::Io(e) | fjall::Error::Storage(LsmError::Io(e)) => match e.kind() {
            ErrorKind::StorageFull => StoreError::Full,
            ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::UnexpectedEof
            | ErrorKind::InvalidData => {
                StoreError::Damaged(format!("the files in `data` do not fit together: {e}"))
            }
            _ => StoreError::Unavailable(e.to_string()),
        },
        fjall::Error::Poisoned => StoreError::Poisoned("an earlier flush or commit failed".to_owned()),
        fjall::Error::Locked => StoreError::Unavailable("another process has it open".to_owned()),
        damaged => StoreError::Damaged(damaged.to_string()),
    }
}
