//! Time to live: a row for every item that expires, and one task a table for the earliest of them.
//!
//! The rows are hints: a sweep deletes an item only if the item itself still says that it has expired. The plan
//! ([`SweepRow`]) is read guarded by every writer of an expiring item, so that no expiry is earlier than the next sweep.
//!
//! Source: "Using time to live (TTL) in DynamoDB": numbers in seconds since the epoch, at most five years in the past.

use std::time::Duration;

use base::Timestamp;
use kernel::{Call, NewTask, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::keys::{Address, ExpiryKey, SweepKey, SweepRow};
use crate::table::Table;
use crate::value::Item;

/// The internal operation that deletes expired items.
pub(crate) const SWEEP: &str = "SweepExpiredItems";

const FIVE_YEARS: Duration = Duration::from_secs(5 * 365 * 86_400);

/// The input of [`SWEEP`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sweep {
    /// The table's name.
    pub(crate) table: String,
    /// Its space: another table of that name is not meant.
    pub(crate) space: u64,
    /// Whether to look for the next expiry instead of deleting.
    pub(crate) closing: bool,
}

/// Keeps the rows of an item's expiry.
pub(crate) async fn keep(
    tx: &mut Tx,
    table: &Table,
    address: &Address,
    before: Option<&Item>,
    after: Option<&Item>,
) -> Result<()> {
    let oldest = (tx.now() - FIVE_YEARS).as_secs();
    let expiry = |item: Option<&Item>| item.and_then(|item| table.expiry_of(item)).filter(|at| *at >= oldest);
    let (before, after) = (expiry(before), expiry(after));
    if before == after {
        return Ok(());
    }
    if let Some(at) = before {
        tx.delete(&key(table, address, at));
    }
    match after {
        Some(at) => enter(tx, table, address, at).await,
        None => Ok(()),
    }
}

fn key(table: &Table, address: &Address, at: i64) -> ExpiryKey {
    let Address { partition, sort } = address.clone();
    ExpiryKey { space: table.space, at, partition, sort }
}

/// Writes an item's expiry, and plans a sweep for it if none is planned as early.
pub(crate) async fn enter(tx: &mut Tx, table: &Table, address: &Address, at: i64) -> Result<()> {
    tx.put(&key(table, address, at), &())?;
    match tx.get(&SweepKey { space: table.space }).await? {
        Some(SweepRow::Scheduled { at: planned, .. }) if planned <= at => Ok(()),
        Some(SweepRow::Scheduled { task, .. }) => {
            tx.cancel(&task);
            schedule(tx, table, at)
        }
        Some(SweepRow::Closing) | None => schedule(tx, table, at),
    }
}

/// Plans a sweep for `at`, or at once if that has passed.
pub(crate) fn schedule(tx: &mut Tx, table: &Table, at: i64) -> Result<()> {
    let due = Timestamp::from_millis(at.saturating_mul(1000)).max(tx.now()).min(Timestamp::MAX);
    let task = enqueue(tx, table, due, false)?;
    tx.put(&SweepKey { space: table.space }, &SweepRow::Scheduled { at, task })
}

/// Enqueues a sweep without planning it.
pub(crate) fn enqueue(
    tx: &mut Tx,
    table: &Table,
    due: Timestamp,
    closing: bool,
) -> Result<kernel::TaskHandle> {
    let input = Sweep { table: table.name.clone(), space: table.space, closing };
    tx.go_on(due, NewTask::new(Call::new("dynamodb", SWEEP, &input)?))
}
