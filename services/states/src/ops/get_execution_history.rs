use asl::HistoryEvent;
use kernel::{Direction, Parts, Result, Tx};

use super::describe_execution::find;
use crate::api::{self, GetExecutionHistoryInput, GetExecutionHistoryOutput};
use crate::arn::ExecutionId;
use crate::keys::{Compact, HistoryKey};
use crate::page;

/// Chunks that are read at once.
const CHUNKS: usize = 4;
/// Bytes of inputs and outputs after which a page ends early: an answer is made in memory.
const PAGE_BYTES_MAX: usize = 4_000_000;

/// What happened in an execution, event by event.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html>
pub(crate) async fn get_execution_history(
    tx: &mut Tx,
    input: GetExecutionHistoryInput,
) -> Result<GetExecutionHistoryOutput> {
    let (id, _) = find(tx, &input.execution_arn).await?;
    let limit = page::size(input.max_results);
    let reverse = input.reverse_order == Some(true);
    let of = format!("{} {reverse}", id.as_str());
    let from: i64 = match &input.next_token {
        Some(token) => page::place(&of, token)?,
        None if reverse => i64::MAX - 1,
        None => 1,
    };
    let direction = if reverse { Direction::Backward } else { Direction::Forward };
    let mut found = read(tx, &id, from, limit + 1, direction).await?;
    let mut bytes = 0;
    let fits = found.iter().take_while(|event| {
        let room = bytes <= PAGE_BYTES_MAX;
        bytes += event.data_bytes();
        room
    });
    let shown = fits.count().min(limit);
    let next = found.get(shown).map(|event| event.id);
    found.truncate(shown);
    let with_data = input.include_execution_data != Some(false);
    let events = found.iter().map(|event| show(event, with_data)).collect::<Result<_>>()?;
    Ok(GetExecutionHistoryOutput { events, next_token: next.map(|id| page::token(&of, &id)).transpose()? })
}

fn show(event: &HistoryEvent, with_data: bool) -> Result<api::HistoryEvent> {
    Ok(serde_json::from_value(event.to_aws(with_data))?)
}

/// At most `limit` events from the one with the id `from` on, in that direction.
async fn read(
    tx: &mut Tx,
    id: &ExecutionId,
    from: i64,
    limit: usize,
    direction: Direction,
) -> Result<Vec<HistoryEvent>> {
    let parts = Parts::of(id.as_str());
    let until = parts.clone().and(&from.saturating_add(1));
    let mut chunks =
        tx.scan_between::<HistoryKey>(parts.clone(), None, Some(until), 1, Direction::Backward).await?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some((last, _)) = chunks.last() {
        let last = last.clone();
        for (_, Compact(mut events)) in chunks {
            bytes += events.iter().map(HistoryEvent::data_bytes).sum::<usize>();
            match direction {
                Direction::Forward => events.retain(|event| event.id >= from),
                Direction::Backward => {
                    events.retain(|event| event.id <= from);
                    events.reverse();
                }
            }
            found.append(&mut events);
        }
        if found.len() >= limit || bytes > PAGE_BYTES_MAX {
            break;
        }
        chunks = tx.scan_after(parts.clone(), &last, CHUNKS, direction).await?;
    }
    found.truncate(limit);
    Ok(found)
}
