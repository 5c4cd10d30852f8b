//! A log group: a line for each event.

use base::{Fault, Timestamp};
use serde_json::{Value, json};

use super::parts::{Most, parts};
use super::{Item, Missed, Shot, dynamic};
use crate::record::text;
use crate::source::ask;

/// What one call takes; each line counts 26 bytes more than its text.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
const MOST: Most = Most { entries: 10_000, bytes: 1_048_576 };
const LINE_OVERHEAD: usize = 26;

/// All of a batch in one call, or in as many as it takes. A stream that is not there is made.
pub(super) async fn call(shot: &Shot<'_>, items: &[Item]) -> Result<Missed, Fault> {
    let given = shot.pipe.settings.target_parameters.cloud_watch_logs_parameters.clone().unwrap_or_default();
    let now = shot.effect.now();
    let first = items.first().map(|item| &item.view).unwrap_or(&Value::Null);
    let stream = given.log_stream_name.as_deref().and_then(|name| dynamic(name, first));
    let stream = stream.unwrap_or_else(|| shot.pipe.name.clone());
    let at = |item: &Item| {
        let text = given.timestamp.as_deref().and_then(|value| dynamic(value, &item.view));
        text.as_deref().and_then(time).unwrap_or(now)
    };
    let line = |(number, item): (usize, &Item)| (at(item), number, text(&item.payload));
    let mut lines: Vec<(Timestamp, usize, String)> = items.iter().enumerate().map(line).collect();
    lines.sort_by_key(|(at, ..)| *at);
    let mut missed = Missed::default();
    for part in parts(lines.iter().map(|(.., line)| line.len() + LINE_OVERHEAD), MOST) {
        let lines = lines.get(part).unwrap_or_default();
        let event = |(at, _, line): &(Timestamp, usize, String)| json!({ "timestamp": at.as_millis(), "message": line });
        let events = lines.iter().map(event).collect();
        if let Err(fault) = put(shot, &shot.pipe.target, &stream, events).await {
            let numbers: Vec<usize> = lines.iter().map(|(_, number, _)| *number).collect();
            missed.all(&numbers, &fault);
        }
    }
    missed.of(items.len())
}

/// Which lines go into one call each.
pub(crate) fn calls(lines: &[String]) -> Vec<std::ops::Range<usize>> {
    parts(lines.iter().map(|line| line.len() + LINE_OVERHEAD), MOST)
}

/// Writes lines to a stream of the group of `arn`.
pub(crate) async fn put(
    shot: &Shot<'_>,
    arn: &base::Arn,
    stream: &str,
    events: Vec<Value>,
) -> Result<(), Fault> {
    let group = arn.resource.strip_prefix("log-group:").unwrap_or(&arn.resource).trim_end_matches(":*");
    let lines = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": events });
    let written = ask(shot.effect, shot.caller, arn, "logs", "PutLogEvents", &lines).await;
    let Err(fault) = written else { return Ok(()) };
    if !fault.code.contains("ResourceNotFound") {
        return Err(fault);
    }
    let made = json!({ "logGroupName": group, "logStreamName": stream });
    ask(shot.effect, shot.caller, arn, "logs", "CreateLogStream", &made).await?;
    ask(shot.effect, shot.caller, arn, "logs", "PutLogEvents", &lines).await.map(drop)
}

/// ISO 8601, or milliseconds since 1970.
fn time(text: &str) -> Option<Timestamp> {
    Timestamp::from_iso(text).or_else(|| text.parse().ok().map(Timestamp::from_millis))
}
