//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `BusKey { name }` | a bus; the default one has a row only once it was changed |
//! | `RulesKey { bus }` | touched by every change of a rule or target: the compiled rules are current as long as it stands |
//! | `RuleKey { bus, name }` | a rule with its targets |
//! | `PastRuleKey { bus, until, name }` | a rule as it stood until then |
//! | `EventKey { bus, place }` | an event that came; places rise with time |
//! | `PlaceKey { bus, id, place }` | another place of an event: it was forwarded or replayed to the bus, or released from quarantine |
//! | `SweepKey {}` | the one sweep that is scheduled |
//! | `ArchiveKey { name }` | an archive |
//! | `ArchivedKey { space, time, id, salt }` | an event in an archive, by its own time |
//! | `TallyKey { space, slot }` | a part of an archive's counts; spread, so that events that come at once do not meet |
//! | `ReplayKey { name }` | a replay and how far it is |
//! | `ConnectionKey { name }` | a connection |
//! | `SecretKey { name }` | what a connection authorises itself with; never shown |
//! | `DestinationKey { name }` | an API destination |

//!
//! The rows of validation, whose tags are 40 to 45, stand in `validation/keys.rs`.

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::keys;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::{
    ApiDestinationHttpMethod, ConnectionAuthorizationType, ConnectionState,
    CreateConnectionAuthRequestParameters, LogConfig, ReplayDestination, ReplayState, Target,
};

keys! {
    /// A bus.
    pub(crate) struct BusKey(1) -> Bus { name: String }
    /// The state of a bus's rules.
    pub(crate) struct RulesKey(2) -> Rules { bus: String }
    /// A rule.
    pub(crate) struct RuleKey(3, large) -> Rule { bus: String, name: String }
    /// An earlier version of a rule.
    pub(crate) struct PastRuleKey(4, large) -> Rule { bus: String, until: Timestamp, name: String, salt: u64 }
    /// An event.
    pub(crate) struct EventKey(5, sharded, large) -> Accepted { bus: String, place: Uuid }
    /// Whether a sweep is scheduled in this account and region.
    pub(crate) struct SweepKey(6) -> () {}
    /// A place of an event that is not its id.
    pub(crate) struct PlaceKey(7, sharded) -> () { bus: String, id: Uuid, place: Uuid }
    /// An archive.
    pub(crate) struct ArchiveKey(8) -> Archive { name: String }
    /// An archived event.
    pub(crate) struct ArchivedKey(9, sharded, large) -> String { space: u64, time: Timestamp, id: Uuid, salt: u64 }
    /// A part of an archive's counts.
    pub(crate) struct TallyKey(10, sharded) -> Tally { space: u64, slot: u64 }
    /// A replay.
    pub(crate) struct ReplayKey(11) -> Replay { name: String }
    /// A connection.
    pub(crate) struct ConnectionKey(12) -> Connection { name: String }
    /// A connection's secret.
    pub(crate) struct SecretKey(13) -> Secret { name: String }
    /// An API destination.
    pub(crate) struct DestinationKey(14) -> Destination { name: String }
}

/// A bus.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Bus {
    pub description: Option<String>,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub tags: BTreeMap<String, String>,
    /// The resource policy as JSON text.
    #[serde(default)]
    pub policy: Option<String>,
    /// A queue for what the bus cannot send on.
    #[serde(default)]
    pub dead_letter: Option<String>,
    #[serde(default)]
    pub log: Option<LogConfig>,
}
store::stored!(Bus, format = 1);

/// The state of a bus's rules: only that it was written anew matters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rules {
    pub count: u32,
}
store::stored!(Rules, format = 1);

/// A rule.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub pattern: Option<String>,
    pub enabled: bool,
    pub description: Option<String>,
    pub role_arn: Option<String>,
    pub created_by: String,
    /// Since when it stands as it does.
    pub since: Timestamp,
    pub tags: BTreeMap<String, String>,
    pub targets: BTreeMap<String, Target>,
    /// Whether it also sees what CloudTrail reports of calls that only read.
    #[serde(default)]
    pub sees_reads: bool,
    #[serde(default)]
    pub schedule: Option<Scheduled>,
    /// The service that made it and alone may change it.
    #[serde(default)]
    pub managed_by: Option<String>,
}
store::stored!(Rule, format = 1);

/// The schedule of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scheduled {
    pub expression: String,
    /// What a rate is counted from. A timer that carries another anchor is stale.
    pub anchor: Timestamp,
}

/// An event that came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Accepted {
    /// The whole event as JSON text.
    #[serde(rename = "e")]
    pub envelope: String,
    /// When it came.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// Its chain of causes.
    #[serde(rename = "r")]
    pub root: Uuid,
    /// Its id, where its place is another.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The names of the rules that were asked, if not all were.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Vec<String>>,
}
store::stored!(Accepted, format = 1);

/// An archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Archive {
    /// Where its events stand. A new archive of the same name has another space.
    pub space: u64,
    /// The bus's name.
    pub bus: String,
    pub description: Option<String>,
    pub pattern: Option<String>,
    /// 0 keeps for ever.
    pub retention_days: u32,
    pub created_at: Timestamp,
}
store::stored!(Archive, format = 1);

/// A part of an archive's counts. Only the sum of all parts is never negative.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub events: i64,
    pub bytes: i64,
}
store::stored!(Tally, format = 1);

/// A replay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Replay {
    pub archive: String,
    pub space: u64,
    pub description: Option<String>,
    pub destination: ReplayDestination,
    /// The names of the rules that are asked; all if empty.
    pub only: Vec<String>,
    pub from: Timestamp,
    pub until: Timestamp,
    pub state: ReplayState,
    pub reason: Option<String>,
    /// The time of the event that was replayed last.
    pub last: Option<Timestamp>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}
store::stored!(Replay, format = 1);

/// A connection, without what must not be shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub description: Option<String>,
    pub state: ConnectionState,
    pub reason: Option<String>,
    pub kind: ConnectionAuthorizationType,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub authorized_at: Option<Timestamp>,
    /// The random part of its ARN and its secret's.
    pub id: Uuid,
}
store::stored!(Connection, format = 1);

/// What a connection authorises itself with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Secret {
    pub parameters: CreateConnectionAuthRequestParameters,
    pub token: Option<Token>,
}
store::stored!(Secret, format = 1);

/// An access token that an authorisation server gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Token {
    /// `Bearer` and the like.
    pub kind: String,
    pub text: String,
    pub until: Option<Timestamp>,
}

/// An API destination.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Destination {
    pub description: Option<String>,
    /// The ARN of its connection.
    pub connection: String,
    pub endpoint: String,
    pub method: ApiDestinationHttpMethod,
    /// Calls a second.
    pub rate: u32,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    /// The random part of its ARN.
    pub id: Uuid,
}
store::stored!(Destination, format = 1);
