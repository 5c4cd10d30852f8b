//! `buswork schemas check`

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::cli::{SchemaCheckArgs, say};
use crate::client::{Client, block_on};

/// The internal operation that holds a new version of a schema against its consumers.
const CHECK_COMPATIBILITY: &str = "CheckCompatibility";

/// Says which consumers a new version of a schema would break. Whoever runs it before a deployment learns it by the exit code.
///
/// # Errors
/// The file cannot be read, the change breaks somebody, or no server answers.
pub fn check(args: &SchemaCheckArgs) -> anyhow::Result<()> {
    let content = std::fs::read_to_string(&args.file)
        .with_context(|| format!("cannot read {}", args.file.display()))?;
    let named = || args.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let schema = args.schema.clone().or_else(named).context("name the schema with --schema")?;
    let mut input = json!({ "RegistryName": args.registry, "SchemaName": schema, "Content": content });
    for (name, value) in [("SchemaVersion", &args.version_of), ("Type", &args.kind)] {
        if let Some(value) = value {
            input[name] = value.as_str().into();
        }
    }
    let answer =
        block_on(async { Client::new(&args.endpoint)?.ask("schemas", CHECK_COMPATIBILITY, &input).await })?;
    if args.json {
        say(&serde_json::to_string_pretty(&answer)?);
    }
    verdict(&answer, args.json)
}

/// Prints what the change does; an error if it breaks somebody.
fn verdict(answer: &Value, quiet: bool) -> anyhow::Result<()> {
    let list = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
    let breaks = list("Breaks");
    if !quiet {
        lines(&breaks, &list("Changes"), &list("Unchecked")).iter().for_each(|line| say(line));
    }
    if breaks.is_empty() { Ok(()) } else { bail!("the change breaks {} readers", breaks.len()) }
}

fn lines(breaks: &[Value], changes: &[Value], unchecked: &[Value]) -> Vec<String> {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    for found in breaks {
        let (path, problem) = (text(found, "Path"), text(found, "Problem"));
        lines.push(format!("breaks {} ({}): {path} {problem}", text(found, "Consumer"), text(found, "Kind")));
    }
    for change in changes {
        lines.push(format!("changes {}: {}", text(change, "Path"), text(change, "Problem")));
    }
    for consumer in unchecked {
        let (consumer, rule) = (text(consumer, "Consumer"), text(consumer, "Rule"));
        lines.push(format!("unknown what {consumer} reads (rule {rule})"));
    }
    if breaks.is_empty() {
        lines.push("no known consumer breaks".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_is_named_and_fails() {
        let found = json!({
            "Breaks": [{
                "Consumer": "arn:aws:events:r:1:rule/big", "Kind": "RulePattern", "Path": "$.detail.total",
                "Problem": "is gone", "Rule": "arn:aws:events:r:1:rule/big",
            }],
            "Changes": [{ "Path": "$.detail.total", "Problem": "is gone" }],
            "Unchecked": [{ "Consumer": "arn:aws:sqs:r:1:q", "Rule": "arn:aws:events:r:1:rule/all" }],
        });
        assert_eq!(verdict(&found, true).unwrap_err().to_string(), "the change breaks 1 readers");
        let list = |name: &str| found[name].as_array().unwrap().clone();
        assert_eq!(
            lines(&list("Breaks"), &list("Changes"), &list("Unchecked")),
            [
                "breaks arn:aws:events:r:1:rule/big (RulePattern): $.detail.total is gone",
                "changes $.detail.total: is gone",
                "unknown what arn:aws:sqs:r:1:q reads (rule arn:aws:events:r:1:rule/all)",
            ]
        );
        assert!(verdict(&json!({ "Breaks": [], "Changes": [], "Unchecked": [] }), true).is_ok());
        assert_eq!(lines(&[], &[], &[]), ["no known consumer breaks"]);
    }
}
