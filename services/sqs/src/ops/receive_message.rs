use std::collections::BTreeMap;
use std::time::Duration;

use base::Timestamp;
use futures::future::select;
use kernel::{Effect, Parts, Result, Tx};
use store::engine::Version;

use crate::api::MessageSystemAttributeName as System;
use crate::api::{Message as Received, ReceiveMessageInput, ReceiveMessageOutput};
use crate::keys::{Head, HeadKey, Message, MessageKey, MovedKey, QueueKey, ReadyKey};
use crate::message::{self, Receipt};
use crate::ops::change_message_visibility::check_timeout;
use crate::queue::{Queue, arn, find, is_fifo, name_of};
use crate::{fault, fifo};

/// Rows looked at in one step, beyond those that are wanted: other receivers may hold them.
const SPARE: usize = 16;

/// Receives up to ten messages; waits for the first one if there is none and a wait is asked for.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
pub(crate) async fn receive_message(
    effect: &Effect,
    input: ReceiveMessageInput,
) -> Result<ReceiveMessageOutput> {
    check(&input)?;
    let name = name_of(&input.queue_url)?;
    let began = effect.now();
    let mut deadline = None;
    loop {
        // Asked for before the look, so that what comes in between wakes us.
        let wake = match is_fifo(&name) {
            true => effect.watch::<ReadyKey>(&Parts::of(&name)),
            false => effect.watch::<HeadKey>(&Parts::of(&name)),
        };
        let look = effect.transact("ReceiveMessage", receive_now, input.clone()).await?;
        let deadline = *deadline.get_or_insert_with(|| began + Duration::from_secs(u64::from(look.wait_s)));
        if !look.messages.is_empty() || effect.now() >= deadline {
            let messages = Some(look.messages).filter(|messages| !messages.is_empty());
            return Ok(ReceiveMessageOutput { messages });
        }
        let until = look.next_visible_at.map_or(deadline, |next| next.min(deadline));
        let sleep = std::pin::pin!(effect.clock().sleep_until(until));
        select(wake, sleep).await;
    }
}

fn check(input: &ReceiveMessageInput) -> Result<()> {
    match input.max_number_of_messages {
        None | Some(1..=10) => {}
        Some(n) => {
            let reason = "Must be between 1 and 10, if provided.";
            return Err(fault::invalid_value(n, "MaxNumberOfMessages", reason).into());
        }
    }
    match input.wait_time_seconds {
        None | Some(0..=20) => {}
        Some(n) => {
            let reason = "Must be >= 0 and <= 20, if provided.";
            return Err(fault::invalid_value(n, "WaitTimeSeconds", reason).into());
        }
    }
    if let Some(timeout_s) = input.visibility_timeout {
        check_timeout(timeout_s)?;
    }
    if let Some(id) = &input.receive_request_attempt_id {
        fifo::check_id(id, "ReceiveRequestAttemptId")?;
    }
    Ok(())
}

/// What one look at the queue finds.
pub(crate) struct Look {
    pub messages: Vec<Received>,
    pub wait_s: u32,
    /// When the next message becomes visible, if none is. The present if the look ended because it had removed enough.
    pub next_visible_at: Option<Timestamp>,
}

/// What a look has removed, because it was expired or received too often. The store bounds what one commit writes, so
/// that a look ends when it is enough; the next one goes on.
#[derive(Default)]
pub(crate) struct Gone {
    bytes: usize,
}

impl Gone {
    const BYTES_MAX: usize = 2_000_000;

    pub(crate) fn is_enough(&self) -> bool {
        self.bytes >= Gone::BYTES_MAX
    }

    /// A message that is no more.
    pub(crate) fn removed(&mut self) {
        self.bytes += message::BYTES_TOUCHED;
    }

    /// A message that is in the dead-letter queue now.
    pub(crate) fn buried(&mut self, message: &Message) {
        self.bytes += message::bytes_moved(message);
    }
}

async fn receive_now(tx: &mut Tx, input: ReceiveMessageInput) -> Result<Look> {
    let (name, queue) = find(tx, &input.queue_url).await?;
    let wanted = input.max_number_of_messages.map_or(1, |n| n.unsigned_abs() as usize);
    let wait_s = input.wait_time_seconds.map_or(queue.settings.receive_wait_s, i32::unsigned_abs);
    let timeout_s = input.visibility_timeout.map_or(queue.settings.visibility_timeout_s, i32::unsigned_abs);
    let visible_again = tx.now() + Duration::from_secs(u64::from(timeout_s));
    if queue.settings.fifo.is_some() {
        return fifo::receive_now(tx, &input, (&name, &queue), wanted, (visible_again, wait_s)).await;
    }
    let mut look = Look { messages: Vec::new(), wait_s, next_visible_at: None };
    let mut gone = Gone::default();
    let mut heads = tx.scan_head_versioned::<HeadKey>(Parts::of(&name), wanted + SPARE).await?;
    loop {
        for (key, head, version) in &heads {
            if key.visible_at > tx.now() {
                look.next_visible_at = Some(key.visible_at);
                return Ok(look);
            }
            if look.messages.len() == wanted {
                return Ok(look);
            }
            if gone.is_enough() {
                look.next_visible_at = Some(tx.now());
                return Ok(look);
            }
            // Given out by this very receive, with a timeout of 0.
            if *version == Version(0) {
                continue;
            }
            // Taken by a receiver that has not committed yet: not ours, and no reason to wait for it.
            if !tx.reserve(key) {
                continue;
            }
            tx.guard(key, *version);
            let taken = Taken { queue: &queue, name: &name, key, head, visible_again };
            look.messages.extend(taken.receive(tx, &input, &mut gone).await?);
        }
        match heads.last() {
            Some((last, ..)) if heads.len() == wanted + SPARE && look.messages.len() < wanted => {
                heads = tx.scan_after_versioned(Parts::of(&name), last, wanted + SPARE).await?;
            }
            _ => return Ok(look),
        }
    }
}

/// A visible message that this receive has reserved.
struct Taken<'a> {
    queue: &'a Queue,
    name: &'a str,
    key: &'a HeadKey,
    head: &'a Head,
    visible_again: Timestamp,
}

impl Taken<'_> {
    /// Gives the message out, or buries it if it is expired or was received too often.
    async fn receive(
        self,
        tx: &mut Tx,
        input: &ReceiveMessageInput,
        gone: &mut Gone,
    ) -> Result<Option<Received>> {
        let message_key = MessageKey { queue: self.name.to_owned(), id: self.head.id };
        tx.delete(self.key);
        if self.head.receives > 0 {
            tx.delete(&MovedKey { queue: self.name.to_owned(), id: self.head.id });
        }
        let message = tx.peek(&message_key).await?;
        let expired = self.head.sent_at + self.queue.settings.retention() <= tx.now();
        let Some(message) = message.filter(|_| !expired) else {
            tx.delete(&message_key);
            gone.removed();
            return Ok(None);
        };
        let redrive = self.queue.settings.redrive.as_ref();
        if let Some(redrive) = redrive.filter(|redrive| self.head.receives >= redrive.receives_max)
            && let Some(dead_letter_queue) = redrive.queue_name()
            && tx.version_of(&QueueKey { name: dead_letter_queue.clone() }).await?.is_some()
        {
            tx.delete(&message_key);
            gone.buried(&message);
            self.bury(tx, message, dead_letter_queue)?;
            return Ok(None);
        }
        let head = Head {
            receives: self.head.receives + 1,
            first_received_at: self.head.first_received_at.or_else(|| Some(tx.now())),
            receipt: tx.random(),
            ..self.head.clone()
        };
        let key = HeadKey { visible_at: self.visible_again, ..self.key.clone() };
        tx.put(&key, &head)?;
        let handle = Receipt::of(&key, &head, tx.now()).to_handle(self.name);
        Ok(Some(show(handle, &head, None, message, input)))
    }

    /// Moves the message to the dead-letter queue, in the same commit. Its age goes on counting.
    fn bury(self, tx: &mut Tx, message: Message, queue: String) -> Result<()> {
        let source = arn(tx, self.name).to_string();
        let id = self.head.id;
        let detail = serde_json::json!({ "from": self.name, "to": queue, "receives": self.head.receives });
        tx.note("dead-lettered message", &id.to_string(), Some(detail));
        let head = Head { receives: 0, first_received_at: None, receipt: 0, ..self.head.clone() };
        let key = HeadKey { queue: queue.clone(), visible_at: tx.now(), ..self.key.clone() };
        tx.put(&key, &head)?;
        tx.put(&MessageKey { queue, id }, &Message { dead_letter_source: Some(source), ..message })
    }
}

/// The message as the answer shows it, with the attributes that were asked for.
pub(crate) fn show(
    handle: String,
    head: &Head,
    number: Option<u64>,
    message: Message,
    input: &ReceiveMessageInput,
) -> Received {
    let system = system_attributes(head, number, &message, input);
    let wanted = input.message_attribute_names.as_deref().unwrap_or_default();
    let attributes = message.attributes.iter().filter(|(name, _)| is_wanted(name, wanted));
    let md5_of_message_attributes = message::md5_of_attributes(attributes.clone());
    let attributes: BTreeMap<_, _> = attributes.map(|(name, value)| (name.clone(), value.to_api())).collect();
    Received {
        message_id: Some(head.id.to_string()),
        receipt_handle: Some(handle),
        md5_of_body: Some(message::md5(&message.body)),
        body: Some(message.body),
        attributes: Some(system).filter(|system| !system.is_empty()),
        md5_of_message_attributes,
        message_attributes: Some(attributes).filter(|attributes| !attributes.is_empty()),
    }
}

/// `All`, `.*`, a name, or a prefix such as `bar.*`.
fn is_wanted(name: &str, wanted: &[String]) -> bool {
    wanted.iter().any(|wanted| match wanted.strip_suffix(".*") {
        Some(prefix) => prefix.is_empty() || name.starts_with(prefix),
        None => wanted == "All" || wanted == name,
    })
}

fn system_attributes(
    head: &Head,
    number: Option<u64>,
    message: &Message,
    input: &ReceiveMessageInput,
) -> BTreeMap<System, String> {
    let asked = input.attribute_names.iter().chain(&input.message_system_attribute_names).flatten();
    let asked: Vec<System> = asked.copied().collect();
    if asked.is_empty() {
        return BTreeMap::new();
    }
    let ms = |at: Timestamp| at.as_millis().to_string();
    let all = [
        (System::SenderId, Some(message.sender.clone())),
        (System::SentTimestamp, Some(ms(head.sent_at))),
        (System::ApproximateReceiveCount, Some(head.receives.to_string())),
        (System::ApproximateFirstReceiveTimestamp, head.first_received_at.map(ms)),
        (System::AWSTraceHeader, message.trace_header.clone()),
        (System::MessageGroupId, message.group.clone()),
        (System::MessageDeduplicationId, message.deduplication.clone()),
        (System::SequenceNumber, number.map(fifo::sequence_number)),
        (System::DeadLetterQueueSourceArn, message.dead_letter_source.clone()),
    ];
    let wanted = |name: System| asked.contains(&System::All) || asked.contains(&name);
    all.into_iter().filter_map(|(name, value)| Some((name, value?)).filter(|_| wanted(name))).collect()
}
