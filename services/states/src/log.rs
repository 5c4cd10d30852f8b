//! Execution logs: history events as CloudWatch Logs keeps them.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html>
//!
//! What is logged is decided here; it is written by a task that follows the commit, at least once.

use asl::{HistoryEvent, HistoryEventType};
use base::{Arn, Fault};
use kernel::{Call, Effect, NewTask, Result, RetryPolicy, RetryWhen, Scope, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{LogLevel, LoggingConfiguration};
use crate::arn::ExecutionId;
use crate::ops::write_logs::{WRITE_LOGS, WriteLogs};

/// The bytes of one record beyond which its data are left out.
const RECORD_BYTES_MAX: usize = 256_000;
/// The bytes and the records of one call of `PutLogEvents`.
const BATCH_BYTES_MAX: usize = 1_000_000;
const BATCH_RECORDS_MAX: usize = 10_000;
/// What CloudWatch Logs counts for each record beside its text.
const RECORD_OVERHEAD: usize = 26;

/// A logging configuration that is not off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    level: LogLevel,
    with_data: bool,
    group: String,
}

/// A record of a log stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    pub message: String,
}

/// Refuses a logging configuration that says no place, or one that is not here.
pub(crate) fn check(scope: &Scope, logging: &LoggingConfiguration) -> Result<(), Fault> {
    let refuse = |why: &str| {
        Fault::new("InvalidLoggingConfiguration", format!("Invalid Logging Configuration: {why}"))
    };
    let destinations = logging.destinations.as_deref().unwrap_or_default();
    if logging.level.is_none_or(|level| level == LogLevel::Off) && destinations.is_empty() {
        return Ok(());
    }
    let [destination] = destinations else { return Err(refuse("Must specify exactly one Log Destination.")) };
    let text =
        destination.cloud_watch_logs_log_group.as_ref().and_then(|group| group.log_group_arn.as_deref());
    let text = text.unwrap_or_default();
    let is_group = |arn: &Arn| arn.service == "logs" && group_of(text).is_some();
    let arn: Option<Arn> = text.parse().ok().filter(is_group);
    let Some(arn) = arn else {
        return Err(refuse(&format!("'{text}' is not the ARN of a log group, which ends with ':*'.")));
    };
    if arn.region != scope.region.as_str() || arn.account != scope.account.as_str() {
        return Err(refuse("log groups of other accounts and regions are not implemented by Buswork"));
    }
    Ok(())
}

/// Refuses a log group that is not there.
pub(crate) async fn check_group(effect: &Effect, logging: &LoggingConfiguration) -> Result<(), Fault> {
    let Some(log) = Log::new(logging) else { return Ok(()) };
    if !effect.kernel().serves("logs", "DescribeLogGroups") {
        return Ok(());
    }
    let input = json!({ "logGroupNamePrefix": log.group }).to_string();
    let answer = effect.call("logs", "DescribeLogGroups", input.into()).await?;
    let found: Value = serde_json::from_slice(&answer).unwrap_or_default();
    // The prefix's own name comes first among those that begin with it.
    if found["logGroups"][0]["logGroupName"] == json!(log.group) {
        return Ok(());
    }
    let message = "Invalid Logging Configuration: Log Destination not found.";
    Err(Fault::new("InvalidLoggingConfiguration", message))
}

/// The name in `arn:aws:logs:region:account:log-group:name:*`.
fn group_of(arn: &str) -> Option<&str> {
    arn.split_once(":log-group:")?.1.strip_suffix(":*").filter(|name| !name.is_empty())
}

impl Log {
    /// `None` if nothing is logged.
    pub(crate) fn new(logging: &LoggingConfiguration) -> Option<Log> {
        let level = logging.level.filter(|level| *level != LogLevel::Off)?;
        let destination = logging.destinations.as_ref()?.first()?;
        let group = destination.cloud_watch_logs_log_group.as_ref()?.log_group_arn.as_deref()?;
        let with_data = logging.include_execution_data == Some(true);
        Some(Log { level, with_data, group: group_of(group)?.to_owned() })
    }

    /// Has the events written that the level asks for.
    pub(crate) fn write(
        &self,
        tx: &mut Tx,
        id: &ExecutionId,
        redrives: u32,
        events: &[HistoryEvent],
    ) -> Result<()> {
        let arn = id.arn(tx.scope());
        let wanted = events.iter().filter(|event| is_logged(self.level, event.event_type));
        let records: Vec<Record> = wanted.map(|event| self.record(&arn, redrives, event)).collect();
        for batch in batches(records) {
            let write = WriteLogs { group: self.group.clone(), stream: stream(tx, id), records: batch };
            let retry =
                RetryPolicy { retries_max: 8, when: RetryWhen::NotPermanent, ..RetryPolicy::internal() };
            let call = Call::new("states", WRITE_LOGS, &write)?;
            // One after the other, so that a stream shows an execution's events in their order.
            let task = NewTask { retry, order: Some(format!("log {arn}")), ..NewTask::new(call) };
            tx.enqueue_quietly(tx.now(), task)?;
        }
        Ok(())
    }

    fn record(&self, execution_arn: &str, redrives: u32, event: &HistoryEvent) -> Record {
        let message = |details: Option<Value>| {
            let mut record = json!({
                "id": event.id.to_string(),
                "type": event.event_type.as_str(),
                "details": details.unwrap_or_else(|| json!({})),
                "redrive_count": redrives.to_string(),
                "previous_event_id": event.previous_event_id.to_string(),
                "event_timestamp": event.timestamp_ms.to_string(),
                "execution_arn": execution_arn,
            });
            if event.details.is_none()
                && let Some(members) = record.as_object_mut()
            {
                members.shift_remove("details");
            }
            record.to_string()
        };
        let whole = message(details(event, self.with_data));
        let message = if whole.len() <= RECORD_BYTES_MAX {
            whole
        } else {
            let cut = details(event, false).map(|mut details| {
                details["truncated"] = json!(true);
                details
            });
            message(cut)
        };
        Record { timestamp: event.timestamp_ms, message }
    }
}

/// The details of an event under whatever member they have.
fn details(event: &HistoryEvent, with_data: bool) -> Option<Value> {
    let Value::Object(members) = event.to_aws(with_data) else { return None };
    members.into_iter().find(|(name, _)| name.ends_with("Details")).map(|(_, details)| details)
}

/// <https://docs.aws.amazon.com/step-functions/latest/dg/cloudwatch-log-level.html>
fn is_logged(level: LogLevel, event: HistoryEventType) -> bool {
    let name = event.as_str();
    let went_wrong = ["Failed", "TimedOut", "Aborted"].iter().any(|end| name.ends_with(end));
    match level {
        LogLevel::All => true,
        LogLevel::Error => went_wrong || event == HistoryEventType::FailStateEntered,
        LogLevel::Fatal => went_wrong && name.starts_with("Execution"),
        LogLevel::Off => false,
    }
}

/// `states/machine/2026-01-01-00-00/8hex`: a stream for each minute, told apart by the execution.
fn stream(tx: &Tx, id: &ExecutionId) -> String {
    let minute: String = tx.now().to_iso_millis().chars().take(16).collect();
    let hash = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = id.as_str().bytes().fold(0x811c_9dc5, hash);
    format!("states/{}/{}/{hash:08x}", id.machine(), minute.replace(['T', ':'], "-"))
}

fn batches(records: Vec<Record>) -> Vec<Vec<Record>> {
    let mut all: Vec<Vec<Record>> = Vec::new();
    let mut bytes = BATCH_BYTES_MAX;
    for record in records {
        let more = record.message.len() + RECORD_OVERHEAD;
        let full = |batch: &Vec<Record>| batch.len() == BATCH_RECORDS_MAX || bytes + more > BATCH_BYTES_MAX;
        match all.last_mut() {
            Some(batch) if !full(batch) => {
                bytes += more;
                batch.push(record);
            }
            _ => {
                bytes = more;
                all.push(vec![record]);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        let logged = |level: LogLevel| {
            let all = HistoryEventType::ALL.iter().filter(|event| is_logged(level, **event));
            all.map(|event| event.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(logged(LogLevel::All).len(), HistoryEventType::ALL.len());
        assert_eq!(logged(LogLevel::Fatal), ["ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"]);
        let errors = logged(LogLevel::Error);
        for name in ["FailStateEntered", "TaskTimedOut", "MapIterationFailed", "LambdaFunctionStartFailed"] {
            assert!(errors.contains(&name), "{name}");
        }
        for name in ["TaskStateEntered", "TaskScheduled", "MapIterationStarted", "ExecutionSucceeded"] {
            assert!(!errors.contains(&name), "{name}");
        }
        assert!(logged(LogLevel::Off).is_empty());
    }

    #[test]
    fn batches_are_bounded() {
        let record = |bytes: usize| Record { timestamp: 0, message: "x".repeat(bytes) };
        let sizes = |records: Vec<Record>| batches(records).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![]), Vec::<usize>::new());
        assert_eq!(sizes(vec![record(1), record(1)]), [2]);
        assert_eq!(sizes(vec![record(600_000), record(600_000), record(1)]), [1, 2]);
        assert_eq!(sizes(vec![record(1); 10_001]), [10_000, 1]);
    }
}
