//! `GetPolicy`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html>

use kernel::{Result, Tx};

use crate::api::{GetPolicyInput, GetPolicyOutput};
use crate::name::FunctionRef;
use crate::{fault, policy};

/// The policy as JSON text.
pub(crate) async fn get_policy(tx: &mut Tx, input: GetPolicyInput) -> Result<GetPolicyOutput> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref(), tx.scope())?;
    let key = policy::key(tx, &wanted).await?;
    let present = tx.get(&key).await?.ok_or_else(fault::no_such_resource)?;
    Ok(GetPolicyOutput { policy: Some(present.text()), revision_id: Some(present.revision_id.to_string()) })
}
