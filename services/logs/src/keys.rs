//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `GroupKey { name }` | a group |
//! | `StreamKey { group, name }` | a stream: its first and last event |
//! | `EventKey { group, stream, at, seq, index }` | a line of text |
//! | `PolicyKey { name }` | a resource policy of the account |

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
    /// A resource policy of the account.
    pub(crate) struct PolicyKey(4) -> Policy { name: String }
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
    /// Who gets the group's events, by the filter's name.
    #[serde(default)]
    pub subscriptions: BTreeMap<String, Subscription>,
}
store::stored!(Group, format = 1);

/// Who gets events, and which.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub pattern: String,
    /// The ARN of a function.
    pub destination: String,
    pub created_at: Timestamp,
}

/// A stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub created_at: Timestamp,
    pub first_event_at: Option<Timestamp>,
    pub last_event_at: Option<Timestamp>,
    pub last_ingested_at: Option<Timestamp>,
    /// `seq` of the newest event, and the first `index` that is free beside it.
    #[serde(default)]
    pub next_place: Option<(u64, u32)>,
}
store::stored!(Stream, format = 1);

impl Stream {
    /// The first `index` of as many events under `seq`. Calls that share a transaction share its `seq`: the later ones' events
    /// stand behind the earlier ones'.
    pub(crate) fn take_places(&mut self, seq: u64, count: u32) -> u32 {
        let first = self.next_place.filter(|(newest, _)| *newest == seq).map_or(0, |(_, free)| free);
        self.next_place = Some((seq, first.saturating_add(count)));
        first
    }
}

/// A line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    #[serde(rename = "m")]
    pub message: String,
    #[serde(rename = "t")]
    pub ingested_at: Timestamp,
}
store::stored!(Event, format = 1);

/// A resource policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// JSON.
    pub document: String,
    pub updated_at: Timestamp,
}
store::stored!(Policy, format = 1);
