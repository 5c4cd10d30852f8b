//! Where the events of an execution are read: the history of a STANDARD one, the log of an EXPRESS one.

use base::{Fault, Timestamp};
use logs::api::{FilterLogEvents, FilterLogEventsInput};
use serde::Deserialize;
use serde_json::Value;
use states::api::{
    GetExecutionHistory, GetExecutionHistoryInput, HistoryEvent, LogLevel, LoggingConfiguration,
};

use super::Result;
use super::desk::Desk;
use super::visits::Event;

/// The events that a page is made of.
const EVENTS_MAX: usize = 5_000;
/// The events of one call.
const BATCH: i32 = 1_000;
/// How long before its own start an execution's log is looked for.
const EARLY_MS: i64 = 60_000;

/// The events of an execution, oldest first.
#[derive(Default)]
pub(crate) struct History {
    /// The events.
    pub events: Vec<Event>,
    /// Where the next ones are, if there are more than a page is made of.
    pub next_token: Option<String>,
}

/// The history of a STANDARD execution from a token on.
pub(crate) async fn of(desk: &Desk<'_>, arn: &str, token: Option<String>) -> Result<History> {
    let mut history = History { events: Vec::new(), next_token: token };
    loop {
        let input = GetExecutionHistoryInput {
            execution_arn: arn.to_owned(),
            max_results: Some(BATCH),
            next_token: history.next_token.take(),
            ..Default::default()
        };
        let read = desk.call::<GetExecutionHistory>(&input).await?;
        for event in read.events {
            history.events.push(event_of(event)?);
        }
        history.next_token = read.next_token;
        if history.next_token.is_none() || history.events.len() >= EVENTS_MAX {
            return Ok(history);
        }
    }
}

fn event_of(event: HistoryEvent) -> Result<Event> {
    let (id, previous, at) = (event.id, event.previous_event_id.unwrap_or_default(), event.timestamp);
    let kind = event.r#type.as_str().to_owned();
    let document = serde_json::to_value(event)
        .map_err(|error| Fault::new("InternalFailure", error.to_string()).with_status(500))?;
    let details = match document {
        Value::Object(members) => members.into_iter().find(|(name, _)| name.ends_with("EventDetails")),
        _ => None,
    };
    Ok(Event { id, previous, at, kind, details: details.map_or(Value::Null, |(_, details)| details) })
}

/// The log group to which a machine writes every event, if it writes them all.
pub(crate) fn group(logging: Option<&LoggingConfiguration>) -> Option<String> {
    let logging = logging.filter(|logging| logging.level == Some(LogLevel::All))?;
    let destination = logging.destinations.as_ref()?.first()?;
    let arn = destination.cloud_watch_logs_log_group.as_ref()?.log_group_arn.as_deref()?;
    Some(arn.split_once(":log-group:")?.1.trim_end_matches(":*").to_owned())
}

/// A line of an execution's log.
#[derive(Deserialize)]
struct Line {
    id: String,
    r#type: String,
    #[serde(default)]
    details: Value,
    previous_event_id: String,
    event_timestamp: String,
    execution_arn: String,
}

/// The events that an execution wrote to a log group since it started.
pub(crate) async fn logged(desk: &Desk<'_>, group: &str, arn: &str, started: Timestamp) -> Result<History> {
    let mut history = History::default();
    loop {
        let input = FilterLogEventsInput {
            log_group_name: Some(group.to_owned()),
            start_time: Some(started.as_millis() - EARLY_MS),
            filter_pattern: Some(format!("\"{arn}\"")),
            next_token: history.next_token.take(),
            ..Default::default()
        };
        let found = desk.call::<FilterLogEvents>(&input).await?;
        let lines = found.events.unwrap_or_default().into_iter().filter_map(|found| found.message);
        history.events.extend(lines.filter_map(|line| logged_event(&line, arn)));
        history.next_token = found.next_token;
        if history.next_token.is_none() || history.events.len() >= EVENTS_MAX {
            break;
        }
    }
    // Lines are written at least once, and in the order of time only.
    history.events.sort_by_key(|event| event.id);
    history.events.dedup_by_key(|event| event.id);
    Ok(history)
}

fn logged_event(line: &str, arn: &str) -> Option<Event> {
    let line: Line = serde_json::from_str(line).ok()?;
    (line.execution_arn == arn).then_some(())?;
    Some(Event {
        id: line.id.parse().ok()?,
        previous: line.previous_event_id.parse().unwrap_or_default(),
        at: Timestamp::from_millis(line.event_timestamp.parse().ok()?),
        kind: line.r#type,
        details: line.details,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_an_event() {
        let line = r#"{"id":"3","type":"PassStateEntered","details":{"name":"P"},"redrive_count":"0",
            "previous_event_id":"2","event_timestamp":"1500","execution_arn":"a"}"#;
        let event = logged_event(line, "a").unwrap();
        assert_eq!((event.id, event.previous, event.kind.as_str()), (3, 2, "PassStateEntered"));
        assert_eq!((event.at, event.details["name"].as_str()), (Timestamp::from_millis(1_500), Some("P")));
        assert!(logged_event(line, "b").is_none());
        assert!(logged_event("START RequestId", "a").is_none());
    }
}
