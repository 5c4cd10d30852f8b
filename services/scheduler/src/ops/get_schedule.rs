use kernel::{Result, Tx};

use crate::api::{GetScheduleInput, GetScheduleOutput};
use crate::schedule;

/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetSchedule.html>
pub(crate) async fn get_schedule(tx: &mut Tx, input: GetScheduleInput) -> Result<GetScheduleOutput> {
    let key = schedule::key(input.group_name, input.name);
    let found = schedule::find(tx, &key).await?;
    Ok(found.show(tx.scope(), key))
}
