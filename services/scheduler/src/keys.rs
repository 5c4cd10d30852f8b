//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `GroupKey { name }` | a group; `default` has a row from the first time that it is used |
//! | `ScheduleKey { group, name }` | a schedule with its settings, its next occurrence and the task that waits for it |
//! | `TokenKey { resource, token }` | that the resource with this ARN was deleted under a client token, for a day |

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::{TaskHandle, keys};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::Target;

keys! {
    /// A group.
    pub(crate) struct GroupKey(1) -> Group { name: String }
    /// A schedule.
    pub(crate) struct ScheduleKey(2, large) -> Schedule { group: String, name: String }
    /// A client token of a deletion.
    pub(crate) struct TokenKey(3) -> () { resource: String, token: String }
}

/// A group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    /// Tells this group from earlier ones of the same name.
    pub generation: Uuid,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    /// Whether its schedules are being removed, and then itself.
    pub deleting: bool,
    pub tags: BTreeMap<String, String>,
    /// With which it was made.
    pub client_token: Option<String>,
}
store::stored!(Group, format = 1);

/// A schedule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Schedule {
    /// Tells this schedule from earlier ones of the same name: their tasks find that they are stale.
    pub generation: Uuid,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub settings: Settings,
    /// With which it was made.
    pub client_token: Option<String>,
    /// With which it was last updated.
    #[serde(default)]
    pub update_token: Option<String>,
    /// The occurrence that comes next, if one does.
    pub next: Option<Next>,
    /// The last occurrence since the timing was set.
    pub last: Option<Timestamp>,
}
store::stored!(Schedule, format = 1);

/// An occurrence that is to come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Next {
    /// When, before any flexible window.
    pub at: Timestamp,
    /// What waits for it.
    pub task: TaskHandle,
}

/// What `CreateSchedule` and `UpdateSchedule` set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub timing: Timing,
    pub enabled: bool,
    pub description: Option<String>,
    pub target: Target,
    /// The width of the flexible time window.
    pub window_minutes: Option<i32>,
    /// Whether the schedule is deleted when its last call has ended.
    pub delete_after_completion: bool,
}

/// When a schedule occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timing {
    pub expression: String,
    pub zone: Option<String>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
}
