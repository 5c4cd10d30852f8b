//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetStackPolicy.html>

use kernel::{Result, Tx};

use crate::api::{GetStackPolicyInput, GetStackPolicyOutput};
use crate::stack;

/// The policy of a stack, if it has one.
pub(crate) async fn get_stack_policy(
    tx: &mut Tx,
    input: GetStackPolicyInput,
) -> Result<GetStackPolicyOutput> {
    let stack = stack::find(tx, &input.stack_name).await?;
    Ok(GetStackPolicyOutput { stack_policy_body: stack.policy })
}
