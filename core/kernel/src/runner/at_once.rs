//! Tasks that are run in the commit that enqueues them: what an event causes in the store is on disk with the event, and
//! costs no row, no second commit and no second sync ([decision 0018](../../../../docs/decisions/0018-run-at-once.md)).

use super::batch::one;
use crate::Result;
use crate::router::Kernel;
use crate::service::Body;
use crate::tx::Tx;

/// Tasks that one commit runs at once, what they cause included. The others follow it.
const TASKS_MAX: usize = 16;
/// Bytes that a commit may have written before it runs another: far below what it takes.
const WRITTEN_BYTES_MAX: usize = 1 << 20;

/// Runs the tasks of `tx` that may be run at once ([`crate::NewTask::at_once`]), in the order in which they were enqueued.
/// After an error nothing of the transaction may be committed: it is to be made again, without this.
pub(crate) async fn run_at_once(kernel: &Kernel, tx: &mut Tx, operation: &str) -> Result<()> {
    if tx.next_at_once().is_none() {
        return Ok(());
    }
    tx.end_task(operation)?;
    for _ in 0..TASKS_MAX {
        let Some((place, task)) = tx.next_at_once() else { return Ok(()) };
        let Ok((service, Body::Transact(handler))) = kernel.body(&task.call.service, &task.call.operation)
        else {
            // Those behind it may be of its order, so they wait with it.
            return Ok(());
        };
        if tx.written_bytes() > WRITTEN_BYTES_MAX {
            return Ok(());
        }
        let task = tx.take_back(place);
        tx.begin_task(service, task.caller.clone());
        one(tx, &task, handler.as_ref()).await?;
    }
    Ok(())
}
