//! `buswork explain`

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::cli::{ExplainArgs, say};
use crate::client::{Client, block_on, text};
use crate::explain::{Delivery, Explanation, Fact, RuleStory, Step};

/// Prints everything that is known of an event: who sent it, every rule, every delivery, causes and consequences.
///
/// # Errors
/// No event that is kept has the id, or no server answers.
pub fn explain(args: &ExplainArgs) -> anyhow::Result<()> {
    if args.id.starts_with("arn:") && args.id.contains(":states:") && args.id.contains(":execution:") {
        return execution(args);
    }
    if args.id.starts_with("arn:") && args.id.contains(":express:") {
        bail!(
            "no history is kept of executions of EXPRESS machines, as on AWS; the console shows the executions, and \
             the machine's log group what it logs"
        );
    }
    let answer = block_on(async {
        let client = Client::new(&args.endpoint)?;
        let path = format!("/_buswork/explain/{}?{}", args.id.trim(), client.place().await?);
        client.get(&path).await
    })?;
    match answer.status {
        200 => {}
        404 => bail!(
            "no event that is kept has the id {}; executions and requests have `buswork trace`, and `buswork events search` \
             finds events by their text",
            args.id
        ),
        _ => bail!("{}", text(&answer.body)),
    }
    if args.json {
        say(&text(&answer.body));
        return Ok(());
    }
    let explained: Explanation =
        serde_json::from_slice(&answer.body).context("the server's answer is not an explanation")?;
    lines(&explained).iter().for_each(|line| say(line));
    Ok(())
}

/// Prints what an execution came to, and where.
fn execution(args: &ExplainArgs) -> anyhow::Result<()> {
    let of = json!({ "executionArn": args.id.trim() });
    let newest = json!({ "executionArn": args.id.trim(), "reverseOrder": true, "maxResults": 1_000 });
    let mut endpoint = args.endpoint.clone();
    // An ARN says its region, whatever the caller's is.
    if let Some(region) = args.id.split(':').nth(3) {
        region.clone_into(&mut endpoint.region);
    }
    let (described, history) = block_on(async {
        let client = Client::new(&endpoint)?;
        let described = client.call("states", "DescribeExecution", &of).await?;
        anyhow::Ok((described, client.call("states", "GetExecutionHistory", &newest).await?))
    })?;
    if args.json {
        say(&serde_json::to_string_pretty(&described)?);
        return Ok(());
    }
    execution_lines(&described, &history["events"]).iter().for_each(|line| say(line));
    say(&format!("`buswork trace {}` tells what caused it and what it caused", args.id.trim()));
    Ok(())
}

/// An execution for people; `events` are the newest of its history, the newest first.
fn execution_lines(described: &Value, events: &Value) -> Vec<String> {
    let member = |name: &str| described[name].as_str();
    let mut lines =
        vec![format!("{} {}", member("name").unwrap_or_default(), member("status").unwrap_or_default())];
    lines.push(format!("  of {}", member("stateMachineArn").unwrap_or_default()));
    if let Some(state) = last_state(events) {
        let verb = if described["status"] == "RUNNING" { "is in" } else { "ended in" };
        lines.push(format!("  {verb} the state {state}"));
    }
    for (name, title) in [("error", "error"), ("cause", "cause"), ("input", "input"), ("output", "output")] {
        lines.extend(member(name).map(|text| format!("  {title}: {text}")));
    }
    lines
}

/// The state that was entered or left last.
fn last_state(events: &Value) -> Option<&str> {
    let named = ["/stateEnteredEventDetails/name", "/stateExitedEventDetails/name"];
    let name = |event| named.iter().find_map(|place| Value::pointer(event, place)?.as_str());
    events.as_array()?.iter().find_map(name)
}

/// The explanation for people.
fn lines(explained: &Explanation) -> Vec<String> {
    let member = |name: &str| explained.event[name].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!("{} from {}", member("detail-type"), member("source"))];
    let Explanation { bus, region, account, ingested_at, .. } = explained;
    lines.push(format!("  on bus {bus} of {account} in {region} at {ingested_at}"));
    match &explained.producer {
        Some(producer) => lines.push(format!("  sent by {} with {}", producer.principal, producer.operation)),
        None => lines.push("  the trace no longer has who sent it".to_owned()),
    }
    match &explained.validation {
        Some(validation) => {
            lines.push(format!("  {} by schema {}", validation.outcome, validation.schema));
            let broken = validation.failures.iter();
            lines.extend(broken.map(|(pointer, problem)| format!("      at {pointer}: {problem}")));
        }
        None => lines.push("  no schema was asked".to_owned()),
    }
    steps("caused by", &explained.causes, &mut lines);
    let matched = explained.rules.iter().filter(|rule| rule.verdict == "matched").count();
    lines.push(format!("{matched} of {} rules matched", explained.rules.len()));
    explained.rules.iter().for_each(|rule| rule_lines(rule, &mut lines));
    if !explained.redeliveries.is_empty() {
        lines.push("redelivered".to_owned());
        explained.redeliveries.iter().for_each(|delivery| delivery_lines(delivery, &mut lines));
    }
    steps("led to", &explained.consequences, &mut lines);
    lines
}

fn rule_lines(rule: &RuleStory, lines: &mut Vec<String>) {
    let sign = if rule.verdict == "matched" { "+" } else { "-" };
    let managed = rule.managed_by.as_ref().map_or_else(String::new, |by| format!(" (managed by {by})"));
    lines.push(format!("  {sign} {}: {}{managed}", rule.name, rule.verdict));
    for reason in &rule.reasons {
        let alternative = match reason.alternative.as_str() {
            "" => String::new(),
            alternative => format!("alternative {alternative}: "),
        };
        lines.push(format!(
            "      {alternative}{}: wanted {}, found {}",
            reason.path, reason.in_words, reason.found
        ));
    }
    if rule.verdict == "matched" {
        rule.targets.iter().for_each(|delivery| delivery_lines(delivery, lines));
    }
}

fn delivery_lines(delivery: &Delivery, lines: &mut Vec<String>) {
    lines.push(format!("      -> {}: {}", delivery.arn, delivery.state));
    for attempt in &delivery.attempts {
        let took = attempt.took_us.map_or_else(String::new, |us| format!(", took {}", duration(us)));
        lines
            .push(format!("         attempt {} at {}: {}{took}", attempt.number, attempt.at, attempt.answer));
        attempt.notes.iter().for_each(|fact| lines.push(format!("           {}", told(fact))));
    }
    if let Some(next) = &delivery.next_attempt {
        lines.push(format!("         next attempt at {next}"));
    }
    if let Some(to) = &delivery.dead_letter {
        lines.push(format!("         dead letter in {to}"));
    }
}

fn steps(title: &str, steps: &[Step], lines: &mut Vec<String>) {
    if steps.is_empty() {
        return;
    }
    lines.push(title.to_owned());
    for step in steps {
        let indent = "  ".repeat(step.depth + 1);
        let target = step.target.as_ref().map_or_else(String::new, |target| format!(" -> {target}"));
        let answer = step.answer.as_ref().map_or_else(String::new, |answer| format!(": {answer}"));
        lines.push(format!("{indent}{} {}{target}{answer}", step.at, step.operation));
        step.notes.iter().for_each(|fact| lines.push(format!("{indent}  {}", told(fact))));
    }
}

fn told(fact: &Fact) -> String {
    let status = fact.status.as_ref().map_or_else(String::new, |status| format!(" {status}"));
    format!("{} {}{status}", fact.kind, fact.subject)
}

fn duration(us: u64) -> String {
    if us < 1_000 { format!("{us} us") } else { format!("{:.1} ms", us as f64 / 1_000.0) }
}
