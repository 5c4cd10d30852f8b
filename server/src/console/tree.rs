//! A chain of causes as a tree, with a bar for every step's place in time.

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::Exhausted;
use kernel::trace::{AttemptEnd, Chain, Note, Span};
use serde_json::Value;

use super::activity::{Ends, fact_of};
use super::desk::Desk;
use super::html::{Html, Tone, duration_ms, duration_us, json, pill, time};
use super::link::Link;

/// The width of the whole time in the bars' own unit.
const WIDTH: f64 = 1_000.0;
/// The narrowest bar.
const NARROW: f64 = 8.0;

/// A step, in the order of the tree: each before those that it caused.
pub(crate) struct Step {
    /// Whether it caused others: they follow.
    pub opens: bool,
    /// How many steps' consequences end behind it.
    pub closes: usize,
    /// How long after the beginning it came.
    pub after: String,
    /// What was done.
    pub operation: String,
    /// In whose name.
    pub principal: String,
    /// To what.
    pub target: Option<(String, Option<Link>)>,
    /// What it was for.
    pub purpose: String,
    /// How it ended, for attempts.
    pub end: Option<Html>,
    /// More about a failure.
    pub failure: Option<String>,
    /// How long it took, if that is known.
    pub took: String,
    /// What is said of it.
    pub facts: Vec<Fact>,
    /// Where its bar begins and how long it is.
    pub bar: (String, String),
    /// The bar's colour.
    pub class: &'static str,
}

/// Something that is said of a step.
pub(crate) struct Fact {
    /// What kind.
    pub kind: String,
    /// About what.
    pub subject: String,
    /// Its page.
    pub href: Option<Link>,
    /// More.
    pub detail: Option<Html>,
    /// The same on a line.
    pub brief: String,
}

/// A chain as pages show it.
pub(crate) struct Shown {
    /// What its steps have in common.
    pub root: String,
    /// When it began.
    pub began: Html,
    /// How long it lasts so far.
    pub lasts: String,
    /// The steps.
    pub steps: Vec<Step>,
    /// How many steps failed.
    pub failed: usize,
    /// Whether it began when somebody sent an event again.
    pub again: bool,
}

/// The chain as a tree.
pub(crate) fn shown(desk: &Desk<'_>, chain: &Chain) -> Shown {
    let tree = Tree::of(desk, chain);
    let mut steps = Vec::with_capacity(chain.spans.len());
    tree.below(0, &mut steps);
    let failed = chain.spans.iter().filter(|span| tone_of(span) == Tone::Bad).count();
    Shown {
        root: chain.root.to_string(),
        began: time(tree.began),
        lasts: duration_us(tree.length_us),
        again: steps.first().is_some_and(|step| step.operation == "events:RedeliverEvent"),
        steps,
        failed,
    }
}

struct Tree<'a> {
    desk: &'a Desk<'a>,
    children: BTreeMap<u64, Vec<&'a Span>>,
    ends: Ends<'a>,
    began: Timestamp,
    length_us: u64,
}

impl<'a> Tree<'a> {
    fn of(desk: &'a Desk<'a>, chain: &'a Chain) -> Tree<'a> {
        let known: std::collections::BTreeSet<u64> = chain.spans.iter().map(|span| span.id).collect();
        let mut children: BTreeMap<u64, Vec<&Span>> = BTreeMap::new();
        for span in &chain.spans {
            // What caused it may be a client's own or older than what is kept; then it stands at the root.
            let parent = if known.contains(&span.parent) { span.parent } else { 0 };
            children.entry(parent).or_default().push(span);
        }
        let began = chain.spans.iter().map(|span| span.at).min().unwrap_or_default();
        let ends = chain.spans.iter().map(|span| after_us(span.at, began) + span.took_us.unwrap_or(0));
        let length_us = ends.max().unwrap_or(0);
        Tree { desk, children, ends: Ends::of(&chain.spans), began, length_us }
    }

    fn below(&self, parent: u64, steps: &mut Vec<Step>) {
        for span in self.children.get(&parent).map_or(&[][..], Vec::as_slice) {
            let opens = self.children.contains_key(&span.id);
            steps.push(self.step(span, opens));
            if opens {
                self.below(span.id, steps);
                if let Some(last) = steps.last_mut() {
                    last.closes += 1;
                }
            }
        }
    }

    fn step(&self, span: &Span, opens: bool) -> Step {
        let attempt = span.attempt.as_ref();
        let after = after_us(span.at, self.began);
        let tone = tone_of(span);
        let mut facts: Vec<Fact> = span.notes.iter().map(|note| self.fact(note)).collect();
        facts.extend(self.untried(span));
        Step {
            opens,
            closes: 0,
            after: format!("+{}", duration_ms(after / 1_000)),
            operation: attempt.map_or(&span.operation, |attempt| &attempt.operation).clone(),
            principal: span.principal.clone(),
            target: attempt.and_then(|attempt| attempt.target.clone()).map(|target| {
                let href = self.desk.link_of(&target);
                (target, href)
            }),
            purpose: attempt.and_then(|attempt| attempt.note.clone()).unwrap_or_default(),
            end: attempt.map(|attempt| end_pill(&attempt.end, attempt.number)),
            failure: attempt.and_then(|attempt| failure(&attempt.end)),
            took: span.took_us.map_or_else(String::new, duration_us),
            facts,
            bar: self.bar(after, span.took_us.unwrap_or(0)),
            class: tone.class(),
        }
    }

    fn bar(&self, after_us: u64, took_us: u64) -> (String, String) {
        let scale = WIDTH / (self.length_us.max(1) as f64);
        let width = (took_us as f64 * scale).clamp(NARROW, WIDTH);
        let start = (after_us as f64 * scale).min(WIDTH - width);
        (format!("{start:.1}"), format!("{width:.1}"))
    }

    fn fact(&self, note: &Note) -> Fact {
        let href = match note.kind.as_str() {
            "event" => Some(fact_of(note).link(self.desk, &note.subject)),
            _ => self.desk.link_of(&note.subject),
        };
        let detail = note.detail.as_ref().filter(|detail| !detail.is_null());
        Fact {
            kind: note.kind.clone(),
            subject: note.subject.clone(),
            href,
            brief: detail.map_or_else(String::new, brief),
            detail: detail.map(json),
        }
    }

    /// What the step asked for and nothing has tried yet.
    fn untried(&self, span: &Span) -> impl Iterator<Item = Fact> {
        span.enqueued.iter().filter(|task| !self.ends.knows(task.task)).map(|task| Fact {
            kind: "waiting".to_owned(),
            subject: task.operation.clone(),
            href: None,
            brief: format!(
                "due {}{}",
                task.due,
                task.note.as_ref().map_or_else(String::new, |note| format!(", {note}"))
            ),
            detail: None,
        })
    }
}

fn after_us(at: Timestamp, began: Timestamp) -> u64 {
    u64::try_from(at.since(began).as_micros()).unwrap_or(u64::MAX)
}

/// How a step went: as an attempt, and by what its notes say of the work done in it.
pub(crate) fn tone_of(span: &Span) -> Tone {
    let failed = span.notes.iter().any(is_failure);
    match span.attempt.as_ref().map(|attempt| &attempt.end) {
        Some(AttemptEnd::GivenUp { .. }) => Tone::Bad,
        _ if failed => Tone::Bad,
        Some(AttemptEnd::Retrying { .. }) => Tone::Warn,
        Some(AttemptEnd::Delivered) => Tone::Good,
        None => Tone::Quiet,
    }
}

/// Whether a note tells of a failure: of a function's, of an execution's, of a stack's.
pub(crate) fn is_failure(note: &Note) -> bool {
    let member =
        |name: &str| note.detail.as_ref().and_then(|detail| detail.get(name)).and_then(Value::as_str);
    let status = member("status").unwrap_or_default();
    member("function_error").is_some()
        || matches!(note.kind.as_str(), "not invoked" | "undeliverable")
        || matches!(status, "FAILED" | "TIMED_OUT")
        || status.ends_with("_FAILED")
}

/// How an attempt ended.
pub(crate) fn end_pill(end: &AttemptEnd, number: u32) -> Html {
    let which = if number > 1 { format!(", attempt {number}") } else { String::new() };
    match end {
        AttemptEnd::Delivered => pill(Tone::Good, &format!("delivered{which}")),
        AttemptEnd::Retrying { .. } => pill(Tone::Warn, &format!("failed, attempt {number}")),
        AttemptEnd::GivenUp { dead_letter: Some(_), .. } => pill(Tone::Bad, &format!("dead letter{which}")),
        AttemptEnd::GivenUp { .. } => pill(Tone::Bad, &format!("given up{which}")),
    }
}

/// Why there is no further attempt.
fn reason(because: Exhausted) -> &'static str {
    match because {
        Exhausted::NotRetryable => "since trying again cannot help",
        Exhausted::MaximumRetryAttempts => "since every attempt that the policy allows has failed",
        Exhausted::MaximumEventAge => "since it is older than the policy allows",
    }
}

/// Why an attempt failed and what comes next.
pub(crate) fn failure(end: &AttemptEnd) -> Option<String> {
    match end {
        AttemptEnd::Delivered => None,
        AttemptEnd::Retrying { fault, next } => Some(format!("{fault}; next attempt at {next}")),
        AttemptEnd::GivenUp { fault, because, dead_letter } => {
            let letter = match dead_letter {
                Some(arn) => format!("dead letter in {arn}"),
                None => "no dead-letter queue is configured".to_owned(),
            };
            Some(format!("{fault}; given up, {}; {letter}", reason(*because)))
        }
    }
}

/// A detail on one line.
fn brief(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let known = members.iter().filter(|(_, value)| !value.is_null());
            let parts: Vec<String> = known.map(|(name, value)| format!("{name}: {}", brief(value))).collect();
            parts.join(", ")
        }
        Value::Array(values) => values.iter().map(brief).collect::<Vec<_>>().join(" "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use base::Fault;
    use serde_json::json;

    use super::*;

    #[test]
    fn failures_say_what_comes_next() {
        let fault = || Fault::new("Throttling", "slow down");
        let next = Timestamp::from_millis(1_500);
        assert_eq!(failure(&AttemptEnd::Delivered), None);
        assert_eq!(
            failure(&AttemptEnd::Retrying { fault: fault(), next }).unwrap(),
            "Throttling: slow down; next attempt at 1970-01-01T00:00:01.500Z"
        );
        let given_up = |dead_letter: Option<&str>| AttemptEnd::GivenUp {
            fault: fault(),
            because: Exhausted::NotRetryable,
            dead_letter: dead_letter.map(str::to_owned),
        };
        assert_eq!(
            failure(&given_up(Some("arn:aws:sqs:r:1:dead"))).unwrap(),
            "Throttling: slow down; given up, since trying again cannot help; dead letter in arn:aws:sqs:r:1:dead"
        );
        assert!(failure(&given_up(None)).unwrap().ends_with("no dead-letter queue is configured"));
    }

    #[test]
    fn what_a_function_or_an_execution_does_wrong_is_a_failure() {
        let check = |kind: &str, detail: Value| {
            let (kind, subject) = (kind.to_owned(), String::new());
            is_failure(&Note { kind, subject, detail: Some(detail), found_by: false })
        };
        assert!(check("invocation", json!({ "function_error": "Unhandled" })));
        assert!(!check("invocation", json!({ "function_error": null })));
        assert!(check("execution", json!({ "status": "FAILED", "error": "E" })));
        assert!(!check("execution", json!({ "status": "ABORTED" })));
        assert!(check("stack status", json!({ "status": "CREATE_FAILED" })));
        assert!(check("not invoked", json!({})));
    }
}
