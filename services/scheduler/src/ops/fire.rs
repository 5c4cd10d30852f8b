use base::Timestamp;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::delivery::{self, Invocation};
use crate::keys::ScheduleKey;
use crate::{plan, schedule};

/// The internal operation that is due when a schedule occurs.
pub(crate) const FIRE: &str = "FireSchedule";

/// Which occurrence of which schedule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fire {
    pub group: String,
    pub name: String,
    pub generation: Uuid,
    pub at: Timestamp,
}

/// Calls the target and lets the schedule wait for its next occurrence, in one commit. What the schedule does not wait
/// for any more is nothing.
pub(crate) async fn fire(tx: &mut Tx, input: Fire) -> Result<()> {
    let key = ScheduleKey { group: input.group, name: input.name };
    let Some(mut found) = tx.get(&key).await? else { return Ok(()) };
    let awaited = found.next.as_ref().is_some_and(|next| next.at == input.at);
    if found.generation != input.generation || !awaited {
        return Ok(());
    }
    let now = tx.now();
    // The task is this one: it goes with its commit, and there is nothing to cancel.
    found.next = None;
    found.last = Some(input.at);
    let next = plan::next(&found.settings, input.at, now);
    let invocation = Invocation {
        group: key.group.clone(),
        name: key.name.clone(),
        generation: found.generation,
        scheduled_at: input.at,
        execution_id: format!("{:016x}", tx.random()),
        target: found.settings.target.clone(),
        since: now,
        attempt: 1,
        is_last: next.is_none() && found.settings.delete_after_completion,
    };
    let arn = schedule::arn(tx.scope(), &key);
    let detail = json!({
        "scheduled": input.at.to_iso_seconds(),
        "execution": invocation.execution_id,
        "target": invocation.target.arn,
        "next": next.map(Timestamp::to_iso_seconds),
    });
    tx.note("schedule", &arn, Some(detail));
    delivery::enqueue(tx, &invocation, now)?;
    schedule::wait_for(tx, &key, &mut found, next)?;
    tx.put(&key, &found)
}
