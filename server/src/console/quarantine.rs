//! Validation: which events are checked against which schema, and those that wait in quarantine to be corrected, released
//! or discarded.

use askama::Template;
use base::Fault;
use events::{
    DELETE_VALIDATION_POLICY, DISCARD_QUARANTINED_EVENT, Failure, LIST_QUARANTINED_EVENTS,
    LIST_VALIDATION_POLICIES, ListedEvent, ListedPolicy, Mode, PUT_VALIDATION_POLICY,
    RELEASE_QUARANTINED_EVENT,
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::desk::{Desk, Frame};
use super::html::{Html, Tone, json as shown_json, pill, time};
use super::link::Link;
use super::{Answer, Result};

/// The events of a bus that are listed.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "validation.html")]
struct ValidationPage {
    frame: Frame,
    buses: Vec<String>,
    policies: Vec<Policy>,
    held: Vec<Held>,
    more: bool,
    put: Link,
    delete: Link,
    release: Link,
    discard: Link,
}

struct Policy {
    bus: String,
    source: String,
    detail_type: String,
    mode: Html,
    schema: Option<(String, Link)>,
    note: String,
    changed: Html,
}

/// An event in quarantine.
struct Held {
    bus: String,
    id: String,
    href: Link,
    at: Html,
    source: String,
    detail_type: String,
    schema: String,
    failures: Vec<Failure>,
    event: Html,
    /// The detail, to be corrected.
    detail: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policies {
    policies: Vec<ListedPolicy>,
}

/// A page of a bus's quarantine.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Quarantine {
    /// The events, oldest first.
    pub events: Vec<ListedEvent>,
    /// The id after which there are more.
    #[serde(default)]
    pub next_token: Option<Uuid>,
}

/// The names of the buses.
pub(crate) async fn buses(desk: &Desk<'_>) -> Result<Vec<String>> {
    let found =
        desk.call::<events::api::ListEventBuses>(&events::api::ListEventBusesInput::default()).await?;
    Ok(found.event_buses.unwrap_or_default().into_iter().filter_map(|bus| bus.name).collect())
}

/// What waits in the quarantine of a bus.
pub(crate) async fn held_on(desk: &Desk<'_>, bus: &str, limit: usize) -> Result<Quarantine> {
    desk.ask("events", LIST_QUARANTINED_EVENTS, &json!({ "EventBusName": bus, "Limit": limit })).await
}

/// The page.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let buses = buses(desk).await?;
    let (mut policies, mut held, mut more) = (Vec::new(), Vec::new(), false);
    for bus in &buses {
        let found: Policies =
            desk.ask("events", LIST_VALIDATION_POLICIES, &json!({ "EventBusName": bus })).await?;
        policies.extend(found.policies.into_iter().map(|policy| show_policy(desk, bus, policy)));
        let found = held_on(desk, bus, SHOWN).await?;
        more |= found.next_token.is_some();
        held.extend(found.events.into_iter().map(|event| show_held(desk, bus, event)));
    }
    desk.render(&ValidationPage {
        frame: desk.frame("validation", "Validation"),
        buses,
        policies,
        held,
        more,
        put: desk.link("validation/put"),
        delete: desk.link("validation/delete"),
        release: desk.link("validation/release"),
        discard: desk.link("validation/discard"),
    })
}

fn show_policy(desk: &Desk<'_>, bus: &str, policy: ListedPolicy) -> Policy {
    let (tone, word) = match policy.mode {
        Mode::Off => (Tone::Quiet, "off"),
        Mode::Warn => (Tone::Warn, "warn"),
        Mode::Reject => (Tone::Bad, "reject"),
        Mode::Quarantine => (Tone::Busy, "quarantine"),
    };
    let note = match (policy.schema_deleted, policy.pinned) {
        (true, _) => "the schema was deleted; its last version is used",
        (false, true) => "stays at this version",
        (false, false) if policy.schema.is_some() => "follows the newest version",
        _ => "",
    };
    Policy {
        bus: bus.to_owned(),
        source: policy.source,
        detail_type: policy.detail_type,
        mode: pill(tone, word),
        schema: policy.schema.map(|used| {
            let href = desk.link("schema").with("registry", &used.registry_name);
            let href = href.with("name", &used.schema_name).with("version", &used.schema_version);
            (used.to_string(), href)
        }),
        note: note.to_owned(),
        changed: time(policy.changed_at),
    }
}

fn show_held(desk: &Desk<'_>, bus: &str, held: ListedEvent) -> Held {
    let text = |name: &str| held.event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = held.event_id.to_string();
    Held {
        bus: bus.to_owned(),
        href: desk.link("event").with("id", &id).with("bus", bus),
        id,
        at: time(held.quarantined_at),
        source: text("source"),
        detail_type: text("detail-type"),
        schema: held.schema.to_string(),
        detail: held.event.get("detail").map_or_else(String::new, |detail| format!("{detail:#}")),
        event: shown_json(&held.event),
        failures: held.failures,
    }
}

fn back(desk: &Desk<'_>) -> Result {
    Ok(Answer::Goto(desk.link("validation").to_string()))
}

/// Lets an event go on to the rules, with another detail if the form has one.
pub(crate) async fn release(desk: &Desk<'_>) -> Result {
    let mut input = json!({
        "EventBusName": desk.form.get("bus"), "EventId": event_id(desk)?, "Force": desk.form.get("force") == "yes",
    });
    if let Some(detail) = desk.form.given("detail") {
        input["Detail"] = detail.into();
    }
    let _: Value = desk.ask("events", RELEASE_QUARANTINED_EVENT, &input).await?;
    let page = desk.link("event").with("id", desk.form.get("id")).with("bus", desk.form.get("bus"));
    Ok(Answer::Goto(page.to_string()))
}

/// Throws an event away.
pub(crate) async fn discard(desk: &Desk<'_>) -> Result {
    let input = json!({ "EventBusName": desk.form.get("bus"), "EventId": event_id(desk)? });
    let _: Value = desk.ask("events", DISCARD_QUARANTINED_EVENT, &input).await?;
    back(desk)
}

fn event_id(desk: &Desk<'_>) -> Result<Uuid> {
    Uuid::parse_str(desk.form.get("id")).map_err(|_| Fault::validation("This is no event's id."))
}

/// Makes or changes a policy.
pub(crate) async fn put(desk: &Desk<'_>) -> Result {
    let names = [
        ("EventBusName", "bus"),
        ("Source", "source"),
        ("DetailType", "detail-type"),
        ("Mode", "mode"),
        ("RegistryName", "registry"),
        ("SchemaName", "schema"),
        ("SchemaVersion", "version"),
    ];
    let given = names.iter().filter_map(|(name, field)| Some((*name, Value::from(desk.form.given(field)?))));
    let input: Value =
        given.map(|(name, value)| (name.to_owned(), value)).collect::<serde_json::Map<_, _>>().into();
    let _: ListedPolicy = desk.ask("events", PUT_VALIDATION_POLICY, &input).await?;
    back(desk)
}

/// Removes a policy.
pub(crate) async fn delete(desk: &Desk<'_>) -> Result {
    let text = |name: &str| desk.form.get(name);
    let input =
        json!({ "EventBusName": text("bus"), "Source": text("source"), "DetailType": text("detail-type") });
    let _: ListedPolicy = desk.ask("events", DELETE_VALIDATION_POLICY, &input).await?;
    back(desk)
}
