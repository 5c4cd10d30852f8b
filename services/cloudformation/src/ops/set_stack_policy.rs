//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_SetStackPolicy.html>

use kernel::{Effect, Result, Tx};

use super::source;
use crate::api::{SetStackPolicyInput, SetStackPolicyOutput};
use crate::stack::{self, invalid};

/// Says which updates of which resources are allowed from now on.
pub(crate) async fn set_stack_policy(
    effect: &Effect,
    input: SetStackPolicyInput,
) -> Result<SetStackPolicyOutput> {
    let policy = source::policy(effect, (input.stack_policy_body, input.stack_policy_url)).await?;
    let policy = policy.ok_or_else(|| invalid("StackPolicyBody or StackPolicyURL must be specified."))?;
    effect.transact("SetStackPolicy", keep, (input.stack_name, policy)).await?;
    Ok(SetStackPolicyOutput {})
}

async fn keep(tx: &mut Tx, (name, policy): (String, String)) -> Result<()> {
    let mut stack = stack::find(tx, &name).await?;
    stack.policy = Some(policy);
    tx.put(&stack.key(), &stack)
}
