//! Internal: brings what a table's new index, or its time to live, has to know of the items that were there before.
//!
//! An item that is written meanwhile keeps itself, for its writer sees the table as it is now. The items of a page are
//! read guarded: one that changes before the page commits makes the page run again.

use std::sync::Arc;

use kernel::{Call, Direction, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::keys::{Address, ItemKey, TableKey};
use crate::table::Table;
use crate::value::Item;
use crate::{expiry, tables, write};

/// The internal operation.
pub(crate) const BACKFILL: &str = "BackfillTable";

const ROWS_A_TASK: usize = 20;

/// The input of [`BACKFILL`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Backfill {
    /// The table's name.
    pub(crate) table: String,
    /// Its space.
    pub(crate) space: u64,
    /// The index to fill; `None` for the expiries.
    pub(crate) index: Option<u64>,
    /// The last item that is done.
    pub(crate) after: Option<(Vec<u8>, Vec<u8>)>,
}

impl Backfill {
    /// From the table's first item on.
    pub(crate) fn of(table: &Table, index: Option<u64>) -> Backfill {
        Backfill { table: table.name.clone(), space: table.space, index, after: None }
    }

    /// Enqueues the next page.
    pub(crate) fn enqueue(self, tx: &mut Tx) -> Result<()> {
        tx.go_on(tx.now(), NewTask::new(Call::new("dynamodb", BACKFILL, &self)?))?;
        Ok(())
    }
}

pub(crate) async fn backfill(tx: &mut Tx, input: Backfill) -> Result<()> {
    if tx.get(&TableKey { name: input.table.clone() }).await?.is_none() {
        return Ok(());
    }
    let table = tables::for_writing(tx, &input.table).await?;
    let wanted = match input.index {
        Some(space) => table.indexes.iter().any(|index| index.space == space),
        None => table.ttl_attribute.is_some(),
    };
    if table.space != input.space || !wanted {
        return Ok(());
    }
    let rows = match &input.after {
        None => tx.scan::<ItemKey>(Parts::of(&table.space), ROWS_A_TASK).await?,
        Some((partition, sort)) => {
            let last = Address { partition: partition.clone(), sort: sort.clone() }.item_key(table.space);
            tx.scan_after(Parts::of(&table.space), &last, ROWS_A_TASK, Direction::Forward).await?
        }
    };
    let ended = rows.len() < ROWS_A_TASK;
    let mut last = None;
    for (key, _) in rows {
        if let Some(row) = tx.get(&key).await? {
            let address = Address { partition: key.partition.clone(), sort: key.sort.clone() };
            enter(tx, &table, input.index, &address, &row.item.decode()?).await?;
        }
        last = Some((key.partition, key.sort));
    }
    match (ended, input.index) {
        (false, _) => Backfill { after: last, ..input }.enqueue(tx),
        (true, Some(space)) => finish(tx, table, space),
        (true, None) => Ok(()),
    }
}

/// Enters an item in the index of that space, or its expiry.
pub(crate) async fn enter(
    tx: &mut Tx,
    table: &Table,
    index: Option<u64>,
    address: &Address,
    item: &Item,
) -> Result<()> {
    let Some(space) = index else {
        return expiry::keep(tx, table, address, None, Some(item)).await;
    };
    // An item from before the index may bear values that no index takes; AWS leaves such items out.
    if table.check_index_keys(item).is_err() {
        return Ok(());
    }
    for index in table.indexes.iter().filter(|index| index.space == space) {
        if let Some(at) = table.address_in_index(index, item) {
            tx.put(&at.index_key(space, address), &write::row(&index.project(table, item)))?;
        }
    }
    Ok(())
}

/// The index is whole: it may be read.
fn finish(tx: &mut Tx, table: Arc<Table>, space: u64) -> Result<()> {
    let mut table = Table::clone(&table);
    for index in &mut table.indexes {
        index.backfilling &= index.space != space;
    }
    tables::put(tx, &table)
}
