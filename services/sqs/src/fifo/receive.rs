//! One look at a FIFO queue: the groups that are free in their order, and of each its first messages.

use std::collections::HashSet;

use base::Timestamp;
use kernel::{Direction, Parts, Result, Tx};

use super::receipt::FifoReceipt;
use super::{append, attempt, from, settle};
use crate::api::{Message as Received, ReceiveMessageInput};
use crate::keys::{FifoHead, FifoKey, GroupKey, Head, Message, MessageKey, QueueKey, ReadyKey};
use crate::ops::receive_message::{Gone, Look, show};
use crate::queue::{Queue, arn};

/// Groups looked at in one step.
const GROUPS: usize = 26;

/// Receives at most `wanted` messages.
pub(crate) async fn receive_now(
    tx: &mut Tx,
    input: &ReceiveMessageInput,
    (name, queue): (&str, &Queue),
    wanted: usize,
    (visible_again, wait_s): (Timestamp, u32),
) -> Result<Look> {
    let mut look = Look { messages: Vec::new(), wait_s, next_visible_at: None };
    let mut given = Vec::new();
    let attempt_id = input.receive_request_attempt_id.as_deref();
    if let Some(id) = attempt_id
        && let Some((received_at, again)) = attempt::again(tx, name, queue, id, visible_again).await?
    {
        look.messages = shown(tx, &again, received_at, input).await?;
        return Ok(look);
    }
    let (mut gone, mut seen) = (Gone::default(), HashSet::new());
    let mut ready = tx.scan_head::<ReadyKey>(Parts::of(name), GROUPS).await?;
    'look: loop {
        for (key, ()) in &ready {
            // Before the rest, since a group may have been left in the middle.
            if gone.is_enough() {
                look.next_visible_at = Some(tx.now());
                break 'look;
            }
            if key.ready_at > tx.now() {
                look.next_visible_at = Some(key.ready_at);
                break 'look;
            }
            if given.len() == wanted {
                break 'look;
            }
            // A group that this very receive has put back, with a timeout of 0.
            if !seen.insert(key.group.clone()) {
                continue;
            }
            // Taken by a receiver that has not committed yet: not ours, and no reason to wait for it.
            if !tx.reserve(key) || tx.get(key).await?.is_none() {
                continue;
            }
            let taking = Taking { name, queue, group: &key.group, visible_again };
            given.extend(taking.take(tx, wanted - given.len(), &mut gone).await?);
        }
        match ready.last() {
            Some((last, ())) if ready.len() == GROUPS => {
                ready = tx.scan_after(Parts::of(name), last, GROUPS, Direction::Forward).await?;
            }
            _ => {
                look.next_visible_at = gone.is_enough().then(|| tx.now());
                break;
            }
        }
    }
    if let Some(id) = attempt_id.filter(|_| !given.is_empty()) {
        attempt::remember(tx, name, queue, id, &given)?;
    }
    look.messages = shown(tx, &given, tx.now(), input).await?;
    Ok(look)
}

/// A group that is free and that this receive has reserved.
struct Taking<'a> {
    name: &'a str,
    queue: &'a Queue,
    group: &'a str,
    visible_again: Timestamp,
}

impl Taking<'_> {
    /// Gives out the first messages of the group, at most `wanted`; what is expired or was received too often goes.
    async fn take(&self, tx: &mut Tx, wanted: usize, gone: &mut Gone) -> Result<Vec<(FifoKey, FifoHead)>> {
        let key = GroupKey { queue: self.name.to_owned(), group: self.group.to_owned() };
        let Some(group) = tx.get(&key).await? else { return Ok(Vec::new()) };
        let mut given = Vec::new();
        let mut next = group.turn;
        'group: loop {
            let page = from(tx, self.name, self.group, next, wanted).await?;
            let full = page.len() == wanted;
            for (key, fifo) in page {
                if fifo.visible_at > tx.now() || given.len() == wanted || gone.is_enough() {
                    break 'group;
                }
                next = key.number + 1;
                if let Some(fifo) = self.give(tx, &key, fifo, gone).await? {
                    given.push((key, fifo));
                }
            }
            if !full {
                break;
            }
        }
        settle(tx, self.name, self.group).await?;
        Ok(given)
    }

    async fn give(
        &self,
        tx: &mut Tx,
        key: &FifoKey,
        fifo: FifoHead,
        gone: &mut Gone,
    ) -> Result<Option<FifoHead>> {
        let id = fifo.head.id;
        let message_key = MessageKey { queue: self.name.to_owned(), id };
        if fifo.head.sent_at + self.queue.settings.retention() <= tx.now() {
            tx.delete(key);
            tx.delete(&message_key);
            gone.removed();
            return Ok(None);
        }
        let redrive = self.queue.settings.redrive.as_ref();
        if let Some(redrive) = redrive.filter(|redrive| fifo.head.receives >= redrive.receives_max)
            && let Some(queue) = redrive.queue_name()
            && tx.version_of(&QueueKey { name: queue.clone() }).await?.is_some()
            && let Some(message) = tx.peek(&message_key).await?
        {
            tx.delete(key);
            tx.delete(&message_key);
            gone.buried(&message);
            self.bury(tx, &fifo.head, message, queue).await?;
            return Ok(None);
        }
        let head = Head {
            receives: fifo.head.receives + 1,
            first_received_at: fifo.head.first_received_at.or_else(|| Some(tx.now())),
            receipt: tx.random(),
            ..fifo.head
        };
        let fifo = FifoHead { visible_at: self.visible_again, head };
        tx.put(key, &fifo)?;
        Ok(Some(fifo))
    }

    /// Moves the message to the end of its group in the dead-letter queue, in the same commit. Its age begins anew there,
    /// as it does for FIFO queues at AWS.
    async fn bury(&self, tx: &mut Tx, head: &Head, message: Message, queue: String) -> Result<()> {
        let source = arn(tx, self.name).to_string();
        let id = head.id;
        let detail = serde_json::json!({ "from": self.name, "to": queue, "receives": head.receives });
        tx.note("dead-lettered message", &id.to_string(), Some(detail));
        let now = tx.now();
        let head = Head { id, sent_at: now, receives: 0, first_received_at: None, receipt: 0 };
        append(tx, &queue, self.group, head, now).await?;
        tx.put(&MessageKey { queue, id }, &Message { dead_letter_source: Some(source), ..message })
    }
}

async fn shown(
    tx: &mut Tx,
    given: &[(FifoKey, FifoHead)],
    received_at: Timestamp,
    input: &ReceiveMessageInput,
) -> Result<Vec<Received>> {
    let mut messages = Vec::new();
    for (key, fifo) in given {
        let message_key = MessageKey { queue: key.queue.clone(), id: fifo.head.id };
        // A head and its message are written and removed together.
        if let Some(message) = tx.peek(&message_key).await? {
            let handle = FifoReceipt::of(key, fifo, received_at).to_handle(&key.queue);
            messages.push(show(handle, &fifo.head, Some(key.number), message, input));
        }
    }
    Ok(messages)
}
