//! "Where did my event go?": the event, what every rule made of it, every delivery, and the whole chain of causes.

use std::collections::{HashMap, VecDeque};

use askama::Template;
use base::{Fault, Timestamp};
use kernel::trace::{Chain, Enqueued, Note, Span};
use uuid::Uuid;

use super::activity::{deliveries, events_of};
use super::desk::{Desk, Frame};
use super::explained::{Explained, Reason, Rule, Verdict};
use super::html::{Html, Tone, duration_ms, duration_us, json, json_text, pill, time};
use super::link::Link;
use super::tree::{self, Shown, end_pill, failure, is_failure};
use super::{Answer, Result};
use crate::explain::{Delivery, Explanation, Validation};

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    id: String,
    event: Option<ShownEvent>,
    events: Vec<Seen>,
    subject: Option<Link>,
    chains: Vec<Shown>,
}

struct ShownEvent {
    bus: String,
    at: Html,
    /// Who sent it, and with what.
    producer: Option<(String, String)>,
    /// What a schema said of it.
    validation: Option<Checked>,
    redeliveries: Vec<Again>,
    redeliver: Link,
    /// Whether a schema kept it from the rules.
    held_back: bool,
    source: String,
    detail_type: String,
    envelope: Html,
    arms: Vec<Arm>,
    matched: usize,
}

/// What a schema said.
struct Checked {
    outcome: Html,
    schema: String,
    failures: Vec<(String, String)>,
}

fn checked(validation: Validation) -> Checked {
    let tone = match validation.outcome.as_str() {
        "valid" | "released" => Tone::Good,
        "warned" => Tone::Warn,
        _ => Tone::Bad,
    };
    Checked {
        outcome: pill(tone, &validation.outcome),
        schema: validation.schema,
        failures: validation.failures,
    }
}

/// A delivery that somebody asked for later.
struct Again {
    rule: String,
    arn: String,
    href: Option<Link>,
    state: Html,
    attempts: Vec<String>,
}

/// A rule of the bus and what it made of the event.
struct Arm {
    name: String,
    managed_by: Option<String>,
    matched: bool,
    class: &'static str,
    verdict: Html,
    pattern: Html,
    /// The pattern as it was written.
    pattern_text: String,
    reasons: Vec<Reason>,
    targets: Vec<Target>,
}

struct Target {
    id: String,
    arn: String,
    href: Option<Link>,
    class: &'static str,
    /// What there is to say while nothing has been tried.
    waiting: Option<String>,
    attempts: Vec<Attempt>,
}

struct Attempt {
    end: Html,
    after: String,
    took: String,
    failure: Option<String>,
    /// What the target did with it.
    answers: Vec<AnswerOf>,
    /// What is to be tried yet, and when.
    next: Vec<String>,
}

struct AnswerOf {
    class: &'static str,
    text: String,
    href: Option<Link>,
}

/// Another event of the chain.
struct Seen {
    id: String,
    href: Link,
    at: Html,
    source: String,
    detail_type: String,
    matched: usize,
}

/// The page.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let id = desk.query.get("id");
    let explained = explain(desk, id).await?;
    let mut chains = desk.chains(id).await?;
    if let Some(explained) = &explained
        && !chains.iter().any(|chain| chain.root == explained.root)
    {
        chains.splice(0..0, desk.chains(&explained.root.to_string()).await?);
    }
    let told = match &explained {
        Some(_) => crate::explain::event(desk.kernel, id, desk.place()).await?,
        None => None,
    };
    let event = explained.map(|explained| {
        let chain = chains.iter().find(|chain| chain.root == explained.root);
        show_event(desk, explained, id, chain, told)
    });
    let events = if event.is_some() { Vec::new() } else { seen(desk, &chains) };
    desk.render(&EventPage {
        frame: desk.frame("events", if id.is_empty() { "Where did my event go?" } else { id }),
        id: id.to_owned(),
        event,
        events,
        subject: desk.link_of(id),
        chains: chains.iter().map(|chain| tree::shown(desk, chain)).collect(),
    })
}

/// What `events` says of the id: at this place first, then in the other regions.
async fn explain(desk: &Desk<'_>, id: &str) -> Result<Option<Explained>> {
    let Ok(id) = Uuid::parse_str(id) else { return Ok(None) };
    let input = events::ExplainInput { id, bus: desk.query.given("bus").map(str::to_owned) };
    let found: Option<Explained> = desk.ask("events", events::EXPLAIN, &input).await?;
    if found.is_some() {
        return Ok(found);
    }
    for region in desk.other_regions() {
        let there = desk.in_region(region);
        let found: Option<Explained> = there.ask("events", events::EXPLAIN, &input).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Sends the event once more: to all rules that match now, to those of one rule, or to one target.
pub(crate) async fn redeliver(desk: &Desk<'_>) -> Result {
    let id = desk.form.get("id");
    let given = |name: &str| desk.form.given(name);
    let event = Uuid::parse_str(id).map_err(|_| Fault::validation("This is no event's id."))?;
    let input = serde_json::json!({
        "EventId": event, "EventBusName": given("bus"), "RuleName": given("rule"), "TargetArn": given("target"),
    });
    let _: events::RedeliverOutput = desk.ask("events", events::REDELIVER, &input).await?;
    let back = desk.link("event").with("id", id).with("bus", desk.form.get("bus"));
    Ok(Answer::Goto(back.to_string()))
}

fn again(desk: &Desk<'_>, delivery: Delivery) -> Again {
    let tone = match delivery.state.as_str() {
        "delivered" | "archived" => Tone::Good,
        "retrying" => Tone::Warn,
        "dead letter" | "given up" => Tone::Bad,
        _ => Tone::Busy,
    };
    let told = |attempt: &crate::explain::Attempt| format!("attempt {}: {}", attempt.number, attempt.answer);
    Again {
        href: desk.link_of(&delivery.arn),
        state: pill(tone, &delivery.state),
        attempts: delivery.attempts.iter().map(told).collect(),
        rule: delivery.rule,
        arn: delivery.arn,
    }
}

fn show_event(
    desk: &Desk<'_>,
    explained: Explained,
    id: &str,
    chain: Option<&Chain>,
    told: Option<Explanation>,
) -> ShownEvent {
    let text = |name: &str| explained.event[name].as_str().unwrap_or_default().to_owned();
    let (source, detail_type) = (text("source"), text("detail-type"));
    let id = text_or(&explained.event["id"], id);
    let fate = Fate::of(desk, chain, &id, &explained.bus, explained.ingested_at);
    let mut arms: Vec<Arm> = explained.rules.into_iter().map(|rule| fate.arm(rule)).collect();
    // Those that sent it come first.
    arms.sort_by_key(|arm| arm.class == Tone::Quiet.class());
    let (producer, validation, redeliveries) = match told {
        Some(told) => (told.producer, told.validation, told.redeliveries),
        None => (None, None, Vec::new()),
    };
    ShownEvent {
        producer: producer.map(|producer| (producer.principal, producer.operation)),
        held_back: validation
            .as_ref()
            .is_some_and(|it| matches!(it.outcome.as_str(), "rejected" | "quarantined" | "discarded")),
        validation: validation.map(checked),
        redeliveries: redeliveries.into_iter().map(|delivery| again(desk, delivery)).collect(),
        redeliver: desk.link("event/redeliver"),
        bus: explained.bus,
        at: time(explained.ingested_at),
        source,
        detail_type,
        envelope: match explained.text.as_str() {
            "" => json(&explained.event),
            text => json_text(text),
        },
        matched: arms.iter().filter(|arm| arm.class != Tone::Quiet.class()).count(),
        arms,
    }
}

/// An archive takes an event without a delivery.
fn is_archive(arn: &str) -> bool {
    arn.contains(":archive/")
}

fn text_or(value: &serde_json::Value, or: &str) -> String {
    value.as_str().unwrap_or(or).to_owned()
}

/// The deliveries of an event.
struct Fate<'a> {
    desk: &'a Desk<'a>,
    at: Timestamp,
    tasks: Vec<(String, &'a Enqueued)>,
    attempts: HashMap<Uuid, Vec<&'a Span>>,
    children: HashMap<u64, Vec<&'a Span>>,
}

impl<'a> Fate<'a> {
    fn of(desk: &'a Desk<'a>, chain: Option<&'a Chain>, id: &str, bus: &str, at: Timestamp) -> Fate<'a> {
        let spans = chain.map_or(&[][..], |chain| chain.spans.as_slice());
        let accepted = spans
            .iter()
            .find(|span| events_of(span).any(|(note, fact)| note.subject == id && fact.bus == bus));
        let tasks = accepted.map(|span| deliveries(span, id)).unwrap_or_default();
        let mut attempts: HashMap<Uuid, Vec<&Span>> = HashMap::new();
        let mut children: HashMap<u64, Vec<&Span>> = HashMap::new();
        for span in spans {
            children.entry(span.parent).or_default().push(span);
            if let Some(attempt) = &span.attempt {
                attempts.entry(attempt.task).or_default().push(span);
            }
        }
        Fate { desk, at, tasks, attempts, children }
    }

    fn arm(&self, rule: Rule) -> Arm {
        let pattern = json_text(&rule.pattern);
        let (class, verdict, reasons) = match rule.verdict {
            Verdict::Matched => (Tone::Good, pill(Tone::Good, "matched"), Vec::new()),
            Verdict::NotMatched(explanation) => {
                (Tone::Quiet, pill(Tone::Quiet, "not matched"), explanation.reasons())
            }
            Verdict::Disabled => (Tone::Quiet, pill(Tone::Quiet, "disabled"), Vec::new()),
        };
        let mut tasks: VecDeque<&Enqueued> =
            self.tasks.iter().filter(|(name, _)| *name == rule.name).map(|(_, task)| *task).collect();
        let matched = class == Tone::Good;
        let targets: Vec<Target> =
            rule.targets.into_iter().map(|target| self.target(target, matched, &mut tasks)).collect();
        let worst = |tone: Tone| targets.iter().any(|target| target.class == tone.class());
        let class = match class {
            Tone::Good if worst(Tone::Bad) => Tone::Bad,
            Tone::Good if worst(Tone::Warn) => Tone::Warn,
            class => class,
        };
        Arm {
            name: rule.name,
            managed_by: rule.managed_by,
            matched,
            class: class.class(),
            verdict,
            pattern,
            pattern_text: rule.pattern,
            reasons,
            targets,
        }
    }

    fn target(
        &self,
        target: super::explained::Target,
        matched: bool,
        tasks: &mut VecDeque<&Enqueued>,
    ) -> Target {
        let place = tasks.iter().position(|task| task.target.as_deref() == Some(&target.arn));
        let task = place.and_then(|place| tasks.remove(place));
        let spans = task.and_then(|task| self.attempts.get(&task.task)).map_or(&[][..], Vec::as_slice);
        let attempts: Vec<Attempt> = spans.iter().map(|span| self.attempt(span)).collect();
        let waiting = match (matched, task, attempts.is_empty()) {
            (false, ..) | (true, _, false) => None,
            (true, Some(task), true) => Some(format!("waiting, due {}", task.due)),
            (true, None, true) if is_archive(&target.arn) => {
                Some("kept in the commit that took the event".to_owned())
            }
            (true, None, true) => Some("the trace no longer has its deliveries".to_owned()),
        };
        let answered_badly =
            attempts.last().is_some_and(|attempt| attempt.answers.iter().any(|answer| answer.class == "bad"));
        let tone = match (matched, spans.last()) {
            (false, _) => Tone::Quiet,
            (true, Some(_)) if answered_badly => Tone::Bad,
            (true, Some(span)) => tree::tone_of(span),
            (true, None) if is_archive(&target.arn) => Tone::Good,
            (true, None) => Tone::Busy,
        };
        let href = self.desk.link_of(&target.arn);
        Target { id: target.id, arn: target.arn, href, class: tone.class(), waiting, attempts }
    }

    fn attempt(&self, span: &Span) -> Attempt {
        let after = u64::try_from(span.at.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let attempt = span.attempt.as_ref();
        let mut answers = Vec::new();
        self.answers(span, &mut answers);
        Attempt {
            end: attempt.map(|attempt| end_pill(&attempt.end, attempt.number)).unwrap_or_default(),
            after: format!("after {}", duration_ms(after)),
            took: span.took_us.map_or_else(String::new, |us| format!("took {}", duration_us(us))),
            failure: attempt.and_then(|attempt| failure(&attempt.end)),
            answers: answers.into_iter().map(|note| self.answer(note)).collect(),
            next: self.next(span),
        }
    }

    /// What an attempt led to and nobody has tried yet, up to further events.
    fn next(&self, span: &Span) -> Vec<String> {
        let untried = span.enqueued.iter().filter(|task| !self.attempts.contains_key(&task.task));
        let mut next: Vec<String> =
            untried.map(|task| format!("{} is due {}", task.operation, task.due)).collect();
        for child in self.children.get(&span.id).map_or(&[][..], Vec::as_slice) {
            if child.id != span.id && events_of(child).next().is_none() {
                next.extend(self.next(child));
            }
        }
        next
    }

    /// What was noted in the attempt and in what it caused, up to further events: those have pages of their own.
    fn answers<'s>(&'s self, span: &'s Span, answers: &mut Vec<&'s Note>) {
        for note in span.notes.iter().filter(|note| note.kind != "event") {
            // The last word on something is its answer.
            answers.retain(|known| (&known.kind, &known.subject) != (&note.kind, &note.subject));
            answers.push(note);
        }
        for child in self.children.get(&span.id).map_or(&[][..], Vec::as_slice) {
            if child.id != span.id && events_of(child).next().is_none() {
                self.answers(child, answers);
            }
        }
    }

    fn answer(&self, note: &Note) -> AnswerOf {
        let member = |name: &str| {
            note.detail.as_ref().and_then(|detail| detail.get(name)).and_then(|value| value.as_str())
        };
        let status = member("function_error").or_else(|| member("status")).unwrap_or_default();
        let name = note.subject.rsplit(':').next().unwrap_or_default();
        let class = if is_failure(note) { "bad" } else { "quiet" };
        let why = crate::explain::message(note).map_or_else(String::new, |why| format!(": {why}"));
        let text = format!("{} {name} {status}{why}", note.kind).trim_end().to_owned();
        AnswerOf { class, text, href: self.desk.link_of(&note.subject) }
    }
}

/// The events of the chains, oldest first.
fn seen(desk: &Desk<'_>, chains: &[Chain]) -> Vec<Seen> {
    let spans = chains.iter().flat_map(|chain| &chain.spans);
    let events = spans.flat_map(|span| events_of(span).map(move |event| (span, event)));
    let seen = events.map(|(span, (note, fact))| Seen {
        id: note.subject.clone(),
        href: fact.link(desk, &note.subject),
        at: time(span.at),
        matched: fact.matched.len(),
        source: fact.source,
        detail_type: fact.detail_type,
    });
    seen.collect()
}
