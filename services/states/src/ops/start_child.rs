use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use super::start_execution::{NewExecution, Started, start};
use crate::api::{StartExecutionOutput, StateMachineType};
use crate::execution::Parent;
use crate::fault;

/// The internal operation that starts an execution whose end a task waits for.
pub(crate) const START_CHILD: &str = "StartChildExecution";

/// Its input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StartChild {
    pub machine_arn: String,
    pub name: String,
    pub input: Option<String>,
    pub parent: Parent,
}

/// Starts the execution with the link to its parent: its end is told to the parent in the commit in which it ends.
pub(crate) async fn start_child(tx: &mut Tx, input: StartChild) -> Result<StartExecutionOutput> {
    let StartChild { machine_arn, name, input, parent } = input;
    let new = NewExecution {
        machine_arn,
        name: Some(name),
        input,
        trace_header: None,
        parent: Some(parent),
        // AWS finds the end of an execution by DescribeExecution, which EXPRESS machines do not have.
        only: Some(StateMachineType::Standard),
    };
    match start(tx, new).await? {
        Started::New(id, execution) => {
            let start_date = execution.started_at;
            Ok(StartExecutionOutput { execution_arn: id.arn(tx.scope()), start_date })
        }
        Started::Known(id, ..) => Err(fault::execution_already_exists(&id.arn(tx.scope())).into()),
    }
}
