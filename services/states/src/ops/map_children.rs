//! The child executions of map runs: started, stopped, removed.

use asl::{ChildOutcome, MapRunStimulus, Outcome, Stimulus};
use kernel::{Call, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::delete_state_machine::remove_listed;
use crate::api::ExecutionStatus as Status;
use crate::arn::ExecutionId;
use crate::execution::{End, Execution, MapLink, Redrives, STATUSES, code};
use crate::keys::{ListedKey, MapResultKey, MapRunKey, MapRunOfKey, MapStopKey};
use crate::machine::definition;
use crate::map_run::{MapResult, tell};
use crate::run::Live;

/// The internal operation that starts a child.
pub(crate) const START_CHILD: &str = "StartMapChild";
/// The internal operation that stops the children of a run, a batch at a time.
pub(crate) const STOP_CHILDREN: &str = "StopMapChildren";

/// Children that one transaction stops.
const STOPS_MAX: usize = 50;

/// The child to start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StartChild {
    pub run: String,
    pub revision: Uuid,
    pub express: bool,
    pub number: u64,
    pub items: u64,
    pub name: Uuid,
    /// JSON text.
    pub input: String,
}

/// Starts a child and runs it as far as it goes, unless the run is stopping.
pub(crate) async fn start_child(tx: &mut Tx, child: StartChild) -> Result<()> {
    let StartChild { run, revision, express, number, items, name, input } = child;
    if tx.peek(&MapRunKey { id: run.clone() }).await?.is_none() {
        // It is gone with its execution.
        return Ok(());
    }
    let map = MapLink { run, number, items };
    let machine = map.run.split(':').next().unwrap_or_default();
    let name = name.to_string();
    let id = if express {
        ExecutionId::express(machine, &name, tx.id())
    } else {
        ExecutionId::new(machine, &name)
    };
    if tx.get(&MapStopKey { run: map.run.clone() }).await?.is_some() {
        return keep_aborted(tx, id, revision, input, map);
    }
    begin_child(tx, id, revision, input, map, None).await
}

/// Begins a child with this input, JSON text.
pub(crate) async fn begin_child(
    tx: &mut Tx,
    id: ExecutionId,
    revision: Uuid,
    input: String,
    map: MapLink,
    redrives: Option<Redrives>,
) -> Result<()> {
    let definition = definition(tx, id.machine(), revision).await?;
    let parsed = serde_json::from_str(&input)?;
    let execution = Execution { redrives, ..new_child(tx, revision, input, map) };
    Live::begin(tx, id, execution, definition, parsed)?;
    Ok(())
}

/// Keeps a child that will not begin: a redrive of its run begins it.
fn keep_aborted(tx: &mut Tx, id: ExecutionId, revision: Uuid, input: String, map: MapLink) -> Result<()> {
    let (key, items) = (MapResultKey { run: map.run.clone(), number: map.number }, map.items);
    let end = End::of(Outcome::Aborted { error: None, cause: None }, tx.now());
    let execution = Execution { end: Some(end), ..new_child(tx, revision, input, map) };
    tx.put(&key, &MapResult { id, execution, never_began: true })?;
    tell(tx, &key.run, MapRunStimulus::ChildEnded { items, outcome: ChildOutcome::Aborted })
}

fn new_child(tx: &mut Tx, revision: Uuid, input: String, map: MapLink) -> Execution {
    Execution {
        revision,
        started_at: tx.now(),
        seq: tx.seq(),
        input,
        trace_header: None,
        parent: None,
        end: None,
        version: None,
        alias: None,
        map: Some(map),
        redrives: None,
    }
}

/// Stops the children that run.
pub(crate) async fn stop_children(tx: &mut Tx, run: String) -> Result<()> {
    if tx.get(&MapStopKey { run: run.clone() }).await?.is_none() {
        // It was redriven meanwhile.
        return Ok(());
    }
    let running = Parts::of(&run).and(&code(Status::Running));
    let found = tx.scan::<ListedKey>(running, STOPS_MAX).await?;
    for (key, _) in &found {
        let id = child(key);
        if let Some(mut live) = Live::load(tx, &id).await? {
            live.step(tx, Stimulus::Stop { error: None, cause: None })?;
            live.store(tx)?;
        }
    }
    if found.len() == STOPS_MAX {
        tx.go_on(tx.now(), NewTask::new(Call::new("states", STOP_CHILDREN, &run)?))?;
    }
    Ok(())
}

/// The child that a list of its run shows.
fn child(key: &ListedKey) -> ExecutionId {
    ExecutionId::new(key.machine.split(':').next().unwrap_or_default(), &key.name)
}

/// Removes a batch of what the map runs of an execution left, children included; whether nothing is left.
pub(crate) async fn remove_map_runs(tx: &mut Tx, execution: &ExecutionId, room: &mut usize) -> Result<bool> {
    loop {
        let runs = tx.scan::<MapRunOfKey>(Parts::of(execution.as_str()), 1).await?;
        let Some((of, ())) = runs.into_iter().next() else { return Ok(true) };
        // No child may start meanwhile.
        tx.put(&MapStopKey { run: of.id.clone() }, &())?;
        for status in STATUSES {
            let parts = Parts::of(&of.id).and(&code(status));
            for (key, listed) in tx.scan::<ListedKey>(parts.clone(), (*room).min(STOPS_MAX)).await? {
                // Children may have map runs of their own.
                Box::pin(remove_listed(tx, &key, &listed, room)).await?;
                if *room == 0 {
                    return Ok(false);
                }
            }
            if !tx.scan::<ListedKey>(parts, 1).await?.is_empty() {
                return Ok(false);
            }
        }
        let results = tx.scan::<MapResultKey>(Parts::of(&of.id), *room).await?;
        results.iter().for_each(|(key, _)| tx.delete(key));
        *room -= results.len();
        if *room == 0 {
            return Ok(false);
        }
        tx.delete(&MapRunKey { id: of.id.clone() });
        tx.delete(&MapStopKey { run: of.id.clone() });
        tx.delete(&of);
    }
}
