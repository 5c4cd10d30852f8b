//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html>

use kernel::{Result, Tx};

use super::mode;
use crate::api::{DeleteStackInput, DeleteStackOutput, DeletionMode, StackStatus};
use crate::change_set;
use crate::deploy;
use crate::keys::{NameKey, PlanKey};
use crate::record;
use crate::stack::{self, FailureMode, Stack, invalid};

/// Begins to take a stack away. A stack that does not exist is deleted already.
pub(crate) async fn delete_stack(tx: &mut Tx, input: DeleteStackInput) -> Result<DeleteStackOutput> {
    if input.deletion_mode == Some(DeletionMode::ForceDeleteStack) {
        return Err(invalid("the deletion mode FORCE_DELETE_STACK is not supported by Buswork").into());
    }
    let Some(mut stack) = stack::seek(tx, &input.stack_name).await? else { return Ok(DeleteStackOutput {}) };
    match stack.status {
        StackStatus::DeleteInProgress | StackStatus::DeleteComplete => return Ok(DeleteStackOutput {}),
        StackStatus::ReviewInProgress => {
            discard(tx, &mut stack).await?;
            return Ok(DeleteStackOutput {});
        }
        StackStatus::CreateInProgress => {
            cancel(tx, &mut stack).await?;
            return Ok(DeleteStackOutput {});
        }
        _ => {}
    }
    check(&stack, &input)?;
    stack.token = input.client_request_token;
    if input.role_arn.is_some() {
        stack.settings.role_arn = input.role_arn;
    }
    if input.deployment_config.is_some() {
        stack.settings.mode = mode(&input.deployment_config);
    }
    let retain = input.retain_resources.unwrap_or_default().into_iter().collect();
    deploy::delete(tx, &mut stack, retain).await?;
    Ok(DeleteStackOutput {})
}

fn check(stack: &Stack, input: &DeleteStackInput) -> Result<()> {
    if stack.settings.termination_protection {
        let message =
            format!("Stack [{}] cannot be deleted while TerminationProtection is enabled", stack.name);
        return Err(invalid(message).into());
    }
    if stack.status.as_str().ends_with("_IN_PROGRESS") {
        let message = format!("Stack [{}] cannot be deleted while in status {}", stack.arn, stack.status);
        return Err(invalid(message).into());
    }
    let retains = input.retain_resources.as_ref().is_some_and(|names| !names.is_empty());
    if retains && stack.status != StackStatus::DeleteFailed {
        let message = format!(
            "Invalid operation on stack [{}]. 'RetainResources' can only be specified for stacks in DELETE_FAILED state",
            stack.arn
        );
        return Err(invalid(message).into());
    }
    Ok(())
}

/// A stack that nothing has been made of is gone at once.
async fn discard(tx: &mut Tx, stack: &mut Stack) -> Result<()> {
    change_set::remove_all(tx, stack, None).await?;
    stack.deleted = Some(tx.now());
    tx.delete(&NameKey { name: stack.name.clone() });
    record::stack(tx, stack, StackStatus::DeleteComplete, None).await?;
    tx.put(&stack.key(), stack)
}

/// A stack that is being made is not finished but taken away.
async fn cancel(tx: &mut Tx, stack: &mut Stack) -> Result<()> {
    if stack.settings.termination_protection {
        let message =
            format!("Stack [{}] cannot be deleted while TerminationProtection is enabled", stack.name);
        return Err(invalid(message).into());
    }
    let Some(mut plan) = tx.get(&PlanKey { stack: stack.id.clone() }).await? else { return Ok(()) };
    plan.on_failure = FailureMode::Delete;
    plan.halted = Some("User Initiated".to_owned());
    deploy::advance(tx, stack, plan).await
}
