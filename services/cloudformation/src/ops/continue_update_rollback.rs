//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html>

use std::collections::BTreeSet;

use kernel::{Result, Tx};

use crate::api::{ContinueUpdateRollbackInput, ContinueUpdateRollbackOutput, StackStatus};
use crate::deploy;
use crate::stack::{self, invalid};

/// Tries once more to bring a stack back to what it was before its update. Resources to skip stay as they are.
pub(crate) async fn continue_update_rollback(
    tx: &mut Tx,
    input: ContinueUpdateRollbackInput,
) -> Result<ContinueUpdateRollbackOutput> {
    if input.force_rollback == Some(true) {
        return Err(invalid("ForceRollback is not supported by Buswork").into());
    }
    let missing = || invalid(format!("Stack [{}] does not exist", input.stack_name));
    let mut stack = stack::seek(tx, &input.stack_name).await?.ok_or_else(missing)?;
    if stack.status != StackStatus::UpdateRollbackFailed {
        let message =
            format!("Stack:{} is in {} state and can not continue update rollback.", stack.arn, stack.status);
        return Err(invalid(message).into());
    }
    stack.token = input.client_request_token;
    if input.role_arn.is_some() {
        stack.settings.role_arn = input.role_arn;
    }
    let skipped: BTreeSet<String> = input.resources_to_skip.unwrap_or_default().into_iter().collect();
    deploy::go_back(tx, &mut stack, &skipped).await?;
    Ok(ContinueUpdateRollbackOutput {})
}
