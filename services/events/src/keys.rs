//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `BusKey { name }` | a bus; the default one has a row only once it was changed |
//! | `RulesKey { bus }` | touched by every change of a rule or target: the compiled rules are current as long as it stands |
//! | `RuleKey { bus, name }` | a rule with its targets |
//! | `PastRuleKey { bus, until, name }` | a rule as it stood until then |
//! | `EventKey { bus, id }` | an event that came; ids rise with time |
//! | `SweepKey {}` | the one sweep that is scheduled |

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::keys;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::Target;

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
    pub(crate) struct EventKey(5, sharded, large) -> Accepted { bus: String, id: Uuid }
    /// Whether a sweep is scheduled in this account and region.
    pub(crate) struct SweepKey(6) -> () {}
}

/// A bus.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bus {
    pub description: Option<String>,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub tags: BTreeMap<String, String>,
}
store::stored!(Bus, format = 1);

/// The state of a bus's rules: only that it was written anew matters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rules {
    pub count: u32,
}
store::stored!(Rules, format = 1);

/// A rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub pattern: String,
    pub enabled: bool,
    pub description: Option<String>,
    pub role_arn: Option<String>,
    pub created_by: String,
    /// Since when it stands as it does.
    pub since: Timestamp,
    pub tags: BTreeMap<String, String>,
    pub targets: BTreeMap<String, Target>,
}
store::stored!(Rule, format = 1);

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
}
store::stored!(Accepted, format = 1);
