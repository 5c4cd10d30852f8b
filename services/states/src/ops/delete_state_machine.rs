use asl::Stimulus;
use kernel::{Call, Key, NewTask, Parts, Result, Tx};

use super::map_children::remove_map_runs;
use crate::api::{DeleteStateMachineInput, DeleteStateMachineOutput, ExecutionStatus as Status};
use crate::arn::{ExecutionId, machine_name};
use crate::execution::{STATUSES, code};
use crate::keys::{
    AliasKey, ExecutionKey, ExpressKey, HistoryKey, Listed, ListedKey, MachineKey, RestKey, RevisionKey,
    VersionKey,
};
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
        for (place, listed) in tx.scan::<ListedKey>(parts.clone(), room.min(50)).await? {
            remove_listed(tx, &place, &listed, &mut room).await?;
            if room == 0 {
                return again(tx, key.name);
            }
        }
        if !tx.scan::<ListedKey>(parts, 1).await?.is_empty() {
            return again(tx, key.name);
        }
    }
    if remove_all::<ExpressKey>(tx, &key.name).await?
        && remove_all::<AliasKey>(tx, &key.name).await?
        && remove_all::<VersionKey>(tx, &key.name).await?
        && remove_all::<RevisionKey>(tx, &key.name).await?
    {
        tx.delete(&key);
        return Ok(());
    }
    again(tx, key.name)
}

/// Removes a batch of the rows below the machine's name; whether there were no more.
async fn remove_all<K: Key>(tx: &mut Tx, machine: &str) -> Result<bool> {
    let rows = tx.scan::<K>(Parts::of(machine), ROWS_MAX).await?;
    rows.iter().for_each(|(key, _)| tx.delete(key));
    Ok(rows.len() < ROWS_MAX)
}

/// Stops an execution if it runs, and removes it with its places in the lists, or as much of it as there is room for.
pub(crate) async fn remove_listed(
    tx: &mut Tx,
    place: &ListedKey,
    listed: &Listed,
    room: &mut usize,
) -> Result<()> {
    *room = room.saturating_sub(1);
    // The list of a map run's children has the run's id as its name.
    let id = ExecutionId::new(place.machine.split(':').next().unwrap_or_default(), &place.name);
    let running = place.status == code(Status::Running);
    if running {
        stop(tx, &id).await?;
    }
    if remove_execution(tx, &id, room).await? {
        // What was running has just been listed anew, as one that was aborted.
        let status = if running { code(Status::Aborted) } else { place.status };
        forget_listed(tx, &ListedKey { status, ..place.clone() }, listed);
    }
    Ok(())
}

/// Removes an execution's places in the lists of its machine, its version and its alias.
pub(crate) fn forget_listed(tx: &mut Tx, place: &ListedKey, listed: &Listed) {
    let machine = &place.machine;
    let version = listed.version.map(|version| format!("{machine}:{version}"));
    let alias = listed.alias.as_ref().map(|alias| format!("{machine}:{alias}"));
    for list in [Some(machine.clone()), version, alias].into_iter().flatten() {
        tx.delete(&ListedKey { machine: list, ..place.clone() });
    }
}

fn again(tx: &mut Tx, machine: String) -> Result<()> {
    tx.go_on(tx.now(), NewTask::new(Call::new("states", DISMANTLE, &machine)?))?;
    Ok(())
}

async fn stop(tx: &mut Tx, id: &ExecutionId) -> Result<()> {
    if let Some(mut live) = Live::load(tx, id).await? {
        live.step(tx, Stimulus::Stop { error: None, cause: None })?;
        live.store(tx)?;
    }
    Ok(())
}

/// Removes an execution that has ended with its map runs, or as much of them as there is room for; whether all is gone.
pub(crate) async fn remove_execution(tx: &mut Tx, id: &ExecutionId, room: &mut usize) -> Result<bool> {
    if !remove_map_runs(tx, id, room).await? {
        return Ok(false);
    }
    let chunks = tx.scan::<HistoryKey>(Parts::of(id.as_str()), *room + 1).await?;
    let all = chunks.len() <= *room;
    for (chunk, _) in chunks.iter().take(*room) {
        tx.delete(chunk);
    }
    *room = room.saturating_sub(chunks.len());
    if all {
        tx.delete(&ExecutionKey { id: id.key() });
        tx.delete(&RestKey { id: id.key() });
    }
    Ok(all)
}
