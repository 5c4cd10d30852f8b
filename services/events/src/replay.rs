//! Replays: archived events come to their bus again, in the order of their times, page by page.
//!
//! A page and the place at which the next one begins are one commit, so that a replay goes on after a crash where it
//! stopped, and no event comes twice.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html>

use base::{Arn, Timestamp};
use kernel::{Call, NewTask, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::ReplayState;
use crate::archive;
use crate::bus;
use crate::event;
use crate::keys::{ArchiveKey, ArchivedKey, Replay, ReplayKey};
use crate::publish::{Arrival, Asked, PAGE_BYTES_MAX, arrive, weight};

/// The internal operation that replays a page.
pub(crate) const PAGE: &str = "ReplayPage";

/// Events of one page, if they and what they write are small.
const EVENTS_MAX: usize = 100;

/// Where a page begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReplayPage {
    name: String,
    after: Option<After>,
}

/// The event that was replayed last.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct After {
    time: Timestamp,
    id: Uuid,
    salt: u64,
}

/// The replay's ARN in the transaction's scope.
pub(crate) fn arn(tx: &Tx, name: &str) -> String {
    Arn::new("events", &tx.scope().region, &tx.scope().account, format!("replay/{name}")).to_string()
}

/// Whether events may still come.
pub(crate) fn is_open(replay: &Replay) -> bool {
    matches!(replay.state, ReplayState::Starting | ReplayState::Running | ReplayState::Cancelling)
}

/// Begins a replay.
pub(crate) fn start(tx: &mut Tx, name: &str) -> Result<()> {
    enqueue(tx, ReplayPage { name: name.to_owned(), after: None })
}

fn enqueue(tx: &mut Tx, page: ReplayPage) -> Result<()> {
    let scope = tx.scope().clone();
    let caller = tx.caller().as_service("events.amazonaws.com", scope.account, scope.region);
    let note = Some(format!("replay {}", page.name));
    // The pages are one chain of causes, and a long one: each begins a chain of its own.
    let trace = Some(kernel::TraceCx::root(tx.id()));
    let call = Call::new("events", PAGE, &page)?;
    tx.enqueue(tx.now(), NewTask { note, trace, caller: Some(caller), ..NewTask::new(call) })?;
    Ok(())
}

/// Replays a page and has the next one follow.
pub(crate) async fn replay_page(tx: &mut Tx, input: ReplayPage) -> Result<()> {
    let key = ReplayKey { name: input.name };
    let Some(replay) = tx.get(&key).await?.filter(is_open) else { return Ok(()) };
    if replay.state == ReplayState::Cancelling {
        return end(tx, &key, replay, ReplayState::Cancelled, None);
    }
    if bus::find(tx, bus::name_in(&replay.destination.arn)).await.is_err() {
        return end(tx, &key, replay, ReplayState::Failed, Some("The event bus does not exist any more."));
    }
    let space = replay.space;
    // The events of an archive that is gone are being removed: what is left of them is not what was asked for.
    let archive = tx.get(&ArchiveKey { name: replay.archive.clone() }).await?;
    if archive.is_none_or(|archive| archive.space != space) {
        return end(tx, &key, replay, ReplayState::Failed, Some("The archive does not exist any more."));
    }
    let after = input.after.map(|After { time, id, salt }| ArchivedKey { space, time, id, salt });
    let window = (replay.from, replay.until);
    let (rows, mut more) = archive::page(tx, space, after, window, EVENTS_MAX).await?;
    let (mut next, mut bytes) = (None, 0);
    for (at, envelope) in rows {
        let arrival = again(tx, &key.name, &replay, &envelope)?;
        bytes += weight(tx, &arrival).await?;
        if next.is_some() && bytes > PAGE_BYTES_MAX {
            more = true;
            break;
        }
        if next.is_some() {
            tx.next_part(PAGE)?;
        }
        arrive(tx, arrival).await?;
        next = Some(After { time: at.time, id: at.id, salt: at.salt });
    }
    let last = next.as_ref().map(|after| after.time).or(replay.last);
    let replay = Replay { state: ReplayState::Running, last, ..replay };
    if !more {
        return end(tx, &key, replay, ReplayState::Completed, None);
    }
    tx.put(&key, &replay)?;
    enqueue(tx, ReplayPage { name: key.name, after: next })
}

/// An event that comes to its bus again.
fn again<'a>(tx: &Tx, name: &str, replay: &'a Replay, envelope: &str) -> Result<Arrival<'a>> {
    let bus = bus::name_in(&replay.destination.arn);
    let envelope = event::replayed(envelope, name);
    let event = event::open(&envelope, tx.now())?;
    let asked = if replay.only.is_empty() { Asked::All } else { Asked::Only(&replay.only) };
    Ok(Arrival { bus, event, envelope, place: tx.id(), asked })
}

fn end(tx: &mut Tx, key: &ReplayKey, replay: Replay, state: ReplayState, reason: Option<&str>) -> Result<()> {
    let ended_at = Some(tx.now());
    tx.put(key, &Replay { state, reason: reason.map(str::to_owned), ended_at, ..replay })
}
