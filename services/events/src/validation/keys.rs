//! The rows of validation, beside the service's others.
//!
//! | key | value |
//! |---|---|
//! | `ValidationsKey { bus }` | touched by every change of a policy; a bus without it checks nothing |
//! | `PolicyKey { bus, source, detail_type }` | a policy, with the text of its schema; `*` stands for any |
//! | `FailureKey { bus, id }` | what was wrong with an event and what became of it; kept for a day |
//! | `QuarantinedKey { bus, id }` | an event that waits to be released or discarded |
//! | `PolicyBySchemaKey { registry, schema, bus, … }` | leads from a schema to the policies that use it |
//! | `FailureSweepKey { bus }` | that a sweep of the failures is scheduled |

use base::Timestamp;
use kernel::{TraceCx, keys};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::schema::{Failure, Subject};
use super::{Mode, Outcome, UsedSchema};
use crate::event::NewEvent;

keys! {
    /// The state of a bus's policies.
    pub(crate) struct ValidationsKey(40) -> Validations { bus: String }
    /// A policy.
    pub(crate) struct PolicyKey(41, large) -> Policy { bus: String, source: String, detail_type: String }
    /// An event's failure.
    pub(crate) struct FailureKey(42, sharded, large) -> Failed { bus: String, id: Uuid }
    /// An event in quarantine.
    pub(crate) struct QuarantinedKey(43, sharded, large) -> Quarantined { bus: String, id: Uuid }
    /// A policy that uses a schema.
    pub(crate) struct PolicyBySchemaKey(44) -> () {
        registry: String, schema: String, bus: String, source: String, detail_type: String
    }
    /// Whether failures are swept.
    pub(crate) struct FailureSweepKey(45) -> () { bus: String }
}

/// The state of a bus's policies: only that it was written anew matters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Validations {
    pub count: u32,
}
store::stored!(Validations, format = 1);

/// A policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub mode: Mode,
    /// None where nothing is checked.
    pub schema: Option<PolicySchema>,
    pub changed_at: Timestamp,
}
store::stored!(Policy, format = 1);

/// The schema of a policy, with its text: an event is checked in the transaction that takes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PolicySchema {
    pub used: UsedSchema,
    /// Whether it stays at its version; else it follows the newest.
    pub pinned: bool,
    /// What it describes.
    pub subject: Subject,
    /// A JSON schema of draft 4.
    pub text: String,
    /// Whether it was deleted from its registry; the text goes on being used.
    pub deleted: bool,
}

/// What was wrong with an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Failed {
    pub at: Timestamp,
    pub outcome: Outcome,
    pub used: UsedSchema,
    pub failures: Vec<Failure>,
    /// The whole event, unless the bus keeps it.
    pub envelope: Option<String>,
    pub root: Uuid,
}
store::stored!(Failed, format = 1);

/// An event in quarantine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Quarantined {
    pub event: NewEvent,
    pub at: Timestamp,
    pub used: UsedSchema,
    pub failures: Vec<Failure>,
    /// The chain of causes that it goes on with.
    pub trace: TraceCx,
}
store::stored!(Quarantined, format = 1);
