//! An item as it was before a change: written with the change, in the same commit.

use bytes::Bytes;
use kernel::{Result, Tx};
use store::Stored;

use super::rows::Undo;
use crate::keys::{Address, BeforeKey, UndoKey};
use crate::table::Table;
use crate::value::Item;
use crate::write;

/// A larger item has a row of its own.
const INLINE_BYTES_MAX: usize = 60_000;

/// Keeps what was before a change, if the table has a history and the item does change.
pub(crate) fn write(
    tx: &mut Tx,
    table: &Table,
    address: &Address,
    before: Option<&Item>,
    after: Option<&Item>,
) -> Result<()> {
    let Some(log) = table.history else { return Ok(()) };
    if before == after {
        return Ok(());
    }
    let row = before.map(write::row);
    let mut undo = Undo {
        at: tx.now(),
        partition: Bytes::copy_from_slice(&address.partition),
        sort: Bytes::copy_from_slice(&address.sort),
        before: row.as_ref().map(Stored::to_bytes).transpose()?,
        apart: None,
    };
    if let Some(row) = row
        && undo.before.as_ref().is_some_and(|bytes| bytes.len() > INLINE_BYTES_MAX)
    {
        let id = tx.random();
        tx.put(&BeforeKey { log, id }, &row)?;
        (undo.before, undo.apart) = (None, Some(id));
    }
    tx.append(&UndoKey { log }, &undo)
}
