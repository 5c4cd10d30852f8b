use asl::Stimulus;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::arn::ExecutionId;
use crate::execution::Parent;
use crate::run::Live;

/// The internal operation that stops an execution whose task is of no interest any more.
pub(crate) const STOP_CHILD: &str = "StopChildExecution";

/// Its input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StopChild {
    pub child: ExecutionId,
    /// Whose child it must be: somebody else may have an execution of that name.
    pub parent: Parent,
}

/// Stops the execution if it runs.
pub(crate) async fn stop_child(tx: &mut Tx, input: StopChild) -> Result<()> {
    let Some(mut live) = Live::load(tx, &input.child).await? else { return Ok(()) };
    if live.execution.parent.as_ref() == Some(&input.parent) {
        live.step(tx, Stimulus::Stop { error: None, cause: None })?;
        live.store(tx)?;
    }
    Ok(())
}
