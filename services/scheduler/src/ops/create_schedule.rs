use kernel::{Effect, Result, Tx};

use crate::api::{CreateScheduleInput, CreateScheduleOutput};
use crate::keys::{Schedule, ScheduleKey, Settings};
use crate::{check, fault, group, plan, schedule};

/// Makes a schedule; it waits for its first occurrence from then on. The same request under the same token again answers
/// as the first one did.
///
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>
pub(crate) async fn create_schedule(
    effect: &Effect,
    input: CreateScheduleInput,
) -> Result<CreateScheduleOutput> {
    let key = schedule::key(input.group_name.clone(), input.name.clone());
    let token = input.client_token.clone();
    let settings = check::settings(effect.kernel(), input)?;
    effect.transact("CreateSchedule", create, (key, settings, token)).await
}

async fn create(
    tx: &mut Tx,
    (key, settings, client_token): (ScheduleKey, Settings, Option<String>),
) -> Result<CreateScheduleOutput> {
    group::find_active(tx, &key.group).await?;
    let schedule_arn = schedule::arn(tx.scope(), &key);
    if let Some(known) = tx.get(&key).await? {
        let again =
            client_token.is_some() && known.client_token == client_token && known.settings == settings;
        return if again {
            Ok(CreateScheduleOutput { schedule_arn })
        } else {
            Err(fault::schedule_exists(&key.name).into())
        };
    }
    check::dates(&settings.timing, None, tx.now())?;
    let first = plan::first(&settings.timing, None, tx.now()).filter(|_| settings.enabled);
    let mut made = Schedule {
        generation: tx.id(),
        created_at: tx.now(),
        modified_at: tx.now(),
        settings,
        client_token,
        update_token: None,
        next: None,
        last: None,
    };
    schedule::wait_for(tx, &key, &mut made, first)?;
    tx.put(&key, &made)?;
    Ok(CreateScheduleOutput { schedule_arn })
}
