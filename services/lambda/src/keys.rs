//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `FunctionKey { name }` | what all versions share: tags, reserved concurrency, the next version's number |
//! | `VersionKey { name, number }` | one version's configuration; number 0 is `$LATEST` |
//! | `AliasKey { name, alias }` | which version an alias points to |
//! | `PolicyKey { name, qualifier }` | who may call; qualifier empty for the function itself |
//! | `EventConfigKey { name, qualifier }` | what becomes of asynchronous events |
//! | `UrlKey { name, qualifier }` | a function URL; qualifier empty for the function itself |
//! | `UrlIdKey { id }` | which function a URL belongs to; in the default account's scope, for a host names no account |
//! | `PackageKey { sha256 }` | a package's size, and how many versions and layers use it |
//! | `PackagePartKey { sha256, part }` | its bytes, in parts of at most 4 MB |
//! | `LayerKey { name, number }` | one version of a layer |
//! | `LayerNumberKey { name }` | the number of the newest version ever |
//! | `EventKey { id }` | an asynchronous event that has not ended |
//! | `MappingKey { uuid }` | an event source mapping |
//! | `PairKey { source, function }` | the UUID of the mapping of a source to a function: there is one at most |
//! | `CheckpointKey { mapping, lane }` | where a lane of a stream's mapping is |

use std::collections::BTreeMap;

use base::{AccountId, Timestamp};
use bytes::Bytes;
use kernel::keys;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::{
    ApplicationLogLevel, Architecture, Cors, DestinationConfig, FunctionUrlAuthType, InvokeMode, Runtime,
    SystemLogLevel, TracingMode,
};
use crate::mapping::settings::Settings;
use crate::name::FunctionRef;

keys! {
    /// A function.
    pub(crate) struct FunctionKey(1) -> Function { name: String }
    /// A version of a function.
    pub(crate) struct VersionKey(2) -> Version { name: String, number: u64 }
    /// An alias of a function.
    pub(crate) struct AliasKey(3) -> Alias { name: String, alias: String }
    /// The policy of a function, a version or an alias.
    pub(crate) struct PolicyKey(4) -> Policy { name: String, qualifier: String }
    /// The configuration of asynchronous invocation.
    pub(crate) struct EventConfigKey(5) -> EventConfig { name: String, qualifier: String }
    /// A function URL.
    pub(crate) struct UrlKey(6) -> Url { name: String, qualifier: String }
    /// The function behind a URL.
    pub(crate) struct UrlIdKey(7) -> UrlOwner { id: String }
    /// A package.
    pub(crate) struct PackageKey(8) -> Package { sha256: String }
    /// A part of a package.
    pub(crate) struct PackagePartKey(9, sharded, large) -> Bytes { sha256: String, part: u32 }
    /// A version of a layer.
    pub(crate) struct LayerKey(10) -> Layer { name: String, number: u64 }
    /// The newest version of a layer, which may be deleted.
    pub(crate) struct LayerNumberKey(11) -> LayerNumber { name: String }
    /// An asynchronous event.
    pub(crate) struct EventKey(12, sharded, large) -> Event { id: Uuid }
    /// An event source mapping.
    pub(crate) struct MappingKey(13) -> Mapping { uuid: String }
    /// The mapping of a source to a function.
    pub(crate) struct PairKey(14) -> String { source: String, function: String }
    /// Where a lane of a mapping is.
    pub(crate) struct CheckpointKey(15) -> Checkpoint { mapping: String, lane: u32 }
}

/// What all versions of a function share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Function {
    /// The number of the newest published version; numbers are never used twice.
    pub last_version: u64,
    /// `ReservedConcurrentExecutions`.
    pub reserved: Option<u32>,
    /// By key.
    pub tags: BTreeMap<String, String>,
}
store::stored!(Function, format = 1);

/// One version's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub runtime: Runtime,
    pub role: String,
    pub handler: String,
    pub description: String,
    pub timeout_s: u32,
    pub memory_mb: u32,
    pub ephemeral_mb: u32,
    pub environment: BTreeMap<String, String>,
    /// Layer version ARNs, lowest first.
    pub layers: Vec<LayerUse>,
    pub architecture: Architecture,
    pub dead_letter: Option<String>,
    pub tracing: TracingMode,
    /// `None`: `/aws/lambda/` and the function's name.
    pub log_group: Option<String>,
    /// `None`: lines of text.
    #[serde(default)]
    pub json_logs: Option<JsonLogs>,
    pub package: PackageUse,
    pub last_modified: Timestamp,
    pub revision_id: Uuid,
}
store::stored!(Version, format = 1);

/// From which levels on JSON logs have events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JsonLogs {
    pub application_level: ApplicationLogLevel,
    pub system_level: SystemLogLevel,
}

/// A package as a version refers to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PackageUse {
    /// 64 hexadecimal digits.
    pub sha256: String,
    pub bytes: u64,
}

/// A layer as a version refers to it; it stays usable when the layer version is deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LayerUse {
    pub arn: String,
    pub package: PackageUse,
}

/// Which version an alias points to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub version: u64,
    pub description: String,
    /// Another version, and which share of the invocations it gets (0 to 1).
    pub additional: Option<(u64, f64)>,
    pub revision_id: Uuid,
}
store::stored!(Alias, format = 1);

/// A resource-based policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// Statements as JSON objects, in the order of their arrival.
    pub statements: Vec<Statement>,
    pub revision_id: Uuid,
}
store::stored!(Policy, format = 1);

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Statement {
    pub sid: String,
    /// The JSON object, `Sid` included.
    pub json: String,
}

/// What becomes of asynchronous events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EventConfig {
    pub retries_max: Option<u32>,
    pub age_s_max: Option<u32>,
    pub destinations: DestinationConfig,
    pub last_modified: Timestamp,
}
store::stored!(EventConfig, format = 1);

/// A function URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Url {
    /// The first label of its host.
    pub id: String,
    pub auth_type: FunctionUrlAuthType,
    pub cors: Option<Cors>,
    pub invoke_mode: InvokeMode,
    pub created: Timestamp,
    pub last_modified: Timestamp,
}
store::stored!(Url, format = 1);

/// Whose a URL is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UrlOwner {
    pub account: AccountId,
    pub name: String,
    /// Empty for the function itself.
    pub qualifier: String,
}
store::stored!(UrlOwner, format = 1);

/// A stored package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Package {
    pub bytes: u64,
    pub parts: u32,
    /// How many versions and layers refer to it. Without any it is removed.
    pub uses: u64,
}
store::stored!(Package, format = 1);

/// One version of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Layer {
    pub description: String,
    pub package: PackageUse,
    pub runtimes: Vec<Runtime>,
    pub architectures: Vec<Architecture>,
    pub license: Option<String>,
    pub created: Timestamp,
}
store::stored!(Layer, format = 1);

/// The newest version of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LayerNumber(pub u64);
store::stored!(LayerNumber, format = 1);

/// An accepted asynchronous event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub name: String,
    pub qualifier: Option<String>,
    pub payload: Bytes,
    pub client_context: Option<String>,
    /// Events of one order run one after the other.
    pub order: Option<String>,
    pub accepted: Timestamp,
    /// Invocations that the function answered, with an error each.
    pub failures: u32,
    /// Attempts in a row for which there was no room, or that failed on our side.
    pub refusals: u32,
}
store::stored!(Event, format = 1);

/// An event source mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mapping {
    /// The source's ARN.
    pub source: String,
    /// The function as the caller named it: with a qualifier, if there was one.
    pub function: FunctionRef,
    pub enabled: bool,
    pub settings: Settings,
    pub tags: BTreeMap<String, String>,
    pub last_modified: Timestamp,
    /// Counts how often its lanes were laid anew: what was read before is not committed after.
    pub epoch: u64,
    /// The id of the stream's shard; empty for a queue.
    pub shard: String,
}
store::stored!(Mapping, format = 1);

/// Where a lane is; see `crate::mapping::checkpoint`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The next record is at this position or behind it.
    pub position: String,
    /// Where a batch that has failed ends, and its parts, innermost last.
    pub ends: Vec<String>,
    /// Invocations that failed with the present batch, or part.
    pub attempts: u32,
    /// Attempts in a row that the function was not run for.
    pub refusals: u32,
    /// When the next attempt is due.
    pub not_before: Option<Timestamp>,
    /// `LastProcessingResult`.
    pub result: String,
}
store::stored!(Checkpoint, format = 1);
