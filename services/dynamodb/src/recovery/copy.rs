//! A copy of a table's items as they were at one place of its history, made in small commits while the table is written.
//!
//! Items are copied as each page finds them; then all changes between the wanted place and the last page are undone,
//! newest first, so that an item ends as it was before the first of them. It does not matter what a page saw of an item that
//! was changed meanwhile: that change is in the log. An item that is not in the log between the two places did not change
//! between them. What is undone never passes the place where copying ended, so that a busy table delays no copy.
//!
//! Every step is a task that writes a page and the next step in one commit.

use bytes::Bytes;
use kernel::{Call, Direction, Error, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use store::Stored;
use store::log::Position;

use super::rows::{CopyRow, Last, Makes, Place, Step, Undo};
use crate::api::BackupStatus;
use crate::keys::{Address, BackupKey, BeforeKey, CopyKey, ItemKey, ItemRow, TableKey, UndoKey};
use crate::ops::backfill;
use crate::table::{self, Table};
use crate::tables;

/// The internal operation that makes the next step of a copy.
pub(crate) const COPY: &str = "CopyItems";

/// A step ends when it has written so much: with one item more it is far below what a commit takes.
const STEP_BYTES: usize = 4_000_000;
/// Items of one step, and of one read.
const STEP_ITEMS: usize = 1_000;
const ITEMS_AT_ONCE: usize = 20;
/// Records of a history that are read at once.
const RECORDS_AT_ONCE: usize = 50;
/// Reads of one step that only looks for a place.
const READS_A_STEP: usize = 20;

/// The input of [`COPY`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CopyItems {
    /// The copy.
    pub(crate) id: u64,
}

/// Begins a copy under an id that was chosen before: holds bear it.
pub(crate) fn begin(tx: &mut Tx, id: u64, row: &CopyRow) -> Result<()> {
    tx.put(&CopyKey { id }, row)?;
    go_on(tx, id, &row.makes)
}

fn go_on(tx: &mut Tx, id: u64, makes: &Makes) -> Result<()> {
    // A lane of its own: tasks of one lane may share a commit, and one step alone fills half of it.
    let lane = match makes {
        Makes::Table(name) => table::arn(tx.scope(), name),
        Makes::Backup(table, id) => {
            super::backup::arn(tx.scope(), &BackupKey { table: table.clone(), id: id.clone() })
        }
    };
    let task = NewTask::new(Call::new("dynamodb", COPY, &CopyItems { id })?);
    tx.go_on(tx.now(), NewTask { lane: Some(lane), ..task })?;
    Ok(())
}

/// Makes the next step.
pub(crate) async fn step(tx: &mut Tx, input: CopyItems) -> Result<()> {
    let key = CopyKey { id: input.id };
    let Some((row, version)) = tx.get_versioned(&key).await? else { return Ok(()) };
    let next = match row.step.clone() {
        Step::Begin => Some(Step::Copy { after: None, first: Some(Place::behind(version.0)) }),
        Step::Seek { from, at } => Some(seek(tx, &row, from, at).await?),
        Step::Copy { after, first } => copy(tx, &row, after, first).await?,
        Step::Undo { before, first } => undo(tx, &row, before, first).await?,
        Step::Index { number, after } => index(tx, &row, number, after).await?,
    };
    match next {
        Some(step) => {
            go_on(tx, input.id, &row.makes)?;
            tx.put(&key, &CopyRow { step, ..row })
        }
        None => finish(tx, input.id, row).await,
    }
}

fn log_of(row: &CopyRow) -> Result<u64> {
    row.log.ok_or_else(|| Error::bug("copy items as they were: the copy has no history"))
}

/// Looks for the first record that is later than `at`.
async fn seek(tx: &mut Tx, row: &CopyRow, mut from: Place, at: base::Timestamp) -> Result<Step> {
    let log = UndoKey { log: log_of(row)? };
    for _ in 0..READS_A_STEP {
        let records = tx.read_log(&log, from.into(), RECORDS_AT_ONCE, Direction::Forward).await?;
        if let Some((place, _)) = records.iter().find(|(_, undo)| undo.at > at) {
            return Ok(Step::Copy { after: None, first: Some((*place).into()) });
        }
        if records.len() < RECORDS_AT_ONCE {
            let first = from.max(Place::behind(tx.seq()));
            return Ok(Step::Copy { after: None, first: Some(first) });
        }
        if let Some((last, _)) = records.last() {
            from = crate::stream::position::next(*last).into();
        }
    }
    Ok(Step::Seek { from, at })
}

/// Copies a page of items as they are.
async fn copy(tx: &mut Tx, row: &CopyRow, mut after: Last, first: Option<Place>) -> Result<Option<Step>> {
    let mut copied = 0;
    while copied < STEP_ITEMS {
        let items = items_after(tx, row.from, &after).await?;
        let ended = items.len() < ITEMS_AT_ONCE;
        copied += items.len();
        for (key, item) in items {
            after = Some((Bytes::from(key.partition.clone()), Bytes::from(key.sort.clone())));
            tx.put(&ItemKey { space: row.into, ..key }, &item)?;
            if tx.written_bytes() >= STEP_BYTES {
                return Ok(Some(Step::Copy { after, first }));
            }
        }
        if ended {
            // All pages were read at this transaction's snapshot or before it.
            return Ok(Some(match first {
                Some(first) => Step::Undo { before: Place::behind(tx.seq()), first },
                None => Step::Index { number: 0, after: None },
            }));
        }
    }
    Ok(Some(Step::Copy { after, first }))
}

/// Undoes a page of changes, newest first.
async fn undo(tx: &mut Tx, row: &CopyRow, mut before: Place, first: Place) -> Result<Option<Step>> {
    let log = log_of(row)?;
    let records = tx.read_log(&UndoKey { log }, before.into(), RECORDS_AT_ONCE, Direction::Backward).await?;
    let mut ended = records.len() < RECORDS_AT_ONCE;
    for (at, undo) in records {
        if at < Position::from(first) {
            ended = true;
            break;
        }
        restore(tx, log, row.into, undo).await?;
        before = at.into();
        if tx.written_bytes() >= STEP_BYTES {
            return Ok(Some(Step::Undo { before, first }));
        }
    }
    Ok(Some(match ended {
        true => Step::Index { number: 0, after: None },
        false => Step::Undo { before, first },
    }))
}

/// Makes an item of the copy what it was before a change.
async fn restore(tx: &mut Tx, log: u64, space: u64, undo: Undo) -> Result<()> {
    let address = Address { partition: undo.partition.to_vec(), sort: undo.sort.to_vec() };
    let key = address.item_key(space);
    let before = match (undo.before, undo.apart) {
        (Some(bytes), _) => Some(ItemRow::from_bytes(&bytes)?),
        (None, Some(id)) => {
            let row = tx.peek(&BeforeKey { log, id }).await?;
            Some(row.ok_or_else(|| Error::bug("undo a change: what was before is not there"))?)
        }
        (None, None) => None,
    };
    match before {
        Some(row) => tx.put(&key, &row),
        None => {
            tx.delete(&key);
            Ok(())
        }
    }
}

/// Makes a page of the entries of one of the table's indexes; `None` when there are no more.
async fn index(tx: &mut Tx, row: &CopyRow, number: usize, mut after: Last) -> Result<Option<Step>> {
    let Some(table) = made_table(tx, &row.makes).await? else { return Ok(None) };
    let Some(space) = table.indexes.get(number).map(|index| index.space) else { return Ok(None) };
    let mut entered = 0;
    while entered < STEP_ITEMS {
        let items = items_after(tx, row.into, &after).await?;
        let ended = items.len() < ITEMS_AT_ONCE;
        entered += items.len();
        for (key, item) in items {
            after = Some((Bytes::from(key.partition.clone()), Bytes::from(key.sort.clone())));
            let address = Address { partition: key.partition, sort: key.sort };
            backfill::enter(tx, &table, Some(space), &address, &item.item.decode()?).await?;
            if tx.written_bytes() >= STEP_BYTES {
                return Ok(Some(Step::Index { number, after }));
            }
        }
        if ended {
            return Ok(Some(Step::Index { number: number + 1, after: None }));
        }
    }
    Ok(Some(Step::Index { number, after }))
}

async fn items_after(tx: &mut Tx, space: u64, after: &Last) -> Result<Vec<(ItemKey, ItemRow)>> {
    let all = Parts::of(&space);
    match after {
        None => tx.scan::<ItemKey>(all, ITEMS_AT_ONCE).await,
        Some((partition, sort)) => {
            let last = Address { partition: partition.to_vec(), sort: sort.to_vec() }.item_key(space);
            tx.scan_after(all, &last, ITEMS_AT_ONCE, Direction::Forward).await
        }
    }
}

/// The table that a copy makes, if it makes one.
async fn made_table(tx: &mut Tx, makes: &Makes) -> Result<Option<Table>> {
    let Makes::Table(name) = makes else { return Ok(None) };
    let row = tx.get(&TableKey { name: name.clone() }).await?;
    Ok(row.map(|row| Table::from_bytes(&row.0)).transpose()?)
}

/// The copy is whole: it may be used, and its sources need no longer be kept for it.
async fn finish(tx: &mut Tx, id: u64, row: CopyRow) -> Result<()> {
    if let Some(mut table) = made_table(tx, &row.makes).await? {
        if let Some(restored) = &mut table.restored {
            restored.in_progress = false;
        }
        tables::put(tx, &table)?;
    }
    if let Makes::Backup(table, id) = row.makes {
        let key = BackupKey { table, id };
        if let Some(mut backup) = tx.get(&key).await? {
            backup.status = BackupStatus::Available;
            tx.put(&key, &backup)?;
        }
    }
    if let Some((table, id)) = row.backup {
        let key = BackupKey { table, id };
        if let Some(mut backup) = tx.get(&key).await? {
            backup.restores = backup.restores.saturating_sub(1);
            tx.put(&key, &backup)?;
        }
    }
    tx.delete(&CopyKey { id });
    match row.log {
        Some(log) => super::release(tx, log, id).await,
        None => Ok(()),
    }
}
