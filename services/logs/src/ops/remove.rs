//! Events that go: of streams that were deleted, and past their retention.

use std::time::Duration;

use kernel::{Call, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::{EventKey, GroupKey, StreamKey};

/// The internal operation that removes the events of a stream that is gone.
pub(crate) const REMOVE_STREAM: &str = "RemoveStream";
/// The internal operation that removes what is past a group's retention.
pub(crate) const EXPIRE: &str = "ExpireEvents";

/// Events removed in one transaction.
const PAGE: usize = 500;
/// The time between two looks at a group.
const EVERY: Duration = Duration::from_secs(3_600);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RemoveStream {
    group: String,
    stream: String,
    /// Events that were ingested until then; later ones belong to a new stream of the same name.
    until: base::Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Expire {
    group: String,
    generation: Uuid,
    stream_after: Option<String>,
}

/// Removes, in tasks, the events of a stream that is deleted by this transaction.
pub(crate) fn events_of(tx: &mut Tx, stream: &StreamKey) -> Result<()> {
    let remove = RemoveStream { group: stream.group.clone(), stream: stream.name.clone(), until: tx.now() };
    tx.enqueue_quietly(tx.now(), NewTask::new(Call::new("logs", REMOVE_STREAM, &remove)?))?;
    Ok(())
}

pub(crate) async fn remove_stream(tx: &mut Tx, remove: RemoveStream) -> Result<()> {
    let parts = Parts::of(&remove.group).and(&remove.stream);
    let events = tx.scan::<EventKey>(parts, PAGE).await?;
    let mut removed = 0;
    for (key, event) in &events {
        if event.ingested_at <= remove.until {
            tx.delete(key);
            removed += 1;
        }
    }
    if removed == PAGE {
        tx.enqueue_quietly(tx.now(), NewTask::new(Call::new("logs", REMOVE_STREAM, &remove)?))?;
    }
    Ok(())
}

/// Looks after a group's retention from now on.
pub(crate) fn schedule(tx: &mut Tx, group: &str, generation: Uuid) -> Result<()> {
    let expire = Expire { group: group.to_owned(), generation, stream_after: None };
    enqueue(tx, EVERY, &expire)
}

fn enqueue(tx: &mut Tx, wait: Duration, expire: &Expire) -> Result<()> {
    let due = tx.now() + wait;
    tx.enqueue_quietly(due, NewTask::new(Call::new("logs", EXPIRE, expire)?))?;
    Ok(())
}

/// One stream's turn; the next stream follows in a task of its own.
pub(crate) async fn expire(tx: &mut Tx, expire: Expire) -> Result<()> {
    let Some(group) = tx.peek(&GroupKey { name: expire.group.clone() }).await? else { return Ok(()) };
    let (Some(horizon), true) = (group.horizon(tx), group.generation == expire.generation) else {
        return Ok(());
    };
    let streams = match &expire.stream_after {
        None => tx.scan::<StreamKey>(Parts::of(&expire.group), 1).await?,
        Some(name) => {
            let after = StreamKey { group: expire.group.clone(), name: name.clone() };
            tx.scan_after(Parts::of(&expire.group), &after, 1, kernel::Direction::Forward).await?
        }
    };
    let Some((stream, _)) = streams.into_iter().next() else {
        return schedule(tx, &expire.group, expire.generation);
    };
    let parts = Parts::of(&expire.group).and(&stream.name);
    let until = parts.clone().and(&horizon);
    let old = tx.scan_between::<EventKey>(parts, None, Some(until), PAGE, kernel::Direction::Forward).await?;
    old.iter().for_each(|(key, _)| tx.delete(key));
    let stream_after = if old.len() == PAGE { expire.stream_after } else { Some(stream.name) };
    enqueue(tx, Duration::ZERO, &Expire { stream_after, ..expire })
}
