//! Events are checked against schemas where they come in, which AWS does not do: by bus, source and detail type, an event
//! that breaks its schema is taken with a warning, refused, or kept in quarantine until somebody corrects it.
//!
//! The policies hold their schemas' texts, so that PutEvents stays one transaction; the schema registry tells of new
//! versions by a task. Knows schemas only as texts of draft 4. Checked is what producers put; what services send, what
//! other buses forward and what archives replay was somebody's input before.

mod cache;
mod failures;
mod keys;
mod policies;
mod quarantine;
mod schema;

use std::fmt;
use std::sync::Arc;

use base::{Fault, Timestamp};
use kernel::{Result, Service, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::event::NewEvent;
use cache::{Cache, CompiledSchema};

pub(crate) use failures::{kept_back, validated};
pub(crate) use policies::forget;
pub use policies::{
    DELETE_VALIDATION_POLICY, LIST_VALIDATION_POLICIES, ListedPolicy, PUT_VALIDATION_POLICY,
    PutValidationPolicyInput,
};
pub use quarantine::{
    DISCARD_QUARANTINED_EVENT, LIST_QUARANTINED_EVENTS, ListedEvent, RELEASE_QUARANTINED_EVENT,
    ReleaseQuarantinedEventInput,
};
pub use schema::{Failure, Subject};

/// Stands for every source or every detail type.
pub(crate) const ANY: &str = "*";
/// The error code of an entry that breaks its schema.
const CODE: &str = "SchemaValidationFailed";

/// What happens to an event that breaks its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Nothing is checked: an exception from a wider policy.
    Off,
    /// It is taken; the trace and the explanation say what is wrong.
    Warn,
    /// Its entry fails.
    Reject,
    /// It is kept aside until it is released or discarded.
    Quarantine,
}

/// What became of an event that broke its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// It was taken as it is.
    Warned,
    /// It was refused; its producer was told.
    Rejected,
    /// It waits in quarantine.
    Quarantined,
    /// It was released from quarantine.
    Released,
    /// It was discarded from quarantine.
    Discarded,
}

/// A version of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UsedSchema {
    /// Its registry.
    pub registry_name: String,
    /// Its name.
    pub schema_name: String,
    /// The version's number.
    pub schema_version: String,
}

impl fmt::Display for UsedSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} version {}", self.registry_name, self.schema_name, self.schema_version)
    }
}

/// What was wrong with an event, as its explanation tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Validated {
    /// What became of the event.
    pub outcome: Outcome,
    /// When that was.
    pub at: Timestamp,
    /// The schema that it was checked against.
    pub schema: UsedSchema,
    /// The rules that it breaks, at most ten.
    pub failures: Vec<Failure>,
}

/// Adds the operations to the service.
pub(crate) fn serve(service: Service) -> Service {
    service
        .internal_effect(PUT_VALIDATION_POLICY, policies::put_validation_policy)
        .internal(DELETE_VALIDATION_POLICY, policies::delete_validation_policy)
        .internal(LIST_VALIDATION_POLICIES, policies::list_validation_policies)
        .internal(policies::REFRESH, policies::refresh_validation_policies)
        .internal(LIST_QUARANTINED_EVENTS, quarantine::list_quarantined_events)
        .internal(RELEASE_QUARANTINED_EVENT, quarantine::release_quarantined_event)
        .internal(DISCARD_QUARANTINED_EVENT, quarantine::discard_quarantined_event)
        .internal(failures::SWEEP, failures::sweep_failures)
        .state(Arc::new(Cache::default()))
}

/// Whether an event that a producer puts goes on to the rules. A fault if it is rejected; `false` if it is kept in
/// quarantine, which its producer need not know.
pub(crate) async fn admit(tx: &mut Tx, bus: &str, event: &NewEvent) -> Result<bool> {
    let cache = tx.state::<Cache>()?;
    let Some(policy) = cache.policy(tx, bus, &event.source, &event.detail_type).await? else {
        return Ok(true);
    };
    let Some(schema) = policy.schema.as_ref().filter(|_| policy.mode != Mode::Off) else { return Ok(true) };
    let envelope = event.envelope(tx.scope().account.as_str(), tx.scope().region.as_str());
    let failures = schema::check(&schema.validator, schema.subject, &envelope)?;
    if failures.is_empty() {
        tx.fact("validation", &event.id.to_string(), Some(json!({ "valid": true, "schema": schema.used })));
        return Ok(true);
    }
    let outcome = match policy.mode {
        Mode::Off | Mode::Warn => Outcome::Warned,
        Mode::Reject => Outcome::Rejected,
        Mode::Quarantine => Outcome::Quarantined,
    };
    let fault = (outcome == Outcome::Rejected).then(|| rejection(schema, event, &failures));
    if outcome == Outcome::Quarantined {
        quarantine::keep(tx, bus, event, schema, &failures)?;
    }
    let kept = Some(envelope).filter(|_| outcome != Outcome::Warned);
    failures::record(tx, bus, event, outcome, &schema.used, failures, kept).await?;
    match fault {
        Some(fault) => Err(fault.into()),
        None => Ok(outcome == Outcome::Warned),
    }
}

fn rejection(schema: &CompiledSchema, event: &NewEvent, failures: &[Failure]) -> Fault {
    let told = told(failures);
    Fault::new(CODE, format!("Event {} does not match schema {}: {told}", event.id, schema.used))
}

/// The first failure in a sentence, and how many others there are.
fn told(failures: &[Failure]) -> String {
    let Some(first) = failures.first() else { return String::new() };
    let place = if first.pointer.is_empty() { "the event" } else { first.pointer.as_str() };
    let others = match failures.len() - 1 {
        0 => String::new(),
        others => format!("; and {others} more"),
    };
    format!("at {place}: {} (rule {}){others}.", first.message, first.rule)
}
