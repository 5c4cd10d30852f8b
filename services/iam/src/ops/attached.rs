//! Managed policies that are attached to a role.

use kernel::{Result, Tx};

use crate::api::{
    AttachRolePolicyInput, AttachRolePolicyOutput, AttachedPolicy, DetachRolePolicyInput,
    DetachRolePolicyOutput, ListAttachedRolePoliciesInput, ListAttachedRolePoliciesOutput,
};
use crate::fault;
use crate::keys::PolicyKey;
use crate::ops::role::find;
use crate::paging::page;

/// The most policies of a role.
const ATTACHED_MAX: usize = 20;

/// AWS's own policies are attached by name; their documents are not kept here.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html>
pub(crate) async fn attach_role_policy(
    tx: &mut Tx,
    input: AttachRolePolicyInput,
) -> Result<AttachRolePolicyOutput> {
    let (key, mut role) = find(tx, input.role_name).await?;
    if role.attached.contains(&input.policy_arn) {
        return Ok(AttachRolePolicyOutput {});
    }
    count(tx, &input.policy_arn, 1).await?;
    role.attached.insert(input.policy_arn);
    if role.attached.len() > ATTACHED_MAX {
        let message = format!("Cannot exceed quota for PoliciesPerRole: {ATTACHED_MAX}");
        return Err(fault::limit_exceeded(message).into());
    }
    tx.put(&key, &role)?;
    Ok(AttachRolePolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html>
pub(crate) async fn detach_role_policy(
    tx: &mut Tx,
    input: DetachRolePolicyInput,
) -> Result<DetachRolePolicyOutput> {
    let (key, mut role) = find(tx, input.role_name).await?;
    if !role.attached.remove(&input.policy_arn) {
        return Err(fault::no_such_policy(&input.policy_arn).into());
    }
    count(tx, &input.policy_arn, -1).await?;
    tx.put(&key, &role)?;
    Ok(DetachRolePolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html>
pub(crate) async fn list_attached_role_policies(
    tx: &mut Tx,
    input: ListAttachedRolePoliciesInput,
) -> Result<ListAttachedRolePoliciesOutput> {
    let (_, role) = find(tx, input.role_name).await?;
    let prefix = input.path_prefix.unwrap_or_default();
    let in_path = |arn: &String| arn.split_once(":policy").is_some_and(|(_, path)| path.starts_with(&prefix));
    let arns = role.attached.into_iter().filter(in_path);
    let (arns, marker) = page(arns, String::clone, input.marker.as_deref(), input.max_items);
    let show = |arn: String| AttachedPolicy {
        policy_name: arn.rsplit('/').next().map(str::to_owned),
        policy_arn: Some(arn),
    };
    Ok(ListAttachedRolePoliciesOutput {
        attached_policies: Some(arns.into_iter().map(show).collect()),
        is_truncated: Some(marker.is_some()),
        marker,
    })
}

/// Keeps the count of attachments of a policy of the account's own.
async fn count(tx: &mut Tx, arn: &str, by: i32) -> Result<()> {
    if arn.starts_with("arn:aws:iam::aws:policy/") {
        return Ok(());
    }
    let key = PolicyKey { arn: arn.to_owned() };
    let Some(mut policy) = tx.get(&key).await? else { return Err(fault::no_such_policy(arn).into()) };
    policy.attachments += by;
    tx.put(&key, &policy)
}
