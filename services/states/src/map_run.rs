//! Runs of distributed maps: what is kept of one, and how it goes on.
//!
//! [`asl::MapRun`] decides; here its commands become tasks, and its children are executions like any other that tell it
//! their end in the commit in which it comes. A run holds a page of items, never all of them.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>

use std::sync::Arc;

use asl::{
    ChildOutcome, Machine, MapRun, MapRunCommand, MapRunContext, MapRunEnd, MapRunRequest, MapRunStimulus,
    Stimulus, WaitId,
};
use base::Timestamp;
use kernel::{Call, NewTask, Reply, Result, RetryPolicy, RetryWhen, TraceCx, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::ExecutionStatus as Status;
use crate::arn::ExecutionId;
use crate::execution::Execution;
use crate::keys::{Compact, MapResultKey, MapRunKey, MapRunOfKey, MapStopKey};
use crate::machine::{Definition, definition};
use crate::ops::map_children::{START_CHILD, STOP_CHILDREN, StartChild};
use crate::ops::map_items::{ITEMS_READ, READ_ITEMS, ReadItems};
use crate::ops::map_redrive::{
    FIND_UNSUCCESSFUL, FindUnsuccessful, REDRIVE_CHILD, REDRIVE_RUN, RedriveChild, RedriveRun,
};
use crate::ops::map_results::{COLLECT, EXPORT, EXPORTED};
use crate::ops::map_step::{MAP_STEP, MapStep};
use crate::run::Live;

/// A map run. Stored by position: a change of its members raises the format of its row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MapRow {
    pub run: MapRun,
    /// The execution whose state it is.
    pub execution: ExecutionId,
    pub wait: WaitId,
    /// The definition of the execution.
    pub revision: Uuid,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Where it stands in its chain of causes: its own steps do not lengthen it.
    pub hop: u16,
    #[serde(default)]
    pub redriven_at: Option<Timestamp>,
}

/// A child that has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MapResult {
    #[serde(rename = "i")]
    pub id: ExecutionId,
    #[serde(rename = "x")]
    pub execution: Execution,
    /// It is no execution: the run was stopped before it began.
    #[serde(rename = "n", default, skip_serializing_if = "std::ops::Not::not")]
    pub never_began: bool,
}
store::stored!(MapResult, format = 1);

/// Begins a run for a state of `execution`; its id.
pub(crate) fn begin(
    tx: &mut Tx,
    id: &ExecutionId,
    execution: &Execution,
    hop: u16,
    machine: &Machine,
    request: MapRunRequest,
) -> Result<String> {
    let MapRunRequest { wait_id, map_run_arn, plan, items, .. } = request;
    let run_id = map_run_arn.split_once(":mapRun:").map_or(&*map_run_arn, |(_, id)| id).to_owned();
    let run = {
        let mut random = || tx.random();
        let mut step = MapRunContext { now_ms: tx.now().as_millis(), random: &mut random };
        MapRun::new(plan, items, machine, &mut step)
    };
    let row = MapRow {
        run,
        execution: id.clone(),
        wait: wait_id,
        revision: execution.revision,
        started_at: tx.now(),
        ended_at: None,
        hop,
        redriven_at: None,
    };
    tx.put(&MapRunKey { id: run_id.clone() }, &Compact(row))?;
    let of = MapRunOfKey { execution: id.key(), started_at: tx.now(), id: run_id.clone() };
    tx.put(&of, &())?;
    tell(tx, &run_id, MapRunStimulus::Continue)?;
    Ok(run_id)
}

/// Redrives a run for a new wait of its execution, as soon as it rests; its id.
pub(crate) fn redrive(tx: &mut Tx, map_run_arn: &str, wait: WaitId) -> Result<String> {
    let run = map_run_arn.split_once(":mapRun:").map_or(map_run_arn, |(_, id)| id).to_owned();
    let call = Call::new("states", REDRIVE_RUN, &RedriveRun { run: run.clone(), wait })?;
    enqueue_in_order(tx, &run, call)?;
    Ok(run)
}

/// Has a run told of something.
pub(crate) fn tell(tx: &mut Tx, run: &str, stimulus: MapRunStimulus) -> Result<()> {
    let step = MapStep { run: run.to_owned(), stimulus };
    enqueue_in_order(tx, run, Call::new("states", MAP_STEP, &step)?)
}

/// One after the other: all of them write the run's row.
fn enqueue_in_order(tx: &mut Tx, run: &str, call: Call) -> Result<()> {
    let order = Some(format!("map run {run}"));
    tx.enqueue(tx.now(), NewTask { order, ..NewTask::new(call) })?;
    Ok(())
}

/// Keeps what became of a child, and tells its run.
pub(crate) fn child_ended(tx: &mut Tx, id: &ExecutionId, execution: &Execution) -> Result<()> {
    let Some(map) = &execution.map else { return Ok(()) };
    let key = MapResultKey { run: map.run.clone(), number: map.number };
    tx.put(&key, &MapResult { id: id.clone(), execution: execution.clone(), never_began: false })?;
    let outcome = outcome(execution);
    tell(tx, &map.run, MapRunStimulus::ChildEnded { items: map.items, outcome })
}

/// How a child ended, in the words of its run.
pub(crate) fn outcome(execution: &Execution) -> ChildOutcome {
    match execution.status() {
        Status::Succeeded => ChildOutcome::Succeeded,
        Status::TimedOut => ChildOutcome::TimedOut,
        Status::Aborted => ChildOutcome::Aborted,
        Status::Failed | Status::Running | Status::PendingRedrive => ChildOutcome::Failed,
    }
}

/// A run while something happens to it.
pub(crate) struct LiveRun {
    id: String,
    row: MapRow,
    definition: Arc<Definition>,
    end: Option<MapRunEnd>,
}

impl LiveRun {
    /// The run, guarded; `None` if it is gone with its execution.
    pub(crate) async fn load(tx: &mut Tx, id: &str) -> Result<Option<LiveRun>> {
        let Some(Compact(row)) = tx.get(&MapRunKey { id: id.to_owned() }).await? else { return Ok(None) };
        let definition = definition(tx, row.execution.machine(), row.revision).await?;
        let trace = TraceCx { hop: row.hop, ..tx.caller().trace };
        tx.set_trace(trace);
        Ok(Some(LiveRun { id: id.to_owned(), row, definition, end: None }))
    }

    pub(crate) fn row(&self) -> &MapRow {
        &self.row
    }

    /// The wait of its execution that it is for from now on.
    pub(crate) fn await_by(&mut self, wait: WaitId) {
        self.row.wait = wait;
    }

    /// Tells the run what happened.
    pub(crate) fn step(&mut self, tx: &mut Tx, stimulus: MapRunStimulus) -> Result<()> {
        let commands = {
            let mut random = || tx.random();
            let mut step = MapRunContext { now_ms: tx.now().as_millis(), random: &mut random };
            self.row.run.step(&self.definition.machine, stimulus, &mut step)
        };
        commands.into_iter().try_for_each(|command| self.obey(tx, command))
    }

    /// Writes the run, and tells its execution if it has ended.
    pub(crate) async fn store(self, tx: &mut Tx) -> Result<()> {
        let LiveRun { id, mut row, end, .. } = self;
        let (execution, wait_id) = (row.execution.clone(), row.wait);
        if end.is_some() {
            row.ended_at = Some(tx.now());
        }
        tx.put(&MapRunKey { id }, &Compact(row))?;
        let Some(end) = end else { return Ok(()) };
        if let Some(mut live) = Live::load(tx, &execution).await? {
            live.run.maps.retain(|(wait, _)| *wait != wait_id);
            live.step(tx, Stimulus::MapRunEnded { wait_id, end })?;
            live.store(tx)?;
        }
        Ok(())
    }

    fn obey(&mut self, tx: &mut Tx, command: MapRunCommand) -> Result<()> {
        match command {
            MapRunCommand::Continue => tell(tx, &self.id, MapRunStimulus::Continue),
            MapRunCommand::Finish(end) => {
                self.end = Some(end);
                Ok(())
            }
            MapRunCommand::ReadItems { cursor, at_most } => {
                let source = self.row.run.plan().source.clone();
                let read = ReadItems { source, cursor, at_most };
                self.ask(tx, READ_ITEMS, &read, ITEMS_READ)
            }
            MapRunCommand::StartChild { number, input, items } => {
                let start = StartChild {
                    run: self.id.clone(),
                    revision: self.row.revision,
                    express: self.row.run.plan().express,
                    number,
                    items,
                    name: tx.id(),
                    input: input.to_string(),
                };
                self.enqueue(tx, Call::new("states", START_CHILD, &start)?)
            }
            MapRunCommand::BeginRedrive => {
                tx.delete(&MapStopKey { run: self.id.clone() });
                self.row.ended_at = None;
                self.row.redriven_at = Some(tx.now());
                Ok(())
            }
            MapRunCommand::FindUnsuccessful { after, at_most } => {
                let find = FindUnsuccessful { run: self.id.clone(), after, at_most };
                self.enqueue(tx, Call::new("states", FIND_UNSUCCESSFUL, &find)?)
            }
            MapRunCommand::RedriveChild(child) => {
                let redrive = RedriveChild {
                    run: self.id.clone(),
                    revision: self.row.revision,
                    express: self.row.run.plan().express,
                    child,
                };
                self.enqueue(tx, Call::new("states", REDRIVE_CHILD, &redrive)?)
            }
            MapRunCommand::StopChildren => {
                tx.put(&MapStopKey { run: self.id.clone() }, &())?;
                self.enqueue(tx, Call::new("states", STOP_CHILDREN, &self.id)?)
            }
            MapRunCommand::CollectResults => {
                let exported =
                    self.row.run.plan().export.as_ref().is_some_and(|export| export.parameters.is_some());
                if exported {
                    return self.ask(tx, EXPORT, &self.id, EXPORTED);
                }
                self.enqueue(tx, Call::new("states", COLLECT, &self.id)?)
            }
        }
    }

    fn enqueue(&self, tx: &mut Tx, call: Call) -> Result<()> {
        tx.enqueue(tx.now(), NewTask::new(call))?;
        Ok(())
    }

    /// Has something done outside, in the role's name; the answer comes to `reply`.
    fn ask(&self, tx: &mut Tx, operation: &str, input: &impl Serialize, reply: &str) -> Result<()> {
        let reply = Reply {
            service: "states".to_owned(),
            operation: reply.to_owned(),
            context: serde_json::to_string(&self.id)?,
        };
        let scope = tx.scope();
        let role = &self.definition.role_arn;
        let caller = tx.caller().as_service(role, scope.account.clone(), scope.region.clone());
        let retry = RetryPolicy { retries_max: 3, when: RetryWhen::ServiceFault, ..RetryPolicy::internal() };
        let call = Call::new("states", operation, input)?;
        let task = NewTask { retry, reply: Some(reply), caller: Some(caller), ..NewTask::new(call) };
        tx.enqueue(tx.now(), task)?;
        Ok(())
    }
}
