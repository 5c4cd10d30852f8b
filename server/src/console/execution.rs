//! An execution: how it went, its input and output, its definition and its history.

use std::collections::HashMap;

use askama::Template;
use base::Timestamp;
use kernel::Kernel;
use serde_json::Value;
use states::api::{
    DescribeExecution, DescribeExecutionInput, DescribeExecutionOutput, DescribeStateMachineForExecution,
    DescribeStateMachineForExecutionInput, ExecutionStatus, GetExecutionHistory, GetExecutionHistoryInput,
    HistoryEvent,
};

use super::desk::{Desk, Frame, LISTED_MAX};
use super::executions::status_pill;
use super::html::{Html, duration_ms, json, json_text, maybe_time, time, unfolded};
use super::link::Link;
use super::{Result, pager};

#[derive(Template)]
#[template(path = "execution.html")]
struct ExecutionPage {
    frame: Frame,
    execution: Shown,
    machine: Link,
    trace: Link,
    stop: Link,
    start: Link,
    definition: Option<Html>,
    transitions: String,
    rows: Vec<Row>,
    pager: pager::Pager,
    turn: Link,
    newest_first: bool,
}

struct Shown {
    arn: String,
    name: String,
    machine_arn: String,
    machine_name: String,
    status: Html,
    running: bool,
    started: Html,
    ended: Html,
    took: String,
    input: Html,
    raw_input: String,
    output: Option<Html>,
    error: Option<String>,
    cause: Option<Html>,
}

struct Row {
    id: i64,
    kind: &'static str,
    class: &'static str,
    step: String,
    at: Html,
    after: String,
    details: Option<Html>,
}

/// The page.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let arn = desk.query.get("arn");
    let input = DescribeExecutionInput { execution_arn: arn.to_owned(), ..Default::default() };
    let described = desk.call::<DescribeExecution>(&input).await?;
    let newest_first = desk.query.get("order") == "down";
    let input = GetExecutionHistoryInput {
        execution_arn: arn.to_owned(),
        max_results: i32::try_from(LISTED_MAX).ok(),
        next_token: pager::token(&desk.query),
        ..Default::default()
    };
    let history = desk.call::<GetExecutionHistory>(&input).await?;
    let began = described.start_date;
    let mut rows = rows(history.events, began)?;
    let more = if history.next_token.is_some() { "+" } else { "" };
    let transitions = rows.iter().filter(|row| row.kind.ends_with("StateEntered")).count();
    if newest_first {
        rows.reverse();
    }
    let link = desk.link("execution").with("arn", arn);
    let (turn, list) = if newest_first {
        (link.clone(), link.with("order", "down"))
    } else {
        (link.clone().with("order", "down"), link)
    };
    let (rows, pager) = pager::cut(rows, &desk.query, history.next_token.as_deref(), &list);
    desk.render(&ExecutionPage {
        frame: desk.frame("state-machines", described.name.clone().unwrap_or_default()),
        machine: desk.link("state-machine").with("arn", &described.state_machine_arn),
        trace: desk.link("event").with("id", arn),
        stop: desk.link("execution/stop"),
        start: desk.link("execution/start"),
        definition: definition(desk, arn).await,
        execution: shown(desk.kernel, described),
        transitions: format!("{transitions}{more}"),
        rows,
        pager,
        turn,
        newest_first,
    })
}

/// The definition that the execution runs by; it may have gone with its machine.
async fn definition(desk: &Desk<'_>, arn: &str) -> Option<Html> {
    let input = DescribeStateMachineForExecutionInput { execution_arn: arn.to_owned(), ..Default::default() };
    let machine = desk.call::<DescribeStateMachineForExecution>(&input).await.ok()?;
    Some(json_text(&machine.definition))
}

fn shown(kernel: &Kernel, described: DescribeExecutionOutput) -> Shown {
    let ended = described.stop_date;
    let took = ended.unwrap_or_else(|| kernel.clock().now()).since(described.start_date);
    let machine_name = described.state_machine_arn.rsplit(':').next().unwrap_or_default().to_owned();
    let raw_input = described.input.unwrap_or_default();
    Shown {
        arn: described.execution_arn,
        name: described.name.unwrap_or_default(),
        machine_name,
        machine_arn: described.state_machine_arn,
        status: status_pill(described.status),
        running: described.status == ExecutionStatus::Running,
        started: time(described.start_date),
        ended: maybe_time(ended),
        took: duration_ms(u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        input: json_text(&raw_input),
        raw_input,
        output: described.output.as_deref().map(json_text),
        error: described.error,
        cause: described.cause.as_deref().map(json_text),
    }
}

/// The events as rows, each with the step in which it happened: the state that was entered last before it on its branch.
fn rows(events: Vec<HistoryEvent>, began: Timestamp) -> Result<Vec<Row>> {
    let mut steps: HashMap<i64, String> = HashMap::new();
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        let entered = event.state_entered_event_details.as_ref().map(|details| details.name.clone());
        let exited = event.state_exited_event_details.as_ref().map(|details| details.name.clone());
        let before = event.previous_event_id.and_then(|id| steps.get(&id)).cloned();
        let step = entered.or(exited).or(before).unwrap_or_default();
        steps.insert(event.id, step.clone());
        let kind = event.r#type.as_str();
        let step = if kind.starts_with("Execution") { String::new() } else { step };
        let after = event.timestamp.since(began).as_millis();
        rows.push(Row {
            id: event.id,
            kind,
            class: class_of(kind),
            step,
            at: time(event.timestamp),
            after: format!("+{}", duration_ms(u64::try_from(after).unwrap_or(u64::MAX))),
            details: details(&event)?,
        });
    }
    Ok(rows)
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

/// What an event has beside what every event has: its one member of details.
fn details(event: &HistoryEvent) -> Result<Option<Html>> {
    let Value::Object(members) = serde_json::to_value(event)
        .map_err(|error| base::Fault::new("InternalFailure", error.to_string()).with_status(500))?
    else {
        return Ok(None);
    };
    let mut own = members.into_iter().filter(|(name, _)| name.ends_with("EventDetails"));
    Ok(own.next().map(|(_, details)| json(&unfolded(details))))
}
