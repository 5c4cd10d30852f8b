//! Writing one item: the condition judged, the change made, every index, expiry, stream and history kept, all in one transaction.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{self, ReturnValuesOnConditionCheckFailure};
use crate::capacity::{Meter, Rate};
use crate::expiry;
use crate::expression::{Condition, Update};
use crate::keys::{Address, ItemRow};
use crate::recovery;
use crate::stored;
use crate::stream::record::{self, Author};
use crate::table::{Index, Table};
use crate::value::{ITEM_BYTES_MAX, Item, check_nesting, item_size_bytes};

/// What becomes of an item.
pub(crate) enum Change<'a> {
    /// It is replaced.
    Put(Item),
    /// It is changed, or made of its key and the changes.
    Update(&'a Update<'a>),
    /// It is removed.
    Delete,
    /// It stays; only the condition counts.
    Check,
}

/// One item to be written.
pub(crate) struct Write<'a> {
    pub(crate) table: &'a Table,
    /// Where it stands.
    pub(crate) address: Address,
    /// Its key attributes: what an update makes a new item of.
    pub(crate) key: Item,
    pub(crate) condition: Option<&'a Condition<'a>>,
    pub(crate) change: Change<'a>,
    /// Whether the caller wants to know the item as it was, though the change itself need not.
    pub(crate) wants_before: bool,
    pub(crate) rate: Rate,
}

/// A write that was made in the transaction.
pub(crate) struct Written {
    /// The item as it was, if it was read and there was one.
    pub(crate) before: Option<Item>,
    /// The item as it is, if there is one.
    pub(crate) after: Option<Item>,
    /// What it has consumed.
    pub(crate) meter: Meter,
}

/// Why a write was not made.
pub(crate) enum Refused {
    /// The condition does not hold for this item.
    Condition(Option<Item>),
    /// The change is not possible.
    Fault(Fault),
}

impl Refused {
    /// The fault for an operation on one item. `wanted` says whether the caller wants to see the item at fault.
    pub(crate) fn into_fault(self, wanted: Option<ReturnValuesOnConditionCheckFailure>) -> Fault {
        let item = match self {
            Refused::Fault(fault) => return fault,
            Refused::Condition(item) => item,
        };
        let fault = api::error::conditional_check_failed_exception("The conditional request failed");
        match item.filter(|_| wanted == Some(ReturnValuesOnConditionCheckFailure::AllOld)) {
            Some(item) => fault.with_members(serde_json::json!({ "Item": item })),
            None => fault,
        }
    }
}

/// Makes the write in `tx`. The outer error is the store's.
pub(crate) async fn write(
    tx: &mut Tx,
    mut write: Write<'_>,
) -> Result<std::result::Result<Written, Refused>> {
    let before = match must_read(&write) {
        true => tx.get(&write.address.item_key(write.table.space)).await?,
        false => None,
    };
    let before = before.map(|row| row.item.decode()).transpose()?;
    if let Some(condition) = write.condition {
        let holds = match &before {
            Some(item) => condition.holds(item),
            None => condition.holds(&Item::new()),
        };
        if !holds {
            return Ok(Err(Refused::Condition(before)));
        }
    }
    let after = match changed(&mut write, before.as_ref()) {
        Ok(after) => after,
        Err(fault) => return Ok(Err(Refused::Fault(fault))),
    };
    let mut meter = Meter::default();
    if matches!(write.change, Change::Check) {
        let size = before.as_ref().map_or(0, item_size_bytes);
        meter.add(write.rate.units(size));
        return Ok(Ok(Written { before, after, meter }));
    }
    record::write(tx, write.table, before.as_ref(), after.as_ref(), Author::Caller)?;
    store(tx, write.table, &write.address, before.as_ref(), after.as_ref(), write.rate, &mut meter).await?;
    Ok(Ok(Written { before, after, meter }))
}

/// A put or delete that nothing depends on needs no reading, and so meets no conflict.
fn must_read(write: &Write<'_>) -> bool {
    write.condition.is_some()
        || write.wants_before
        || !write.table.indexes.is_empty()
        || write.table.ttl_attribute.is_some()
        || record::wants_before(write.table)
        || write.table.history.is_some()
        || matches!(write.change, Change::Update(_) | Change::Check)
}

/// The item as it becomes.
fn changed(write: &mut Write<'_>, before: Option<&Item>) -> Result<Option<Item>, Fault> {
    let (item, too_large) = match &mut write.change {
        Change::Delete => return Ok(None),
        Change::Check => return Ok(before.cloned()),
        Change::Put(item) => (std::mem::take(item), "Item size has exceeded the maximum allowed size"),
        Change::Update(update) => {
            let only_takes_away = update.set.is_empty() && update.add.is_empty();
            let takes_away = !update.remove.is_empty() || !update.delete.is_empty();
            if before.is_none() && only_takes_away && takes_away {
                return Ok(None);
            }
            let mut item = before.cloned().unwrap_or_else(|| write.key.clone());
            update.apply(&mut item)?;
            item.values().try_for_each(check_nesting)?;
            (item, "Item size to update has exceeded the maximum allowed size")
        }
    };
    if item_size_bytes(&item) > ITEM_BYTES_MAX {
        return Err(Fault::validation(too_large));
    }
    write.table.check_index_keys(&item)?;
    Ok(Some(item))
}

/// Refuses an update that names a key attribute.
pub(crate) fn check_keys_untouched(table: &Table, update: &Update<'_>) -> Result<(), Fault> {
    match update.paths().find(|path| table.keys.iter().any(|key| key == path.name)) {
        None => Ok(()),
        Some(path) => Err(Fault::validation(format!(
            "One or more parameter values were invalid: Cannot update attribute {}. This attribute is part of the key",
            path.name
        ))),
    }
}

/// Replaces the item's row and all that hangs on it.
pub(crate) async fn store(
    tx: &mut Tx,
    table: &Table,
    address: &Address,
    before: Option<&Item>,
    after: Option<&Item>,
    rate: Rate,
    meter: &mut Meter,
) -> Result<()> {
    recovery::record::write(tx, table, address, before, after)?;
    let key = address.item_key(table.space);
    let mut size = before.map_or(0, item_size_bytes);
    match after {
        Some(item) => {
            let row = row(item);
            size = size.max(row.size as usize);
            tx.put(&key, &row)?;
        }
        None => tx.delete(&key),
    }
    meter.add(rate.units(size));
    for index in &table.indexes {
        store_entry(tx, table, index, address, (before, after), rate, meter)?;
    }
    if table.ttl_attribute.is_some() {
        expiry::keep(tx, table, address, before, after).await?;
    }
    Ok(())
}

/// The row of an item or entry.
pub(crate) fn row(item: &Item) -> ItemRow {
    ItemRow {
        // No item is larger than 400 KB.
        size: item_size_bytes(item) as u32,
        item: stored::encode(item),
    }
}

/// Replaces the item's entry in an index, if it changes.
fn store_entry(
    tx: &mut Tx,
    table: &Table,
    index: &Index,
    address: &Address,
    (before, after): (Option<&Item>, Option<&Item>),
    rate: Rate,
    meter: &mut Meter,
) -> Result<()> {
    let entry = |item: &Item| {
        let at = table.address_in_index(index, item)?.index_key(index.space, address);
        Some((at, row(&index.project(table, item))))
    };
    let (before, after) = (before.and_then(entry), after.and_then(entry));
    if before == after && !index.backfilling {
        return Ok(());
    }
    if let Some((key, row)) = &before
        && after.as_ref().is_none_or(|(new, _)| new != key)
    {
        tx.delete(key);
        meter.add_index(index, rate.units(row.size as usize));
    }
    if let Some((key, row)) = after {
        tx.put(&key, &row)?;
        meter.add_index(index, rate.units(row.size as usize));
    }
    Ok(())
}
