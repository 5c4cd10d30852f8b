//! Managed policies of the account's own.

use std::collections::BTreeMap;

use kernel::{Parts, Result, Tx};

use crate::api::{
    CreatePolicyInput, CreatePolicyOutput, DeletePolicyInput, DeletePolicyOutput, GetPolicyInput,
    GetPolicyOutput, ListEntitiesForPolicyInput, ListEntitiesForPolicyOutput, ListPoliciesInput,
    ListPoliciesOutput, PolicyGroup, PolicyRole, PolicyScopeType, PolicyUsageType, PolicyUser,
};
use crate::holder::Holder;
use crate::keys::{GroupKey, Policy, PolicyKey, RoleKey, UserKey};
use crate::names::{self, Named};
use crate::ops::role::new_id;
use crate::ops::{tags, versions};
use crate::paging::page;
use crate::policy::{Kind, check, check_size};
use crate::{api, enter_global, fault};

/// Policies read at once.
const POLICIES_MAX: usize = 10_000;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html>
pub(crate) async fn create_policy(tx: &mut Tx, input: CreatePolicyInput) -> Result<CreatePolicyOutput> {
    enter_global(tx);
    check(&input.policy_document, Kind::Identity)?;
    check_size(&input.policy_document)?;
    let path = input.path.unwrap_or_else(|| "/".to_owned());
    let arn = format!("arn:aws:iam::{}:policy{path}{}", tx.caller().account, input.policy_name);
    let key = PolicyKey { arn };
    if tx.get(&key).await?.is_some() || !names::take(tx, Named::Policy, &input.policy_name).await? {
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
        tags: tags::checked(input.tags.unwrap_or_default())?,
        attachments: 0,
        boundaries: 0,
        default_version: 1,
        default_created_at: None,
        newest_version: 1,
        others: BTreeMap::new(),
        updated_at: None,
    };
    tx.put(&key, &policy)?;
    Ok(CreatePolicyOutput { policy: Some(show(&key, &policy)) })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html>
pub(crate) async fn get_policy(tx: &mut Tx, input: GetPolicyInput) -> Result<GetPolicyOutput> {
    let (key, policy) = find(tx, input.policy_arn).await?;
    Ok(GetPolicyOutput { policy: Some(show(&key, &policy)) })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html>
pub(crate) async fn delete_policy(tx: &mut Tx, input: DeletePolicyInput) -> Result<DeletePolicyOutput> {
    let (key, policy) = find(tx, input.policy_arn).await?;
    if policy.attachments > 0 || policy.boundaries > 0 {
        return Err(fault::delete_conflict("Cannot delete a policy attached to entities.").into());
    }
    if !policy.others.is_empty() {
        let message = "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                       versions. The default version is deleted with the policy.";
        return Err(fault::delete_conflict(message).into());
    }
    tx.delete(&key);
    names::release(tx, Named::Policy, &policy.name);
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
        policy.path.starts_with(&prefix)
            && (!only_attached || policy.attachments > 0)
            && match input.policy_usage_filter {
                None => true,
                Some(PolicyUsageType::PermissionsPolicy) => policy.attachments > 0,
                Some(PolicyUsageType::PermissionsBoundary) => policy.boundaries > 0,
            }
    };
    let all = all.into_iter().filter(wanted);
    let (policies, marker) = page(all, |(key, _)| key.arn.clone(), input.marker.as_deref(), input.max_items);
    let policies = policies.iter().map(|(key, policy)| show(key, policy)).collect();
    Ok(ListPoliciesOutput { policies: Some(policies), is_truncated: Some(marker.is_some()), marker })
}

/// Whom a policy is attached to, or whom it bounds.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html>
pub(crate) async fn list_entities_for_policy(
    tx: &mut Tx,
    input: ListEntitiesForPolicyInput,
) -> Result<ListEntitiesForPolicyOutput> {
    let (key, _) = find(tx, input.policy_arn).await?;
    let (arn, prefix) = (key.arn, input.path_prefix.unwrap_or_default());
    let usage = input.policy_usage_filter;
    let uses = |attached: bool, bounds: bool| match usage {
        None => attached || bounds,
        Some(PolicyUsageType::PermissionsPolicy) => attached,
        Some(PolicyUsageType::PermissionsBoundary) => bounds,
    };
    let wanted = |kind: api::EntityType| input.entity_filter.is_none_or(|filter| filter == kind);
    let mut found: Vec<Entity> = Vec::new();
    if wanted(api::EntityType::Role) {
        for (key, role) in tx.scan::<RoleKey>(Parts::none(), POLICIES_MAX).await? {
            let bounds = role.permissions_boundary.as_ref() == Some(&arn);
            if role.path.starts_with(&prefix) && uses(role.attached.contains(&arn), bounds) {
                found.push((RoleKey::KIND, key.name, role.id));
            }
        }
    }
    if wanted(api::EntityType::User) {
        for (key, user) in tx.scan::<UserKey>(Parts::none(), POLICIES_MAX).await? {
            let bounds = user.permissions_boundary.as_ref() == Some(&arn);
            if user.path.starts_with(&prefix) && uses(user.attached.contains(&arn), bounds) {
                found.push((UserKey::KIND, key.name, user.id));
            }
        }
    }
    if wanted(api::EntityType::Group) {
        for (key, group) in tx.scan::<GroupKey>(Parts::none(), POLICIES_MAX).await? {
            if group.path.starts_with(&prefix) && uses(group.attached.contains(&arn), false) {
                found.push((GroupKey::KIND, key.name, group.id));
            }
        }
    }
    Ok(entities(found, input.marker.as_deref(), input.max_items))
}

/// A kind, a name and an id.
type Entity = (&'static str, String, String);

/// A page of them, each in the list of its kind.
fn entities(
    mut found: Vec<Entity>,
    marker: Option<&str>,
    items_max: Option<i32>,
) -> ListEntitiesForPolicyOutput {
    let place = |(kind, name, _): &Entity| format!("{kind}/{name}");
    found.sort_by_key(place);
    let (found, marker) = page(found.into_iter(), place, marker, items_max);
    let (mut groups, mut users, mut roles) = (Vec::new(), Vec::new(), Vec::new());
    for (kind, name, id) in found {
        match kind {
            GroupKey::KIND => groups.push(PolicyGroup { group_name: Some(name), group_id: Some(id) }),
            UserKey::KIND => users.push(PolicyUser { user_name: Some(name), user_id: Some(id) }),
            _ => roles.push(PolicyRole { role_name: Some(name), role_id: Some(id) }),
        }
    }
    ListEntitiesForPolicyOutput {
        policy_groups: Some(groups),
        policy_users: Some(users),
        policy_roles: Some(roles),
        is_truncated: Some(marker.is_some()),
        marker,
    }
}

/// The policy of that ARN, guarded.
///
/// # Errors
/// `NoSuchEntity`.
pub(crate) async fn find(tx: &mut Tx, arn: String) -> Result<(PolicyKey, Policy)> {
    enter_global(tx);
    let key = PolicyKey { arn };
    match tx.get(&key).await? {
        Some(policy) => Ok((key, policy)),
        None => Err(fault::no_such_policy(&key.arn).into()),
    }
}

fn show(key: &PolicyKey, policy: &Policy) -> api::Policy {
    api::Policy {
        policy_name: Some(policy.name.clone()),
        policy_id: Some(policy.id.clone()),
        arn: Some(key.arn.clone()),
        path: Some(policy.path.clone()),
        default_version_id: Some(versions::id(policy.default_version)),
        attachment_count: Some(policy.attachments),
        permissions_boundary_usage_count: Some(policy.boundaries),
        is_attachable: Some(true),
        description: policy.description.clone(),
        create_date: Some(policy.created_at),
        update_date: Some(policy.updated_at.unwrap_or(policy.created_at)),
        tags: Some(tags::show(&policy.tags)).filter(|tags| !tags.is_empty()),
    }
}
