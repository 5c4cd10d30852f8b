//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html>

use std::collections::BTreeSet;

use kernel::{Result, Tx};

use super::mode;
use crate::api::{RollbackStackInput, RollbackStackOutput, StackStatus};
use crate::deploy;
use crate::stack::{self, invalid};

/// Brings a stack whose operation failed, and was left as it was, back to its last stable state.
pub(crate) async fn rollback_stack(tx: &mut Tx, input: RollbackStackInput) -> Result<RollbackStackOutput> {
    if input.retain_except_on_create == Some(true) {
        return Err(invalid("RetainExceptOnCreate is not supported by Buswork").into());
    }
    let missing = || invalid(format!("Stack [{}] does not exist", input.stack_name));
    let mut stack = stack::seek(tx, &input.stack_name).await?.ok_or_else(missing)?;
    stack.token = input.client_request_token;
    if input.role_arn.is_some() {
        stack.settings.role_arn = input.role_arn;
    }
    if input.deployment_config.is_some() {
        stack.settings.mode = mode(&input.deployment_config);
    }
    match stack.status {
        // It has never been whole.
        StackStatus::UpdateFailed if stack.unstable => deploy::undo_creation(tx, &mut stack).await?,
        StackStatus::CreateFailed => deploy::undo_creation(tx, &mut stack).await?,
        StackStatus::UpdateFailed => deploy::go_back(tx, &mut stack, &BTreeSet::new()).await?,
        status => {
            let message = format!("Stack:{} is in {status} state and can not be rolled back.", stack.arn);
            return Err(invalid(message).into());
        }
    }
    Ok(RollbackStackOutput { stack_id: Some(stack.arn), operation_id: None })
}
