use base::{AccountId, Region};
use kernel::{ReplyInput, Result, Scope, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::ScheduleKey;

/// The internal operation that is told when a schedule's last call has ended, well or badly.
pub(crate) const COMPLETED: &str = "ScheduleCompleted";

/// Which schedule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Completed {
    pub group: String,
    pub name: String,
    pub generation: Uuid,
}

/// Deletes the schedule, unless it was changed so that it occurs again.
pub(crate) async fn completed(tx: &mut Tx, reply: ReplyInput<(AccountId, Region, Completed)>) -> Result<()> {
    let (account, region, which) = reply.context;
    tx.enter(Scope { account, region });
    delete(tx, which).await
}

/// The same in the schedule's own account and region.
pub(crate) async fn delete(tx: &mut Tx, which: Completed) -> Result<()> {
    let key = ScheduleKey { group: which.group, name: which.name };
    let found = tx.get(&key).await?;
    let complete = found.is_some_and(|schedule| {
        schedule.generation == which.generation
            && schedule.next.is_none()
            && schedule.settings.enabled
            && schedule.settings.delete_after_completion
    });
    if complete {
        tx.delete(&key);
    }
    Ok(())
}
