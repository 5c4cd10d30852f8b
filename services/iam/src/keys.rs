//! Every row of the service, in the account's one region.
//!
//! | key | value |
//! |---|---|
//! | `RoleKey { name }` | a role, with its inline policies and the ARNs of attached ones |
//! | `PolicyKey { arn }` | a customer managed policy |

use std::collections::{BTreeMap, BTreeSet};

use base::Timestamp;
use kernel::keys;
use serde::{Deserialize, Serialize};

keys! {
    /// A role.
    pub(crate) struct RoleKey(1, large) -> Role { name: String }
    /// A managed policy of the account's own.
    pub(crate) struct PolicyKey(2) -> Policy { arn: String }
}

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Role {
    pub path: String,
    pub id: String,
    pub created_at: Timestamp,
    pub trust_policy: String,
    pub description: Option<String>,
    pub session_s_max: i32,
    pub permissions_boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub inline: BTreeMap<String, String>,
    pub attached: BTreeSet<String>,
}
store::stored!(Role, format = 1);

/// A managed policy. It has one version, `v1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub name: String,
    pub path: String,
    pub id: String,
    pub created_at: Timestamp,
    pub document: String,
    pub description: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub attachments: i32,
}
store::stored!(Policy, format = 1);
