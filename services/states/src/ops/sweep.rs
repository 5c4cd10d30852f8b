//! Old executions are forgotten: AWS keeps them for 90 days after their end.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>

use std::time::Duration;

use base::Timestamp;
use kernel::{Call, Direction, NewTask, Parts, Result, Tx};

use super::delete_state_machine::{forget_listed, remove_execution};
use crate::api::ExecutionStatus as Status;
use crate::arn::ExecutionId;
use crate::execution::{STATUSES, code};
use crate::keys::{ExpressKey, ListedKey, MachineKey, SweepKey};

/// The internal operation that removes old executions, a machine at a time.
pub(crate) const SWEEP: &str = "SweepExecutions";

/// How long an execution is kept after its end.
const RETENTION: Duration = Duration::from_secs(90 * 86_400);
/// How long an EXPRESS execution is: AWS keeps nothing but its logs, we keep it as long as the trace.
const EXPRESS_RETENTION: Duration = Duration::from_secs(7 * 86_400);
/// How often old ones are looked for.
const EVERY: Duration = Duration::from_secs(86_400);
/// Rows that one transaction removes, about.
const ROWS_MAX: usize = 200;

/// Sees to it that executions of this account and region are swept.
pub(crate) async fn ensure(tx: &mut Tx) -> Result<()> {
    if tx.get(&SweepKey {}).await?.is_none() {
        tx.put(&SweepKey {}, &())?;
        enqueue(tx, EVERY, None)?;
    }
    Ok(())
}

/// Removes old executions of the first machine after `after`, and goes on with the next one.
pub(crate) async fn sweep(tx: &mut Tx, after: Option<String>) -> Result<()> {
    let next = match &after {
        None => tx.scan::<MachineKey>(Parts::none(), 1).await?,
        Some(name) => {
            let after = MachineKey { name: name.clone() };
            tx.scan_after(Parts::none(), &after, 1, Direction::Forward).await?
        }
    };
    let Some((machine, _)) = next.into_iter().next() else { return enqueue(tx, EVERY, None) };
    let before = tx.now() - RETENTION;
    let express_before = tx.now() - EXPRESS_RETENTION;
    if forget(tx, &machine.name, before).await? && forget_express(tx, &machine.name, express_before).await? {
        return enqueue(tx, Duration::ZERO, Some(machine.name));
    }
    enqueue(tx, Duration::ZERO, after)
}

/// Removes executions of a machine that ended before `before`; whether there are no more of them.
async fn forget(tx: &mut Tx, machine: &str, before: Timestamp) -> Result<bool> {
    let mut room = ROWS_MAX;
    for status in STATUSES.into_iter().filter(|status| *status != Status::Running) {
        let parts = Parts::of(machine).and(&code(status));
        for (key, listed) in tx.scan::<ListedKey>(parts, ROWS_MAX).await? {
            // They are in the order of their starts: what began later cannot have ended before.
            if key.started_at >= before {
                break;
            }
            if listed.stopped_at.is_none_or(|stopped| stopped >= before) {
                continue;
            }
            let id = ExecutionId::new(machine, &key.name);
            room = room.saturating_sub(1);
            if !remove_execution(tx, &id, &mut room).await? {
                return Ok(false);
            }
            forget_listed(tx, &key, &listed);
            if room == 0 {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The same for EXPRESS executions.
async fn forget_express(tx: &mut Tx, machine: &str, before: Timestamp) -> Result<bool> {
    let mut gone = 0;
    for (key, express) in tx.scan::<ExpressKey>(Parts::of(machine), ROWS_MAX).await? {
        // They are in the order of their starts, which lie at most minutes before their ends.
        if express.execution.started_at >= before {
            break;
        }
        tx.delete(&key);
        gone += 1;
    }
    Ok(gone < ROWS_MAX)
}

fn enqueue(tx: &mut Tx, wait: Duration, after: Option<String>) -> Result<()> {
    let due = tx.now() + wait;
    tx.enqueue_quietly(due, NewTask::new(Call::new("states", SWEEP, &after)?))?;
    Ok(())
}
