use base::Timestamp;
use kernel::{Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::keys::{FifoKey, Head, HeadKey, MessageKey};
use crate::queue::{find, is_fifo};

/// The internal operation that looks into a queue without receiving: for the console and the command line.
pub const PEEK: &str = "PeekMessages";

/// Which queue and how many messages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeekInput {
    /// URL, ARN or name of the queue.
    pub queue: String,
    /// At most so many.
    pub limit: usize,
}

/// The messages at the head of the queue, in the order of their visibility.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeekOutput {
    /// Visible ones first, then those in flight or delayed.
    pub messages: Vec<PeekedMessage>,
}

/// A message as it lies in the queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeekedMessage {
    /// Its id.
    pub id: uuid::Uuid,
    /// Its text.
    pub body: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it is or becomes visible.
    pub visible_at: Timestamp,
    /// How often it was received.
    pub receives: u32,
    /// Its attributes: name and text, binary ones as their length.
    pub attributes: Vec<(String, String)>,
}

/// Looks, and changes nothing.
pub(crate) async fn peek(tx: &mut Tx, input: PeekInput) -> Result<PeekOutput> {
    let (queue, _) = find(tx, &input.queue).await?;
    let mut messages = Vec::new();
    for (visible_at, head) in heads(tx, &queue, input.limit).await? {
        let Some(message) = tx.peek(&MessageKey { queue: queue.clone(), id: head.id }).await? else {
            continue;
        };
        let show = |value: &crate::message::Attribute| match (&value.string, &value.binary) {
            (Some(text), _) => text.clone(),
            (None, binary) => format!("{} bytes", binary.as_ref().map_or(0, |bytes| bytes.as_bytes().len())),
        };
        messages.push(PeekedMessage {
            id: head.id,
            sent_at: head.sent_at,
            visible_at,
            receives: head.receives,
            attributes: message.attributes.iter().map(|(name, value)| (name.clone(), show(value))).collect(),
            body: message.body,
        });
    }
    Ok(PeekOutput { messages })
}

/// The heads at the front: of a FIFO queue group by group.
async fn heads(tx: &mut Tx, queue: &str, limit: usize) -> Result<Vec<(Timestamp, Head)>> {
    let parts = Parts::of(queue);
    if is_fifo(queue) {
        let rows = tx.scan::<FifoKey>(parts, limit).await?;
        return Ok(rows.into_iter().map(|(_, fifo)| (fifo.visible_at, fifo.head)).collect());
    }
    let rows = tx.scan::<HeadKey>(parts, limit).await?;
    Ok(rows.into_iter().map(|(key, head)| (key.visible_at, head)).collect())
}
