//! Internal: removes the records of a stream that are older than a day, and the stream itself once it is empty for good.

use kernel::{Direction, Result, Tx};
use store::log::Position;

use crate::keys::{ChangeKey, ImagesKey, StreamKey, StreamRow};
use crate::stream::{self, RETENTION, TRIM_EVERY, Trim, position, read};

/// Records removed in one transaction.
const RECORDS_A_TASK: usize = 200;

pub(crate) async fn trim_stream(tx: &mut Tx, input: Trim) -> Result<()> {
    let key = StreamKey { table: input.table, label: input.label };
    let Some(row) = tx.get(&key).await? else { return Ok(()) };
    let oldest = tx.now() - RETENTION;
    let log = ChangeKey { table: key.table.clone(), label: key.label.clone() };
    let from = read::horizon(&row);
    let mut last: Option<Position> = None;
    let mut removed = 0;
    for (at, change) in tx.read_log(&log, from, RECORDS_A_TASK, Direction::Forward).await? {
        if change.at > oldest {
            break;
        }
        tx.trim(&log, at);
        if let Some(id) = change.apart {
            tx.delete(&ImagesKey { table: key.table.clone(), label: key.label.clone(), id });
        }
        (last, removed) = (Some(at), removed + 1);
    }
    if row.disabled.is_some_and(|at| at <= oldest) && removed < RECORDS_A_TASK {
        tx.delete(&key);
        return Ok(());
    }
    if let Some(last) = last {
        let trimmed = Some(position::sequence_number(last));
        tx.put(&key, &StreamRow { trimmed, ..row })?;
    }
    let again = if removed == RECORDS_A_TASK { tx.now() } else { tx.now() + TRIM_EVERY };
    stream::plan_trim(tx, &key, again)
}
