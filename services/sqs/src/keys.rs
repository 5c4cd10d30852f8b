//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `QueueKey { name }` | the queue's attributes |
//! | `HeadKey { queue, visible_at, seq, salt }` | what changes about a message: small, moved by every receive |
//! | `MessageKey { queue, id }` | what stays: body and attributes |
//! | `MovedKey { queue, id }` | where a message's head stands since its visibility was changed |
//! | `PurgedKey { queue }` | when the queue was purged last |
//! | `FifoKey { queue, group, number }` | of a FIFO queue: what changes about a message, in the order of its group |
//! | `GroupKey { queue, group }` | a group that has messages; whoever changes one of them writes it |
//! | `ReadyKey { queue, ready_at, turn, group }` | the same groups by the time from which they can be received from |
//! | `DeduplicationKey { queue, scope, id }` | a message that was accepted within the last minutes |
//! | `AttemptKey { queue, id }` | what a receive with an attempt's id gave out |
//! | `AgedKey { queue, at, seq, salt }` | rows of the two kinds above by age |
//! | `MoveTaskKey { queue, started_at, id }` | a task that moves messages out of a dead-letter queue |

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::{TraceCx, keys};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::message::Attribute;
use crate::queue::Queue;

keys! {
    /// A queue.
    pub(crate) struct QueueKey(1, large) -> Queue { name: String }
    /// A message in the order of its visibility.
    pub(crate) struct HeadKey(2, sharded) -> Head { queue: String, visible_at: Timestamp, seq: u64, salt: u64 }
    /// A message's body.
    pub(crate) struct MessageKey(3, sharded, large) -> Message { queue: String, id: Uuid }
    /// The place of a received message whose visibility was changed.
    pub(crate) struct MovedKey(4, sharded) -> Moved { queue: String, id: Uuid }
    /// The last purge.
    pub(crate) struct PurgedKey(5) -> Purged { queue: String }
    /// A message of a FIFO queue in the order of its group.
    pub(crate) struct FifoKey(6, sharded) -> FifoHead { queue: String, group: String, number: u64 }
    /// A group that has messages.
    pub(crate) struct GroupKey(7, sharded) -> Group { queue: String, group: String }
    /// Groups by the time from which they can be received from.
    pub(crate) struct ReadyKey(8, sharded) -> () { queue: String, ready_at: Timestamp, turn: u64, group: String }
    /// A message that was accepted. The scope is its group, or empty for the whole queue.
    pub(crate) struct DeduplicationKey(9, sharded) -> Accepted { queue: String, scope: String, id: String }
    /// What a receive gave out.
    pub(crate) struct AttemptKey(10, sharded) -> Attempt { queue: String, id: String }
    /// What is to be forgotten, by age.
    pub(crate) struct AgedKey(11, sharded) -> Aged { queue: String, at: Timestamp, seq: u64, salt: u64 }
    /// A task that moves messages, newest last.
    pub(crate) struct MoveTaskKey(12) -> MoveTask { queue: String, started_at: Timestamp, id: Uuid }
}

/// What changes about a message of a FIFO queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FifoHead {
    /// From when on it is visible.
    #[serde(rename = "v")]
    pub visible_at: Timestamp,
    /// The rest.
    #[serde(rename = "h")]
    pub head: Head,
}
store::stored!(FifoHead, format = 1);

/// A group's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    /// From when on it can be received from: no message is in flight, and the first one is visible.
    #[serde(rename = "r")]
    pub ready_at: Timestamp,
    /// The number of the first message.
    #[serde(rename = "t")]
    pub turn: u64,
    /// The number of the last message.
    #[serde(rename = "l")]
    pub last: u64,
}
store::stored!(Group, format = 1);

/// A message that was accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Accepted {
    /// When.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// By which queue of this name.
    #[serde(rename = "g")]
    pub generation: Uuid,
    /// The message.
    #[serde(rename = "i")]
    pub id: Uuid,
    /// Its place.
    #[serde(rename = "n")]
    pub number: u64,
}
store::stored!(Accepted, format = 1);

/// What a receive gave out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// When it was received first.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// From which queue of this name.
    #[serde(rename = "g")]
    pub generation: Uuid,
    /// Group, number and receipt of each message.
    #[serde(rename = "m")]
    pub messages: Vec<(String, u64, u64)>,
}
store::stored!(Attempt, format = 1);

/// What is to be forgotten.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Aged {
    /// That a message was accepted.
    Accepted {
        /// The scope.
        scope: String,
        /// The deduplication id.
        id: String,
    },
    /// What a receive gave out.
    Attempt {
        /// The attempt's id.
        id: String,
    },
}
store::stored!(Aged, format = 1);

/// A task that moves messages out of a dead-letter queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MoveTask {
    /// Where to; back to where each message came from if there is none.
    pub destination: Option<String>,
    /// Messages a second.
    pub rate_max: Option<u32>,
    /// How it stands.
    pub status: MoveStatus,
    /// How many have been moved.
    pub moved: u64,
    /// How many there were to move.
    pub to_move: u64,
    /// Why it failed.
    pub failure: Option<String>,
}
store::stored!(MoveTask, format = 1);

/// How a task that moves messages stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MoveStatus {
    Running,
    Completed,
    Cancelled,
    Failed,
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
    /// Its group.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The id by which a FIFO queue knows it again.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub deduplication: Option<String>,
    /// The queue that it was moved from, once it is in a dead-letter queue.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_source: Option<String>,
    /// The chain of causes that it belongs to.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<TraceCx>,
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
