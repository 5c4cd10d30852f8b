//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_SignalResource.html>

use kernel::{Result, Tx};

use crate::api::{SignalResourceInput, SignalResourceOutput};
use crate::deploy;
use crate::stack::{self, invalid, no_such_stack};

/// Tells a resource with a creation policy that what it stands for has come about, or has not.
pub(crate) async fn signal_resource(tx: &mut Tx, input: SignalResourceInput) -> Result<SignalResourceOutput> {
    let found = stack::seek(tx, &input.stack_name).await?;
    let stack = found.ok_or_else(|| no_such_stack(&input.stack_name))?;
    if !stack.status.as_str().ends_with("_IN_PROGRESS") {
        let message = format!("Stack:{} is in {} state and can not be signaled.", stack.arn, stack.status);
        return Err(invalid(message).into());
    }
    deploy::signal(tx, &stack, &input.logical_resource_id, (input.unique_id, input.status)).await?;
    Ok(SignalResourceOutput {})
}
