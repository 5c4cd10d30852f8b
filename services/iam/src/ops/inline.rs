//! Policies that stand in a role.

use kernel::{Result, Tx};

use crate::api::{
    DeleteRolePolicyInput, DeleteRolePolicyOutput, GetRolePolicyInput, GetRolePolicyOutput,
    ListRolePoliciesInput, ListRolePoliciesOutput, PutRolePolicyInput, PutRolePolicyOutput,
};
use crate::fault;
use crate::ops::role::find;
use crate::paging::page;
use crate::policy::{Kind, check, encoded};

/// The most characters that a role's inline policies have together, white space aside.
const CHARACTERS_MAX: usize = 10_240;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html>
pub(crate) async fn put_role_policy(tx: &mut Tx, input: PutRolePolicyInput) -> Result<PutRolePolicyOutput> {
    check(&input.policy_document, Kind::Identity)?;
    let (key, mut role) = find(tx, input.role_name).await?;
    role.inline.insert(input.policy_name, input.policy_document);
    let characters: usize =
        role.inline.values().map(|document| document.chars().filter(|c| !c.is_whitespace()).count()).sum();
    if characters > CHARACTERS_MAX {
        let message = format!("Maximum policy size of {CHARACTERS_MAX} bytes exceeded for role {}", key.name);
        return Err(fault::limit_exceeded(message).into());
    }
    tx.put(&key, &role)?;
    Ok(PutRolePolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html>
pub(crate) async fn get_role_policy(tx: &mut Tx, input: GetRolePolicyInput) -> Result<GetRolePolicyOutput> {
    let (key, role) = find(tx, input.role_name).await?;
    let document = role.inline.get(&input.policy_name);
    let document = document.ok_or_else(|| fault::no_such_role_policy(&input.policy_name))?;
    let policy_document = encoded(document);
    Ok(GetRolePolicyOutput { role_name: key.name, policy_name: input.policy_name, policy_document })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html>
pub(crate) async fn delete_role_policy(
    tx: &mut Tx,
    input: DeleteRolePolicyInput,
) -> Result<DeleteRolePolicyOutput> {
    let (key, mut role) = find(tx, input.role_name).await?;
    if role.inline.remove(&input.policy_name).is_none() {
        return Err(fault::no_such_role_policy(&input.policy_name).into());
    }
    tx.put(&key, &role)?;
    Ok(DeleteRolePolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html>
pub(crate) async fn list_role_policies(
    tx: &mut Tx,
    input: ListRolePoliciesInput,
) -> Result<ListRolePoliciesOutput> {
    let (_, role) = find(tx, input.role_name).await?;
    let (policy_names, marker) =
        page(role.inline.into_keys(), String::clone, input.marker.as_deref(), input.max_items);
    Ok(ListRolePoliciesOutput { policy_names, is_truncated: Some(marker.is_some()), marker })
}
