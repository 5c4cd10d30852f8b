//! FIFO queues: messages stand in groups, and a group is received from only while none of its messages is in flight.
//!
//! A group with messages has one row by the time from which it can be received from ([`ReadyKey`]), so that a receive
//! never looks at the messages of a group that is blocked, however many there are. Whoever changes a message of a group
//! writes the group's row: two of them never commit side by side, which makes order and numbers those of the commits.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html>

mod attempt;
mod deduplication;
mod receipt;
mod receive;

use std::collections::BTreeSet;

use base::{Fault, Timestamp};
use kernel::{Direction, Parts, Result, Tx};

use crate::fault;
use crate::keys::{FifoHead, FifoKey, Group, GroupKey, Head, MessageKey, ReadyKey};

pub(crate) use deduplication::{INTERVAL, accepted_before, forget_aged, remember};
pub(crate) use receipt::{change_visibility, delete};
pub(crate) use receive::receive_now;

/// Only the messages of one receive are in flight in a group, and they are among its first.
const IN_FLIGHT_MAX: usize = 10;
/// Groups looked at in one step for messages to move.
const GROUPS: usize = 100;

/// Adds a message at the end of its group; its number in the group's order.
pub(crate) async fn append(
    tx: &mut Tx,
    queue: &str,
    group: &str,
    head: Head,
    visible_at: Timestamp,
) -> Result<u64> {
    let key = GroupKey { queue: queue.to_owned(), group: group.to_owned() };
    let present = tx.get(&key).await?;
    let fresh = tx.seq() << 16;
    let number = present.as_ref().map_or(fresh, |group| fresh.max(group.last + 1));
    let state = match present {
        Some(present) => Group { last: number, ..present },
        None => {
            let state = Group { ready_at: visible_at, turn: number, last: number };
            tx.put(&ready_key(queue, group, &state), &())?;
            state
        }
    };
    tx.put(&key, &state)?;
    let place = FifoKey { queue: queue.to_owned(), group: group.to_owned(), number };
    tx.put(&place, &FifoHead { visible_at, head })?;
    Ok(number)
}

/// What the API shows of a number: 20 digits, rising within a group.
pub(crate) fn sequence_number(number: u64) -> String {
    const BASE: u64 = 10_000_000_000_000_000_000;
    (BASE.saturating_add(number)).to_string()
}

/// Places a group among those that can be received from, after its messages have changed.
async fn settle(tx: &mut Tx, queue: &str, group: &str) -> Result<()> {
    let key = GroupKey { queue: queue.to_owned(), group: group.to_owned() };
    let Some(present) = tx.get(&key).await? else { return Ok(()) };
    let front = from(tx, queue, group, present.turn, IN_FLIGHT_MAX).await?;
    tx.delete(&ready_key(queue, group, &present));
    let Some((first, first_head)) = front.first() else {
        tx.delete(&key);
        return Ok(());
    };
    let now = tx.now();
    let in_flight = front.iter().filter(|(_, fifo)| fifo.head.receives > 0 && fifo.visible_at > now);
    let blocked_until = in_flight.map(|(_, fifo)| fifo.visible_at).max();
    // A group that becomes free goes behind those that are free already, so that none is starved.
    let ready_at = blocked_until.unwrap_or(first_head.visible_at).max(now);
    let state = Group { ready_at, turn: first.number, last: present.last };
    tx.put(&ready_key(queue, group, &state), &())?;
    tx.put(&key, &state)
}

/// The messages of a group from `number` on.
async fn from(
    tx: &mut Tx,
    queue: &str,
    group: &str,
    number: u64,
    limit: usize,
) -> Result<Vec<(FifoKey, FifoHead)>> {
    let parts = Parts::of(queue).and(group);
    let first = parts.clone().and(&number);
    tx.scan_between(parts, Some(first), None, limit, Direction::Forward).await
}

fn ready_key(queue: &str, group: &str, state: &Group) -> ReadyKey {
    ReadyKey { queue: queue.to_owned(), ready_at: state.ready_at, turn: state.turn, group: group.to_owned() }
}

/// How far a walk through all messages of a queue has come: group and number.
pub(crate) type Walked = Option<(String, u64)>;

/// Removes those of the next `page` messages that `wanted` names; where to go on, `None` at the end.
pub(crate) async fn remove_page(
    tx: &mut Tx,
    queue: &str,
    after: Walked,
    page: usize,
    wanted: impl Fn(&Head) -> bool + Send,
) -> Result<Walked> {
    let parts = Parts::of(queue);
    let rows = match after {
        None => tx.scan::<FifoKey>(parts, page).await?,
        Some((group, number)) => {
            let after = FifoKey { queue: queue.to_owned(), group, number };
            tx.scan_after(parts, &after, page, Direction::Forward).await?
        }
    };
    let mut groups = BTreeSet::new();
    for (key, _) in rows.iter().filter(|(_, fifo)| wanted(&fifo.head)) {
        // Guarded: a receive may be changing the same message now.
        let Some(fifo) = tx.get(key).await? else { continue };
        tx.delete(key);
        tx.delete(&MessageKey { queue: queue.to_owned(), id: fifo.head.id });
        groups.insert(key.group.clone());
    }
    for group in groups {
        settle(tx, queue, &group).await?;
    }
    let last = rows.last().filter(|_| rows.len() == page);
    Ok(last.map(|(key, _)| (key.group.clone(), key.number)))
}

/// Refuses what is no id of a group, of a message to be known again, or of an attempt to receive.
pub(crate) fn check_id(id: &str, parameter: &str) -> Result<(), Fault> {
    if (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let reason =
        format!("{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.");
    Err(fault::invalid_value(id, parameter, &reason))
}

/// A message in its group.
pub(crate) struct InGroup(FifoKey, FifoHead);

impl InGroup {
    /// Its id.
    pub(crate) fn id(&self) -> uuid::Uuid {
        self.1.head.id
    }

    /// Removes its head.
    pub(crate) async fn remove(&self, tx: &mut Tx) -> Result<()> {
        tx.delete(&self.0);
        settle(tx, &self.0.queue, &self.0.group).await
    }
}

/// The first messages of groups that are free, at most `wanted`, of those that were sent up to `sent_until`.
pub(crate) async fn visible(
    tx: &mut Tx,
    queue: &str,
    wanted: usize,
    sent_until: Timestamp,
) -> Result<Vec<InGroup>> {
    let mut found = Vec::new();
    let now = tx.now();
    let due = |fifo: &FifoHead| fifo.visible_at <= now && fifo.head.sent_at <= sent_until;
    let mut ready = tx.scan_head::<ReadyKey>(Parts::of(queue), GROUPS).await?;
    loop {
        for (key, ()) in &ready {
            if key.ready_at > now || found.len() == wanted {
                return Ok(found);
            }
            let group = GroupKey { queue: queue.to_owned(), group: key.group.clone() };
            let Some(group) = tx.get(&group).await? else { continue };
            let rows = from(tx, queue, &key.group, group.turn, wanted - found.len()).await?;
            let due = rows.into_iter().take_while(|(_, fifo)| due(fifo));
            found.extend(due.map(|(key, fifo)| InGroup(key, fifo)));
        }
        // Groups whose messages are newer may stand before those that are looked for.
        match ready.last() {
            Some((last, ())) if ready.len() == GROUPS => {
                ready = tx.scan_after(Parts::of(queue), last, GROUPS, Direction::Forward).await?;
            }
            _ => return Ok(found),
        }
    }
}
