//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html>

use kernel::{Result, Tx};

use crate::api::{CancelUpdateStackInput, CancelUpdateStackOutput, StackStatus};
use crate::deploy;
use crate::keys::PlanKey;
use crate::stack::{self, FailureMode, invalid};

/// Calls an update off. What is under way ends first; then the stack goes back.
pub(crate) async fn cancel_update_stack(
    tx: &mut Tx,
    input: CancelUpdateStackInput,
) -> Result<CancelUpdateStackOutput> {
    let missing = || invalid(format!("Stack [{}] does not exist", input.stack_name));
    let mut stack = stack::seek(tx, &input.stack_name).await?.ok_or_else(missing)?;
    let plan = tx.get(&PlanKey { stack: stack.id.clone() }).await?;
    let Some(mut plan) = plan.filter(|_| stack.status == StackStatus::UpdateInProgress) else {
        let message = "CancelUpdateStack cannot be called from current stack status";
        return Err(invalid(message).into());
    };
    plan.on_failure = FailureMode::Rollback;
    plan.halted = Some("Update cancelled by user.".to_owned());
    deploy::advance(tx, &mut stack, plan).await?;
    Ok(CancelUpdateStackOutput {})
}
