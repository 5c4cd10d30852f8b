//! The event view: sorted, filtered, twenty-five a page.

use std::collections::{BTreeSet, HashMap};

use base::Timestamp;

use crate::console::desk::Desk;
use crate::console::history::History;
use crate::console::html::{Html, duration_ms, json, time, unfolded};
use crate::console::link::Link;
use crate::console::pager::{self, Pager};
use crate::console::visits::{Event, Visit};

/// The view.
pub(crate) struct EventsView {
    /// The page's rows.
    pub rows: Vec<Row>,
    /// Where the page stands.
    pub pager: Pager,
    /// The list the other way round.
    pub turn: Link,
    /// Whether the newest comes first.
    pub newest_first: bool,
    /// The text that is looked for.
    pub find: String,
    /// The types that there are, and whether each is chosen.
    pub kinds: Vec<(String, bool)>,
}

/// An event.
pub(crate) struct Row {
    /// Its number.
    pub id: i64,
    /// Its type.
    pub kind: String,
    /// The colour of its dot.
    pub class: &'static str,
    /// The state in which it happened.
    pub step: Option<(String, Link)>,
    /// When.
    pub at: Html,
    /// How long after the beginning.
    pub after: String,
    /// What is said of it.
    pub details: Option<Html>,
}

/// Makes rows.
pub(crate) struct Rows<'a> {
    /// The visits.
    pub visits: &'a [Visit],
    /// The visit of each event.
    pub steps: &'a HashMap<i64, usize>,
    /// When the execution began.
    pub began: Timestamp,
    /// The execution's page.
    pub page: Link,
}

impl Rows<'_> {
    /// The row of an event.
    pub(crate) fn row(&self, event: &Event) -> Row {
        let step = self.steps.get(&event.id).map(|visit| self.visits[*visit].name.clone());
        let after = u64::try_from(event.at.since(self.began).as_millis()).unwrap_or(u64::MAX);
        Row {
            id: event.id,
            class: class_of(&event.kind),
            kind: event.kind.clone(),
            step: step.map(|step| {
                let link = self.page.clone().with("state", &step);
                (step, link)
            }),
            at: time(event.at),
            after: format!("+{}", duration_ms(after)),
            details: (!event.details.is_null()).then(|| json(&unfolded(event.details.clone()))),
        }
    }
}

/// The view that the address asks for.
pub(crate) fn view(desk: &Desk<'_>, history: &History, rows: &Rows<'_>) -> EventsView {
    let (find, kind) = (desk.query.get("find").to_owned(), desk.query.get("kind").to_owned());
    let newest_first = desk.query.get("order") == "down";
    let kinds: BTreeSet<&str> = history.events.iter().map(|event| event.kind.as_str()).collect();
    let wanted = find.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&wanted);
    let is_wanted = |event: &&Event| {
        let step = || rows.steps.get(&event.id).is_some_and(|visit| has(&rows.visits[*visit].name));
        (kind.is_empty() || event.kind == kind)
            && (wanted.is_empty() || has(&event.kind) || step() || has(&event.details.to_string()))
    };
    let mut found: Vec<&Event> = history.events.iter().filter(is_wanted).collect();
    if newest_first {
        found.reverse();
    }
    let page = rows.page.clone().with("view", "events").with("find", &find).with("kind", &kind);
    let (turn, list) = if newest_first {
        (page.clone(), page.with("order", "down"))
    } else {
        (page.clone().with("order", "down"), page)
    };
    let (found, pager) = pager::cut(found, &desk.query, history.next_token.as_deref(), &list);
    EventsView {
        rows: found.into_iter().map(|event| rows.row(event)).collect(),
        pager,
        turn,
        newest_first,
        kinds: kinds.into_iter().map(|known| (known.to_owned(), known == kind)).collect(),
        find,
    }
}

fn class_of(kind: &str) -> &'static str {
    let any = |ends: &[&str]| ends.iter().any(|end| kind.ends_with(end));
    if any(&["Failed", "TimedOut"]) {
        "bad"
    } else if any(&["Aborted"]) {
        "warn"
    } else if any(&["Succeeded"]) {
        "good"
    } else {
        "quiet"
    }
}
