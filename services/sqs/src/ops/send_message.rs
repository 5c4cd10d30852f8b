use std::collections::BTreeMap;
use std::time::Duration;

use base::Fault;
use kernel::{Result, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::api::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue, SendMessageInput,
    SendMessageOutput,
};
use crate::fault;
use crate::keys::{Head, HeadKey, Message, MessageKey};
use crate::message::{self, Attribute};
use crate::queue::{Queue, find};

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
    let sent = draft.check(&queue)?.send(tx, &name, 0)?;
    Ok(SendMessageOutput {
        md5_of_message_body: Some(sent.md5_of_body),
        md5_of_message_attributes: sent.md5_of_attributes,
        md5_of_message_system_attributes: sent.md5_of_system,
        message_id: Some(sent.id.to_string()),
        sequence_number: None,
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
}

/// What the answer says of a message that was sent.
pub(crate) struct Sent {
    pub id: Uuid,
    pub md5_of_body: String,
    pub md5_of_attributes: Option<String>,
    pub md5_of_system: Option<String>,
}

impl Draft {
    pub(crate) fn check(self, queue: &Queue) -> Result<Checked, Fault> {
        let delay_s = match self.delay_s {
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
        if self.deduplication.is_some() {
            let reason = "The request includes a parameter that is not valid for this queue type.";
            return Err(fault::invalid_value(
                self.deduplication.unwrap_or_default(),
                "MessageDeduplicationId",
                reason,
            ));
        }
        message::check_body(&self.body)?;
        let attributes = message::attributes(self.attributes)?;
        let checked = Checked {
            body: self.body,
            delay: Duration::from_secs(u64::from(delay_s)),
            attributes,
            trace_header: message::trace_header(self.system),
            group: self.group,
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

    /// Writes the message; `index` orders the messages of one batch.
    pub(crate) fn send(self, tx: &mut Tx, queue: &str, index: u16) -> Result<Sent> {
        let id = tx.id();
        let system = self.trace_header.as_ref().map(|header| Attribute {
            data_type: "String".to_owned(),
            string: Some(header.clone()),
            binary: None,
        });
        let name = "AWSTraceHeader".to_owned();
        let sent = Sent {
            id,
            md5_of_body: message::md5(&self.body),
            md5_of_attributes: message::md5_of_attributes(self.attributes.iter()),
            md5_of_system: message::md5_of_attributes(system.iter().map(|value| (&name, value))),
        };
        let head = Head { id, sent_at: tx.now(), receives: 0, first_received_at: None, receipt: 0 };
        let salt = (u64::from(index) << 48) | (tx.random() >> 16);
        let visible_at = tx.now() + self.delay;
        tx.put(&HeadKey { queue: queue.to_owned(), visible_at, seq: tx.seq(), salt }, &head)?;
        let message = Message {
            body: self.body,
            attributes: self.attributes,
            sender: tx.caller().principal.clone(),
            trace_header: self.trace_header,
            group: self.group,
            dead_letter_source: None,
        };
        tx.put(&MessageKey { queue: queue.to_owned(), id }, &message)?;
        tx.remark("message", &id.to_string(), Some(json!({ "queue": queue })));
        Ok(sent)
    }
}
