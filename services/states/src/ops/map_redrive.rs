//! Map runs that are redriven: the children that did not succeed run again.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html>

use asl::{ChildOutcome, MapRunStimulus, Unsuccessful, WaitId};
use kernel::{Direction, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::map_children::begin_child;
use super::redrive_execution::redrive;
use crate::api::ExecutionRedriveStatus;
use crate::arn::ExecutionId;
use crate::execution::{Execution, MapLink, Redrives};
use crate::keys::{ExecutionKey, MapResultKey, MapRunKey, MapStopKey};
use crate::map_run::{LiveRun, MapResult, outcome, tell};
use crate::redrive as decide;

/// The internal operation that redrives a run for an execution that is.
pub(crate) const REDRIVE_RUN: &str = "RedriveMapRun";
/// The internal operation that finds children that ended without success.
pub(crate) const FIND_UNSUCCESSFUL: &str = "FindUnsuccessfulMapChildren";
/// The internal operation that has one of them run again.
pub(crate) const REDRIVE_CHILD: &str = "RedriveMapChild";

/// Results read at once: each holds the input of its child.
const PAGE: usize = 50;
/// Pages that one transaction reads.
const PAGES_MAX: usize = 20;

/// The run to redrive, and the wait of its execution that it is for now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RedriveRun {
    pub run: String,
    pub wait: WaitId,
}

/// Redrives the run as soon as it rests.
pub(crate) async fn redrive_run(tx: &mut Tx, input: RedriveRun) -> Result<()> {
    if let Some(mut live) = LiveRun::load(tx, &input.run).await? {
        live.await_by(input.wait);
        live.step(tx, MapRunStimulus::Redrive)?;
        live.store(tx).await?;
    }
    Ok(())
}

/// Where to look.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FindUnsuccessful {
    pub run: String,
    pub after: Option<u64>,
    pub at_most: u32,
}

/// Tells the run which of its children did not succeed: a part of them, and where to look on.
pub(crate) async fn find_unsuccessful(tx: &mut Tx, input: FindUnsuccessful) -> Result<()> {
    let FindUnsuccessful { run, after, at_most } = input;
    let Some(mut live) = LiveRun::load(tx, &run).await? else { return Ok(()) };
    let (mut children, mut next) = (Vec::new(), after);
    for _ in 0..PAGES_MAX {
        let rows = page(tx, &run, next).await?;
        next = rows.last().map(|(key, _)| key.number).filter(|_| rows.len() == PAGE);
        children.extend(rows.iter().filter_map(|(key, result)| unsuccessful(key.number, result)));
        if next.is_none() || children.len() + PAGE > at_most as usize {
            break;
        }
    }
    live.step(tx, MapRunStimulus::Unsuccessful { children, next })?;
    live.store(tx).await
}

async fn page(tx: &mut Tx, run: &str, after: Option<u64>) -> Result<Vec<(MapResultKey, MapResult)>> {
    let parts = Parts::of(run);
    match after {
        None => tx.scan::<MapResultKey>(parts, PAGE).await,
        Some(number) => {
            let last = MapResultKey { run: run.to_owned(), number };
            tx.scan_after(parts, &last, PAGE, Direction::Forward).await
        }
    }
}

fn unsuccessful(number: u64, result: &MapResult) -> Option<Unsuccessful> {
    let items = result.execution.map.as_ref().map_or(1, |map| map.items);
    let outcome = outcome(&result.execution);
    (outcome != ChildOutcome::Succeeded).then_some(Unsuccessful { number, items, outcome })
}

/// The child to redrive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RedriveChild {
    pub run: String,
    pub revision: Uuid,
    pub express: bool,
    pub child: Unsuccessful,
}

/// Redrives a STANDARD child; starts one again that is EXPRESS or had never begun.
pub(crate) async fn redrive_child(tx: &mut Tx, input: RedriveChild) -> Result<()> {
    let RedriveChild { run, revision, express, child } = input;
    let Unsuccessful { number, items, outcome } = child;
    if tx.peek(&MapRunKey { id: run.clone() }).await?.is_none() {
        return Ok(());
    }
    if tx.get(&MapStopKey { run: run.clone() }).await?.is_some() {
        // It stays as it ended.
        return tell(tx, &run, MapRunStimulus::ChildEnded { items, outcome });
    }
    let Some(result) = tx.get(&MapResultKey { run: run.clone(), number }).await? else { return Ok(()) };
    let MapResult { id, execution, never_began } = result;
    if express || never_began {
        let id = if express { ExecutionId::express(id.machine(), id.name(), tx.id()) } else { id };
        let redrives = match never_began {
            true => None,
            false => Some(Redrives::another(execution.redrives, None, tx.now())),
        };
        return begin_child(tx, id, revision, execution.input, MapLink { run, number, items }, redrives)
            .await;
    }
    let known = tx.get(&ExecutionKey { id: id.key() }).await?;
    let redrivable = |execution: &Execution| {
        decide::status(execution, tx.now()).0 == ExecutionRedriveStatus::RedrivableByMapRun
    };
    match known.filter(redrivable) {
        Some(execution) => redrive(tx, id, execution, None).await,
        None => tell(tx, &run, MapRunStimulus::ChildNotRedrivable { items, outcome }),
    }
}
