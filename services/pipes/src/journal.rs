//! What a pipe logs of an execution: records of AWS's form, at its levels.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-logs.html>

use base::{Arn, Fault};
use serde_json::{Value, json};

use crate::api::LogLevel;
use crate::compiled::Compiled;
use crate::targets::{Shot, log_calls, put_lines};

/// The largest record, in bytes; a larger one's payload is shortened.
const RECORD_BYTES_MAX: usize = 262_144;
/// What is left of the payload then. What JSON escapes in it takes at most as much again.
const PAYLOAD_BYTES_MAX: usize = 100_000;

/// The records of one execution, written together when it has ended.
pub(crate) struct Journal {
    group: Option<Arn>,
    level: LogLevel,
    with_data: bool,
    arn: String,
    execution: String,
    records: Vec<Value>,
}

/// The level from which on a record is written.
fn level_of(message_type: &str) -> LogLevel {
    if message_type.contains("Failed") {
        return LogLevel::Error;
    }
    let stage = message_type.contains("Stage") || message_type.starts_with("Execution");
    if stage { LogLevel::Info } else { LogLevel::Trace }
}

impl Journal {
    pub(crate) fn new(pipe: &Compiled, execution: String) -> Journal {
        let log = pipe.settings.log.as_ref();
        let destination = log.and_then(|log| log.cloudwatch_logs_log_destination.as_ref());
        Journal {
            group: destination.and_then(|destination| destination.log_group_arn.parse().ok()),
            level: log.map_or(LogLevel::Off, |log| log.level),
            with_data: log
                .is_some_and(|log| log.include_execution_data.as_ref().is_some_and(|all| !all.is_empty())),
            arn: pipe.arn.clone(),
            execution,
            records: Vec::new(),
        }
    }

    /// Notes that something happened; `payload` is written where execution data shall be.
    pub(crate) fn note(
        &mut self,
        at: base::Timestamp,
        message_type: &str,
        payload: Option<&dyn Fn() -> Value>,
    ) {
        self.add(at, message_type, payload, None);
    }

    /// Notes a failure.
    pub(crate) fn failed(&mut self, at: base::Timestamp, message_type: &str, fault: &Fault) {
        self.add(at, message_type, None, Some(fault));
    }

    fn add(
        &mut self,
        at: base::Timestamp,
        message_type: &str,
        payload: Option<&dyn Fn() -> Value>,
        fault: Option<&Fault>,
    ) {
        let level = level_of(message_type);
        if self.group.is_none() || self.level == LogLevel::Off || level > self.level {
            return;
        }
        let mut record = json!({
            "resourceArn": self.arn,
            "timestamp": at.as_millis(),
            "executionId": self.execution,
            "messageType": message_type,
            "logLevel": level.as_str(),
        });
        if let Some(payload) = payload.filter(|_| self.with_data) {
            record["payload"] = payload().to_string().into();
        }
        if let Some(fault) = fault {
            record["error"] =
                json!({ "httpStatusCode": fault.status, "message": fault.message, "details": fault.code });
        }
        fit(&mut record);
        self.records.push(record);
    }

    /// Writes the records to a stream that has the pipe's name. What cannot be logged stops no pipe.
    pub(crate) async fn write(self, shot: &Shot<'_>) {
        let Some(group) = self.group.filter(|_| !self.records.is_empty()) else { return };
        let lines: Vec<String> = self.records.iter().map(Value::to_string).collect();
        for part in log_calls(&lines) {
            let line = |n: usize| json!({ "timestamp": self.records[n]["timestamp"], "message": lines[n] });
            if let Err(fault) = put_lines(shot, &group, &shot.pipe.name, part.map(line).collect()).await {
                tracing::warn!(pipe = self.arn, %fault, "failed to write a pipe's log");
                return;
            }
        }
    }
}

/// Shortens the payload of a record that is larger than a record may be, and says so in it.
fn fit(record: &mut Value) {
    let long = |record: &Value| record["payload"].as_str().is_some_and(|text| text.len() > PAYLOAD_BYTES_MAX);
    if long(record) && record.to_string().len() > RECORD_BYTES_MAX {
        let text = record["payload"].as_str().unwrap_or_default();
        let end = (0..=PAYLOAD_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        record["payload"] = text[..end].into();
        record["truncatedFields"] = json!(["payload"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_payloads_are_shortened() {
        let mut record = json!({ "payload": "é".repeat(200_000) });
        fit(&mut record);
        assert_eq!(record["payload"].as_str().unwrap().len(), PAYLOAD_BYTES_MAX);
        assert_eq!(record["truncatedFields"], json!(["payload"]));
        let mut small = json!({ "payload": "x".repeat(200_000) });
        fit(&mut small);
        assert!(small.get("truncatedFields").is_none());
    }

    #[test]
    fn levels_are_ordered() {
        assert!(
            LogLevel::Off < LogLevel::Error
                && LogLevel::Error < LogLevel::Info
                && LogLevel::Info < LogLevel::Trace
        );
        for (message_type, level) in [
            ("ExecutionStarted", LogLevel::Info),
            ("ExecutionPartiallyFailed", LogLevel::Error),
            ("TargetStageEntered", LogLevel::Info),
            ("TargetInvocationStarted", LogLevel::Trace),
            ("EnrichmentInvocationFailed", LogLevel::Error),
        ] {
            assert_eq!(level_of(message_type), level, "{message_type}");
        }
    }
}
