//! How a stack comes, changes and goes: durable steps, one resource at a time, several at once.
//!
//! An operation commits its plan and the tasks of its first steps. Each step is a task: it commits what it is about to
//! do, calls the operations of other services through the router, and commits what came of it together with the tasks
//! of the steps that may begin now. After a crash the runner runs the task again, and the step reads in its row what
//! its first run meant to do.

mod begin;
mod custom;
mod dynamic;
mod end;
mod nested;
mod outputs;
mod phase;
mod start;
mod step;
mod wait;
mod world;

use std::time::Duration;

use base::Timestamp;
use kernel::{Call, NewTask, Reply, Result, RetryPolicy, RetryWhen, Tx};
use serde::{Deserialize, Serialize};

use crate::keys::{PlanKey, ResourceKey};
use crate::plan::Plan;
use crate::stack::Stack;

pub use custom::ANSWER;
pub(crate) use custom::{ANSWER_TIME_OUT, Awaited, answer, answer_time_out};
pub(crate) use dynamic::resolve;
pub(crate) use end::step_ended;
pub(crate) use nested::InnerStack;
pub(crate) use phase::advance;
pub(crate) use start::{Wanted, create, delete, go_back, retyped, undo_creation, update};
pub(crate) use step::step;
pub(crate) use wait::{Signals, TIME_OUT as SIGNALS_TIME_OUT, signal, time_out as signals_time_out};
pub(crate) use world::{imported_names, masked, properties_of};

/// Internal operation: one step of a deployment.
pub(crate) const STEP: &str = "DeployResource";
/// Internal operation: the task of a step has ended, for good or ill.
pub(crate) const STEP_ENDED: &str = "EndDeployResource";
/// Internal operation: the time for a creation is up.
pub(crate) const TIME_OUT: &str = "TimeOutStack";

const SERVICE: &str = "cloudformation";
/// Between two looks at a resource that is not ready.
const SETTLE_PAUSE: Duration = Duration::from_millis(50);

/// Names a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StepInput {
    pub stack: String,
    pub logical_id: String,
    pub generation: u64,
}

impl StepInput {
    /// Whether both are the same run of the same step.
    fn same(&self, other: &StepInput) -> bool {
        (&self.stack, &self.logical_id, self.generation)
            == (&other.stack, &other.logical_id, other.generation)
    }

    fn row(&self) -> ResourceKey {
        ResourceKey { stack: self.stack.clone(), logical_id: self.logical_id.clone() }
    }

    fn plan(&self) -> PlanKey {
        PlanKey { stack: self.stack.clone() }
    }
}

/// Names an operation that may take too long.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TimeOut {
    pub stack: String,
    pub generation: u64,
}

/// A service that is down is asked again for half a minute; then the step has failed.
const RETRY: RetryPolicy = RetryPolicy {
    retries_max: 8,
    age_ms_max: u64::MAX,
    backoff_ms: 200,
    backoff_ms_max: 10_000,
    when: RetryWhen::ServiceFault,
};

fn enqueue_step(tx: &mut Tx, stack: &Stack, plan: &Plan, logical_id: &str, due: Timestamp) -> Result<()> {
    let input =
        StepInput { stack: stack.id.clone(), logical_id: logical_id.to_owned(), generation: plan.generation };
    let reply = Reply {
        service: SERVICE.to_owned(),
        operation: STEP_ENDED.to_owned(),
        context: serde_json::to_string(&input)?,
    };
    let task = NewTask {
        retry: RETRY,
        reply: Some(reply),
        note: Some(format!("{} {logical_id}", stack.name)),
        caller: Some(plan.caller.clone()),
        trace: Some(plan.trace),
        ..NewTask::new(Call::new(SERVICE, STEP, &input)?)
    };
    tx.enqueue(due, task)?;
    Ok(())
}

/// Ends a creation whose time is up, unless it has ended by itself.
pub(crate) async fn time_out(tx: &mut Tx, input: TimeOut) -> Result<()> {
    let Some(mut stack) = tx.get(&crate::keys::StackKey { id: input.stack.clone() }).await? else {
        return Ok(());
    };
    let Some(mut plan) = tx.get(&PlanKey { stack: input.stack }).await? else { return Ok(()) };
    if plan.generation == input.generation {
        plan.halted = Some("Stack creation time exceeded the specified timeout.".to_owned());
        advance(tx, &mut stack, plan).await?;
    }
    Ok(())
}
