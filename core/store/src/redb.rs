//! A second engine on disk: redb, a copy-on-write tree in one file.

use std::fs;
use std::io::ErrorKind;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use redb::{
    Database, Durability, ReadOnlyTable, ReadableDatabase, ReadableTable, StorageError, TableDefinition,
};

use crate::backend::{Backend, Batch, View, WriteFault, scan_end};
use crate::engine::{Direction, KeyRange, Row, StoreError, Version};
use crate::row::{self, LAST_BATCH};

const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
const FILE: &str = "rows.redb";
const UNFINISHED: &str = "rows.redb.new";

/// An open database. Gone once it is closed.
pub(crate) struct Redb {
    database: Option<Database>,
    newest: (u64, Version),
}

impl Redb {
    /// Opens the database in `directory`. In a store that never acknowledged anything it is made if it is missing, and
    /// made anew where its making was interrupted.
    pub(crate) fn open(directory: &Path, used: bool, cache_bytes: u64) -> Result<Redb, StoreError> {
        let file = directory.join(FILE);
        let mut builder = Database::builder();
        builder.set_cache_size(usize::try_from(cache_bytes).unwrap_or(usize::MAX));
        let database = if file.exists() {
            builder.open(&file).map_err(store_error)?
        } else if used {
            return Err(StoreError::Damaged(format!("`data/{FILE}` is missing")));
        } else {
            let io = |e: std::io::Error| StoreError::Unavailable(e.to_string());
            let unfinished = directory.join(UNFINISHED);
            fs::create_dir_all(directory).map_err(io)?;
            if unfinished.exists() {
                fs::remove_file(&unfinished).map_err(io)?;
            }
            let database = builder.create(&unfinished).map_err(store_error)?;
            let write = database.begin_write().map_err(store_error)?;
            write.open_table(ROWS).map_err(store_error)?;
            write.commit().map_err(store_error)?;
            fs::rename(&unfinished, &file).map_err(io)?;
            fs::File::open(directory).and_then(|d| d.sync_all()).map_err(io)?;
            database
        };
        let newest = newest(&database)?;
        Ok(Redb { database: Some(database), newest })
    }

    fn opened(&self) -> Result<&Database, StoreError> {
        self.database.as_ref().ok_or_else(crate::core::closed)
    }

    fn apply(&self, batch: &Batch) -> Result<(), redb::Error> {
        let Some(database) = &self.database else { return Err(redb::Error::DatabaseClosed) };
        let mut write = database.begin_write()?;
        write.set_durability(Durability::Immediate)?;
        {
            let mut rows = write.open_table(ROWS)?;
            for change in &batch.rows {
                match &change.value {
                    Some(value) => rows.insert(&*change.key, &*row::encode(change.version, value))?,
                    None => rows.remove(&*change.key)?,
                };
            }
            rows.insert(LAST_BATCH, &*row::encode_batch(batch.number, batch.last))?;
        }
        write.commit()?;
        Ok(())
    }
}

fn newest(database: &Database) -> Result<(u64, Version), StoreError> {
    let rows = table(database)?;
    match rows.get(LAST_BATCH).map_err(store_error)? {
        Some(bytes) => row::decode_batch(Bytes::copy_from_slice(bytes.value())),
        None if rows.first().map_err(store_error)?.is_some() => {
            Err(StoreError::Damaged("the row of the last batch is missing".to_owned()))
        }
        None => Ok((0, Version(0))),
    }
}

fn table(database: &Database) -> Result<ReadOnlyTable<&'static [u8], &'static [u8]>, StoreError> {
    let read = database.begin_read().map_err(store_error)?;
    read.open_table(ROWS).map_err(store_error)
}

impl Backend for Redb {
    fn name(&self) -> &'static str {
        "redb"
    }

    fn newest(&self) -> (u64, Version) {
        self.newest
    }

    fn view(&self) -> Result<Arc<dyn View>, StoreError> {
        Ok(Arc::new(RedbView(table(self.opened()?)?)))
    }

    fn write(&mut self, batch: &Batch) -> Result<(), WriteFault> {
        self.apply(batch).map_err(|e| WriteFault::Unknown(store_error(e).to_string()))?;
        self.newest = (batch.number, batch.last);
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        // Dropping releases the file once the last snapshot is gone.
        self.database = None;
        Ok(())
    }

    /// Reads do not prove the checksums of pages.
    fn check(&mut self) -> Result<(), StoreError> {
        let database = self.database.as_mut().ok_or_else(crate::core::closed)?;
        match database.check_integrity().map_err(store_error)? {
            true => Ok(()),
            false => {
                Err(StoreError::Damaged("`rows.redb` had pages that are not what was written".to_owned()))
            }
        }
    }
}

struct RedbView(ReadOnlyTable<&'static [u8], &'static [u8]>);

impl View for RedbView {
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        match self.0.get(key).map_err(store_error)? {
            Some(bytes) => row::decode(key, Bytes::copy_from_slice(bytes.value())).map(Some),
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
        if *range.start >= *end {
            return Ok(Vec::new());
        }
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Included(&range.start), Bound::Excluded(end));
        let rows = self.0.range::<&[u8]>(bounds).map_err(store_error)?;
        match direction {
            Direction::Forward => rows.take(limit).map(read).collect(),
            Direction::Backward => rows.rev().take(limit).map(read).collect(),
        }
    }
}

type Entry<'a> = (redb::AccessGuard<'a, &'static [u8]>, redb::AccessGuard<'a, &'static [u8]>);

fn read(entry: Result<Entry<'_>, StorageError>) -> Result<(Bytes, Row), StoreError> {
    let (key, value) = entry.map_err(store_error)?;
    let row = row::decode(key.value(), Bytes::copy_from_slice(value.value()))?;
    Ok((Bytes::copy_from_slice(key.value()), row))
}

fn store_error(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Io(e) => match e.kind() {
            ErrorKind::StorageFull => StoreError::Full,
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData => StoreError::Damaged(e.to_string()),
            _ => StoreError::Unavailable(e.to_string()),
        },
        redb::Error::PreviousIo => StoreError::Poisoned("an earlier write failed".to_owned()),
        redb::Error::DatabaseAlreadyOpen => StoreError::Unavailable("another process has it open".to_owned()),
        redb::Error::Corrupted(what) => StoreError::Damaged(what),
        redb::Error::UpgradeRequired(version) => {
            StoreError::Damaged(format!("rows.redb has the file format {version} of an older redb"))
        }
        redb::Error::TableDoesNotExist(table) => {
            StoreError::Damaged(format!("the table `{table}` is missing"))
        }
        other => StoreError::Unavailable(other.to_string()),
    }
}
