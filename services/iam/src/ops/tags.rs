//! Tags of roles, users and policies.

use std::collections::BTreeMap;

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    ListPolicyTagsInput, ListPolicyTagsOutput, ListRoleTagsInput, ListRoleTagsOutput, ListUserTagsInput,
    ListUserTagsOutput, Tag, TagPolicyInput, TagPolicyOutput, TagRoleInput, TagRoleOutput, TagUserInput,
    TagUserOutput, UntagPolicyInput, UntagPolicyOutput, UntagRoleInput, UntagRoleOutput, UntagUserInput,
    UntagUserOutput,
};
use crate::fault;
use crate::holder::{find, find_to_change};
use crate::keys::{RoleKey, UserKey};
use crate::ops::managed;
use crate::paging::page;

/// The most tags of anything.
const TAGS_MAX: usize = 50;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html>
pub(crate) async fn tag_role(tx: &mut Tx, input: TagRoleInput) -> Result<TagRoleOutput> {
    let (key, mut role) = find_to_change::<RoleKey>(tx, input.role_name).await?;
    add(&mut role.tags, input.tags)?;
    tx.put(&key, &role)?;
    Ok(TagRoleOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html>
pub(crate) async fn untag_role(tx: &mut Tx, input: UntagRoleInput) -> Result<UntagRoleOutput> {
    let (key, mut role) = find_to_change::<RoleKey>(tx, input.role_name).await?;
    role.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &role)?;
    Ok(UntagRoleOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html>
pub(crate) async fn list_role_tags(tx: &mut Tx, input: ListRoleTagsInput) -> Result<ListRoleTagsOutput> {
    let (_, role) = find::<RoleKey>(tx, input.role_name).await?;
    let (tags, marker) = list(role.tags, input.marker, input.max_items);
    Ok(ListRoleTagsOutput { tags, is_truncated: Some(marker.is_some()), marker })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html>
pub(crate) async fn tag_user(tx: &mut Tx, input: TagUserInput) -> Result<TagUserOutput> {
    let (key, mut user) = find::<UserKey>(tx, input.user_name).await?;
    add(&mut user.tags, input.tags)?;
    tx.put(&key, &user)?;
    Ok(TagUserOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagUser.html>
pub(crate) async fn untag_user(tx: &mut Tx, input: UntagUserInput) -> Result<UntagUserOutput> {
    let (key, mut user) = find::<UserKey>(tx, input.user_name).await?;
    user.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &user)?;
    Ok(UntagUserOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserTags.html>
pub(crate) async fn list_user_tags(tx: &mut Tx, input: ListUserTagsInput) -> Result<ListUserTagsOutput> {
    let (_, user) = find::<UserKey>(tx, input.user_name).await?;
    let (tags, marker) = list(user.tags, input.marker, input.max_items);
    Ok(ListUserTagsOutput { tags, is_truncated: Some(marker.is_some()), marker })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html>
pub(crate) async fn tag_policy(tx: &mut Tx, input: TagPolicyInput) -> Result<TagPolicyOutput> {
    let (key, mut policy) = managed::find(tx, input.policy_arn).await?;
    add(&mut policy.tags, input.tags)?;
    tx.put(&key, &policy)?;
    Ok(TagPolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html>
pub(crate) async fn untag_policy(tx: &mut Tx, input: UntagPolicyInput) -> Result<UntagPolicyOutput> {
    let (key, mut policy) = managed::find(tx, input.policy_arn).await?;
    policy.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &policy)?;
    Ok(UntagPolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html>
pub(crate) async fn list_policy_tags(
    tx: &mut Tx,
    input: ListPolicyTagsInput,
) -> Result<ListPolicyTagsOutput> {
    let (_, policy) = managed::find(tx, input.policy_arn).await?;
    let (tags, marker) = list(policy.tags, input.marker, input.max_items);
    Ok(ListPolicyTagsOutput { tags, is_truncated: Some(marker.is_some()), marker })
}

/// Tags as they are kept. AWS's own names are refused.
pub(crate) fn checked(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, Fault> {
    let mut kept = BTreeMap::new();
    add(&mut kept, tags)?;
    Ok(kept)
}

fn add(kept: &mut BTreeMap<String, String>, tags: Vec<Tag>) -> Result<(), Fault> {
    if tags.iter().any(|tag| tag.key.starts_with("aws:")) {
        return Err(fault::invalid_input("Tags that begin with aws: are reserved."));
    }
    kept.extend(tags.into_iter().map(|tag| (tag.key, tag.value)));
    if kept.len() > TAGS_MAX {
        return Err(fault::limit_exceeded(format!("Cannot exceed quota for TagsPerResource: {TAGS_MAX}")));
    }
    Ok(())
}

fn list(
    tags: BTreeMap<String, String>,
    marker: Option<String>,
    items_max: Option<i32>,
) -> (Vec<Tag>, Option<String>) {
    page(show(&tags).into_iter(), |tag| tag.key.clone(), marker.as_deref(), items_max)
}

/// As answers carry them.
pub(crate) fn show(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}
