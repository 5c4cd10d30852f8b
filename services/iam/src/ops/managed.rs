//! Managed policies of the account's own.

use kernel::{Parts, Result, Tx};

use crate::api::{
    CreatePolicyInput, CreatePolicyOutput, DeletePolicyInput, DeletePolicyOutput, GetPolicyInput,
    GetPolicyOutput, GetPolicyVersionInput, GetPolicyVersionOutput, ListPoliciesInput, ListPoliciesOutput,
    PolicyScopeType, PolicyVersion, Tag,
};
use crate::keys::{Policy, PolicyKey};
use crate::ops::role::new_id;
use crate::ops::tags;
use crate::paging::page;
use crate::policy::{Kind, check, encoded};
use crate::{api, enter_global, fault};

/// The one version that a policy has.
const VERSION: &str = "v1";
/// Policies read at once.
const POLICIES_MAX: usize = 10_000;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html>
pub(crate) async fn create_policy(tx: &mut Tx, input: CreatePolicyInput) -> Result<CreatePolicyOutput> {
    enter_global(tx);
    check(&input.policy_document, Kind::Identity)?;
    let path = input.path.unwrap_or_else(|| "/".to_owned());
    let arn = format!("arn:aws:iam::{}:policy{path}{}", tx.caller().account, input.policy_name);
    let key = PolicyKey { arn };
    if tx.get(&key).await?.is_some() {
        let message =
            format!("A policy called {} already exists. Duplicate names are not allowed.", input.policy_name);
        return Err(fault::already_exists(message).into());
    }
    let policy = Policy {
        name: input.policy_name,
        path,
        id: new_id(tx, "ANPA"),
        created_at: tx.now(),
        document: input.policy_document,
        description: input.description,
        tags: tags::to_map(input.tags.unwrap_or_default()),
        attachments: 0,
    };
    tx.put(&key, &policy)?;
    Ok(CreatePolicyOutput { policy: Some(show(&key, &policy)) })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html>
pub(crate) async fn get_policy(tx: &mut Tx, input: GetPolicyInput) -> Result<GetPolicyOutput> {
    let (key, policy) = find(tx, input.policy_arn).await?;
    Ok(GetPolicyOutput { policy: Some(show(&key, &policy)) })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html>
pub(crate) async fn get_policy_version(
    tx: &mut Tx,
    input: GetPolicyVersionInput,
) -> Result<GetPolicyVersionOutput> {
    let (key, policy) = find(tx, input.policy_arn).await?;
    if input.version_id != VERSION {
        let message = format!("Policy {} version {} does not exist.", key.arn, input.version_id);
        return Err(fault::no_such(message).into());
    }
    let version = PolicyVersion {
        document: Some(encoded(&policy.document)),
        version_id: Some(VERSION.to_owned()),
        is_default_version: Some(true),
        create_date: Some(policy.created_at),
    };
    Ok(GetPolicyVersionOutput { policy_version: Some(version) })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html>
pub(crate) async fn delete_policy(tx: &mut Tx, input: DeletePolicyInput) -> Result<DeletePolicyOutput> {
    let (key, policy) = find(tx, input.policy_arn).await?;
    if policy.attachments > 0 {
        return Err(fault::delete_conflict("Cannot delete a policy attached to entities.").into());
    }
    tx.delete(&key);
    Ok(DeletePolicyOutput {})
}

/// The account's own policies; there are none of AWS's here.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html>
pub(crate) async fn list_policies(tx: &mut Tx, input: ListPoliciesInput) -> Result<ListPoliciesOutput> {
    enter_global(tx);
    let prefix = input.path_prefix.unwrap_or_default();
    let all = match input.scope {
        Some(PolicyScopeType::Aws) => Vec::new(),
        _ => tx.scan::<PolicyKey>(Parts::none(), POLICIES_MAX).await?,
    };
    let only_attached = input.only_attached.unwrap_or(false);
    let wanted = |(_, policy): &(PolicyKey, Policy)| {
        policy.path.starts_with(&prefix) && (!only_attached || policy.attachments > 0)
    };
    let all = all.into_iter().filter(wanted);
    let (policies, marker) = page(all, |(key, _)| key.arn.clone(), input.marker.as_deref(), input.max_items);
    let policies = policies.iter().map(|(key, policy)| show(key, policy)).collect();
    Ok(ListPoliciesOutput { policies: Some(policies), is_truncated: Some(marker.is_some()), marker })
}

async fn find(tx: &mut Tx, arn: String) -> Result<(PolicyKey, Policy)> {
    enter_global(tx);
    let key = PolicyKey { arn };
    match tx.get(&key).await? {
        Some(policy) => Ok((key, policy)),
        None => Err(fault::no_such_policy(&key.arn).into()),
    }
}

fn show(key: &PolicyKey, policy: &Policy) -> api::Policy {
    let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    api::Policy {
        policy_name: Some(policy.name.clone()),
        policy_id: Some(policy.id.clone()),
        arn: Some(key.arn.clone()),
        path: Some(policy.path.clone()),
        default_version_id: Some(VERSION.to_owned()),
        attachment_count: Some(policy.attachments),
        permissions_boundary_usage_count: Some(0),
        is_attachable: Some(true),
        description: policy.description.clone(),
        create_date: Some(policy.created_at),
        update_date: Some(policy.created_at),
        tags: Some(policy.tags.iter().map(tag).collect()).filter(|tags: &Vec<Tag>| !tags.is_empty()),
    }
}
