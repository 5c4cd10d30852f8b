//! Internal: removes the rows of a space that nothing names any more, a page a task.

use kernel::{Call, Direction, Key, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::keys::{BeforeKey, ExpiryKey, IndexKey, ItemKey, MarkKey, UndoKey};
use crate::recovery::rows::Place;

/// The internal operation.
pub(crate) const PURGE: &str = "PurgeSpace";

const ROWS_A_TASK: usize = 64;

/// The input of [`PURGE`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Purge {
    pub(crate) rows: Rows,
    pub(crate) space: u64,
}

/// Which rows of the space.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Rows {
    Items,
    Entries,
    Expiries,
    /// A history's log, whose number is the space; its items that stand apart; its marks.
    Undos,
    Befores,
    Marks,
}

impl Purge {
    /// Enqueues the next page.
    pub(crate) fn enqueue(self, tx: &mut Tx) -> Result<()> {
        tx.go_on(tx.now(), NewTask::new(Call::new("dynamodb", PURGE, &self)?))?;
        Ok(())
    }
}

pub(crate) async fn purge(tx: &mut Tx, input: Purge) -> Result<()> {
    let removed = match input.rows {
        Rows::Items => page::<ItemKey>(tx, input.space).await?,
        Rows::Entries => page::<IndexKey>(tx, input.space).await?,
        Rows::Expiries => page::<ExpiryKey>(tx, input.space).await?,
        Rows::Undos => records(tx, input.space).await?,
        Rows::Befores => page::<BeforeKey>(tx, input.space).await?,
        Rows::Marks => page::<MarkKey>(tx, input.space).await?,
    };
    if removed == ROWS_A_TASK { input.enqueue(tx) } else { Ok(()) }
}

async fn page<K: Key>(tx: &mut Tx, space: u64) -> Result<usize> {
    let rows = tx.scan::<K>(Parts::of(&space), ROWS_A_TASK).await?;
    for (key, _) in &rows {
        tx.delete(key);
    }
    Ok(rows.len())
}

/// A page of a history's log.
async fn records(tx: &mut Tx, log: u64) -> Result<usize> {
    let log = UndoKey { log };
    let rows = tx.read_log(&log, Place::START.into(), ROWS_A_TASK, Direction::Forward).await?;
    for (at, _) in &rows {
        tx.trim(&log, *at);
    }
    Ok(rows.len())
}
