use kernel::{Call, NewTask, Parts, Result, Scope, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::{DeleteScheduleGroupInput, DeleteScheduleGroupOutput};
use crate::keys::{Group, GroupKey, ScheduleKey};
use crate::{NAME, PRINCIPAL, fault, group, token};

/// The internal operation that removes the schedules of a group, and at last the group.
pub(crate) const EMPTY: &str = "EmptyScheduleGroup";

/// Schedules removed in one transaction.
const PAGE: usize = 200;

/// Which group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Empty {
    name: String,
    generation: Uuid,
}

/// Removes a group with all its schedules: at once if they are few, otherwise it is `DELETING` for a while. The same
/// request under the same token again answers as the first one did.
///
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeleteScheduleGroup.html>
pub(crate) async fn delete_schedule_group(
    tx: &mut Tx,
    input: DeleteScheduleGroupInput,
) -> Result<DeleteScheduleGroupOutput> {
    if input.name == group::DEFAULT {
        return Err(fault::invalid("The default schedule group cannot be deleted.").into());
    }
    let token = token::of(group::arn(tx.scope(), &input.name), input.client_token);
    if token::is_known(tx, token.as_ref()).await? {
        return Ok(DeleteScheduleGroupOutput {});
    }
    let (key, found) = group::find(tx, &input.name).await?;
    token::remember(tx, token)?;
    if !found.deleting {
        let deleting = Group { deleting: true, modified_at: tx.now(), ..found };
        tx.put(&key, &deleting)?;
        remove_page(tx, key, &deleting).await?;
    }
    Ok(DeleteScheduleGroupOutput {})
}

/// One page of a removal that did not fit into the request's transaction.
pub(crate) async fn empty(tx: &mut Tx, input: Empty) -> Result<()> {
    let key = GroupKey { name: input.name };
    match tx.get(&key).await? {
        Some(found) if found.generation == input.generation => remove_page(tx, key, &found).await,
        _ => Ok(()),
    }
}

async fn remove_page(tx: &mut Tx, key: GroupKey, group: &Group) -> Result<()> {
    let rows = tx.scan::<ScheduleKey>(Parts::of(&key.name), PAGE).await?;
    let all = rows.len() < PAGE;
    for (schedule_key, _) in rows {
        // Guarded: it may be occurring now, and then it waits for something else.
        if let Some(schedule) = tx.get(&schedule_key).await? {
            schedule.next.iter().for_each(|next| tx.cancel(&next.task));
            tx.delete(&schedule_key);
        }
    }
    if all {
        tx.delete(&key);
        return Ok(());
    }
    let Scope { account, region } = tx.scope().clone();
    let caller = Some(tx.caller().as_service(PRINCIPAL, account, region));
    let call = Call::new(NAME, EMPTY, &Empty { name: key.name, generation: group.generation })?;
    tx.enqueue_quietly(tx.now(), NewTask { caller, ..NewTask::new(call) })?;
    Ok(())
}
