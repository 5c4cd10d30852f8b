//! The events of late that did not arrive, each with the reason: kept back by a schema, tried in vain, or given up.

use std::collections::HashSet;

use kernel::trace::{AttemptEnd, Span};
use serde::Deserialize;

use super::activity::{Ends, deliveries, events_of};
use super::desk::Desk;
use super::html::{Html, Tone, pill, time};
use super::link::Link;

/// The rows shown.
const SHOWN: usize = 12;

/// An event that did not arrive at a target, or at no bus.
pub(crate) struct Missing {
    /// Its id.
    pub id: String,
    /// Its page.
    pub href: Link,
    /// When that was found last.
    pub at: Html,
    /// Its source.
    pub source: String,
    /// Its detail-type.
    pub detail_type: String,
    /// What became of it.
    pub fate: Html,
    /// Where it was to go: the rule, and the target with its page.
    pub target: Option<(String, String, Option<Link>)>,
    /// Why it did not.
    pub reason: String,
}

/// What a schema kept back.
#[derive(Debug, Deserialize)]
pub(super) struct Held {
    outcome: String,
    #[serde(default)]
    failures: Vec<Failure>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    pointer: String,
    message: String,
}

impl Held {
    /// What a span says of an event that came no further.
    pub(super) fn of(span: &Span, event: &str) -> Option<Held> {
        let note = span.notes.iter().find(|note| note.kind == "validation" && note.subject == event)?;
        let held: Held = serde_json::from_value(note.detail.clone()?).ok()?;
        matches!(held.outcome.as_str(), "REJECTED" | "QUARANTINED" | "DISCARDED").then_some(held)
    }

    /// In its colour.
    pub(super) fn pill(&self) -> Html {
        pill(Tone::Bad, &self.outcome.to_lowercase())
    }

    fn reason(&self) -> String {
        let more = self.failures.len().saturating_sub(1);
        let Some(first) = self.failures.first() else { return "it broke its schema".to_owned() };
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        format!("{}: {}{more}", first.pointer, first.message)
    }
}

/// The newest ones, each once for each target.
pub(super) fn of(desk: &Desk<'_>, spans: &[Span]) -> Vec<Missing> {
    let ends = Ends::of(spans);
    let let_go = let_go(spans);
    let mut missing = Vec::new();
    for span in spans {
        for (note, fact) in events_of(span) {
            let row = |fate, target, reason, at| Missing {
                id: note.subject.clone(),
                href: fact.link(desk, &note.subject),
                at: time(at),
                source: fact.source.clone(),
                detail_type: fact.detail_type.clone(),
                fate,
                target,
                reason,
            };
            if let Some(held) = Held::of(span, &note.subject)
                && !let_go.contains(note.subject.as_str())
            {
                missing.push(row(held.pill(), None, held.reason(), span.at));
            }
            for (rule, task) in deliveries(span, &note.subject) {
                let Some((at, end)) = ends.of_task(task.task) else { continue };
                let (fate, reason) = match end {
                    AttemptEnd::Delivered => continue,
                    AttemptEnd::Retrying { fault, next } => {
                        (pill(Tone::Warn, "retrying"), format!("{fault}; next attempt at {next}"))
                    }
                    AttemptEnd::GivenUp { fault, dead_letter: Some(_), .. } => {
                        (pill(Tone::Bad, "dead letter"), fault.to_string())
                    }
                    AttemptEnd::GivenUp { fault, .. } => (pill(Tone::Bad, "undelivered"), fault.to_string()),
                };
                let arn = task.target.clone().unwrap_or_else(|| task.operation.clone());
                let href = desk.link_of(&arn);
                missing.push(row(fate, Some((rule, arn, href)), reason, at));
            }
            if missing.len() >= SHOWN {
                missing.truncate(SHOWN);
                return missing;
            }
        }
    }
    missing
}

/// The events that were released from quarantine or discarded.
fn let_go(spans: &[Span]) -> HashSet<&str> {
    let outcome = |detail: &serde_json::Value| {
        detail.get("outcome").and_then(|outcome| outcome.as_str()).unwrap_or_default().to_owned()
    };
    let notes = spans.iter().flat_map(|span| &span.notes).filter(|note| note.kind == "validation");
    let gone = notes.filter(|note| {
        let outcome = note.detail.as_ref().map(outcome).unwrap_or_default();
        matches!(outcome.as_str(), "RELEASED" | "DISCARDED")
    });
    gone.map(|note| note.subject.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_the_reason() {
        let held = |failures: serde_json::Value| -> Held {
            serde_json::from_value(serde_json::json!({ "outcome": "REJECTED", "failures": failures }))
                .unwrap()
        };
        let failure =
            serde_json::json!({ "Pointer": "/detail/total", "Rule": "/type", "Message": "is no number" });
        assert_eq!(held(serde_json::json!([failure])).reason(), "/detail/total: is no number");
        assert_eq!(
            held(serde_json::json!([failure, failure])).reason(),
            "/detail/total: is no number, and 1 more"
        );
        assert_eq!(held(serde_json::json!([])).reason(), "it broke its schema");
    }
}
