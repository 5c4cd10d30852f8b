use kernel::{Effect, Result, Tx};

use crate::api::{CreateScheduleInput, UpdateScheduleInput, UpdateScheduleOutput};
use crate::keys::{Schedule, ScheduleKey, Settings};
use crate::{check, fault, plan, schedule};

/// Sets all of a schedule anew: what the request leaves out gets its default. A schedule whose timing stays keeps its
/// rhythm. The same update under the same token again answers as it did and changes nothing, as long as no other one has
/// come.
///
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html>
pub(crate) async fn update_schedule(
    effect: &Effect,
    input: UpdateScheduleInput,
) -> Result<UpdateScheduleOutput> {
    let key = schedule::key(input.group_name.clone(), input.name.clone());
    let token = input.client_token.clone();
    let settings = check::settings(effect.kernel(), as_new(input))?;
    effect.transact("UpdateSchedule", update, (key, settings, token)).await
}

/// An update has the members of a creation.
fn as_new(input: UpdateScheduleInput) -> CreateScheduleInput {
    CreateScheduleInput {
        name: input.name,
        group_name: input.group_name,
        schedule_expression: input.schedule_expression,
        start_date: input.start_date,
        end_date: input.end_date,
        description: input.description,
        schedule_expression_timezone: input.schedule_expression_timezone,
        state: input.state,
        kms_key_arn: input.kms_key_arn,
        target: input.target,
        flexible_time_window: input.flexible_time_window,
        client_token: input.client_token,
        action_after_completion: input.action_after_completion,
    }
}

async fn update(
    tx: &mut Tx,
    (key, settings, update_token): (ScheduleKey, Settings, Option<String>),
) -> Result<UpdateScheduleOutput> {
    let before = schedule::find(tx, &key).await?;
    let schedule_arn = schedule::arn(tx.scope(), &key);
    if update_token.is_some() && before.update_token == update_token {
        return match before.settings == settings {
            true => Ok(UpdateScheduleOutput { schedule_arn }),
            false => Err(fault::other_update(&key.name).into()),
        };
    }
    check::dates(&settings.timing, Some(&before.settings.timing), tx.now())?;
    let same_timing = before.settings.timing == settings.timing;
    let last = before.last.filter(|_| same_timing);
    let at = match &before.next {
        Some(next) if same_timing => Some(next.at),
        _ => plan::first(&settings.timing, last, tx.now()),
    };
    let at = at.filter(|_| settings.enabled);
    let mut changed = Schedule { settings, update_token, modified_at: tx.now(), last, ..before };
    schedule::wait_for(tx, &key, &mut changed, at)?;
    tx.put(&key, &changed)?;
    Ok(UpdateScheduleOutput { schedule_arn })
}
