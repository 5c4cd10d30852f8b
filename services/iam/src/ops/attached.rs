//! Managed policies that are attached to a role, a user or a group.

use kernel::{Result, Tx};

use crate::api::{
    AttachGroupPolicyInput, AttachGroupPolicyOutput, AttachRolePolicyInput, AttachRolePolicyOutput,
    AttachUserPolicyInput, AttachUserPolicyOutput, AttachedPolicy, DetachGroupPolicyInput,
    DetachGroupPolicyOutput, DetachRolePolicyInput, DetachRolePolicyOutput, DetachUserPolicyInput,
    DetachUserPolicyOutput, ListAttachedGroupPoliciesInput, ListAttachedGroupPoliciesOutput,
    ListAttachedRolePoliciesInput, ListAttachedRolePoliciesOutput, ListAttachedUserPoliciesInput,
    ListAttachedUserPoliciesOutput,
};
use crate::fault;
use crate::holder::{Holder, find, find_to_change};
use crate::keys::{GroupKey, PolicyKey, RoleKey, UserKey};
use crate::paging::page;

/// The most policies that are attached to one role, user or group.
const ATTACHED_MAX: usize = 20;
/// The beginning of the ARNs of AWS's own policies: names without documents here.
pub(crate) const OF_AWS: &str = "arn:aws:iam::aws:policy/";

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html>
pub(crate) async fn attach_role_policy(
    tx: &mut Tx,
    input: AttachRolePolicyInput,
) -> Result<AttachRolePolicyOutput> {
    attach::<RoleKey>(tx, input.role_name, input.policy_arn).await?;
    Ok(AttachRolePolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html>
pub(crate) async fn detach_role_policy(
    tx: &mut Tx,
    input: DetachRolePolicyInput,
) -> Result<DetachRolePolicyOutput> {
    detach::<RoleKey>(tx, input.role_name, &input.policy_arn).await?;
    Ok(DetachRolePolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html>
pub(crate) async fn list_attached_role_policies(
    tx: &mut Tx,
    input: ListAttachedRolePoliciesInput,
) -> Result<ListAttachedRolePoliciesOutput> {
    let arns = arns::<RoleKey>(tx, input.role_name, input.path_prefix).await?;
    let (arns, marker) = page(arns.into_iter(), String::clone, input.marker.as_deref(), input.max_items);
    Ok(ListAttachedRolePoliciesOutput {
        attached_policies: Some(arns.into_iter().map(show).collect()),
        is_truncated: Some(marker.is_some()),
        marker,
    })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html>
pub(crate) async fn attach_user_policy(
    tx: &mut Tx,
    input: AttachUserPolicyInput,
) -> Result<AttachUserPolicyOutput> {
    attach::<UserKey>(tx, input.user_name, input.policy_arn).await?;
    Ok(AttachUserPolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachUserPolicy.html>
pub(crate) async fn detach_user_policy(
    tx: &mut Tx,
    input: DetachUserPolicyInput,
) -> Result<DetachUserPolicyOutput> {
    detach::<UserKey>(tx, input.user_name, &input.policy_arn).await?;
    Ok(DetachUserPolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html>
pub(crate) async fn list_attached_user_policies(
    tx: &mut Tx,
    input: ListAttachedUserPoliciesInput,
) -> Result<ListAttachedUserPoliciesOutput> {
    let arns = arns::<UserKey>(tx, input.user_name, input.path_prefix).await?;
    let (arns, marker) = page(arns.into_iter(), String::clone, input.marker.as_deref(), input.max_items);
    Ok(ListAttachedUserPoliciesOutput {
        attached_policies: Some(arns.into_iter().map(show).collect()),
        is_truncated: Some(marker.is_some()),
        marker,
    })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html>
pub(crate) async fn attach_group_policy(
    tx: &mut Tx,
    input: AttachGroupPolicyInput,
) -> Result<AttachGroupPolicyOutput> {
    attach::<GroupKey>(tx, input.group_name, input.policy_arn).await?;
    Ok(AttachGroupPolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachGroupPolicy.html>
pub(crate) async fn detach_group_policy(
    tx: &mut Tx,
    input: DetachGroupPolicyInput,
) -> Result<DetachGroupPolicyOutput> {
    detach::<GroupKey>(tx, input.group_name, &input.policy_arn).await?;
    Ok(DetachGroupPolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedGroupPolicies.html>
pub(crate) async fn list_attached_group_policies(
    tx: &mut Tx,
    input: ListAttachedGroupPoliciesInput,
) -> Result<ListAttachedGroupPoliciesOutput> {
    let arns = arns::<GroupKey>(tx, input.group_name, input.path_prefix).await?;
    let (arns, marker) = page(arns.into_iter(), String::clone, input.marker.as_deref(), input.max_items);
    Ok(ListAttachedGroupPoliciesOutput {
        attached_policies: Some(arns.into_iter().map(show).collect()),
        is_truncated: Some(marker.is_some()),
        marker,
    })
}

/// AWS's own policies are attached by name; their documents are not kept here.
async fn attach<H: Holder>(tx: &mut Tx, name: String, arn: String) -> Result<()> {
    let (key, mut value) = find_to_change::<H>(tx, name).await?;
    if H::attached(&mut value).contains(&arn) {
        return Ok(());
    }
    count(tx, &arn, 1).await?;
    H::attached(&mut value).insert(arn);
    if H::attached(&mut value).len() > ATTACHED_MAX {
        let message = format!("Cannot exceed quota for {}: {ATTACHED_MAX}", H::ATTACHED_QUOTA);
        return Err(fault::limit_exceeded(message).into());
    }
    tx.put(&key, &value)
}

async fn detach<H: Holder>(tx: &mut Tx, name: String, arn: &str) -> Result<()> {
    let (key, mut value) = find_to_change::<H>(tx, name).await?;
    if !H::attached(&mut value).remove(arn) {
        return Err(fault::no_such_policy(arn).into());
    }
    count(tx, arn, -1).await?;
    tx.put(&key, &value)
}

async fn arns<H: Holder>(tx: &mut Tx, name: String, prefix: Option<String>) -> Result<Vec<String>> {
    let (_, mut value) = find::<H>(tx, name).await?;
    let prefix = prefix.unwrap_or_default();
    let in_path =
        |arn: &&String| arn.split_once(":policy").is_some_and(|(_, path)| path.starts_with(&prefix));
    Ok(H::attached(&mut value).iter().filter(in_path).cloned().collect())
}

fn show(arn: String) -> AttachedPolicy {
    let policy_name = arn.rsplit('/').next().map(str::to_owned);
    AttachedPolicy { policy_name, policy_arn: Some(arn) }
}

/// Keeps the count of attachments of a policy of the account's own.
async fn count(tx: &mut Tx, arn: &str, by: i32) -> Result<()> {
    if arn.starts_with(OF_AWS) {
        return Ok(());
    }
    let key = PolicyKey { arn: arn.to_owned() };
    let Some(mut policy) = tx.get(&key).await? else { return Err(fault::no_such_policy(arn).into()) };
    policy.attachments += by;
    tx.put(&key, &policy)
}
