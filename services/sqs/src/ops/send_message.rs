use std::collections::BTreeMap;
use std::time::Duration;

use base::Fault;
use kernel::{Result, Tx};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::api::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue, SendMessageInput,
    SendMessageOutput,
};
use crate::keys::{DeduplicationKey, Head, HeadKey, Message, MessageKey};
use crate::message::{self, Attribute};
use crate::queue::{Queue, find};
use crate::{fault, fifo};

/// Sends one message. It is on disk when the answer comes.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub(crate) async fn send_message(tx: &mut Tx, input: SendMessageInput) -> Result<SendMessageOutput> {
    let (name, queue) = find(tx, &input.queue_url).await?;
    let draft = Draft {
        body: input.message_body,
        delay_s: input.delay_seconds,
        attributes: input.message_attributes,
        system: input.message_system_attributes,
        group: input.message_group_id,
        deduplication: input.message_deduplication_id,
    };
    let sent = draft.check(&queue)?.send(tx, (&name, &queue), 0).await?;
    Ok(SendMessageOutput {
        md5_of_message_body: Some(sent.md5_of_body),
        md5_of_message_attributes: sent.md5_of_attributes,
        md5_of_message_system_attributes: sent.md5_of_system,
        message_id: Some(sent.id.to_string()),
        sequence_number: sent.number.map(fifo::sequence_number),
    })
}

/// A message as it is asked to be sent.
pub(crate) struct Draft {
    pub body: String,
    pub delay_s: Option<i32>,
    pub attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    pub system: Option<BTreeMap<MessageSystemAttributeNameForSends, MessageSystemAttributeValue>>,
    pub group: Option<String>,
    pub deduplication: Option<String>,
}

/// A message that may be sent.
pub(crate) struct Checked {
    body: String,
    delay: Duration,
    attributes: BTreeMap<String, Attribute>,
    trace_header: Option<String>,
    group: Option<String>,
    deduplication: Option<String>,
}

/// What the answer says of a message that was sent.
pub(crate) struct Sent {
    pub id: Uuid,
    pub md5_of_body: String,
    pub md5_of_attributes: Option<String>,
    pub md5_of_system: Option<String>,
    /// Its place in its group, in a FIFO queue.
    pub number: Option<u64>,
}

impl Draft {
    pub(crate) fn check(self, queue: &Queue) -> Result<Checked, Fault> {
        let delay_s = match self.delay_s {
            Some(delay_s @ 1..) if queue.settings.fifo.is_some() => {
                return Err(fault::not_for_this_queue(delay_s, "DelaySeconds"));
            }
            Some(0) if queue.settings.fifo.is_some() => queue.settings.delay_s,
            None => queue.settings.delay_s,
            Some(delay_s @ 0..=900) => delay_s.unsigned_abs(),
            Some(delay_s) => {
                return Err(fault::invalid_value(
                    delay_s,
                    "DelaySeconds",
                    "DelaySeconds must be >= 0 and <= 900.",
                ));
            }
        };
        message::check_body(&self.body)?;
        let attributes = message::attributes(self.attributes)?;
        let deduplication = check_ids(queue, &self.body, self.group.as_deref(), self.deduplication)?;
        let checked = Checked {
            body: self.body,
            delay: Duration::from_secs(u64::from(delay_s)),
            attributes,
            trace_header: message::trace_header(self.system)?,
            group: self.group,
            deduplication,
        };
        if checked.len() > queue.settings.message_bytes_max as usize {
            return Err(fault::too_long(queue.settings.message_bytes_max));
        }
        Ok(checked)
    }
}

impl Checked {
    pub(crate) fn len(&self) -> usize {
        message::len(&self.body, &self.attributes)
    }

    /// Writes the message; `index` orders the messages of one batch. A FIFO queue that knows the message already writes
    /// nothing, and answers as it did.
    pub(crate) async fn send(self, tx: &mut Tx, (name, queue): (&str, &Queue), index: u16) -> Result<Sent> {
        let mut sent = Sent {
            id: tx.id(),
            md5_of_body: message::md5(&self.body),
            md5_of_attributes: message::md5_of_attributes(self.attributes.iter()),
            md5_of_system: self.md5_of_system(),
            number: None,
        };
        let visible_at = tx.now() + self.delay;
        let head = Head { id: sent.id, sent_at: tx.now(), receives: 0, first_received_at: None, receipt: 0 };
        if let Some(fifo) = &queue.settings.fifo {
            let group = self.group.clone().unwrap_or_default();
            let scope = if fifo.deduplicates_by_group { group.clone() } else { String::new() };
            let id = self.deduplication.clone().unwrap_or_default();
            let key = DeduplicationKey { queue: name.to_owned(), scope, id };
            if let Some(accepted) = fifo::accepted_before(tx, &key, queue).await? {
                tx.remark("duplicate message", &accepted.id.to_string(), Some(json!({ "queue": name })));
                return Ok(Sent { id: accepted.id, number: Some(accepted.number), ..sent });
            }
            let number = fifo::append(tx, name, &group, head, visible_at).await?;
            fifo::remember(tx, &key, queue, sent.id, number)?;
            sent.number = Some(number);
        } else {
            let salt = (u64::from(index) << 48) | (tx.random() >> 16);
            tx.put(&HeadKey { queue: name.to_owned(), visible_at, seq: tx.seq(), salt }, &head)?;
        }
        let message = Message {
            body: self.body,
            attributes: self.attributes,
            sender: tx.caller().principal.clone(),
            trace_header: self.trace_header,
            group: self.group,
            deduplication: self.deduplication,
            dead_letter_source: None,
            cause: Some(tx.trace()),
        };
        tx.put(&MessageKey { queue: name.to_owned(), id: sent.id }, &message)?;
        tx.remark("message", &sent.id.to_string(), Some(json!({ "queue": name })));
        Ok(sent)
    }

    fn md5_of_system(&self) -> Option<String> {
        let system = self.trace_header.as_ref().map(|header| Attribute {
            data_type: "String".to_owned(),
            string: Some(header.clone()),
            binary: None,
        });
        let name = "AWSTraceHeader".to_owned();
        message::md5_of_attributes(system.iter().map(|value| (&name, value)))
    }
}

/// The id by which a FIFO queue knows the message again, if group and id are as its kind of queue wants them.
fn check_ids(
    queue: &Queue,
    body: &str,
    group: Option<&str>,
    deduplication: Option<String>,
) -> Result<Option<String>, Fault> {
    if let Some(group) = group {
        fifo::check_id(group, "MessageGroupId")?;
    }
    let Some(settings) = &queue.settings.fifo else {
        return match deduplication {
            Some(id) => Err(fault::not_for_this_queue(id, "MessageDeduplicationId")),
            None => Ok(None),
        };
    };
    if group.is_none() {
        return Err(fault::missing("MessageGroupId"));
    }
    match deduplication {
        Some(id) => {
            fifo::check_id(&id, "MessageDeduplicationId")?;
            Ok(Some(id))
        }
        None if settings.content_based_deduplication => Ok(Some(hex::encode(Sha256::digest(body)))),
        None => {
            let message = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                           provided explicitly";
            Err(Fault::new("InvalidParameterValue", message))
        }
    }
}
