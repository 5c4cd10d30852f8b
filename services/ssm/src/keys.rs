//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `ParameterKey { name }` | a parameter: its latest version, its labels and tags |
//! | `VersionKey { name, number }` | an earlier version |

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::keys;
use serde::{Deserialize, Serialize};

use crate::api::{ParameterTier, ParameterType};

keys! {
    /// A parameter.
    pub(crate) struct ParameterKey(1, large) -> Parameter { name: String }
    /// A version that another one followed.
    pub(crate) struct VersionKey(2) -> Version { name: String, number: u64 }
}

/// A parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Parameter {
    pub latest: Version,
    /// The number of the oldest version that is kept; all from it to the latest are.
    pub oldest: u64,
    /// The version that each label names.
    pub labels: BTreeMap<String, u64>,
    pub tags: BTreeMap<String, String>,
}
store::stored!(Parameter, format = 1);

/// What a parameter was at one time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Version {
    pub number: u64,
    pub kind: ParameterType,
    /// The value; of a secure string, its ciphertext as base64 text.
    pub value: String,
    pub data_type: String,
    pub tier: ParameterTier,
    pub description: Option<String>,
    pub allowed_pattern: Option<String>,
    /// The key of a secure string, as it was given.
    pub key_id: Option<String>,
    pub modified_at: Timestamp,
    pub modified_by: String,
}
store::stored!(Version, format = 1);
