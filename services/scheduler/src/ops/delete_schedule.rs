use kernel::{Result, Tx};

use crate::api::{DeleteScheduleInput, DeleteScheduleOutput};
use crate::schedule;

/// Removes a schedule and the task that waits for it. Calls that were made already go on.
///
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeleteSchedule.html>
pub(crate) async fn delete_schedule(tx: &mut Tx, input: DeleteScheduleInput) -> Result<DeleteScheduleOutput> {
    let key = schedule::key(input.group_name, input.name);
    let found = schedule::find(tx, &key).await?;
    if let Some(next) = &found.next {
        tx.cancel(&next.task);
    }
    tx.delete(&key);
    Ok(DeleteScheduleOutput {})
}
