//! The events of the newest chains of causes, and what became of their deliveries.

use std::collections::{HashMap, HashSet};

use base::Timestamp;
use kernel::trace::{AttemptEnd, Enqueued, Note, Span};
use serde::Deserialize;
use uuid::Uuid;

use super::Result;
use super::desk::Desk;
use super::html::{Html, Tone, pill, time};
use super::link::Link;
use super::missing::{self, Held, Missing};

/// The spans looked through, and the events shown.
const SPANS: usize = 600;
const EVENTS: usize = 20;
/// The failing targets shown.
const FAILING: usize = 10;

/// An event that a bus accepted.
pub(crate) struct Latest {
    /// Its id.
    pub id: String,
    /// Its page.
    pub href: Link,
    /// When it came.
    pub at: Html,
    /// Its source.
    pub source: String,
    /// Its detail-type.
    pub detail_type: String,
    /// Its bus.
    pub bus: String,
    /// The names of the rules that it matched.
    pub rules: Vec<String>,
    /// What became of it.
    pub fate: Html,
}

/// What `events` says of an event on the trace.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct EventFact {
    /// The event's source.
    pub source: String,
    /// Its detail-type.
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    /// The bus.
    pub bus: String,
    /// Where the bus is.
    #[serde(default)]
    pub region: String,
    /// Whose the bus is.
    #[serde(default)]
    pub account: String,
    /// The rules that matched.
    pub matched: Vec<String>,
}

impl EventFact {
    /// The page of the event with that id.
    pub(crate) fn link(&self, desk: &Desk<'_>, id: &str) -> Link {
        let link = match self.region.as_str() {
            "" => desk.link("event"),
            region => Link::to("event", region, &self.account),
        };
        link.with("id", id).with("bus", &self.bus)
    }
}

/// A target whose last deliveries failed.
pub(crate) struct Failing {
    /// Its ARN.
    pub arn: String,
    /// Its page.
    pub href: Option<Link>,
    /// How many deliveries are given up and how many are tried again.
    pub state: Html,
    /// What the target answered last.
    pub fault: String,
    /// When.
    pub at: Html,
    /// Where dead letters went.
    pub dead_letters: Option<(String, Option<Link>)>,
    /// The last event that did not arrive.
    pub event: Option<(String, Link)>,
}

/// What happened last.
pub(crate) struct OfLate {
    /// The latest events, newest first.
    pub latest: Vec<Latest>,
    /// The targets that do not take theirs.
    pub failing: Vec<Failing>,
    /// The events that did not arrive, newest first.
    pub missing: Vec<Missing>,
}

/// What the newest chains of causes tell.
pub(crate) async fn of_late(desk: &Desk<'_>) -> Result<OfLate> {
    let spans = desk.newest_spans(SPANS).await?;
    Ok(OfLate {
        latest: latest(desk, &spans),
        failing: failing(desk, &spans),
        missing: missing::of(desk, &spans),
    })
}

/// A delivery that failed last: its last attempt, its task, and how that ended.
type Failed<'s> = (&'s Span, Uuid, &'s AttemptEnd);

/// Targets by the last ends of their deliveries, the newest failure first.
fn failing(desk: &Desk<'_>, spans: &[Span]) -> Vec<Failing> {
    let ends = Ends::of(spans);
    let mut targets: Vec<(String, Vec<Failed<'_>>)> = Vec::new();
    let mut counted = HashSet::new();
    for span in spans {
        let Some(attempt) = &span.attempt else { continue };
        let Some(arn) = attempt.target.clone() else { continue };
        let Some((_, end)) = ends.0.get(&attempt.task) else { continue };
        if matches!(end, AttemptEnd::Delivered) || !counted.insert(attempt.task) {
            continue;
        }
        match targets.iter_mut().find(|(known, _)| *known == arn) {
            Some((_, failed)) => failed.push((span, attempt.task, end)),
            None => targets.push((arn, vec![(span, attempt.task, end)])),
        }
    }
    let shown =
        targets.into_iter().take(FAILING).map(|(arn, failed)| failing_target(desk, spans, arn, &failed));
    shown.collect()
}

fn failing_target(desk: &Desk<'_>, spans: &[Span], arn: String, failed: &[Failed<'_>]) -> Failing {
    let given_up = failed.iter().filter(|(.., end)| matches!(end, AttemptEnd::GivenUp { .. })).count();
    let retrying = failed.len() - given_up;
    let state = match (given_up, retrying) {
        (0, _) => pill(Tone::Warn, &format!("{retrying} retrying")),
        (_, 0) => pill(Tone::Bad, &format!("{given_up} failed")),
        _ => pill(Tone::Bad, &format!("{given_up} failed, {retrying} retrying")),
    };
    let last = failed.first();
    let (fault, dead_letters) = match last.map(|(.., end)| *end) {
        Some(AttemptEnd::Retrying { fault, .. }) => (fault.to_string(), None),
        Some(AttemptEnd::GivenUp { fault, dead_letter, .. }) => (fault.to_string(), dead_letter.clone()),
        _ => (String::new(), None),
    };
    let sender = |task: Uuid| spans.iter().find(|span| span.enqueued.iter().any(|sent| sent.task == task));
    let event = last.and_then(|(_, task, _)| {
        let mut events = events_of(sender(*task)?).filter(|(note, _)| {
            let sent = sender(*task).map(|span| deliveries(span, &note.subject)).unwrap_or_default();
            sent.iter().any(|(_, delivery)| delivery.task == *task)
        });
        let (note, fact) = events.next()?;
        Some((note.subject.clone(), fact.link(desk, &note.subject)))
    });
    Failing {
        href: desk.link_of(&arn),
        arn,
        state,
        fault,
        at: last.map(|(span, ..)| time(span.at)).unwrap_or_default(),
        dead_letters: dead_letters.map(|arn| (arn.clone(), desk.link_of(&arn))),
        event,
    }
}

fn latest(desk: &Desk<'_>, spans: &[Span]) -> Vec<Latest> {
    let ends = Ends::of(spans);
    let mut latest = Vec::new();
    for span in spans {
        for (note, fact) in events_of(span) {
            if latest.len() == EVENTS {
                return latest;
            }
            latest.push(Latest {
                id: note.subject.clone(),
                href: fact.link(desk, &note.subject),
                at: time(span.at),
                fate: ends.fate(span, &note.subject),
                source: fact.source,
                detail_type: fact.detail_type,
                bus: fact.bus,
                rules: fact.matched,
            });
        }
    }
    latest
}

/// The events that a span accepted.
pub(crate) fn events_of(span: &Span) -> impl Iterator<Item = (&Note, EventFact)> {
    span.notes.iter().filter(|note| note.kind == "event").map(|note| (note, fact_of(note)))
}

/// What `events` says of an event in a note.
pub(crate) fn fact_of(note: &Note) -> EventFact {
    let detail = note.detail.clone().unwrap_or_default();
    serde_json::from_value(detail).unwrap_or_default()
}

/// The deliveries that a span enqueued for an event: the rule's name and the task.
///
/// A span that accepted several events enqueued their deliveries one event after the other, and every event that a rule
/// matched has as many as the rule has targets.
pub(crate) fn deliveries<'s>(span: &'s Span, event: &str) -> Vec<(String, &'s Enqueued)> {
    let events: Vec<(&Note, EventFact)> = events_of(span).collect();
    let Some((_, fact)) = events.iter().find(|(note, _)| note.subject == event) else { return Vec::new() };
    let mut deliveries = Vec::new();
    for rule in &fact.matched {
        let note = format!("rule {rule}");
        let all: Vec<&Enqueued> =
            span.enqueued.iter().filter(|task| task.note.as_deref() == Some(&note)).collect();
        let sharing: Vec<&str> = events
            .iter()
            .filter(|(_, other)| other.bus == fact.bus && other.matched.contains(rule))
            .map(|(note, _)| note.subject.as_str())
            .collect();
        let place = sharing.iter().position(|subject| *subject == event).unwrap_or(0);
        let each = all.len() / sharing.len().max(1);
        deliveries.extend(all.into_iter().skip(place * each).take(each).map(|task| (rule.clone(), task)));
    }
    deliveries
}

/// The last attempt of every task.
pub(crate) struct Ends<'s>(HashMap<Uuid, (Timestamp, &'s AttemptEnd)>);

impl<'s> Ends<'s> {
    /// Of the tasks that were tried in these spans.
    pub(crate) fn of(spans: &'s [Span]) -> Ends<'s> {
        let mut ends: HashMap<Uuid, (Timestamp, &AttemptEnd)> = HashMap::new();
        for span in spans {
            if let Some(attempt) = &span.attempt {
                let known = ends.entry(attempt.task).or_insert((span.at, &attempt.end));
                if known.0 <= span.at {
                    *known = (span.at, &attempt.end);
                }
            }
        }
        Ends(ends)
    }

    /// Whether a task was tried.
    pub(crate) fn knows(&self, task: Uuid) -> bool {
        self.0.contains_key(&task)
    }

    /// How a task ended last, if it was tried.
    pub(crate) fn of_task(&self, task: Uuid) -> Option<(Timestamp, &'s AttemptEnd)> {
        self.0.get(&task).copied()
    }

    fn fate(&self, span: &Span, event: &str) -> Html {
        if let Some(held) = Held::of(span, event) {
            return held.pill();
        }
        let deliveries = deliveries(span, event);
        let (mut delivered, mut retrying, mut given_up) = (0, 0, 0);
        for (_, task) in &deliveries {
            match self.0.get(&task.task) {
                Some((_, AttemptEnd::Delivered)) => delivered += 1,
                Some((_, AttemptEnd::Retrying { .. })) => retrying += 1,
                Some((_, AttemptEnd::GivenUp { .. })) => given_up += 1,
                None => {}
            }
        }
        let all = deliveries.len();
        match (all, given_up, retrying) {
            (0, ..) => pill(Tone::Quiet, "no rule matched"),
            (_, 1.., _) => pill(Tone::Bad, &format!("{given_up} of {all} failed")),
            (_, 0, 1..) => pill(Tone::Warn, &format!("{retrying} of {all} retrying")),
            _ if delivered == all => pill(Tone::Good, &format!("{all} delivered")),
            _ => pill(Tone::Busy, &format!("{delivered} of {all} delivered")),
        }
    }
}
