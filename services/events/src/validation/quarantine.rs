//! Events in quarantine: kept until somebody releases or discards them, however long that takes.

use base::{Fault, Timestamp};
use kernel::{Direction, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::cache::{Cache, CompiledSchema};
use super::keys::{Quarantined, QuarantinedKey};
use super::schema::{self, Failure};
use super::{CODE, Mode, Outcome, UsedSchema, failures, told};
use crate::bus;
use crate::event::{BYTES_MAX, NewEvent, check_detail};
use crate::fault;
use crate::publish::{Arrival, Asked, arrive};

/// The internal operation that lists the events in a bus's quarantine.
pub const LIST_QUARANTINED_EVENTS: &str = "ListQuarantinedEvents";
/// The internal operation that lets an event go on, corrected or as it is.
pub const RELEASE_QUARANTINED_EVENT: &str = "ReleaseQuarantinedEvent";
/// The internal operation that throws an event away.
pub const DISCARD_QUARANTINED_EVENT: &str = "DiscardQuarantinedEvent";

/// The most events of a page, and how many there are if none is asked for.
const PAGE_MAX: usize = 100;

/// Which events.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ListInput {
    #[serde(default)]
    event_bus_name: Option<String>,
    #[serde(default)]
    limit: Option<u32>,
    #[serde(default)]
    next_token: Option<Uuid>,
}

/// A page of events, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    events: Vec<ListedEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<Uuid>,
}

/// An event in quarantine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListedEvent {
    /// Its id, which PutEvents answered.
    pub event_id: Uuid,
    /// When it came.
    pub quarantined_at: Timestamp,
    /// The schema that it was checked against.
    pub schema: UsedSchema,
    /// The rules that it breaks, at most ten.
    pub failures: Vec<Failure>,
    /// The whole event.
    pub event: Value,
}

/// An event to let go on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ReleaseQuarantinedEventInput {
    /// Its bus, by name or ARN; the default one if it is not given.
    #[serde(default)]
    pub event_bus_name: Option<String>,
    /// Its id.
    pub event_id: Uuid,
    /// The detail that it gets instead of its own, as JSON text.
    #[serde(default)]
    pub detail: Option<String>,
    /// Lets it go on though it breaks the schema.
    #[serde(default)]
    pub force: bool,
}

/// An event to throw away.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct DiscardInput {
    #[serde(default)]
    event_bus_name: Option<String>,
    event_id: Uuid,
}

/// Nothing to say.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Done {}

/// Puts an event aside.
pub(super) fn keep(
    tx: &mut Tx,
    bus: &str,
    event: &NewEvent,
    schema: &CompiledSchema,
    failures: &[Failure],
) -> Result<()> {
    let kept = Quarantined {
        event: event.clone(),
        at: tx.now(),
        used: schema.used.clone(),
        failures: failures.to_vec(),
        trace: tx.trace(),
    };
    tx.put(&QuarantinedKey { bus: bus.to_owned(), id: event.id }, &kept)
}

pub(super) async fn list_quarantined_events(tx: &mut Tx, input: ListInput) -> Result<ListOutput> {
    let limit = match input.limit {
        None => PAGE_MAX,
        Some(limit @ 1..=100) => limit as usize,
        Some(_) => {
            return Err(fault::invalid_parameter("Limit", &format!("It is between 1 and {PAGE_MAX}.")).into());
        }
    };
    let bus = bus::enter(tx, input.event_bus_name.as_deref())?;
    bus::find(tx, &bus).await?;
    let parts = Parts::of(&bus);
    let mut rows = match input.next_token {
        Some(id) => {
            let after = QuarantinedKey { bus: bus.clone(), id };
            tx.scan_after(parts, &after, limit + 1, Direction::Forward).await?
        }
        None => tx.scan::<QuarantinedKey>(parts, limit + 1).await?,
    };
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_token = rows.last().filter(|_| more).map(|(key, _)| key.id);
    let (account, region) = (tx.scope().account.to_string(), tx.scope().region.to_string());
    let show = |(key, kept): (QuarantinedKey, Quarantined)| {
        Ok(ListedEvent {
            event_id: key.id,
            quarantined_at: kept.at,
            schema: kept.used,
            failures: kept.failures,
            event: serde_json::from_str(&kept.event.envelope(&account, &region))?,
        })
    };
    Ok(ListOutput { events: rows.into_iter().map(show).collect::<Result<_>>()?, next_token })
}

/// Checks the event again, by the policy as it is now, and publishes it under its id, in its chain of causes.
pub(super) async fn release_quarantined_event(
    tx: &mut Tx,
    input: ReleaseQuarantinedEventInput,
) -> Result<Done> {
    let (key, kept) = find(tx, input.event_bus_name.as_deref(), input.event_id).await?;
    let mut event = kept.event;
    if let Some(detail) = input.detail {
        if detail.len() > BYTES_MAX {
            return Err(fault::invalid_parameter("Detail", "It is over the limit of an event's size.").into());
        }
        event.detail = check_detail(&detail)?;
    }
    if !input.force {
        check_again(tx, &key.bus, &event).await?;
    }
    tx.delete(&key);
    tx.set_trace(kept.trace);
    failures::record(tx, &key.bus, &event, Outcome::Released, &kept.used, kept.failures, None).await?;
    let envelope = event.envelope(tx.scope().account.as_str(), tx.scope().region.as_str());
    // Its id is as old as its quarantine is long; places rise with the time at which events come to the rules, and
    // what removes old events stops at the first that came lately.
    let place = tx.id();
    arrive(tx, Arrival { bus: &key.bus, event, envelope, place, asked: Asked::All }).await?;
    Ok(Done {})
}

/// An event whose policy was lifted meanwhile, or only warns, goes on.
async fn check_again(tx: &mut Tx, bus: &str, event: &NewEvent) -> Result<()> {
    let cache = tx.state::<Cache>()?;
    let policy = cache.policy(tx, bus, &event.source, &event.detail_type).await?;
    let strict = policy.filter(|policy| matches!(policy.mode, Mode::Reject | Mode::Quarantine));
    let Some(schema) = strict.as_ref().and_then(|policy| policy.schema.as_ref()) else { return Ok(()) };
    let envelope = event.envelope(tx.scope().account.as_str(), tx.scope().region.as_str());
    let failures = schema::check(&schema.validator, schema.subject, &envelope)?;
    if failures.is_empty() {
        return Ok(());
    }
    let message =
        format!("Event {} still does not match schema {}: {}", event.id, schema.used, told(&failures));
    Err(Fault::new(CODE, message).into())
}

pub(super) async fn discard_quarantined_event(tx: &mut Tx, input: DiscardInput) -> Result<Done> {
    let (key, kept) = find(tx, input.event_bus_name.as_deref(), input.event_id).await?;
    tx.delete(&key);
    let envelope = kept.event.envelope(tx.scope().account.as_str(), tx.scope().region.as_str());
    tx.set_trace(kept.trace);
    let (event, used) = (kept.event, kept.used);
    failures::record(tx, &key.bus, &event, Outcome::Discarded, &used, kept.failures, Some(envelope)).await?;
    Ok(Done {})
}

async fn find(tx: &mut Tx, bus: Option<&str>, id: Uuid) -> Result<(QuarantinedKey, Quarantined)> {
    let bus = bus::enter(tx, bus)?;
    let key = QuarantinedKey { bus, id };
    match tx.get(&key).await? {
        Some(kept) => Ok((key, kept)),
        None => {
            let message = format!("Event {id} is not in the quarantine of event bus {}.", key.bus);
            Err(Fault::new("ResourceNotFoundException", message).into())
        }
    }
}
