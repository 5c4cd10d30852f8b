//! What a table's items were: kept while point-in-time recovery is on or a backup is being made, and read by copies.
//!
//! A change and what was there before are one commit ([`record::write`]), and the store gives that record its place in the
//! log of the table's history when it commits. The items at a place are therefore those that are there now, with all later
//! changes undone: each item that was changed since is what it was before the first of these changes. A copy
//! ([`copy`]) does that in small commits while the table is being written.
//!
//! A history has no clock of its own: the time of a record is that of the transaction that wrote it, and commits overtake
//! each other. For a time, the place is in front of the first record that is later: everything that was acknowledged by then
//! stands in front of it, nothing that began later does, and what is in front of a place is always a whole number of
//! commits. Marks ([`crate::keys::MarkKey`]) save reading the log from its beginning to find that place.

pub(crate) mod backup;
pub(crate) mod copy;
pub(crate) mod record;
pub mod rows;

use std::collections::BTreeMap;
use std::time::Duration;

use base::Timestamp;
use kernel::{Call, Direction, NewTask, Parts, Result, TaskHandle, Tx};
use serde::{Deserialize, Serialize};
use store::Stored;

use crate::keys::{HistoryKey, MarkKey, TableKey};
use crate::ops::purge::{Purge, Rows};
use crate::table::Table;
use crate::tables;
use rows::{HistoryRow, Period, Place};

/// `RecoveryPeriodInDays` when it is not given, and the most it can be.
pub(crate) const DAYS_MAX: i32 = 35;
/// How often a history's time is marked and what is too old removed.
pub(crate) const TICK_EVERY: Duration = Duration::from_secs(3_600);
/// The internal operation that does so.
pub(crate) const TICK: &str = "KeepHistory";

/// The input of [`TICK`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tick {
    /// The history's log.
    pub(crate) log: u64,
}

impl Period {
    /// The length.
    pub(crate) fn length(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.days).unwrap_or(0) * 86_400)
    }

    /// `EarliestRestorableDateTime`
    pub(crate) fn earliest(&self, now: Timestamp) -> Option<Timestamp> {
        self.since.map(|since| since.max(now - self.length()))
    }
}

/// The table's history, if it has one.
pub(crate) async fn find(tx: &mut Tx, table: &Table) -> Result<Option<(u64, HistoryRow)>> {
    let Some(log) = table.history else { return Ok(None) };
    Ok(tx.get(&HistoryKey { log }).await?.map(|row| (log, row)))
}

/// The table's history; it begins with this commit if there is none. The row is to be written by the caller.
pub(crate) async fn begin(tx: &mut Tx, table: &Table) -> Result<(u64, HistoryRow)> {
    if let Some(found) = find(tx, table).await? {
        return Ok(found);
    }
    let log = tx.random();
    // Whoever writes items depends on the table's row: no write without a record comes behind this commit.
    tables::put(tx, &Table { history: Some(log), ..table.clone() })?;
    let row = HistoryRow {
        table: table.name.clone(),
        recovery: None,
        trimmed: None,
        holds: BTreeMap::new(),
        orphan: None,
    };
    Ok((log, row))
}

/// Writes a history's row, or ends the history if nobody needs it any more.
pub(crate) async fn settle(tx: &mut Tx, log: u64, row: HistoryRow) -> Result<()> {
    if row.recovery.is_some() || !row.holds.is_empty() {
        return tx.put(&HistoryKey { log }, &row);
    }
    tx.delete(&HistoryKey { log });
    for rows in [Rows::Undos, Rows::Befores, Rows::Marks] {
        Purge { rows, space: log }.enqueue(tx)?;
    }
    if let Some(space) = row.orphan {
        Purge { rows: Rows::Items, space }.enqueue(tx)?;
    }
    let Some(stored) = tx.get(&TableKey { name: row.table }).await? else { return Ok(()) };
    let table = Table::from_bytes(&stored.0)?;
    if table.history == Some(log) {
        tables::put(tx, &Table { history: None, ..table })?;
    }
    Ok(())
}

/// Says that a copy needs the history no more.
pub(crate) async fn release(tx: &mut Tx, log: u64, copy: u64) -> Result<()> {
    match tx.get(&HistoryKey { log }).await? {
        Some(mut row) => {
            row.holds.remove(&copy);
            settle(tx, log, row).await
        }
        None => Ok(()),
    }
}

/// Looks after a history at `at`.
pub(crate) fn plan_tick(tx: &mut Tx, log: u64, at: Timestamp) -> Result<TaskHandle> {
    tx.enqueue_quietly(at, NewTask::new(Call::new("dynamodb", TICK, &Tick { log })?))
}

/// From where on the log has to be read to find the first record that is later than `at`.
pub(crate) async fn start_for(tx: &mut Tx, log: u64, at: Timestamp) -> Result<Place> {
    let until = Parts::of(&log).and(&(at + Duration::from_millis(1)));
    let marks =
        tx.scan_between::<MarkKey>(Parts::of(&log), None, Some(until), 1, Direction::Backward).await?;
    Ok(marks.first().map_or(Place::START, |(_, mark)| Place::behind(mark.seq)))
}
