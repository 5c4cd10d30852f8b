//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `GroupKey { name }` | a group |
//! | `StreamKey { group, name }` | a stream: its first and last event |
//! | `EventKey { group, stream, at, seq, index }` | a line of text |

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::keys;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

keys! {
    /// A group.
    pub(crate) struct GroupKey(1) -> Group { name: String }
    /// A stream of a group.
    pub(crate) struct StreamKey(2) -> Stream { group: String, name: String }
    /// An event; `seq` and `index` keep the order in which those of one millisecond came.
    pub(crate) struct EventKey(3, sharded, large) -> Event {
        group: String, stream: String, at: Timestamp, seq: u64, index: u32
    }
}

/// A group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    /// Tells this group from earlier ones of the same name: tasks of theirs find that they are stale.
    pub generation: Uuid,
    pub created_at: Timestamp,
    pub retention_days: Option<i32>,
    pub infrequent_access: bool,
    pub tags: BTreeMap<String, String>,
}
store::stored!(Group, format = 1);

/// A stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub created_at: Timestamp,
    pub first_event_at: Option<Timestamp>,
    pub last_event_at: Option<Timestamp>,
    pub last_ingested_at: Option<Timestamp>,
}
store::stored!(Stream, format = 1);

/// A line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    #[serde(rename = "m")]
    pub message: String,
    #[serde(rename = "t")]
    pub ingested_at: Timestamp,
}
store::stored!(Event, format = 1);
