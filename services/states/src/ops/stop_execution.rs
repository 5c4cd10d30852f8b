use asl::Stimulus;
use kernel::{Result, Tx};

use crate::api::{StopExecutionInput, StopExecutionOutput};
use crate::run::Live;

use super::describe_execution::find;

/// Stops an execution. One that has ended stays as it is and answers with the time at which it did.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html>
pub(crate) async fn stop_execution(tx: &mut Tx, input: StopExecutionInput) -> Result<StopExecutionOutput> {
    let (id, execution) = find(tx, &input.execution_arn).await?;
    if let Some(mut live) = Live::load(tx, &id).await? {
        live.step(tx, Stimulus::Stop { error: input.error, cause: input.cause })?;
        live.store(tx)?;
    }
    let stop_date = execution.end.map_or_else(|| tx.now(), |end| end.at);
    Ok(StopExecutionOutput { stop_date })
}
