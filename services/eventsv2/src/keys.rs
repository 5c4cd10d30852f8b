//! Every row of the service. A bus is known by the random end of its ARN wherever it is not named: a new one of an old
//! name has none of the old one's rows.
//!
//! | key | value |
//! |---|---|
//! | `BusKey { name }` | a bus |
//! | `AttachedKey { bus }` | touched by every change of what is attached to a bus: who publishes guards it |
//! | `SubscriberKey { name }` | a subscriber |
//! | `OnBusKey { bus, name }` | a subscriber of the bus |
//! | `CursorKey { subscriber }` | how far a subscriber has read its bus's log |
//! | `LogKey { bus }` | the bus's log: its events in the order of their commits |
//! | `BodyKey { bus, id }` | an event that is too large for its record in the log |
//! | `GroupKey { bus, group }` | the last sequence number of an event group |
//! | `SeenKey { bus, key }` | an event that was published lately, by what makes another one its duplicate |
//! | `FadeKey { bus, at, key }` | the same by age, so that it can be forgotten |
//! | `SourceKey { name }` | an event source |
//! | `TokenKey { token }` | a client token with the request that it came with first |

use std::collections::BTreeMap;

use base::Timestamp;
use base::tags::Tags;
use kernel::{TraceCx, keys};
use serde::{Deserialize, Serialize};
use store::Version;
use store::log::Position;
use uuid::Uuid;

use crate::api::{
    BatchConfiguration, EventSourceConfiguration, EventSourceState, FilterConfiguration, InvokeConfiguration,
    LogConfiguration, OnFailureConfiguration, OrderingType, PointInTimeConfiguration, RetryPolicy,
    StartingPosition, SubscriberState, Transformer,
};

keys! {
    /// A bus.
    pub(crate) struct BusKey(1) -> Bus { name: String }
    /// What is attached to a bus.
    pub(crate) struct AttachedKey(2) -> Attached { bus: String }
    /// A subscriber.
    pub(crate) struct SubscriberKey(3, large) -> Subscriber { name: String }
    /// A subscriber of a bus.
    pub(crate) struct OnBusKey(4) -> () { bus: String, name: String }
    /// How far a subscriber has read.
    pub(crate) struct CursorKey(5, sharded) -> Cursor { subscriber: String }
    /// A bus's log.
    pub(crate) struct LogKey(6, sharded) -> Record { bus: String }
    /// A large event.
    pub(crate) struct BodyKey(7, sharded, large) -> Logged { bus: String, id: Uuid }
    /// An event group.
    pub(crate) struct GroupKey(8, sharded) -> Group { bus: String, group: String }
    /// An event that was published lately.
    pub(crate) struct SeenKey(9, sharded) -> Seen { bus: String, key: String }
    /// The same by age.
    pub(crate) struct FadeKey(10, sharded) -> () { bus: String, at: Timestamp, key: String }
    /// An event source.
    pub(crate) struct SourceKey(11, large) -> Source { name: String }
    /// A client token.
    pub(crate) struct TokenKey(13, large) -> Token { token: String }
}

/// A bus.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bus {
    pub id: String,
    pub description: Option<String>,
    pub retention_days: u32,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub tags: Tags,
}
store::stored!(Bus, format = 1);

/// What is attached to a bus, revoked ones left out.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Attached {
    pub subscribers: u32,
    pub sources: u32,
}
store::stored!(Attached, format = 1);

/// A subscriber.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subscriber {
    pub id: String,
    /// The ARN of its bus.
    pub bus_arn: String,
    pub description: Option<String>,
    pub invoke: InvokeConfiguration,
    pub filter: Option<FilterConfiguration>,
    pub ordering: OrderingType,
    pub start: StartingPosition,
    pub point: Option<PointInTimeConfiguration>,
    pub batch: BatchConfiguration,
    /// Whether the caller gave a batch size of 1: a function then gets the event itself.
    pub single: bool,
    pub transformer: Option<Transformer>,
    pub retry: RetryPolicy,
    pub on_failure: Option<OnFailureConfiguration>,
    pub log: Option<LogConfiguration>,
    pub state: SubscriberState,
    pub revoked: bool,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub tags: Tags,
}
store::stored!(Subscriber, format = 1);

/// How far a subscriber has read its bus's log.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// The place of the last record that was looked at. None: the place of the commit that wrote this row.
    pub after: Option<Place>,
    /// Records of commits up to this one are older than the subscriber: they are replayed. None: not known yet, it is the
    /// commit that wrote this row.
    pub replay_until: Option<u64>,
}
store::stored!(Cursor, format = 1);

/// A position in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place(pub u64, pub u16);

impl From<Position> for Place {
    fn from(position: Position) -> Place {
        Place(position.version.0, position.index)
    }
}

impl Place {
    /// In front of every record.
    pub(crate) const START: Place = Place(0, 0);

    /// Behind everything that the commit of `version` and those before it wrote.
    pub(crate) fn behind(version: Version) -> Place {
        Place(version.0, u16::MAX)
    }

    /// The position that follows.
    pub(crate) fn next(self) -> Position {
        let Place(version, index) = self;
        match index.checked_add(1) {
            Some(index) => Position { version: Version(version), index },
            None => Position { version: Version(version.saturating_add(1)), index: 0 },
        }
    }
}

/// A record of a bus's log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    #[serde(rename = "i")]
    pub id: Uuid,
    /// When it came.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// The event, unless it is so large that it has a row of its own.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Logged>,
}
store::stored!(Record, format = 1);

/// An event as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Logged {
    /// `Data` as JSON text.
    #[serde(rename = "d")]
    pub data: String,
    /// `Metadata`, of events that were published raw.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// `SystemMetadata`, but for how it is delivered.
    #[serde(rename = "s")]
    pub system: BTreeMap<String, String>,
    /// Its chain of causes.
    #[serde(rename = "c")]
    pub trace: TraceCx,
}
store::stored!(Logged, format = 1);

/// An event group.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub last: u64,
    pub at: Timestamp,
}
store::stored!(Group, format = 1);

/// What the publisher of an event was told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub at: Timestamp,
    pub id: Uuid,
    pub sequence: Option<String>,
}
store::stored!(Seen, format = 1);

/// An event source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Source {
    pub id: String,
    /// The ARN of its bus.
    pub bus_arn: String,
    pub configuration: EventSourceConfiguration,
    pub description: Option<String>,
    pub state: EventSourceState,
    pub revoked: bool,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub tags: Tags,
}
store::stored!(Source, format = 1);

/// A client token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Token {
    pub at: Timestamp,
    /// The request as JSON text, without the token.
    pub request: String,
    /// The ARN of what it made.
    pub arn: String,
}
store::stored!(Token, format = 1);
