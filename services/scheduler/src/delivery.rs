//! The call that an occurrence makes: a task, and what becomes of it.

use base::{Arn, Timestamp};
use kernel::task::Exhausted;
use kernel::{
    Call, DeadLetter, DeadLetterStyle, Delivery, NewTask, Reply, Result, RetryPolicy, RetryWhen, Scope, Tx,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::Target;
use crate::input::{self, Context};
use crate::keys::ScheduleKey;
use crate::ops::attempt_ended::ATTEMPT_ENDED;
use crate::ops::completed::{COMPLETED, Completed};
use crate::{NAME, PRINCIPAL, plan, schedule, target};

/// One occurrence's call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Invocation {
    pub group: String,
    pub name: String,
    pub generation: Uuid,
    pub scheduled_at: Timestamp,
    pub execution_id: String,
    pub target: Target,
    /// When the first attempt was due.
    pub since: Timestamp,
    /// 1 is the first.
    pub attempt: u32,
    /// Whether the schedule is deleted when the call has ended.
    pub is_last: bool,
}

impl Invocation {
    fn key(&self) -> ScheduleKey {
        ScheduleKey { group: self.group.clone(), name: self.name.clone() }
    }

    /// What the target is given in this attempt.
    pub(crate) fn payload(&self, scope: &Scope) -> String {
        let context = Context {
            schedule_arn: &schedule::arn(scope, &self.key()),
            account: scope.account.as_str(),
            region: scope.region.as_str(),
            scheduled_at: self.scheduled_at,
            execution_id: &self.execution_id,
            attempt: self.attempt,
        };
        let input = self.target.input.as_deref();
        // An operation that is given nothing is given no members; everything else gets the standard event.
        let universal = matches!(target::Kind::of(&self.target.arn), Ok(target::Kind::Universal(_)));
        input::render(input.or_else(|| universal.then_some("{}")), &context)
    }

    /// The target's retry policy with AWS's defaults: 185 retries within 24 hours.
    pub(crate) fn retry(&self) -> RetryPolicy {
        let policy = self.target.retry_policy.as_ref();
        let age = plan::age_max(policy).as_millis();
        RetryPolicy {
            retries_max: policy
                .and_then(|policy| policy.maximum_retry_attempts)
                .map_or(185, i32::unsigned_abs),
            age_ms_max: u64::try_from(age).unwrap_or(u64::MAX),
            when: RetryWhen::NotPermanent,
            ..RetryPolicy::event_bridge()
        }
    }

    /// Where the call goes when it has failed for good; the runner adds what the last attempt tells.
    ///
    /// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html>
    pub(crate) fn dead_letter(&self, scope: &Scope, payload: &str) -> Option<DeadLetter> {
        let arn: Arn = self.target.dead_letter_config.as_ref()?.arn.as_ref()?.parse().ok()?;
        let attribute = |name: &str, value: String| (name.to_owned(), value);
        Some(DeadLetter {
            arn,
            body: Some(payload.to_owned()),
            attributes: vec![
                attribute("SCHEDULE_ARN", schedule::arn(scope, &self.key())),
                attribute("TARGET_ARN", self.target.arn.clone()),
                attribute("SCHEDULED_TIME", self.scheduled_at.to_iso_seconds()),
                attribute("EXECUTION_ID", self.execution_id.clone()),
                attribute("IS_PAYLOAD_TRUNCATED", "false".to_owned()),
            ],
            style: DeadLetterStyle::Scheduler,
        })
    }

    /// What is told when the call has ended, if the schedule goes with it.
    pub(crate) fn completed(&self) -> Completed {
        Completed { group: self.group.clone(), name: self.name.clone(), generation: self.generation }
    }
}

/// Enqueues an attempt that is due at `due`. If attempts do not differ, the runner makes them all; if they do, each is a
/// task of its own.
pub(crate) fn enqueue(tx: &mut Tx, invocation: &Invocation, due: Timestamp) -> Result<()> {
    let scope = tx.scope().clone();
    let payload = invocation.payload(&scope);
    let target = &invocation.target;
    let task = attempt(tx, invocation, &payload)?;
    let reply = |operation: &str, context: String| {
        Some(Reply { service: NAME.to_owned(), operation: operation.to_owned(), context })
    };
    let task = if input::depends_on_attempt(target.input.as_deref()) {
        let context = serde_json::to_string(&(&scope.account, &scope.region, invocation))?;
        NewTask { retry: RetryPolicy::once(), reply: reply(ATTEMPT_ENDED, context), ..task }
    } else {
        let context = || serde_json::to_string(&(&scope.account, &scope.region, invocation.completed()));
        NewTask {
            retry: invocation.retry(),
            dead_letter: invocation.dead_letter(&scope, &payload),
            reply: if invocation.is_last { reply(COMPLETED, context()?) } else { None },
            kept: true,
            ..task
        }
    };
    tx.enqueue(due, task)?;
    Ok(())
}

/// The task that calls the target with `payload`, without what becomes of it.
fn attempt(tx: &Tx, invocation: &Invocation, payload: &str) -> Result<NewTask> {
    let target = &invocation.target;
    let call = target::call(tx.targets(), target, payload, &invocation.execution_id)?;
    let Scope { account, region } = tx.scope().clone();
    let (account, region) = target::place(target).unwrap_or((account, region));
    Ok(NewTask {
        lane: Some(target.arn.clone()),
        note: Some(format!("schedule {}/{}", invocation.group, invocation.name)),
        caller: Some(tx.caller().as_service(PRINCIPAL, account, region)),
        ..NewTask::new(call)
    })
}

/// Buries a call whose attempts were tasks of their own; without a dead-letter queue it is kept among the undelivered.
pub(crate) fn bury(
    tx: &mut Tx,
    invocation: &Invocation,
    fault: &base::Fault,
    because: Exhausted,
) -> Result<()> {
    let scope = tx.scope().clone();
    let payload = invocation.payload(&scope);
    let Some(letter) = invocation.dead_letter(&scope, &payload) else {
        let task = NewTask { retry: invocation.retry(), ..attempt(tx, invocation, &payload)? };
        return tx.keep_undelivered(task, invocation.since, invocation.attempt, fault.clone());
    };
    let mut attributes = letter.attributes;
    attributes.push(("ERROR_CODE".to_owned(), fault.code.to_string()));
    attributes.push(("ERROR_MESSAGE".to_owned(), fault.message.clone()));
    attributes.push(("RETRY_ATTEMPTS".to_owned(), (invocation.attempt - 1).to_string()));
    if let Some(condition) = because.condition() {
        attributes.push(("EXHAUSTED_RETRY_CONDITION".to_owned(), condition.to_owned()));
    }
    let delivery = Delivery {
        payload,
        attributes,
        idempotency_key: invocation.execution_id.clone(),
        ..Delivery::default()
    };
    let call = match tx.targets().find(&letter.arn).copied() {
        Some(kind) => (kind.call)(&letter.arn, delivery)?,
        None => Call::new(&letter.arn.service, "Deliver", &serde_json::json!({}))?,
    };
    let account = letter.arn.account_id().unwrap_or(scope.account);
    let region = letter.arn.region_name().unwrap_or(scope.region);
    let task = NewTask {
        retry: RetryPolicy::event_bridge(),
        lane: Some(letter.arn.to_string()),
        note: Some("dead letter".to_owned()),
        caller: Some(tx.caller().as_service(PRINCIPAL, account, region)),
        ..NewTask::new(call)
    };
    tx.enqueue(tx.now(), task)?;
    Ok(())
}
