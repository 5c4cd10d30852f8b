//! What becomes of an asynchronous event after an attempt. Pure: rows and an outcome in, a decision out.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>

use std::time::Duration;

use base::{Document, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::keys::{Event, EventConfig};

/// Retries of an event whose function answered with an error, unless configured otherwise.
const RETRIES: u32 = 2;

/// How long an event is kept, unless configured otherwise.
const AGE_MAX: Duration = Duration::from_secs(6 * 3600);

/// The waits before the first and the second retry after an error of the function.
const RETRY_WAITS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

/// The longest wait while there is no room or we fail ourselves.
const REFUSED_WAIT_MAX: Duration = Duration::from_secs(300);

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Attempt {
    /// The function answered.
    Answered(Answer),
    /// The event was too old to be tried.
    TooOld,
    /// There was no room, or we failed: not the function's fault.
    Refused {
        /// An error code of the API.
        code: String,
        /// Its text.
        message: String,
    },
    /// The function cannot be run at all, e.g. because it is gone.
    Impossible {
        /// An error code of the API.
        code: String,
        /// Its text.
        message: String,
    },
}

/// A function's answer to an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// As text; JSON nearly always.
    pub payload: String,
    /// `Unhandled`, if it is an error.
    pub function_error: Option<String>,
    pub executed_version: String,
    /// The ARN of the version that ran.
    pub arn: String,
    /// What the trace tells.
    pub detail: Document,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    /// The event has ended well.
    Succeeded,
    /// Once more, then.
    RetryAt(Timestamp),
    /// The event has ended badly.
    Failed(Condition),
}

/// Why an event has ended, as destination records name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
}

impl Condition {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Condition::Success => "Success",
            Condition::RetriesExhausted => "RetriesExhausted",
            Condition::EventAgeExceeded => "EventAgeExceeded",
        }
    }
}

/// How long an event may wait.
pub(crate) fn age_max(config: Option<&EventConfig>) -> Duration {
    config.and_then(|config| config.age_s_max).map_or(AGE_MAX, |s| Duration::from_secs(u64::from(s)))
}

/// What follows `attempt`; `event` counts it already.
pub(crate) fn decide(
    event: &Event,
    config: Option<&EventConfig>,
    attempt: &Attempt,
    now: Timestamp,
) -> Decision {
    let wait = match attempt {
        Attempt::Answered(Answer { function_error: None, .. }) => return Decision::Succeeded,
        Attempt::TooOld => return Decision::Failed(Condition::EventAgeExceeded),
        Attempt::Impossible { .. } => return Decision::Failed(Condition::RetriesExhausted),
        Attempt::Answered(_) => {
            let retries = config.and_then(|config| config.retries_max).unwrap_or(RETRIES);
            if event.failures > retries {
                return Decision::Failed(Condition::RetriesExhausted);
            }
            RETRY_WAITS[(event.failures as usize).saturating_sub(1).min(RETRY_WAITS.len() - 1)]
        }
        Attempt::Refused { .. } => {
            let doublings = event.refusals.saturating_sub(1).min(16);
            Duration::from_secs(1 << doublings).min(REFUSED_WAIT_MAX)
        }
    };
    let at = now + wait;
    if at.since(event.accepted) > age_max(config) {
        return Decision::Failed(Condition::EventAgeExceeded);
    }
    Decision::RetryAt(at)
}

/// The invocation record that a destination gets.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
pub(crate) fn record(
    event: &Event,
    request_id: &str,
    arn: &str,
    condition: Condition,
    attempt: &Attempt,
    now: Timestamp,
) -> Document {
    let mut record = json!({
        "version": "1.0",
        "timestamp": now.to_iso_millis(),
        "requestContext": {
            "requestId": request_id,
            "functionArn": arn,
            "condition": condition.as_str(),
            "approximateInvokeCount": event.failures + u32::from(condition == Condition::Success),
        },
        "requestPayload": as_json(&event.payload),
    });
    if let Attempt::Answered(answer) = attempt {
        record["responseContext"] = json!({ "statusCode": 200, "executedVersion": answer.executed_version });
        if let Some(error) = &answer.function_error {
            record["responseContext"]["functionError"] = error.clone().into();
        }
        record["responsePayload"] = as_json(answer.payload.as_bytes());
    }
    record
}

/// The attributes of a message in a dead-letter queue: what the last attempt said.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq>
pub(crate) fn dead_letter_attributes(request_id: &str, attempt: &Attempt) -> Vec<(String, String)> {
    let (code, message) = match attempt {
        Attempt::Answered(answer) => ("200".to_owned(), error_message(&answer.payload)),
        Attempt::TooOld => ("200".to_owned(), "the event was too old".to_owned()),
        Attempt::Refused { message, .. } => ("429".to_owned(), message.clone()),
        Attempt::Impossible { message, .. } => ("400".to_owned(), message.clone()),
    };
    let message = message.chars().take(1024).collect();
    vec![
        ("RequestID".to_owned(), request_id.to_owned()),
        ("ErrorCode".to_owned(), code),
        ("ErrorMessage".to_owned(), message),
    ]
}

fn error_message(payload: &str) -> String {
    let document: Document = serde_json::from_str(payload).unwrap_or_default();
    document["errorMessage"].as_str().unwrap_or(payload).to_owned()
}

fn as_json(bytes: &[u8]) -> Document {
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn event(failures: u32, refusals: u32) -> Event {
        Event {
            name: "f".into(),
            qualifier: None,
            payload: Bytes::from_static(b"{\"a\":1}"),
            client_context: None,
            order: None,
            accepted: Timestamp::from_millis(0),
            failures,
            refusals,
        }
    }

    fn answered(error: Option<&str>) -> Attempt {
        Attempt::Answered(Answer {
            payload: r#"{"errorMessage":"no"}"#.into(),
            function_error: error.map(str::to_owned),
            executed_version: "$LATEST".into(),
            arn: "arn".into(),
            detail: Document::Null,
        })
    }

    fn config(retries_max: Option<u32>, age_s_max: Option<u32>) -> EventConfig {
        EventConfig {
            retries_max,
            age_s_max,
            destinations: crate::api::DestinationConfig::default(),
            last_modified: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn an_error_is_retried_after_one_and_two_minutes() {
        let at = |secs: i64| Decision::RetryAt(Timestamp::from_millis(secs * 1000));
        let now = Timestamp::from_millis(0);
        let error = answered(Some("Unhandled"));
        assert_eq!(decide(&event(1, 0), None, &error, now), at(60));
        assert_eq!(decide(&event(2, 0), None, &error, now), at(120));
        assert_eq!(decide(&event(3, 0), None, &error, now), Decision::Failed(Condition::RetriesExhausted));
        assert_eq!(decide(&event(0, 0), None, &answered(None), now), Decision::Succeeded);
        let none = config(Some(0), None);
        assert_eq!(
            decide(&event(1, 0), Some(&none), &error, now),
            Decision::Failed(Condition::RetriesExhausted)
        );
    }

    #[test]
    fn without_room_it_waits_longer_and_longer_until_it_is_too_old() {
        let refused =
            Attempt::Refused { code: "TooManyRequestsException".into(), message: "Rate Exceeded.".into() };
        let now = Timestamp::from_millis(0);
        for (refusals, secs) in [(1, 1), (2, 2), (5, 16), (30, 300)] {
            let expected = Decision::RetryAt(Timestamp::from_millis(secs * 1000));
            assert_eq!(decide(&event(0, refusals), None, &refused, now), expected);
        }
        let short = config(None, Some(60));
        let late = Timestamp::from_millis(59_500);
        let expected = Decision::Failed(Condition::EventAgeExceeded);
        assert_eq!(decide(&event(0, 1), Some(&short), &refused, late), expected);
        assert_eq!(decide(&event(0, 0), None, &Attempt::TooOld, now), expected);
    }

    #[test]
    fn records_read_as_aws_writes_them() {
        let error = answered(Some("Unhandled"));
        let found =
            record(&event(3, 0), "r", "arn", Condition::RetriesExhausted, &error, Timestamp::from_millis(0));
        let expected = json!({
            "version": "1.0",
            "timestamp": "1970-01-01T00:00:00.000Z",
            "requestContext": { "requestId": "r", "functionArn": "arn", "condition": "RetriesExhausted", "approximateInvokeCount": 3 },
            "requestPayload": { "a": 1 },
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "responsePayload": { "errorMessage": "no" },
        });
        assert_eq!(found, expected);
        let attributes = dead_letter_attributes("r", &error);
        assert_eq!(attributes[2], ("ErrorMessage".to_owned(), "no".to_owned()));
    }
}
