//! Internal: deletes the items of a table that have expired, then plans the next sweep.

use kernel::{Parts, Result, Tx};

use crate::capacity::{Meter, Rate};
use crate::expiry::{self, Sweep};
use crate::keys::{Address, ExpiryKey, SweepKey, SweepRow, TableKey};
use crate::stream::record::Author;
use crate::table::Table;
use crate::{stream, tables, write};

const ITEMS_A_TASK: usize = 50;

pub(crate) async fn sweep(tx: &mut Tx, input: Sweep) -> Result<()> {
    if tx.get(&TableKey { name: input.table.clone() }).await?.is_none() {
        return Ok(());
    }
    let table = tables::for_writing(tx, &input.table).await?;
    if table.space != input.space || table.ttl_attribute.is_none() {
        return Ok(());
    }
    if input.closing { close(tx, &table).await } else { delete_expired(tx, &table).await }
}

async fn delete_expired(tx: &mut Tx, table: &Table) -> Result<()> {
    let now = tx.now().as_secs();
    let space = Parts::of(&table.space);
    let until = Parts::of(&table.space).and(&now.saturating_add(1));
    let forward = kernel::Direction::Forward;
    let rows = tx.scan_between::<ExpiryKey>(space, None, Some(until), ITEMS_A_TASK, forward).await?;
    let ended = rows.len() < ITEMS_A_TASK;
    for (key, ()) in rows {
        let address = Address { partition: key.partition.clone(), sort: key.sort.clone() };
        let row = tx.get(&address.item_key(table.space)).await?;
        let item = row.map(|row| row.item.decode()).transpose()?;
        if let Some(item) = item.filter(|item| table.expiry_of(item) == Some(key.at)) {
            stream::record::write(tx, table, Some(&item), None, Author::TimeToLive)?;
            let mut meter = Meter::default();
            write::store(tx, table, &address, Some(&item), None, Rate::Write, &mut meter).await?;
        }
        tx.delete(&key);
    }
    if !ended {
        return expiry::schedule(tx, table, now);
    }
    tx.put(&SweepKey { space: table.space }, &SweepRow::Closing)?;
    expiry::enqueue(tx, table, tx.now(), true)?;
    Ok(())
}

/// Nobody may have planned a sweep since the last one ended: then whatever expires next is in this snapshot.
async fn close(tx: &mut Tx, table: &Table) -> Result<()> {
    let plan = SweepKey { space: table.space };
    if tx.get(&plan).await? != Some(SweepRow::Closing) {
        return Ok(());
    }
    match tx.scan::<ExpiryKey>(Parts::of(&table.space), 1).await?.first() {
        Some((next, ())) => expiry::schedule(tx, table, next.at),
        None => {
            tx.delete(&plan);
            Ok(())
        }
    }
}
