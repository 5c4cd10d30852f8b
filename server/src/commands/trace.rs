//! `buswork trace`

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use kernel::trace::{AttemptEnd, Chain, Span};
use serde_json::Value;

use crate::cli::{TraceArgs, say};
use crate::client::{Client, block_on, text};

/// Prints the causal tree of an event, an execution or a request.
///
/// # Errors
/// Nothing on the trace has the id, or no server answers.
pub fn trace(args: &TraceArgs) -> anyhow::Result<()> {
    let path = format!("/_buswork/trace/{}", args.id.replace('%', "%25").replace(' ', "%20"));
    let answer = block_on(async { Client::new(&args.endpoint).get(&path).await })?;
    match answer.status {
        200 => {}
        404 => bail!("nothing on the trace has the id {}", args.id),
        _ => bail!("{}", text(&answer.body)),
    }
    if args.json {
        say(&text(&answer.body));
        return Ok(());
    }
    let chains: Vec<Chain> =
        serde_json::from_slice(&answer.body).context("the server's answer is not a trace")?;
    for chain in &chains {
        say(&format!("chain {}", chain.root));
        for line in Tree::of(chain).lines() {
            say(&line);
        }
    }
    Ok(())
}

/// The spans of a chain by the span that caused them.
struct Tree<'a> {
    children: BTreeMap<u64, Vec<&'a Span>>,
    began: base::Timestamp,
}

impl<'a> Tree<'a> {
    fn of(chain: &'a Chain) -> Tree<'a> {
        let ids: Vec<u64> = chain.spans.iter().map(|span| span.id).collect();
        let mut children: BTreeMap<u64, Vec<&Span>> = BTreeMap::new();
        for span in &chain.spans {
            // A span whose cause is not on this trace (a client's own, or one that was swept) stands at the root.
            let parent = if ids.contains(&span.parent) { span.parent } else { 0 };
            children.entry(parent).or_default().push(span);
        }
        let began = chain.spans.iter().map(|span| span.at).min().unwrap_or_default();
        Tree { children, began }
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
            lines.extend(details(span).into_iter().map(|detail| format!("{inner}{bar}{detail}")));
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

fn details(span: &Span) -> Vec<String> {
    let mut lines = Vec::new();
    for note in &span.notes {
        let detail = note.detail.as_ref().map_or_else(String::new, |detail| format!("  {}", flat(detail)));
        lines.push(format!("{} {}{detail}", note.kind, note.subject));
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
