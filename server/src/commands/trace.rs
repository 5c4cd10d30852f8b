//! `buswork trace`

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use kernel::trace::{AttemptEnd, Chain, Span};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::{TraceArgs, say};
use crate::client::{Client, block_on, text};

/// Prints the causal tree of an event, an execution or a request.
///
/// # Errors
/// Nothing on the trace has the id, or no server answers.
pub fn trace(args: &TraceArgs) -> anyhow::Result<()> {
    let path = format!("/_buswork/trace/{}", args.id.replace('%', "%25").replace(' ', "%20"));
    let answer = block_on(async { Client::new(&args.endpoint)?.get(&path).await })?;
    match answer.status {
        200 => {}
        404 => bail!("nothing on the trace has the id {}", args.id),
        _ => bail!("{}", text(&answer.body)),
    }
    if args.json {
        say(&text(&answer.body));
        return Ok(());
    }
    let found: Found = serde_json::from_slice(&answer.body).context("the server's answer is not a trace")?;
    for chain in &found.chains {
        say(&format!("chain {}", chain.root));
        for line in Tree::of(chain, &found.events).lines() {
            say(&line);
        }
    }
    Ok(())
}

/// The server's answer.
#[derive(Deserialize)]
struct Found {
    chains: Vec<Chain>,
    /// What each rule made of an event, by the event's id.
    events: BTreeMap<String, Value>,
}

/// The spans of a chain by the span that caused them.
struct Tree<'a> {
    events: &'a BTreeMap<String, Value>,
    children: BTreeMap<u64, Vec<&'a Span>>,
    began: base::Timestamp,
}

impl<'a> Tree<'a> {
    fn of(chain: &'a Chain, events: &'a BTreeMap<String, Value>) -> Tree<'a> {
        let ids: Vec<u64> = chain.spans.iter().map(|span| span.id).collect();
        let mut children: BTreeMap<u64, Vec<&Span>> = BTreeMap::new();
        for span in &chain.spans {
            // A span whose cause is not on this trace (a client's own, or one that was swept) stands at the root.
            let parent = if ids.contains(&span.parent) { span.parent } else { 0 };
            children.entry(parent).or_default().push(span);
        }
        let began = chain.spans.iter().map(|span| span.at).min().unwrap_or_default();
        Tree { events, children, began }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.below(0, "", &mut lines);
        lines
    }

    fn below(&self, parent: u64, indent: &str, lines: &mut Vec<String>) {
        let children = self.children.get(&parent).map_or(&[][..], Vec::as_slice);
        for (index, span) in children.iter().enumerate() {
            let last = index + 1 == children.len();
            let (branch, next) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            lines.push(format!("{indent}{branch}{}", self.describe(span)));
            let inner = format!("{indent}{next}");
            let bar = if self.children.contains_key(&span.id) { "│  " } else { "   " };
            lines.extend(self.details(span).into_iter().map(|detail| format!("{inner}{bar}{detail}")));
            self.below(span.id, &inner, lines);
        }
    }

    fn describe(&self, span: &Span) -> String {
        let after = span.at.since(self.began).as_millis();
        let took = span.took_us.map_or_else(String::new, |us| format!(", took {}", duration(us)));
        let operation = span.attempt.as_ref().map_or(&span.operation, |attempt| &attempt.operation);
        let end = span.attempt.as_ref().map_or_else(String::new, |attempt| {
            let what = match &attempt.end {
                AttemptEnd::Delivered => "delivered".to_owned(),
                AttemptEnd::Retrying { fault, next } => {
                    format!("failed with {fault}; next attempt at {next}")
                }
                AttemptEnd::GivenUp { fault, because, dead_letter } => {
                    let to = dead_letter.as_deref().unwrap_or("no dead-letter queue is configured");
                    format!("given up ({because:?}) with {fault}; dead letter: {to}")
                }
            };
            let target = attempt.target.as_deref().map_or_else(String::new, |target| format!(" -> {target}"));
            format!("{target}: {what} (attempt {})", attempt.number)
        });
        format!("+{after} ms  {operation}{end}{took}")
    }
}

impl Tree<'_> {
    fn details(&self, span: &Span) -> Vec<String> {
        let mut lines = Vec::new();
        for note in &span.notes {
            let detail =
                note.detail.as_ref().map_or_else(String::new, |detail| format!("  {}", flat(detail)));
            lines.push(format!("{} {}{detail}", note.kind, note.subject));
            if let Some(explained) = self.events.get(&note.subject) {
                lines.extend(explained["rules"].as_array().into_iter().flatten().flat_map(rule_lines));
            }
        }
        lines
    }
}

/// `rule NAME: matched`, or a line for each reason why not.
fn rule_lines(rule: &Value) -> Vec<String> {
    let name = rule["name"].as_str().unwrap_or_default();
    let verdict = &rule["verdict"];
    if let Some(plain) = verdict.as_str() {
        return vec![format!("  rule {name}: {}", plain.to_lowercase())];
    }
    let why = &verdict["NotMatched"];
    let mut lines = vec![format!("  rule {name}: not matched")];
    for field in why["unmatched"].as_array().into_iter().flatten() {
        let text = |name: &str| field[name].as_str().unwrap_or_default();
        let found: Vec<&str> =
            field["found"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
        lines.push(format!("    {}: wanted {}, found {found}", text("path"), text("wanted")));
    }
    if why["or"].as_array().is_some_and(|or| !or.is_empty()) {
        lines.push("    no branch of $or is satisfied".to_owned());
    }
    if why["scattered"].as_array().is_some_and(|scattered| !scattered.is_empty()) {
        lines.push("    every field is satisfied, but never all in the same element of an array".to_owned());
    }
    lines
}

/// A detail on one line: `name=value` for objects.
fn flat(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let parts: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}={}", flat(value))).collect();
            parts.join(" ")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn duration(us: u64) -> String {
    if us < 1_000 { format!("{us} us") } else { format!("{:.1} ms", us as f64 / 1_000.0) }
}
