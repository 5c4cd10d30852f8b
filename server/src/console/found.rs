//! "Why did my event not arrive?" begins with finding it: by an id, or by any text in it.

use askama::Template;
use base::Arn;
use events::{FoundEvent, SearchInput, SearchOutput};
use uuid::Uuid;

use super::desk::{Desk, Frame};
use super::html::{Html, json_text, time};
use super::link::Link;
use super::{Answer, Result};

/// The events shown of a bus.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "events.html")]
struct EventsPage {
    frame: Frame,
    text: String,
    pattern: String,
    buses: Vec<FoundOn>,
    found: usize,
}

/// What was found on a bus.
struct FoundOn {
    bus: String,
    rows: Result<Vec<Row>>,
    /// Whether there may be older ones.
    more: bool,
}

struct Row {
    id: String,
    href: Link,
    at: Html,
    source: String,
    detail_type: String,
    detail: Html,
}

/// The page; or the page of the one thing that the text names.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let text = desk.query.get("text");
    if Uuid::parse_str(text).is_ok() || text.parse::<Arn>().is_ok() {
        return Ok(Answer::Goto(desk.link("event").with("id", text).to_string()));
    }
    let buses =
        desk.call::<events::api::ListEventBuses>(&events::api::ListEventBusesInput::default()).await?;
    let mut found = Vec::new();
    for bus in buses.event_buses.unwrap_or_default().into_iter().filter_map(|bus| bus.name) {
        found.push(on_bus(desk, bus).await);
    }
    // Buses on which nothing was found are not worth a line, but what cannot be asked is.
    found.retain(|on| on.rows.as_ref().map_or(true, |rows| !rows.is_empty()));
    let count = found.iter().filter_map(|on| on.rows.as_ref().ok()).map(Vec::len).sum();
    desk.render(&EventsPage {
        frame: desk.frame("events", "Events"),
        text: text.to_owned(),
        pattern: desk.query.get("pattern").to_owned(),
        buses: found,
        found: count,
    })
}

async fn on_bus(desk: &Desk<'_>, bus: String) -> FoundOn {
    let given = |name: &str| desk.query.given(name).map(str::to_owned);
    let input = SearchInput {
        event_bus_name: Some(bus.clone()),
        text: given("text"),
        event_pattern: given("pattern"),
        limit: Some(SHOWN),
        ..SearchInput::default()
    };
    let answer: Result<SearchOutput> = desk.ask("events", events::SEARCH, &input).await;
    let more = answer.as_ref().is_ok_and(|answer| answer.next_token.is_some());
    let rows = answer.map(|answer| answer.events.into_iter().map(|event| row(desk, event)).collect());
    FoundOn { bus, rows, more }
}

fn row(desk: &Desk<'_>, event: FoundEvent) -> Row {
    let id = event.event_id.to_string();
    Row {
        href: desk.link("event").with("id", &id).with("bus", &event.event_bus_name),
        id,
        at: time(event.ingested_at),
        source: event.source,
        detail_type: event.detail_type,
        detail: json_text(&event.event),
    }
}
