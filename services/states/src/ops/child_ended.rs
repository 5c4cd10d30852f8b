use asl::Stimulus;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::arn::ExecutionId;
use crate::execution::Parent;
use crate::fault;
use crate::integration::{Answer, ended, submitted};
use crate::keys::ExecutionKey;
use crate::run::Live;

/// The internal operation by which an execution's end reaches the task that waits for it.
pub(crate) const CHILD_ENDED: &str = "ChildExecutionEnded";

/// Its input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChildEnded {
    pub parent: Parent,
    pub child: ExecutionId,
}

/// Gives the parent's task its result.
pub(crate) async fn child_ended(tx: &mut Tx, input: ChildEnded) -> Result<()> {
    let ChildEnded { parent, child } = input;
    let Some(mut live) = Live::load(tx, &parent.execution).await? else { return Ok(()) };
    let wait_id = parent.wait;
    let Some(task) = live.task(wait_id) else { return Ok(()) };
    let (was_submitted, pattern) = (std::mem::replace(&mut task.submitted, true), task.pattern);
    let Some(execution) = tx.peek(&ExecutionKey { id: child.key() }).await? else {
        // Its machine was deleted with all its executions.
        let cause = fault::execution_does_not_exist(&child.arn(tx.scope())).message;
        let error = Some("States.TaskFailed".to_owned());
        live.step(tx, Stimulus::TaskFailed { wait_id, error, cause: Some(cause) })?;
        return live.store(tx);
    };
    if !was_submitted {
        // The child was faster than the answer to the request that started it.
        let request_id = tx.caller().request_id.to_string();
        let output = submitted(tx.scope(), &child, &execution, &request_id);
        live.step(tx, Stimulus::TaskSubmitted { wait_id, output })?;
    }
    let stimulus = match ended(tx.scope(), &child, &execution, pattern) {
        Answer::Succeeded(output) => Stimulus::TaskSucceeded { wait_id, output },
        Answer::Failed { error, cause } => {
            Stimulus::TaskFailed { wait_id, error: Some(error), cause: Some(cause) }
        }
    };
    live.step(tx, stimulus)?;
    live.store(tx)
}
