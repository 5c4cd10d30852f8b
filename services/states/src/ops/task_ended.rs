use asl::{FailureStage, Resource, Stimulus, WaitId};
use kernel::{Outcome, ReplyInput, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::arn::ExecutionId;
use crate::integration::{Answer, answer, operation, waits_on};
use crate::run::Live;

/// The internal operation that takes the outcome of a task's call.
pub(crate) const TASK_ENDED: &str = "TaskEnded";

/// What the asker needs to know the call again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Context {
    pub execution: ExecutionId,
    pub wait: WaitId,
    pub resource: Resource,
}

/// Tells the execution how the call ended. If its result comes from somewhere else, it is submitted now and waits on.
pub(crate) async fn task_ended(tx: &mut Tx, reply: ReplyInput<Context>) -> Result<()> {
    let Context { execution, wait, resource } = reply.context;
    let is_activity = matches!(resource, Resource::Activity(_));
    if is_activity && matches!(reply.outcome, Outcome::Succeeded(_)) {
        // It has been offered; a worker brings the result.
        return Ok(());
    }
    let Some(mut live) = Live::load(tx, &execution).await? else { return Ok(()) };
    let Some(task) = live.task(wait) else { return Ok(()) };
    let waits_on = waits_on(&resource);
    if waits_on {
        task.submitted = true;
    }
    let request_id = tx.caller().request_id.to_string();
    let schema = operation(&resource).and_then(|(service, name)| tx.operation_schema(service, &name));
    let stimulus = match (answer(&resource, schema, reply.outcome, &request_id), waits_on) {
        (Answer::Succeeded(output), false) => Stimulus::TaskSucceeded { wait_id: wait, output },
        (Answer::Succeeded(output), true) => Stimulus::TaskSubmitted { wait_id: wait, output },
        (Answer::Failed { error, cause }, false) if is_activity => Stimulus::TaskNotStarted {
            wait_id: wait,
            stage: FailureStage::Schedule,
            error: Some(error),
            cause: Some(cause),
        },
        (Answer::Failed { error, cause }, false) => {
            Stimulus::TaskFailed { wait_id: wait, error: Some(error), cause: Some(cause) }
        }
        (Answer::Failed { error, cause }, true) => Stimulus::TaskNotStarted {
            wait_id: wait,
            stage: FailureStage::Submit,
            error: Some(error),
            cause: Some(cause),
        },
    };
    live.step(tx, stimulus)?;
    live.store(tx)
}
