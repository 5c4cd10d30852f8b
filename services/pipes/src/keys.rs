//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `PipeKey { name }` | a pipe with its settings and its state |
//! | `PlaceKey { name, generation }` | how far a pipe has come in a stream |
//! | `RunningKey { account, region, name }` | that a pipe runs: what is begun again at a start, of all accounts and regions |

use std::collections::BTreeMap;

use base::{AccountId, Region, Timestamp};
use kernel::{Scope, keys};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::{
    PipeEnrichmentParameters, PipeLogConfigurationParameters, PipeSourceParameters, PipeState,
    PipeTargetParameters, RequestedPipeState,
};

keys! {
    /// A pipe.
    pub(crate) struct PipeKey(1, large) -> Pipe { name: String }
    /// A pipe that runs.
    pub(crate) struct RunningKey(2) -> () { account: String, region: String, name: String }
    /// A pipe's place in its stream.
    pub(crate) struct PlaceKey(3) -> Place { name: String, generation: Uuid }
}

/// Where the rows stand that belong to no account.
pub(crate) fn house() -> Scope {
    Scope { account: AccountId::default(), region: Region::default() }
}

/// A pipe's place in its stream: the next record is there or behind it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    pub position: String,
}
store::stored!(Place, format = 1);

/// A pipe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pipe {
    /// Tells this pipe from earlier ones of the same name.
    pub generation: Uuid,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub desired: RequestedPipeState,
    pub state: PipeState,
    /// Why it failed, if it did.
    pub reason: Option<String>,
    /// Counts up whenever it begins to run: who reads for an earlier run stops.
    pub run: u64,
    pub settings: Settings,
    pub tags: BTreeMap<String, String>,
}
store::stored!(Pipe, format = 1);

/// What `CreatePipe` and `UpdatePipe` set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub description: Option<String>,
    pub source: String,
    pub source_parameters: PipeSourceParameters,
    pub enrichment: Option<String>,
    pub enrichment_parameters: Option<PipeEnrichmentParameters>,
    pub target: String,
    pub target_parameters: PipeTargetParameters,
    pub role_arn: String,
    pub log: Option<PipeLogConfigurationParameters>,
}
