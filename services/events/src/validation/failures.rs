//! What was wrong with events: recorded, explained, and removed after a day.

use std::time::Duration;

use base::Timestamp;
use kernel::{Call, Direction, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::keys::{Failed, FailureKey, FailureSweepKey, Quarantined, QuarantinedKey};
use super::schema::Failure;
use super::{Outcome, UsedSchema, Validated};
use crate::event::NewEvent;
use crate::explain::{self, ExplainInput, Explained};
use crate::sweep::RETENTION;

/// The internal operation that removes what is too old.
pub(super) const SWEEP: &str = "SweepValidationFailures";

/// The time between two sweeps.
const EVERY: Duration = Duration::from_secs(3_600);
/// Rows looked at in one transaction.
const PAGE: usize = 500;

/// Writes down what was wrong with an event, for the trace and for its explanation.
pub(super) async fn record(
    tx: &mut Tx,
    bus: &str,
    event: &NewEvent,
    outcome: Outcome,
    used: &UsedSchema,
    failures: Vec<Failure>,
    envelope: Option<String>,
) -> Result<()> {
    let id = event.id.to_string();
    let detail = json!({ "valid": false, "outcome": outcome, "schema": used, "failures": failures });
    tx.fact("validation", &id, Some(detail));
    // An event that goes no further is told of like those that do.
    if envelope.is_some() {
        let detail = json!({
            "source": event.source, "detail-type": event.detail_type, "bus": bus,
            "account": tx.scope().account, "region": tx.scope().region, "matched": [],
        });
        if tx.trace().root == event.id {
            tx.fact("event", &id, Some(detail));
        } else {
            tx.note("event", &id, Some(detail));
        }
    }
    let root = tx.trace().root;
    let failed = Failed { at: tx.now(), outcome, used: used.clone(), failures, envelope, root };
    tx.put(&FailureKey { bus: bus.to_owned(), id: event.id }, &failed)?;
    ensure_sweep(tx, bus).await
}

/// What was wrong with an event of the bus, if anything was.
pub(crate) async fn validated(tx: &mut Tx, bus: &str, id: Uuid) -> Result<Option<Validated>> {
    let failed = tx.peek(&FailureKey { bus: bus.to_owned(), id }).await?;
    Ok(failed.map(|failed| show(failed.outcome, failed.at, failed.used, failed.failures)))
}

/// An event that no bus has because it was rejected or is in quarantine, as its explanation.
pub(crate) async fn kept_back(tx: &mut Tx, input: &ExplainInput) -> Result<Option<Explained>> {
    for bus in explain::buses(tx, input.bus.as_deref()).await? {
        if let Some(failed) = tx.peek(&FailureKey { bus: bus.clone(), id: input.id }).await?
            && let Some(envelope) = failed.envelope
        {
            let validation = show(failed.outcome, failed.at, failed.used, failed.failures);
            return explained(bus, envelope, failed.root, validation).map(Some);
        }
        // What was wrong is forgotten after a day; the event itself is not.
        if let Some(kept) = tx.peek(&QuarantinedKey { bus: bus.clone(), id: input.id }).await? {
            let Quarantined { event, at, used, failures, trace } = kept;
            let envelope = event.envelope(tx.scope().account.as_str(), tx.scope().region.as_str());
            let validation = show(Outcome::Quarantined, at, used, failures);
            return explained(bus, envelope, trace.root, validation).map(Some);
        }
    }
    Ok(None)
}

/// No rule was asked.
fn explained(bus: String, text: String, root: Uuid, validation: Validated) -> Result<Explained> {
    let event = serde_json::from_str(&text)?;
    let (ingested_at, rules) = (validation.at, Vec::new());
    Ok(Explained { bus, ingested_at, root, event, text, rules, validation: Some(validation) })
}

fn show(outcome: Outcome, at: Timestamp, schema: UsedSchema, failures: Vec<Failure>) -> Validated {
    Validated { outcome, at, schema, failures }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SweepFailures {
    bus: String,
    /// The last event that was looked at.
    after: Option<Uuid>,
}

async fn ensure_sweep(tx: &mut Tx, bus: &str) -> Result<()> {
    let key = FailureSweepKey { bus: bus.to_owned() };
    if tx.get(&key).await?.is_none() {
        tx.put(&key, &())?;
        enqueue(tx, EVERY, SweepFailures { bus: bus.to_owned(), after: None })?;
    }
    Ok(())
}

fn enqueue(tx: &mut Tx, wait: Duration, sweep: SweepFailures) -> Result<()> {
    let due = tx.now() + wait;
    let scope = tx.scope().clone();
    let caller = tx.caller().as_service("events.amazonaws.com", scope.account, scope.region);
    let call = Call::new("events", SWEEP, &sweep)?;
    tx.enqueue_quietly(due, NewTask { caller: Some(caller), ..NewTask::new(call) })?;
    Ok(())
}

/// Removes failures that are older than a day. A bus without any is left alone until the next one.
pub(crate) async fn sweep_failures(tx: &mut Tx, sweep: SweepFailures) -> Result<()> {
    let before = tx.now() - RETENTION;
    let parts = Parts::of(&sweep.bus);
    let rows = match sweep.after {
        Some(id) => {
            let after = FailureKey { bus: sweep.bus.clone(), id };
            tx.scan_after(parts.clone(), &after, PAGE, Direction::Forward).await?
        }
        None => tx.scan::<FailureKey>(parts.clone(), PAGE).await?,
    };
    rows.iter().filter(|(_, failed)| failed.at < before).for_each(|(key, _)| tx.delete(key));
    match rows.last() {
        Some((last, _)) if rows.len() == PAGE => {
            enqueue(tx, Duration::ZERO, SweepFailures { after: Some(last.id), ..sweep })
        }
        _ if tx.scan::<FailureKey>(parts, 1).await?.is_empty() => {
            // Guarded, so that a failure that comes now schedules the next sweep.
            let key = FailureSweepKey { bus: sweep.bus };
            tx.get(&key).await?;
            tx.delete(&key);
            Ok(())
        }
        _ => enqueue(tx, EVERY, SweepFailures { after: None, ..sweep }),
    }
}
