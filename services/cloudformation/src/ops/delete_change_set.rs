//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteChangeSet.html>

use kernel::{Result, Tx};

use super::nested_change_sets::refuse_nested;
use crate::api::{self, DeleteChangeSetInput, DeleteChangeSetOutput, ExecutionStatus};
use crate::change_set;

/// Takes a change set away, unless it is being executed. One that does not exist is deleted already; a stack that was
/// made for its review stays.
pub(crate) async fn delete_change_set(
    tx: &mut Tx,
    input: DeleteChangeSetInput,
) -> Result<DeleteChangeSetOutput> {
    let found = change_set::seek(tx, &input.change_set_name, input.stack_name.as_deref()).await?;
    let (Some(stack), Some(found)) = found else { return Ok(DeleteChangeSetOutput {}) };
    refuse_nested(&found)?;
    let status = found.execution_status(&stack);
    if status == ExecutionStatus::ExecuteInProgress {
        let message = format!(
            "ChangeSet [{}] cannot be deleted in its current status of [{}]",
            found.arn,
            status.as_str()
        );
        return Err(api::error::invalid_change_set_status_exception(message).into());
    }
    change_set::remove(tx, &stack, &found);
    Ok(DeleteChangeSetOutput {})
}
