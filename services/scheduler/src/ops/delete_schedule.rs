use kernel::{Result, Tx};

use crate::api::{DeleteScheduleInput, DeleteScheduleOutput};
use crate::{schedule, token};

/// Removes a schedule and the task that waits for it. Calls that were made already go on. The same request
/// under the same token again answers as the first one did.
///
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeleteSchedule.html>
pub(crate) async fn delete_schedule(tx: &mut Tx, input: DeleteScheduleInput) -> Result<DeleteScheduleOutput> {
    let key = schedule::key(input.group_name, input.name);
    let token = token::of(schedule::arn(tx.scope(), &key), input.client_token);
    if token::is_known(tx, token.as_ref()).await? {
        return Ok(DeleteScheduleOutput {});
    }
    let found = schedule::find(tx, &key).await?;
    if let Some(next) = &found.next {
        tx.cancel(&next.task);
    }
    tx.delete(&key);
    token::remember(tx, token)?;
    Ok(DeleteScheduleOutput {})
}
