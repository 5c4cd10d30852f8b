//! Internal: marks the time in a table's history, and removes what is older than its recovery period.

use kernel::{Direction, Parts, Result, Tx};

use crate::keys::{BeforeKey, HistoryKey, MarkKey, UndoKey};
use crate::recovery::rows::{HistoryRow, MarkRow, Place};
use crate::recovery::{self, TICK_EVERY, Tick};
use crate::stream::position;

/// Records, and marks, that are removed in one transaction.
const RECORDS_A_TASK: usize = 200;
const MARKS_A_TASK: usize = 50;

pub(crate) async fn keep_history(tx: &mut Tx, Tick { log }: Tick) -> Result<()> {
    let Some(mut row) = tx.get(&HistoryKey { log }).await? else { return Ok(()) };
    let Some(mut period) = row.recovery.take() else { return Ok(()) };
    let now = tx.now();
    // The transaction's snapshot is older than its time: nothing up to `seq` is later than `now`.
    tx.put(&MarkKey { log, at: now }, &MarkRow { seq: tx.seq() })?;
    period.since = Some(period.since.unwrap_or(now));
    let oldest = now - period.length();
    let removed = trim(tx, log, &mut row, oldest).await?;
    trim_marks(tx, log, oldest).await?;
    let next = if removed == RECORDS_A_TASK { now } else { now + TICK_EVERY };
    period.task = recovery::plan_tick(tx, log, next)?;
    row.recovery = Some(period);
    tx.put(&HistoryKey { log }, &row)
}

/// Removes a page of records that are older than `oldest`, unless a copy still needs them; how many.
async fn trim(tx: &mut Tx, log: u64, row: &mut HistoryRow, oldest: base::Timestamp) -> Result<usize> {
    let held = row.holds.values().min().copied();
    let from = row.trimmed.unwrap_or(Place::START);
    let records = tx.read_log(&UndoKey { log }, from.into(), RECORDS_A_TASK, Direction::Forward).await?;
    let mut removed = 0;
    for (at, undo) in records {
        if undo.at > oldest || held.is_some_and(|held| Place::from(at) >= held) {
            break;
        }
        tx.trim(&UndoKey { log }, at);
        if let Some(id) = undo.apart {
            tx.delete(&BeforeKey { log, id });
        }
        row.trimmed = Some(position::next(at).into());
        removed += 1;
    }
    Ok(removed)
}

/// Removes marks that nobody asks for any more: all but the newest of those from before `oldest`.
async fn trim_marks(tx: &mut Tx, log: u64, oldest: base::Timestamp) -> Result<()> {
    let until = Some(Parts::of(&log).and(&oldest));
    let forward = Direction::Forward;
    let marks = tx.scan_between::<MarkKey>(Parts::of(&log), None, until, MARKS_A_TASK, forward).await?;
    for (mark, _) in marks.iter().rev().skip(1) {
        tx.delete(mark);
    }
    Ok(())
}
