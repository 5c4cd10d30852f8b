//! Executions: what stays of them, whatever they do.

use asl::Outcome;
use base::Timestamp;
use kernel::Scope;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::ExecutionStatus as Status;
use crate::arn::ExecutionId;
use crate::keys::ListedKey;

/// The statuses in which an execution is listed.
pub(crate) const STATUSES: [Status; 5] =
    [Status::Running, Status::Succeeded, Status::Failed, Status::TimedOut, Status::Aborted];

/// An execution of a state machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Execution {
    /// The definition that it runs.
    #[serde(rename = "r")]
    pub revision: Uuid,
    #[serde(rename = "t")]
    pub started_at: Timestamp,
    /// Orders executions of one millisecond.
    #[serde(rename = "q")]
    pub seq: u64,
    /// As the caller sent it, byte for byte.
    #[serde(rename = "i")]
    pub input: String,
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub trace_header: Option<String>,
    /// The execution whose task this one is (`.sync`).
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// How it ended.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// The version under which it was started, if it was by a version or an alias.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The alias under which it was started.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The map run whose child this is.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub map: Option<MapLink>,
    /// How often it was redriven, if it was.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub redrives: Option<Redrives>,
}
store::stored!(Execution, format = 1);

/// A child's place in its map run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MapLink {
    #[serde(rename = "r")]
    pub run: String,
    #[serde(rename = "n")]
    pub number: u64,
    /// How many items it has.
    #[serde(rename = "i")]
    pub items: u64,
}

/// How often an execution was redriven, and at whose requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Redrives {
    #[serde(rename = "n")]
    pub count: u32,
    #[serde(rename = "t")]
    pub last: Timestamp,
    /// The newest client tokens, each with the redrive that it brought about.
    #[serde(rename = "k", default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<(String, Timestamp)>,
}

/// What is kept of an execution that ended without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Rest {
    /// All that a redrive needs.
    Kept,
    /// Its history has no room for more.
    TooLong,
    /// It holds more than fits into a row.
    TooLarge,
}

/// An EXPRESS execution that has ended: AWS shows nothing of it but its logs, our console shows this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Express {
    #[serde(rename = "n")]
    pub name: String,
    #[serde(rename = "x")]
    pub execution: Execution,
}
store::stored!(Express, format = 1);

/// A task of another execution that waits for this one's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parent {
    #[serde(rename = "i")]
    pub execution: ExecutionId,
    #[serde(rename = "w")]
    pub wait: asl::WaitId,
}

/// How and when an execution ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    #[serde(rename = "s")]
    pub status: Status,
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// JSON text, of one that succeeded.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Of one that ended without success; absent where nothing was kept.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
}

impl End {
    pub(crate) fn of(outcome: Outcome, at: Timestamp) -> End {
        let end = |status, error, cause| End { status, at, output: None, error, cause, rest: None };
        match outcome {
            Outcome::Succeeded { output } => {
                End { output: Some(output), ..end(Status::Succeeded, None, None) }
            }
            Outcome::Failed { error, cause } => end(Status::Failed, error, cause),
            Outcome::TimedOut => end(Status::TimedOut, None, None),
            Outcome::Aborted { error, cause } => end(Status::Aborted, error, cause),
        }
    }
}

impl Execution {
    pub(crate) fn status(&self) -> Status {
        self.end.as_ref().map_or(Status::Running, |end| end.status)
    }

    pub(crate) fn redrive_count(&self) -> u32 {
        self.redrives.as_ref().map_or(0, |redrives| redrives.count)
    }

    pub(crate) fn redrive_date(&self) -> Option<Timestamp> {
        self.redrives.as_ref().map(|redrives| redrives.last)
    }

    /// Where the lists show it under a status: that of its machine, of its version and of its alias; or of its map run.
    pub(crate) fn listed_as(&self, id: &ExecutionId, status: Status) -> impl Iterator<Item = ListedKey> {
        let machine = self.map.as_ref().map_or_else(|| id.machine(), |map| &map.run);
        let version = self.version.map(|version| format!("{machine}:{version}"));
        let alias = self.alias.as_ref().map(|alias| format!("{machine}:{alias}"));
        let all = [Some(machine.to_owned()), version, alias];
        let (started_at, seq, name) = (self.started_at, self.seq, id.local().to_owned());
        let status = code(status);
        let key = move |list| ListedKey { machine: list, status, started_at, seq, name: name.clone() };
        all.into_iter().flatten().map(key)
    }

    /// The ARN of the version under which it was started.
    pub(crate) fn version_arn(&self, scope: &Scope, id: &ExecutionId) -> Option<String> {
        self.version.map(|version| format!("{}:{version}", id.machine_arn(scope)))
    }

    /// The ARN of the alias under which it was started.
    pub(crate) fn alias_arn(&self, scope: &Scope, id: &ExecutionId) -> Option<String> {
        self.alias.as_ref().map(|alias| format!("{}:{alias}", id.machine_arn(scope)))
    }
}

/// The status in a key. Fixed by the store's format.
pub(crate) fn code(status: Status) -> u8 {
    match status {
        Status::Running | Status::PendingRedrive => 0,
        Status::Succeeded => 1,
        Status::Failed => 2,
        Status::TimedOut => 3,
        Status::Aborted => 4,
    }
}
