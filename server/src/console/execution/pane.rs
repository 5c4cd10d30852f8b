//! What is known of one state of an execution: a visit's input, output, variables, retries and errors.

use serde_json::{Map, Value};

use super::events::{Row, Rows};
use crate::console::chart::Flow;
use crate::console::desk::Desk;
use crate::console::history::History;
use crate::console::html::{Html, duration_ms, json, json_text, maybe_time, pill, time};
use crate::console::link::Link;
use crate::console::visits::{Variables, Visit};

/// A state, at one of its visits if there was any.
pub(crate) struct Pane {
    pub name: String,
    pub kind: String,
    /// Where it stands, from the outermost state on.
    pub path: Vec<String>,
    pub visit: Option<ShownVisit>,
    /// Which of its visits this is, and how many there are.
    pub number: usize,
    pub visits: usize,
    pub previous: Option<Link>,
    pub next: Option<Link>,
    pub close: Link,
    /// The state as it is written, and what it says about errors.
    pub written: Option<Html>,
    pub retry: Option<Html>,
    pub catch: Option<Html>,
    /// What the form to run the state again begins with.
    pub trial_input: String,
    pub trial_variables: String,
    pub can_try: bool,
}

/// A visit.
pub(crate) struct ShownVisit {
    pub status: Html,
    pub entered: Html,
    pub exited: Html,
    pub took: String,
    pub retries: u32,
    pub resource: Option<(String, Option<Link>)>,
    pub map_run: Option<(String, Link)>,
    pub error: Option<String>,
    pub cause: Option<Html>,
    pub input: Option<Html>,
    pub output: Option<Html>,
    pub variables: Option<Html>,
    pub assigned: Option<Html>,
    pub events: Vec<Row>,
}

/// The pane of the state that the address names.
pub(crate) fn pane(
    desk: &Desk<'_>,
    history: &History,
    rows: &Rows<'_>,
    flow: Option<&Flow>,
    view: &Link,
) -> Option<Pane> {
    let name = desk.query.given("state")?;
    let all: Vec<&Visit> = rows.visits.iter().filter(|visit| visit.name == name).collect();
    let state = flow.and_then(|flow| flow.find(name));
    if all.is_empty() && state.is_none() {
        return None;
    }
    // The last one, unless the address names another.
    let number = desk.query.get("visit").parse::<usize>().unwrap_or(all.len()).clamp(1, all.len().max(1));
    let visit = all.get(number - 1).copied();
    let at = |number: usize| view.clone().with("state", name).with("visit", &number.to_string());
    let member = |name: &str| state.and_then(|state| state.written.get(name)).map(json);
    let kind = state.map(|state| state.kind.clone()).or_else(|| visit.map(|visit| visit.kind.clone()));
    Some(Pane {
        name: name.to_owned(),
        kind: kind.unwrap_or_default(),
        path: visit.map(|visit| path(visit, rows.visits)).unwrap_or_default(),
        visit: visit.map(|visit| shown(desk, visit, history, rows)),
        number,
        visits: all.len(),
        previous: (number > 1).then(|| at(number - 1)),
        next: (number < all.len()).then(|| at(number + 1)),
        close: view.clone(),
        written: state.map(|state| json(&state.written)),
        retry: member("Retry"),
        catch: member("Catch"),
        trial_input: pretty(visit.and_then(|visit| visit.input.as_deref()).unwrap_or("{}")),
        trial_variables: visit.map_or_else(String::new, |visit| match visit.variables.is_empty() {
            true => String::new(),
            false => format!("{:#}", document(&visit.variables)),
        }),
        can_try: state.is_some(),
    })
}

/// The states around a visit, each with the item that it is about.
pub(crate) fn path(visit: &Visit, visits: &[Visit]) -> Vec<String> {
    let mut path = Vec::new();
    let mut at = visit;
    while let Some(parent) = at.parent.map(|parent| &visits[parent]) {
        let item = at.iteration.map_or_else(String::new, |item| format!(" #{item}"));
        path.push(format!("{}{item}", parent.name));
        at = parent;
    }
    path.reverse();
    path
}

fn shown(desk: &Desk<'_>, visit: &Visit, history: &History, rows: &Rows<'_>) -> ShownVisit {
    let events = history.events.iter().filter(|event| visit.events.contains(&event.id));
    ShownVisit {
        status: pill(visit.went.tone(), visit.went.words()),
        entered: time(visit.entered),
        exited: maybe_time(visit.exited),
        took: took(desk, visit),
        retries: visit.retries(),
        resource: visit.resource.clone().map(|resource| {
            let href = desk.link_of(&resource);
            (resource, href)
        }),
        map_run: visit.map_run.clone().map(|arn| {
            let href = desk.link("map-run").with("arn", &arn);
            (arn, href)
        }),
        error: visit.error.clone(),
        cause: visit.cause.as_deref().map(json_text),
        input: visit.input.as_deref().map(json_text),
        output: visit.output.as_deref().map(json_text),
        variables: (!visit.variables.is_empty()).then(|| json(&document(&visit.variables))),
        assigned: (!visit.assigned.is_empty()).then(|| json(&document(&visit.assigned))),
        events: events.map(|event| rows.row(event)).collect(),
    }
}

/// How long a visit took, or takes so far.
pub(crate) fn took(desk: &Desk<'_>, visit: &Visit) -> String {
    let end = visit.exited.unwrap_or_else(|| desk.kernel.clock().now());
    duration_ms(u64::try_from(end.since(visit.entered).as_millis()).unwrap_or(u64::MAX))
}

/// Variables as one document.
pub(crate) fn document(variables: &Variables) -> Value {
    let value = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
    variables.iter().map(|(name, text)| (name.clone(), value(text))).collect::<Map<_, _>>().into()
}

/// JSON with line breaks; numbers stay as they were written as long as they fit.
fn pretty(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| format!("{value:#}"))
}
