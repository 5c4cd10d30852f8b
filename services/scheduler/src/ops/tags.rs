//! Tags of groups; schedules have none.

use std::collections::BTreeMap;

use base::{Arn, Fault};
use kernel::{Result, Tx};

use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use crate::keys::{Group, GroupKey};
use crate::{fault, group};

/// The most tags of a group.
const TAGS_MAX: usize = 50;

/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let (key, mut group) = find(tx, &input.resource_arn).await?;
    group.tags.extend(to_map(input.tags)?);
    if group.tags.len() > TAGS_MAX {
        return Err(fault::invalid(format!("A resource can have at most {TAGS_MAX} tags.")).into());
    }
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

/// The tags by key, if none is there twice.
pub(crate) fn to_map(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, Fault> {
    let count = tags.len();
    let map: BTreeMap<String, String> = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    match map.len() {
        len if len != count => Err(fault::invalid("Duplicate tag keys are not allowed.")),
        len if len > TAGS_MAX => Err(fault::invalid(format!("A resource can have at most {TAGS_MAX} tags."))),
        _ => Ok(map),
    }
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
