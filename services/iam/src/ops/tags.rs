//! Tags of roles.

use std::collections::BTreeMap;

use kernel::{Result, Tx};

use crate::api::{
    ListRoleTagsInput, ListRoleTagsOutput, Tag, TagRoleInput, TagRoleOutput, UntagRoleInput, UntagRoleOutput,
};
use crate::fault;
use crate::ops::role::find;
use crate::paging::page;

/// The most tags of a role.
const TAGS_MAX: usize = 50;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html>
pub(crate) async fn tag_role(tx: &mut Tx, input: TagRoleInput) -> Result<TagRoleOutput> {
    let (key, mut role) = find(tx, input.role_name).await?;
    role.tags.extend(to_map(input.tags));
    if role.tags.len() > TAGS_MAX {
        return Err(fault::limit_exceeded(format!("Cannot exceed quota for TagsPerRole: {TAGS_MAX}")).into());
    }
    tx.put(&key, &role)?;
    Ok(TagRoleOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html>
pub(crate) async fn untag_role(tx: &mut Tx, input: UntagRoleInput) -> Result<UntagRoleOutput> {
    let (key, mut role) = find(tx, input.role_name).await?;
    role.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &role)?;
    Ok(UntagRoleOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html>
pub(crate) async fn list_role_tags(tx: &mut Tx, input: ListRoleTagsInput) -> Result<ListRoleTagsOutput> {
    let (_, role) = find(tx, input.role_name).await?;
    let all = role.tags.into_iter().map(|(key, value)| Tag { key, value });
    let (tags, marker) = page(all, |tag| tag.key.clone(), input.marker.as_deref(), input.max_items);
    Ok(ListRoleTagsOutput { tags, is_truncated: Some(marker.is_some()), marker })
}

pub(crate) fn to_map(tags: Vec<Tag>) -> BTreeMap<String, String> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}
