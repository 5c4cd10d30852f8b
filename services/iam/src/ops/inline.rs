//! Policies that stand in a role, a user or a group.

use kernel::{Result, Tx};

use crate::api::{
    DeleteGroupPolicyInput, DeleteGroupPolicyOutput, DeleteRolePolicyInput, DeleteRolePolicyOutput,
    DeleteUserPolicyInput, DeleteUserPolicyOutput, GetGroupPolicyInput, GetGroupPolicyOutput,
    GetRolePolicyInput, GetRolePolicyOutput, GetUserPolicyInput, GetUserPolicyOutput, ListGroupPoliciesInput,
    ListGroupPoliciesOutput, ListRolePoliciesInput, ListRolePoliciesOutput, ListUserPoliciesInput,
    ListUserPoliciesOutput, PutGroupPolicyInput, PutGroupPolicyOutput, PutRolePolicyInput,
    PutRolePolicyOutput, PutUserPolicyInput, PutUserPolicyOutput,
};
use crate::fault;
use crate::holder::{Holder, find, find_to_change};
use crate::keys::{GroupKey, RoleKey, UserKey};
use crate::paging::page;
use crate::policy::{Kind, check, encoded};

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html>
pub(crate) async fn put_role_policy(tx: &mut Tx, input: PutRolePolicyInput) -> Result<PutRolePolicyOutput> {
    put::<RoleKey>(tx, input.role_name, input.policy_name, input.policy_document).await?;
    Ok(PutRolePolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html>
pub(crate) async fn get_role_policy(tx: &mut Tx, input: GetRolePolicyInput) -> Result<GetRolePolicyOutput> {
    let policy_document = get::<RoleKey>(tx, &input.role_name, &input.policy_name).await?;
    Ok(GetRolePolicyOutput { role_name: input.role_name, policy_name: input.policy_name, policy_document })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html>
pub(crate) async fn delete_role_policy(
    tx: &mut Tx,
    input: DeleteRolePolicyInput,
) -> Result<DeleteRolePolicyOutput> {
    delete::<RoleKey>(tx, input.role_name, &input.policy_name).await?;
    Ok(DeleteRolePolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html>
pub(crate) async fn list_role_policies(
    tx: &mut Tx,
    input: ListRolePoliciesInput,
) -> Result<ListRolePoliciesOutput> {
    let names = names::<RoleKey>(tx, input.role_name).await?;
    let (policy_names, marker) =
        page(names.into_iter(), String::clone, input.marker.as_deref(), input.max_items);
    Ok(ListRolePoliciesOutput { policy_names, is_truncated: Some(marker.is_some()), marker })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html>
pub(crate) async fn put_user_policy(tx: &mut Tx, input: PutUserPolicyInput) -> Result<PutUserPolicyOutput> {
    put::<UserKey>(tx, input.user_name, input.policy_name, input.policy_document).await?;
    Ok(PutUserPolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html>
pub(crate) async fn get_user_policy(tx: &mut Tx, input: GetUserPolicyInput) -> Result<GetUserPolicyOutput> {
    let policy_document = get::<UserKey>(tx, &input.user_name, &input.policy_name).await?;
    Ok(GetUserPolicyOutput { user_name: input.user_name, policy_name: input.policy_name, policy_document })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPolicy.html>
pub(crate) async fn delete_user_policy(
    tx: &mut Tx,
    input: DeleteUserPolicyInput,
) -> Result<DeleteUserPolicyOutput> {
    delete::<UserKey>(tx, input.user_name, &input.policy_name).await?;
    Ok(DeleteUserPolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html>
pub(crate) async fn list_user_policies(
    tx: &mut Tx,
    input: ListUserPoliciesInput,
) -> Result<ListUserPoliciesOutput> {
    let names = names::<UserKey>(tx, input.user_name).await?;
    let (policy_names, marker) =
        page(names.into_iter(), String::clone, input.marker.as_deref(), input.max_items);
    Ok(ListUserPoliciesOutput { policy_names, is_truncated: Some(marker.is_some()), marker })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html>
pub(crate) async fn put_group_policy(
    tx: &mut Tx,
    input: PutGroupPolicyInput,
) -> Result<PutGroupPolicyOutput> {
    put::<GroupKey>(tx, input.group_name, input.policy_name, input.policy_document).await?;
    Ok(PutGroupPolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroupPolicy.html>
pub(crate) async fn get_group_policy(
    tx: &mut Tx,
    input: GetGroupPolicyInput,
) -> Result<GetGroupPolicyOutput> {
    let policy_document = get::<GroupKey>(tx, &input.group_name, &input.policy_name).await?;
    Ok(GetGroupPolicyOutput { group_name: input.group_name, policy_name: input.policy_name, policy_document })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroupPolicy.html>
pub(crate) async fn delete_group_policy(
    tx: &mut Tx,
    input: DeleteGroupPolicyInput,
) -> Result<DeleteGroupPolicyOutput> {
    delete::<GroupKey>(tx, input.group_name, &input.policy_name).await?;
    Ok(DeleteGroupPolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupPolicies.html>
pub(crate) async fn list_group_policies(
    tx: &mut Tx,
    input: ListGroupPoliciesInput,
) -> Result<ListGroupPoliciesOutput> {
    let names = names::<GroupKey>(tx, input.group_name).await?;
    let (policy_names, marker) =
        page(names.into_iter(), String::clone, input.marker.as_deref(), input.max_items);
    Ok(ListGroupPoliciesOutput { policy_names, is_truncated: Some(marker.is_some()), marker })
}

async fn put<H: Holder>(tx: &mut Tx, name: String, policy: String, document: String) -> Result<()> {
    check(&document, Kind::Identity)?;
    let (key, mut value) = find_to_change::<H>(tx, name).await?;
    let inline = H::inline(&mut value);
    inline.insert(policy, document);
    let characters: usize =
        inline.values().map(|document| document.chars().filter(|c| !c.is_whitespace()).count()).sum();
    if characters > H::INLINE_MAX {
        let (most, kind, name) = (H::INLINE_MAX, H::KIND, key.name());
        let message = format!("Maximum policy size of {most} bytes exceeded for {kind} {name}");
        return Err(fault::limit_exceeded(message).into());
    }
    tx.put(&key, &value)
}

/// The document, percent-encoded.
async fn get<H: Holder>(tx: &mut Tx, name: &str, policy: &str) -> Result<String> {
    let (_, mut value) = find::<H>(tx, name.to_owned()).await?;
    let document = H::inline(&mut value).get(policy);
    Ok(encoded(document.ok_or_else(|| fault::no_such_inline_policy(H::KIND, policy))?))
}

async fn delete<H: Holder>(tx: &mut Tx, name: String, policy: &str) -> Result<()> {
    let (key, mut value) = find_to_change::<H>(tx, name).await?;
    if H::inline(&mut value).remove(policy).is_none() {
        return Err(fault::no_such_inline_policy(H::KIND, policy).into());
    }
    tx.put(&key, &value)
}

async fn names<H: Holder>(tx: &mut Tx, name: String) -> Result<Vec<String>> {
    let (_, mut value) = find::<H>(tx, name).await?;
    Ok(H::inline(&mut value).keys().cloned().collect())
}
