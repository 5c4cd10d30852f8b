//! Work that must happen after a commit: a row, run by the one runner until it is delivered or dead-lettered.

use std::time::Duration;

use base::{Arn, Fault, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::caller::{Caller, TraceCx};

/// A call that outlives its caller. Written by [`crate::Tx::enqueue`], it exists only if that transaction commits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Names the task in every attempt: the idempotency key of what is done outside the store.
    #[serde(rename = "i")]
    pub id: Uuid,
    /// The operation to run and its input.
    #[serde(rename = "c")]
    pub call: Call,
    /// In whose name.
    #[serde(rename = "w")]
    pub caller: Caller,
    /// What happens when it fails.
    #[serde(rename = "r")]
    pub retry: RetryPolicy,
    /// Where it goes when it has failed for good.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<DeadLetter>,
    /// Who wants the answer.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// Tasks of one lane share a bound on how many run at once, so that one slow target delays no other.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// Tasks of one order run one after the other, as they were enqueued, retries included.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// For the trace: the rule or subscription that caused it.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether the trace leaves it out: work of the house that is nobody's consequence.
    #[serde(rename = "q", default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    /// Whether it is kept among the undelivered when it is given up, though somebody hears of it: who gets the answer only
    /// listens. Otherwise a failure is the asker's to deal with.
    #[serde(rename = "k", default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
    /// When it was first due.
    #[serde(rename = "f")]
    pub first_due: Timestamp,
    /// Attempts that have ended.
    #[serde(rename = "t", default)]
    pub attempts: u32,
    /// The last attempt's fault.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub last_fault: Option<Fault>,
}
store::stored!(Task, format = 1);

/// An operation with its input, as the router takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The signing name of the service.
    #[serde(rename = "s")]
    pub service: String,
    /// The operation, AWS's or internal to the service.
    #[serde(rename = "o")]
    pub operation: String,
    /// The input document as JSON text.
    #[serde(rename = "i")]
    pub input: Bytes,
}

impl Call {
    /// A call with `input` as its document.
    pub fn new(service: &str, operation: &str, input: &impl Serialize) -> Result<Call, serde_json::Error> {
        let mut text = Vec::with_capacity(1024);
        serde_json::to_writer(&mut text, input)?;
        Ok(Call { service: service.to_owned(), operation: operation.to_owned(), input: text.into() })
    }
}

/// What to enqueue; the transaction adds id, caller and due time.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// The operation to run and its input.
    pub call: Call,
    /// What happens when it fails.
    pub retry: RetryPolicy,
    /// Where it goes when it has failed for good.
    pub dead_letter: Option<DeadLetter>,
    /// Who wants the answer.
    pub reply: Option<Reply>,
    /// See [`Task::lane`].
    pub lane: Option<String>,
    /// See [`Task::order`].
    pub order: Option<String>,
    /// See [`Task::note`].
    pub note: Option<String>,
    /// In whose name, if not the transaction's caller.
    pub caller: Option<Caller>,
    /// The chain of causes, if not the transaction's.
    pub trace: Option<TraceCx>,
    /// See [`Task::quiet`].
    pub quiet: bool,
    /// See [`Task::kept`].
    pub kept: bool,
    /// Whether it may be run in the very commit that enqueues it, if it is due, calls an operation of the store, and
    /// succeeds; otherwise it is run after it, as any other. Only for what touches no row that others want at the same
    /// time. If it has an order, nothing of that order may be waiting.
    pub at_once: bool,
}

impl NewTask {
    /// A task inside the house: retried until it succeeds, answered to nobody.
    pub fn new(call: Call) -> NewTask {
        NewTask {
            call,
            retry: RetryPolicy::internal(),
            dead_letter: None,
            reply: None,
            lane: None,
            order: None,
            note: None,
            caller: None,
            trace: None,
            quiet: false,
            kept: false,
            at_once: false,
        }
    }
}

/// When a failed task is tried again, and when no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Retries after the first attempt.
    #[serde(rename = "n")]
    pub retries_max: u32,
    /// No attempt starts later than this after the task was first due.
    #[serde(rename = "a")]
    pub age_ms_max: u64,
    /// The wait before the first retry; it doubles from then on.
    #[serde(rename = "b")]
    pub backoff_ms: u64,
    /// The longest wait.
    #[serde(rename = "c")]
    pub backoff_ms_max: u64,
    /// Which faults are worth another attempt.
    #[serde(rename = "w")]
    pub when: RetryWhen,
}

/// Which faults are worth another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetryWhen {
    /// Every fault but the one that cuts a loop.
    Always,
    /// All but those that another attempt cannot cure: the target is gone, or access to it is denied.
    NotPermanent,
    /// Only faults of the service and throttling.
    ServiceFault,
    /// None.
    Never,
}

impl RetryPolicy {
    /// For tasks inside the house, which fail only if we have a bug or no room: for ever, at most a minute apart.
    pub fn internal() -> RetryPolicy {
        RetryPolicy {
            retries_max: u32::MAX,
            age_ms_max: u64::MAX,
            backoff_ms: 100,
            backoff_ms_max: 60_000,
            when: RetryWhen::Always,
        }
    }

    /// One attempt.
    pub fn once() -> RetryPolicy {
        RetryPolicy { retries_max: 0, when: RetryWhen::Never, ..RetryPolicy::internal() }
    }

    /// EventBridge's default: 185 retries within 24 hours, exponential with jitter, permanent errors at once to the
    /// dead-letter queue. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html>
    pub fn event_bridge() -> RetryPolicy {
        RetryPolicy {
            retries_max: 185,
            age_ms_max: 86_400_000,
            backoff_ms: 1_000,
            backoff_ms_max: 600_000,
            when: RetryWhen::NotPermanent,
        }
    }

    /// What follows attempt number `attempts` (1 is the first) that ended at `now` with `fault`.
    ///
    /// `chance` is 64 random bits for the jitter: between half and all of the exponential wait.
    pub fn after(&self, task: &Task, fault: &Fault, now: Timestamp, chance: u64) -> Verdict {
        if !self.worth_retrying(fault) {
            return Verdict::GiveUp(Exhausted::NotRetryable);
        }
        if task.attempts > self.retries_max {
            return Verdict::GiveUp(Exhausted::MaximumRetryAttempts);
        }
        let doublings = task.attempts.saturating_sub(1).min(32);
        let wait = self.backoff_ms.saturating_mul(1 << doublings).min(self.backoff_ms_max);
        let jittered = wait / 2 + if wait > 1 { chance % (wait - wait / 2) } else { 0 };
        let at = now + Duration::from_millis(jittered.max(retry_after_ms(fault)));
        let age_ms = at.since(task.first_due).as_millis();
        if age_ms > u128::from(self.age_ms_max) {
            return Verdict::GiveUp(Exhausted::MaximumEventAge);
        }
        Verdict::RetryAt(at)
    }

    fn worth_retrying(&self, fault: &Fault) -> bool {
        match self.when {
            // A chain that is cut as a loop is cut at every attempt.
            RetryWhen::Always => !fault.code.contains("RecursiveInvocation"),
            RetryWhen::NotPermanent => !is_permanent(fault),
            RetryWhen::ServiceFault => fault.status >= 500 || is_throttling(fault),
            RetryWhen::Never => false,
        }
    }
}

/// Whether another attempt cannot succeed: the target is gone, refuses access, or does not accept the input at all.
pub fn is_permanent(fault: &Fault) -> bool {
    let gone = [
        "NotFound",
        "NonExistentQueue",
        "QueueDoesNotExist",
        "DoesNotExist",
        "AccessDenied",
        "NotImplemented",
        "RecursiveInvocation",
        "NotAuthorizedForSource",
        "InvalidParameterValue",
        "SDK_CLIENT_ERROR",
    ];
    gone.iter().any(|part| fault.code.contains(part))
}

/// Whether the service asks to come again later.
pub fn is_throttling(fault: &Fault) -> bool {
    fault.status == 429
        || ["Throttl", "TooManyRequests", "ProvisionedThroughputExceeded", "RequestLimitExceeded"]
            .iter()
            .any(|part| fault.code.contains(part))
}

/// The member of a fault by which a target says when to come again, in milliseconds from now.
pub const RETRY_AFTER_MS: &str = "RetryAfterMs";

fn retry_after_ms(fault: &Fault) -> u64 {
    fault.members.as_ref().and_then(|members| members.get(RETRY_AFTER_MS)?.as_u64()).unwrap_or(0)
}

/// A fault in the words of EventBridge's dead letters. Codes that are such words already stay.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/rule-dlq.html>
pub fn event_bridge_error_code(fault: &Fault) -> &str {
    let code: &str = &fault.code;
    let says = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
    if code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
        code
    } else if is_throttling(fault) {
        "THROTTLING"
    } else if says(&["AccessDenied", "NotAuthorized", "Forbidden"]) {
        "NO_PERMISSIONS"
    } else if says(&["NotFound", "DoesNotExist", "NonExistent"]) {
        "NO_RESOURCE"
    } else if says(&["LimitExceeded"]) {
        "RESOURCE_LIMIT_EXCEEDED"
    } else if says(&["AlreadyExists"]) {
        "RESOURCE_ALREADY_EXISTS"
    } else if says(&["Timeout", "TimedOut"]) {
        "TIMEOUT"
    } else if fault.status >= 500 {
        "ERROR_FROM_TARGET"
    } else if says(&["Validation", "Invalid"]) {
        "INVALID_PARAMETER"
    } else {
        "SDK_CLIENT_ERROR"
    }
}

/// A fault in the words of the failure records of EventBridge's custom buses: a class that collapses every fault of the
/// customer's into one. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus-retry.html>
pub fn record_error_code(fault: &Fault) -> &'static str {
    let code: &str = &fault.code;
    if is_throttling(fault) {
        "THROTTLING"
    } else if ["AccessDenied", "NotAuthorized", "Forbidden"].iter().any(|part| code.contains(part)) {
        "ACCESS_DENIED"
    } else if fault.status >= 500 {
        "TARGET_FAULT"
    } else {
        "CUSTOMER_VALIDATION"
    }
}

/// What a retry policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Again, then.
    RetryAt(Timestamp),
    /// No more.
    GiveUp(Exhausted),
}

/// Why a task is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exhausted {
    /// As often as the policy allows.
    MaximumRetryAttempts,
    /// Another attempt would be too late.
    MaximumEventAge,
    /// The fault is one that another attempt cannot cure.
    NotRetryable,
}

impl Exhausted {
    /// The value of `EXHAUSTED_RETRY_CONDITION`; `None` where nothing was exhausted.
    pub fn condition(self) -> Option<&'static str> {
        match self {
            Exhausted::MaximumRetryAttempts => Some("MaximumRetryAttempts"),
            Exhausted::MaximumEventAge => Some("MaximumEventAgeInSeconds"),
            Exhausted::NotRetryable => None,
        }
    }
}

/// Where a task goes that has failed for good.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeadLetter {
    /// A queue or topic from the ARN table.
    pub arn: Arn,
    /// The body of the dead letter; the task's own payload if it is `None`.
    pub body: Option<String>,
    /// Message attributes that are known beforehand, e.g. `RULE_ARN`. The runner adds what the last attempt tells.
    pub attributes: Vec<(String, String)>,
    /// Which attributes the runner adds.
    pub style: DeadLetterStyle,
}

/// The attributes that a service's dead letters carry about the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeadLetterStyle {
    /// `ERROR_CODE`, `ERROR_MESSAGE`, `RETRY_ATTEMPTS`, `EXHAUSTED_RETRY_CONDITION`.
    EventBridge,
    /// The same, where `ERROR_CODE` is the code that the target answered.
    Scheduler,
    /// `RequestID`, `ErrorCode`, `ErrorMessage`.
    Lambda,
    /// None: the body is a JSON object, to which the runner adds `errorCode`, `errorMessage`,
    /// `exhaustedRetryCondition` and `retryAttempts`.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus-retry.html>
    Record,
    /// None.
    Bare,
}

/// Who wants a task's outcome. The operation receives `{"context": …, "outcome": …}` ([`ReplyInput`]).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply {
    /// The asker.
    pub service: String,
    /// Its internal operation.
    pub operation: String,
    /// What the asker needs to know it again, as JSON text.
    pub context: String,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// With an output document, as JSON text.
    Succeeded(String),
    /// For good.
    Failed(Fault),
}

/// The input of an operation that receives replies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplyInput<C> {
    /// What the asker put into [`Reply::context`].
    pub context: C,
    /// How the task ended.
    pub outcome: Outcome,
}

#[cfg(test)]
mod tests {
    use base::{AccountId, Region};

    use super::*;

    fn task(attempts: u32) -> Task {
        Task {
            id: Uuid::nil(),
            call: Call { service: "sqs".into(), operation: "SendMessage".into(), input: Bytes::new() },
            caller: Caller::root_user(AccountId::default(), Region::default(), Uuid::nil()),
            retry: RetryPolicy::event_bridge(),
            dead_letter: None,
            reply: None,
            lane: None,
            order: None,
            note: None,
            quiet: false,
            kept: false,
            first_due: Timestamp::from_millis(0),
            attempts,
            last_fault: None,
        }
    }

    #[test]
    fn waits_double_between_half_and_all_up_to_the_cap() {
        let policy = RetryPolicy::event_bridge();
        let fault = Fault::new("ServiceException", "down").with_status(500);
        for (attempts, longest) in [(1, 1_000), (2, 2_000), (5, 16_000), (30, 600_000)] {
            for chance in [0, 499, u64::MAX] {
                let Verdict::RetryAt(at) =
                    policy.after(&task(attempts), &fault, Timestamp::from_millis(0), chance)
                else {
                    panic!("given up after {attempts}");
                };
                assert!((longest / 2..=longest).contains(&at.as_millis()), "{attempts}: {at:?}");
            }
        }
    }

    #[test]
    fn a_target_may_ask_for_a_longer_wait() {
        let members = serde_json::json!({ RETRY_AFTER_MS: 30_000 });
        let busy = Fault::new("ThrottlingException", "busy").with_members(members);
        let now = Timestamp::from_millis(5);
        let verdict = RetryPolicy::event_bridge().after(&task(1), &busy, now, 0);
        assert_eq!(verdict, Verdict::RetryAt(Timestamp::from_millis(30_005)));
    }

    #[test]
    fn dead_letters_speak_as_event_bridge_does() {
        for (code, status, expected) in [
            ("QueueDoesNotExist", 400, "NO_RESOURCE"),
            ("AccessDeniedException", 403, "NO_PERMISSIONS"),
            ("TooManyRequestsException", 429, "THROTTLING"),
            ("ServiceException", 500, "ERROR_FROM_TARGET"),
            ("ValidationException", 400, "INVALID_PARAMETER"),
            ("CONNECTION_FAILURE", 500, "CONNECTION_FAILURE"),
        ] {
            let fault = Fault::new(code, "").with_status(status);
            assert_eq!(event_bridge_error_code(&fault), expected, "{code}");
        }
    }

    #[test]
    fn what_ends_the_retries() {
        let policy = RetryPolicy::event_bridge();
        let down = Fault::new("ServiceException", "down").with_status(500);
        let gone = Fault::new("QueueDoesNotExist", "gone");
        let day = Timestamp::from_millis(86_400_000);
        let start = Timestamp::from_millis(0);
        assert_eq!(
            policy.after(&task(186), &down, start, 0),
            Verdict::GiveUp(Exhausted::MaximumRetryAttempts)
        );
        assert_eq!(policy.after(&task(3), &down, day, 0), Verdict::GiveUp(Exhausted::MaximumEventAge));
        assert_eq!(policy.after(&task(1), &gone, start, 0), Verdict::GiveUp(Exhausted::NotRetryable));
    }
}
