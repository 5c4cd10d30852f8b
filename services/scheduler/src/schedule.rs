//! Schedules: where they stand, and the task that waits for the next occurrence.

use base::{Arn, Timestamp};
use kernel::{Call, NewTask, Result, Scope, Tx};

use crate::api::{
    ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, GetScheduleOutput, RetryPolicy,
    ScheduleState, ScheduleSummary, Target, TargetSummary,
};
use crate::fault;
use crate::keys::{Next, Schedule, ScheduleKey};
use crate::ops::fire::{FIRE, Fire};
use crate::{NAME, PRINCIPAL, group, plan};

/// The schedule's ARN.
pub(crate) fn arn(scope: &Scope, key: &ScheduleKey) -> String {
    let resource = format!("schedule/{}/{}", key.group, key.name);
    Arn::new("scheduler", &scope.region, &scope.account, resource).to_string()
}

/// The key of a schedule whose group may be left out.
pub(crate) fn key(group: Option<String>, name: String) -> ScheduleKey {
    ScheduleKey { group: group.unwrap_or_else(|| group::DEFAULT.to_owned()), name }
}

/// The schedule, guarded.
pub(crate) async fn find(tx: &mut Tx, key: &ScheduleKey) -> Result<Schedule> {
    match tx.get(key).await? {
        Some(schedule) => Ok(schedule),
        None => {
            group::find(tx, &key.group).await?;
            Err(fault::no_such_schedule(&key.name).into())
        }
    }
}

/// Lets the schedule wait for its occurrence at `at`, or for none; what it waited for before is forgotten.
pub(crate) fn wait_for(
    tx: &mut Tx,
    key: &ScheduleKey,
    schedule: &mut Schedule,
    at: Option<Timestamp>,
) -> Result<()> {
    if let Some(before) = schedule.next.take() {
        tx.cancel(&before.task);
    }
    let Some(at) = at else { return Ok(()) };
    let Scope { account, region } = tx.scope().clone();
    let caller = Some(tx.caller().as_service(PRINCIPAL, account, region));
    let fire = Fire { group: key.group.clone(), name: key.name.clone(), generation: schedule.generation, at };
    let call = Call::new(NAME, FIRE, &fire)?;
    let due = at + plan::offset(schedule.settings.window_minutes, schedule.generation, at);
    let task = tx.enqueue_quietly(due, NewTask { caller, ..NewTask::new(call) })?;
    schedule.next = Some(Next { at, task });
    Ok(())
}

impl Schedule {
    pub(crate) fn state(&self) -> ScheduleState {
        if self.settings.enabled { ScheduleState::Enabled } else { ScheduleState::Disabled }
    }

    pub(crate) fn summary(self, scope: &Scope, key: ScheduleKey) -> ScheduleSummary {
        ScheduleSummary {
            arn: Some(arn(scope, &key)),
            state: Some(self.state()),
            creation_date: Some(self.created_at),
            last_modification_date: Some(self.modified_at),
            target: Some(TargetSummary { arn: self.settings.target.arn }),
            name: Some(key.name),
            group_name: Some(key.group),
        }
    }

    /// As `GetSchedule` shows it, with the defaults that AWS fills in.
    pub(crate) fn show(self, scope: &Scope, key: ScheduleKey) -> GetScheduleOutput {
        let state = self.state();
        let settings = self.settings;
        let mode = if settings.window_minutes.is_some() {
            FlexibleTimeWindowMode::Flexible
        } else {
            FlexibleTimeWindowMode::Off
        };
        let action = if settings.delete_after_completion {
            ActionAfterCompletion::Delete
        } else {
            ActionAfterCompletion::None
        };
        GetScheduleOutput {
            arn: Some(arn(scope, &key)),
            group_name: Some(key.group),
            name: Some(key.name),
            schedule_expression: Some(settings.timing.expression),
            schedule_expression_timezone: Some(settings.timing.zone.unwrap_or_else(|| "UTC".to_owned())),
            start_date: settings.timing.start,
            end_date: settings.timing.end,
            description: settings.description,
            state: Some(state),
            creation_date: Some(self.created_at),
            last_modification_date: Some(self.modified_at),
            kms_key_arn: None,
            target: Some(with_retry_policy(settings.target)),
            flexible_time_window: Some(FlexibleTimeWindow {
                mode,
                maximum_window_in_minutes: settings.window_minutes,
            }),
            action_after_completion: Some(action),
        }
    }
}

fn with_retry_policy(target: Target) -> Target {
    let policy = target.retry_policy.as_ref();
    let retry_policy = Some(RetryPolicy {
        maximum_event_age_in_seconds: Some(
            policy.and_then(|policy| policy.maximum_event_age_in_seconds).unwrap_or(86_400),
        ),
        maximum_retry_attempts: Some(policy.and_then(|policy| policy.maximum_retry_attempts).unwrap_or(185)),
    });
    Target { retry_policy, ..target }
}
