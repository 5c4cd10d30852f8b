//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `RegistryKey { name }` | a registry of the account's own; `aws.events` is made up from what is compiled in |
//! | `SchemaKey { registry, name }` | a schema: its newest version's number, touched by every change of its versions |
//! | `VersionKey { registry, schema, number }` | a version's content |
//! | `BindingKey { registry, schema, number, language }` | that code was asked for; the code itself is made when it is read |
//! | `DiscovererKey { id }` | a discoverer |

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::keys;
use serde::{Deserialize, Serialize};

use crate::api::Type;

keys! {
    /// A registry.
    pub(crate) struct RegistryKey(1, large) -> Registry { name: String }
    /// A schema.
    pub(crate) struct SchemaKey(2) -> Schema { registry: String, name: String }
    /// A version.
    pub(crate) struct VersionKey(3, large) -> Version { registry: String, schema: String, number: u32 }
    /// Code for a version.
    pub(crate) struct BindingKey(4) -> Binding {
        registry: String, schema: String, number: u32, language: String
    }
    /// A discoverer.
    pub(crate) struct DiscovererKey(5) -> Discoverer { id: String }
}

/// A registry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Registry {
    pub description: Option<String>,
    pub tags: BTreeMap<String, String>,
    /// The resource policy, and which writing of it this is.
    pub policy: Option<Policy>,
}
store::stored!(Registry, format = 1);

/// A registry's resource policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub text: String,
    pub revision: String,
}

/// A schema.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Schema {
    pub description: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub modified_at: Timestamp,
    /// The newest version that stands.
    pub newest: u32,
    /// The highest number that was ever given: numbers are not given twice.
    pub given: u32,
    /// How many versions stand.
    pub versions: u32,
    /// The token of the update that made the newest version.
    pub token: Option<String>,
}
store::stored!(Schema, format = 1);

/// A version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Version {
    pub kind: Type,
    pub content: String,
    pub created_at: Timestamp,
}
store::stored!(Version, format = 1);

/// That code was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Binding {
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}
store::stored!(Binding, format = 1);

/// A discoverer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Discoverer {
    pub description: Option<String>,
    /// The ARN of the bus.
    pub source: String,
    pub cross_account: bool,
    pub started: bool,
    pub tags: BTreeMap<String, String>,
}
store::stored!(Discoverer, format = 1);
