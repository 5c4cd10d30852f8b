//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `MachineKey { name }` | a state machine: role, revision, tags |
//! | `RevisionKey { machine, revision }` | a definition as it was created or updated; executions name theirs |
//! | `ExecutionKey { id }` | an execution: input, when it started, how it ended |
//! | `RunKey { id }` | what a running execution waits for, a `Run` as bytes; gone when it ends |
//! | `HistoryKey { id, first }` | the events of one commit, by the id of the first |
//! | `ListedKey { machine, status, started_at, seq, name }` | the executions of a machine by status, oldest first |
//! | `SweepKey` | present where old executions are looked for once a day |
//! | `VersionKey { machine, number }` | a published version: the revision that it is |
//! | `AliasKey { machine, name }` | an alias: the versions it leads to, by weight |
//! | `ExpressKey { machine, id }` | an EXPRESS execution that has ended: all that is kept of it |
//! | `ActivityKey { name }` | an activity |
//! | `OfferKey { activity, id }` | a task that waits for a worker of the activity, oldest first |
//! | `MapRunKey { id }` | a run of a distributed map: its plan, its counters, the page of items that it works off |
//! | `MapRunOfKey { execution, started_at, id }` | the map runs of an execution |
//! | `MapResultKey { run, number }` | a child execution of a map run that has ended |
//! | `MapStopKey { run }` | present where no child of the run may start any more |
//! | `RestKey { id }` | where an execution stands that ended without success: a redrive goes on from there |
//!
//! A map run's id is `machine/label:uuid`; `ListedKey` lists its child executions under it.
//! `id` is `machine:name`, or `machine:name:uuid` while an EXPRESS execution runs. `ListedKey` also lists executions by
//! `machine:version` and `machine:alias` if they were started so. A task token has no row: it names the execution, the wait and a random number that the run
//! keeps.

use asl::HistoryEvent;
use base::Timestamp;
use kernel::keys;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::bytes::Bytes;
use store::{CodecError, Stored};
use uuid::Uuid;

use crate::activity::{Activity, Offer};
use crate::execution::{Execution, Express};
use crate::machine::{Revision, StateMachine};
use crate::map_run::{MapResult, MapRow};
use crate::version::{Alias, Version};

keys! {
    /// A state machine.
    pub(crate) struct MachineKey(1) -> StateMachine { name: String }
    /// A definition.
    pub(crate) struct RevisionKey(2, large) -> Revision { machine: String, revision: Uuid }
    /// An execution.
    pub(crate) struct ExecutionKey(3, sharded, large) -> Execution { id: String }
    /// A running execution.
    pub(crate) struct RunKey(4, sharded, large) -> Bytes { id: String }
    /// The events of one commit.
    pub(crate) struct HistoryKey(5, sharded, large) -> Compact<Vec<HistoryEvent>> { id: String, first: i64 }
    /// An execution in the list of its machine.
    pub(crate) struct ListedKey(6, sharded) -> Listed {
        machine: String, status: u8, started_at: Timestamp, seq: u64, name: String
    }
    /// The daily look for old executions.
    pub(crate) struct SweepKey(7) -> () {}
    /// A published version.
    pub(crate) struct VersionKey(8) -> Version { machine: String, number: u32 }
    /// An alias.
    pub(crate) struct AliasKey(9) -> Alias { machine: String, name: String }
    /// An EXPRESS execution that has ended.
    pub(crate) struct ExpressKey(10, sharded, large) -> Express { machine: String, id: Uuid }
    /// An activity.
    pub(crate) struct ActivityKey(11) -> Activity { name: String }
    /// A task that waits for a worker.
    pub(crate) struct OfferKey(12, sharded, large) -> Offer { activity: String, id: Uuid }
    /// A run of a distributed map.
    pub(crate) struct MapRunKey(13, sharded, large) -> Compact<MapRow> { id: String }
    /// The map runs of an execution.
    pub(crate) struct MapRunOfKey(14, sharded) -> () { execution: String, started_at: Timestamp, id: String }
    /// How a child of a map run ended.
    pub(crate) struct MapResultKey(15, sharded, large) -> MapResult { run: String, number: u64 }
    /// Present where no child of the map run may start any more.
    pub(crate) struct MapStopKey(16, sharded) -> () { run: String }
    /// Where an execution stands that ended without success.
    pub(crate) struct RestKey(17, sharded, large) -> Bytes { id: String }
}

/// What a list tells about an execution beyond its key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Listed {
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u64>,
    /// How often and when it was redriven, if it was.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub redriven: Option<(u32, Timestamp)>,
}
store::stored!(Listed, format = 1);

/// The format of rows without member names; a change of their members raises it.
const COMPACT_FORMAT: u8 = 1;

/// A value stored without member names: written at every step, so that bytes count.
#[derive(Clone, Debug)]
pub(crate) struct Compact<T>(pub(crate) T);

impl<T: Serialize> Compact<T> {
    /// The row's bytes.
    pub(crate) fn encode(&self) -> Result<Bytes, CodecError> {
        let mut bytes = vec![COMPACT_FORMAT];
        let written = rmp_serde::encode::write(&mut bytes, &self.0);
        written.map_err(|error| CodecError::Unencodable { name: name::<T>(), why: error.to_string() })?;
        Ok(bytes.into())
    }
}

impl<T: Serialize + DeserializeOwned> Stored for Compact<T> {
    fn to_bytes(&self) -> Result<Bytes, CodecError> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Compact<T>, CodecError> {
        let name = name::<T>();
        let (&found, body) = bytes.split_first().ok_or(CodecError::Empty(name))?;
        if found > COMPACT_FORMAT {
            return Err(CodecError::Newer { name, found, known: COMPACT_FORMAT });
        }
        let value = rmp_serde::from_slice(body);
        value.map(Compact).map_err(|error| CodecError::Malformed { name, why: error.to_string() })
    }
}

fn name<T>() -> &'static str {
    std::any::type_name::<T>()
}
