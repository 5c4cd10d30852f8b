//! Tags of groups.

use kernel::{Result, Tx};

use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use crate::fault;
use crate::keys::{Group, GroupKey};

/// The most tags of a group.
const TAGS_MAX: usize = 50;

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let (key, mut group) = find(tx, &input.resource_arn).await?;
    group.tags.extend(input.tags);
    if group.tags.len() > TAGS_MAX {
        let message = format!("A resource can have at most {TAGS_MAX} tags.");
        return Err(base::Fault::new("TooManyTagsException", message).into());
    }
    tx.put(&key, &group)?;
    Ok(TagResourceOutput {})
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_UntagResource.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let (key, mut group) = find(tx, &input.resource_arn).await?;
    group.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &group)?;
    Ok(UntagResourceOutput {})
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsForResource.html>
pub(crate) async fn list_tags_for_resource(
    tx: &mut Tx,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let (_, group) = find(tx, &input.resource_arn).await?;
    Ok(ListTagsForResourceOutput { tags: Some(group.tags) })
}

async fn find(tx: &mut Tx, arn: &str) -> Result<(GroupKey, Group)> {
    let key = GroupKey { name: super::name_of(arn).to_owned() };
    match tx.get(&key).await? {
        Some(group) => Ok((key, group)),
        None => Err(fault::no_such_group().into()),
    }
}
