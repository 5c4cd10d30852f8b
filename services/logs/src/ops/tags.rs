//! Tags of groups.

use kernel::{Result, Tx};

use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, ListTagsLogGroupInput, ListTagsLogGroupOutput,
    TagLogGroupInput, TagLogGroupOutput, TagResourceInput, TagResourceOutput, UntagLogGroupInput,
    UntagLogGroupOutput, UntagResourceInput, UntagResourceOutput,
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

/// The older name of [`tag_resource`].
///
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagLogGroup.html>
pub(crate) async fn tag_log_group(tx: &mut Tx, input: TagLogGroupInput) -> Result<TagLogGroupOutput> {
    let by_arn = TagResourceInput { resource_arn: input.log_group_name, tags: input.tags };
    tag_resource(tx, by_arn).await?;
    Ok(TagLogGroupOutput {})
}

/// The older name of [`untag_resource`].
///
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_UntagLogGroup.html>
pub(crate) async fn untag_log_group(tx: &mut Tx, input: UntagLogGroupInput) -> Result<UntagLogGroupOutput> {
    let by_arn = UntagResourceInput { resource_arn: input.log_group_name, tag_keys: input.tags };
    untag_resource(tx, by_arn).await?;
    Ok(UntagLogGroupOutput {})
}

/// The older name of [`list_tags_for_resource`].
///
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsLogGroup.html>
pub(crate) async fn list_tags_log_group(
    tx: &mut Tx,
    input: ListTagsLogGroupInput,
) -> Result<ListTagsLogGroupOutput> {
    let (_, group) = find(tx, &input.log_group_name).await?;
    Ok(ListTagsLogGroupOutput { tags: Some(group.tags) })
}

async fn find(tx: &mut Tx, arn: &str) -> Result<(GroupKey, Group)> {
    let key = GroupKey { name: super::name_of(arn).to_owned() };
    match tx.get(&key).await? {
        Some(group) => Ok((key, group)),
        None => Err(fault::no_such_group().into()),
    }
}
