//! Tags of groups; schedules have none.

use base::tags::{self, Refused, Tags};
use base::{Arn, Fault};
use kernel::{Result, Tx};

use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use crate::keys::{Group, GroupKey};
use crate::{fault, group};

/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let (key, mut group) = find(tx, &input.resource_arn).await?;
    tags::merge(&mut group.tags, to_map(input.tags)?).map_err(refused)?;
    tx.put(&key, &Group { modified_at: tx.now(), ..group })?;
    Ok(TagResourceOutput {})
}

/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UntagResource.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let (key, mut group) = find(tx, &input.resource_arn).await?;
    group.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &Group { modified_at: tx.now(), ..group })?;
    Ok(UntagResourceOutput {})
}

/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListTagsForResource.html>
pub(crate) async fn list_tags_for_resource(
    tx: &mut Tx,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let (_, group) = find(tx, &input.resource_arn).await?;
    let tags = group.tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    Ok(ListTagsForResourceOutput { tags: Some(tags) })
}

/// The tags by key, if they may be.
pub(crate) fn to_map(given: Vec<Tag>) -> Result<Tags, Fault> {
    tags::collect(given.into_iter().map(|tag| (tag.key, tag.value))).map_err(refused)
}

fn refused(why: Refused) -> Fault {
    fault::invalid(why.to_string())
}

/// The group of an ARN, which the schema has held against its pattern.
async fn find(tx: &mut Tx, text: &str) -> Result<(GroupKey, Group)> {
    let arn: Arn = text.parse().map_err(|_| fault::invalid("Provided Arn is not in correct format."))?;
    let name = arn.resource_after("schedule-group").unwrap_or_default();
    if arn.account != tx.scope().account.as_str() || arn.region != tx.scope().region.as_str() {
        return Err(fault::no_such_group(name).into());
    }
    group::find(tx, name).await
}
