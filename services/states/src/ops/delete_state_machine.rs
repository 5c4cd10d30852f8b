use asl::Stimulus;
use kernel::{Call, NewTask, Parts, Result, Tx};

use crate::api::{DeleteStateMachineInput, DeleteStateMachineOutput, ExecutionStatus as Status};
use crate::arn::{ExecutionId, machine_name};
use crate::execution::{STATUSES, code};
use crate::keys::{ExecutionKey, HistoryKey, ListedKey, MachineKey, RevisionKey};
use crate::run::Live;

/// The internal operation that removes what a deleted machine leaves.
pub(crate) const DISMANTLE: &str = "DismantleStateMachine";

/// Rows that one transaction removes, about.
const ROWS_MAX: usize = 200;

/// Deletes a machine: its executions are stopped and go with it, in tasks where they are many. A machine that is not
/// there is no error.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html>
pub(crate) async fn delete_state_machine(
    tx: &mut Tx,
    input: DeleteStateMachineInput,
) -> Result<DeleteStateMachineOutput> {
    let key = MachineKey { name: machine_name(tx.scope(), &input.state_machine_arn)? };
    let Some(mut machine) = tx.get(&key).await? else { return Ok(DeleteStateMachineOutput {}) };
    if !machine.deleting {
        machine.deleting = true;
        tx.put(&key, &machine)?;
        dismantle(tx, key.name).await?;
    }
    Ok(DeleteStateMachineOutput {})
}

/// Removes a batch of what belongs to the machine of that name, and the machine when nothing is left.
pub(crate) async fn dismantle(tx: &mut Tx, machine: String) -> Result<()> {
    let key = MachineKey { name: machine };
    if !tx.get(&key).await?.is_some_and(|machine| machine.deleting) {
        return Ok(());
    }
    let mut room = ROWS_MAX;
    for status in STATUSES {
        let parts = Parts::of(&key.name).and(&code(status));
        for (listed, _) in tx.scan::<ListedKey>(parts, room.min(50)).await? {
            let id = ExecutionId::new(&key.name, &listed.name);
            if status == Status::Running {
                stop(tx, &id).await?;
            }
            room = room.saturating_sub(1);
            let gone = remove_execution(tx, &id, &mut room).await?;
            if gone && status == Status::Running {
                // It has just been listed anew, as one that was aborted.
                let aborted = ListedKey { status: code(Status::Aborted), ..listed };
                tx.delete(&aborted);
            } else if gone {
                tx.delete(&listed);
            }
            if room == 0 {
                return again(tx, key.name);
            }
        }
        if !tx.scan::<ListedKey>(Parts::of(&key.name).and(&code(status)), 1).await?.is_empty() {
            return again(tx, key.name);
        }
    }
    let revisions = tx.scan::<RevisionKey>(Parts::of(&key.name), ROWS_MAX).await?;
    revisions.iter().for_each(|(revision, _)| tx.delete(revision));
    if revisions.len() == ROWS_MAX {
        return again(tx, key.name);
    }
    tx.delete(&key);
    Ok(())
}

fn again(tx: &mut Tx, machine: String) -> Result<()> {
    tx.enqueue(tx.now(), NewTask::new(Call::new("states", DISMANTLE, &machine)?))?;
    Ok(())
}

async fn stop(tx: &mut Tx, id: &ExecutionId) -> Result<()> {
    if let Some(mut live) = Live::load(tx, id).await? {
        live.step(tx, Stimulus::Stop { error: None, cause: None })?;
        live.store(tx)?;
    }
    Ok(())
}

/// Removes an execution that has ended, or as much of its history as there is room for; whether all of it is gone.
pub(crate) async fn remove_execution(tx: &mut Tx, id: &ExecutionId, room: &mut usize) -> Result<bool> {
    let chunks = tx.scan::<HistoryKey>(Parts::of(id.as_str()), *room + 1).await?;
    let all = chunks.len() <= *room;
    for (chunk, _) in chunks.iter().take(*room) {
        tx.delete(chunk);
    }
    *room = room.saturating_sub(chunks.len());
    if all {
        tx.delete(&ExecutionKey { id: id.key() });
    }
    Ok(all)
}
