//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `QueueKey { name }` | the queue's attributes |
//! | `HeadKey { queue, visible_at, seq, salt }` | what changes about a message: small, moved by every receive |
//! | `MessageKey { queue, id }` | what stays: body and attributes |
//! | `MovedKey { queue, id }` | where a message's head stands since its visibility was changed |
//! | `PurgedKey { queue }` | when the queue was purged last |

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::keys;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::message::Attribute;
use crate::queue::Queue;

keys! {
    /// A queue.
    pub(crate) struct QueueKey(1) -> Queue { name: String }
    /// A message in the order of its visibility.
    pub(crate) struct HeadKey(2, sharded) -> Head { queue: String, visible_at: Timestamp, seq: u64, salt: u64 }
    /// A message's body.
    pub(crate) struct MessageKey(3, sharded, large) -> Message { queue: String, id: Uuid }
    /// The place of a received message whose visibility was changed.
    pub(crate) struct MovedKey(4, sharded) -> Moved { queue: String, id: Uuid }
    /// The last purge.
    pub(crate) struct PurgedKey(5) -> Purged { queue: String }
}

/// What changes about a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The message.
    #[serde(rename = "i")]
    pub id: Uuid,
    /// When it was sent: it expires a retention period later.
    #[serde(rename = "s")]
    pub sent_at: Timestamp,
    /// How often it was received.
    #[serde(rename = "n", default)]
    pub receives: u32,
    /// When it was received first.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub first_received_at: Option<Timestamp>,
    /// Told apart from earlier receives' handles.
    #[serde(rename = "r", default)]
    pub receipt: u64,
}
store::stored!(Head, format = 1);

/// What stays of a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Message {
    /// The text.
    #[serde(rename = "b")]
    pub body: String,
    /// By name.
    #[serde(rename = "a", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
    /// Who sent it: an account, a role or a service.
    #[serde(rename = "w")]
    pub sender: String,
    /// The `AWSTraceHeader` that came with it.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub trace_header: Option<String>,
    /// The group of a fair queue.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The queue that it was moved from, once it is in a dead-letter queue.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_source: Option<String>,
}
store::stored!(Message, format = 1);

/// Where a message's head stands now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Moved {
    /// The head's `visible_at`.
    pub visible_at: Timestamp,
    /// The receive that this holds for.
    pub receipt: u64,
}
store::stored!(Moved, format = 1);

/// When a queue was purged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Purged {
    /// Then.
    pub at: Timestamp,
}
store::stored!(Purged, format = 1);
