//! What may be set: settings from a request, or why not.

use std::time::Duration;

use base::{Fault, Schedule, Timestamp, Zone};
use kernel::Kernel;

use crate::api::{
    ActionAfterCompletion, CreateScheduleInput, FlexibleTimeWindow, FlexibleTimeWindowMode, ScheduleState,
};
use crate::keys::{Settings, Timing};
use crate::{fault, target};

/// How far back a start date may lie.
const START_AGE_MAX: Duration = Duration::from_secs(300);

/// The settings that a request asks for; times are held against the clock when they are written.
pub(crate) fn settings(kernel: &Kernel, input: CreateScheduleInput) -> Result<Settings, Fault> {
    if input.kms_key_arn.is_some() {
        return Err(fault::not_honoured("KmsKeyArn"));
    }
    if Schedule::parse(&input.schedule_expression).is_err() {
        return Err(fault::invalid_expression(&input.schedule_expression));
    }
    if let Some(zone) = input.schedule_expression_timezone.as_ref().filter(|zone| Zone::parse(zone).is_none())
    {
        return Err(fault::invalid(format!("Invalid Schedule Expression Timezone {zone}.")));
    }
    target::check(kernel, &input.target)?;
    Ok(Settings {
        timing: Timing {
            expression: input.schedule_expression,
            zone: input.schedule_expression_timezone,
            start: input.start_date,
            end: input.end_date,
        },
        enabled: input.state.unwrap_or_default() == ScheduleState::Enabled,
        description: input.description,
        target: input.target,
        window_minutes: window(&input.flexible_time_window)?,
        delete_after_completion: input.action_after_completion == Some(ActionAfterCompletion::Delete),
    })
}

fn window(window: &FlexibleTimeWindow) -> Result<Option<i32>, Fault> {
    match (window.mode, window.maximum_window_in_minutes) {
        (FlexibleTimeWindowMode::Off, None) => Ok(None),
        (FlexibleTimeWindowMode::Flexible, Some(minutes)) => Ok(Some(minutes)),
        (FlexibleTimeWindowMode::Off, Some(_)) => {
            Err(fault::invalid("MaximumWindowInMinutes must not be set when the Mode is OFF."))
        }
        (FlexibleTimeWindowMode::Flexible, None) => {
            Err(fault::invalid("MaximumWindowInMinutes must be set when the Mode is FLEXIBLE."))
        }
    }
}

/// Refuses a start that has passed, unless it was `before` already, and an end in front of it.
pub(crate) fn dates(timing: &Timing, before: Option<&Timing>, now: Timestamp) -> Result<(), Fault> {
    let kept = before.is_some_and(|before| before.start == timing.start);
    if timing.start.is_some_and(|start| !kept && start < now - START_AGE_MAX) {
        return Err(fault::invalid("The StartDate you specify cannot be earlier than 5 minutes ago."));
    }
    if timing.start.zip(timing.end).is_some_and(|(start, end)| end <= start) {
        return Err(fault::invalid("The EndDate you specify must be later than the StartDate."));
    }
    let kept = before.is_some_and(|before| before.end == timing.end);
    if timing.end.is_some_and(|end| !kept && end <= now) {
        return Err(fault::invalid("The EndDate you specify cannot be in the past."));
    }
    Ok(())
}
