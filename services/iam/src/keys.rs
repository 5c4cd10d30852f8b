//! Every row of the service, in the account's one region.
//!
//! | key | value |
//! |---|---|
//! | `RoleKey { name }` | a role, with its inline policies and the ARNs of attached ones |
//! | `PolicyKey { arn }` | a customer managed policy with its versions |
//! | `UserKey { name }` | a user, with its policies, groups and the ids of its access keys |
//! | `GroupKey { name }` | a group, with its policies and members |
//! | `AccessKeyKey { id }` | an access key; these stand in one place for all accounts, for a key names its account |
//! | `NameKey { kind, folded }` | that a name is taken: names differ by more than their case |
//! | `DeletionKey { task }` | a service-linked role that was deleted |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base::{AccountId, Timestamp};
use kernel::keys;
use serde::{Deserialize, Serialize};

keys! {
    /// A role.
    pub(crate) struct RoleKey(1, large) -> Role { name: String }
    /// A managed policy of the account's own.
    pub(crate) struct PolicyKey(2, large) -> Policy { arn: String }
    /// A user.
    pub(crate) struct UserKey(3, large) -> User { name: String }
    /// A group of users.
    pub(crate) struct GroupKey(4, large) -> Group { name: String }
    /// An access key of a user.
    pub(crate) struct AccessKeyKey(5) -> AccessKey { id: String }
    /// That a service-linked role was deleted, by the id that the deletion was given.
    pub(crate) struct DeletionKey(6) -> () { task: String }
    /// That something of a kind has a name, in small letters.
    pub(crate) struct NameKey(7) -> () { kind: String, folded: String }
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

/// A managed policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub name: String,
    pub path: String,
    pub id: String,
    pub created_at: Timestamp,
    /// The document of the default version.
    pub document: String,
    pub description: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub attachments: i32,
    /// How many roles and users it bounds.
    #[serde(default)]
    pub boundaries: i32,
    #[serde(default = "first")]
    pub default_version: u32,
    /// When the default version was made; with the policy itself, if it is the first one.
    #[serde(default)]
    pub default_created_at: Option<Timestamp>,
    /// The number of the newest version, also if it is gone.
    #[serde(default = "first")]
    pub newest_version: u32,
    /// The versions that are not the default one.
    #[serde(default)]
    pub others: BTreeMap<u32, OtherVersion>,
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
}
store::stored!(Policy, format = 1);

/// The number of a policy's first version.
fn first() -> u32 {
    1
}

/// A version of a policy that is not its default one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OtherVersion {
    pub document: String,
    pub created_at: Timestamp,
}

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub path: String,
    pub id: String,
    pub created_at: Timestamp,
    pub permissions_boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub inline: BTreeMap<String, String>,
    pub attached: BTreeSet<String>,
    pub groups: BTreeSet<String>,
    pub access_keys: BTreeSet<String>,
}
store::stored!(User, format = 1);

/// A group of users.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub path: String,
    pub id: String,
    pub created_at: Timestamp,
    pub inline: BTreeMap<String, String>,
    pub attached: BTreeSet<String>,
    pub members: BTreeSet<String>,
}
store::stored!(Group, format = 1);

/// An access key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub account: AccountId,
    pub user: String,
    /// The ARN that who signs with it acts as.
    pub principal: String,
    pub secret: String,
    pub active: bool,
    pub created_at: Timestamp,
}
store::stored!(AccessKey, format = 1);

/// Without the secret, so that no log has it.
impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("user", &self.user).finish_non_exhaustive()
    }
}
