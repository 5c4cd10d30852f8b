//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateTerminationProtection.html>

use kernel::{Result, Tx};

use crate::api::{UpdateTerminationProtectionInput, UpdateTerminationProtectionOutput};
use crate::stack::{self, invalid};

/// Protects a stack from being deleted, or ends that. A stack inside another one is protected with that.
pub(crate) async fn update_termination_protection(
    tx: &mut Tx,
    input: UpdateTerminationProtectionInput,
) -> Result<UpdateTerminationProtectionOutput> {
    let mut stack = stack::find(tx, &input.stack_name).await?;
    if stack.deleted.is_some() {
        return Err(stack::no_such_stack(&input.stack_name).into());
    }
    if let Some(parent) = &stack.parent {
        let message = format!(
            "Termination protection cannot be changed on a nested stack: change that of its root [{}]",
            parent.root_arn
        );
        return Err(invalid(message).into());
    }
    stack.settings.termination_protection = input.enable_termination_protection;
    tx.put(&stack.key(), &stack)?;
    Ok(UpdateTerminationProtectionOutput { stack_id: Some(stack.arn) })
}
