//! Tags of repositories.

use std::collections::BTreeMap;

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use crate::ops::repository::find_by_arn;

/// The most tags of a repository.
const TAGS_MAX: usize = 50;

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let (key, mut repository) = find_by_arn(tx, &input.resource_arn).await?;
    repository.tags.extend(checked(input.tags)?);
    count(&repository.tags)?;
    tx.put(&key, &repository)?;
    Ok(TagResourceOutput {})
}

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UntagResource.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let (key, mut repository) = find_by_arn(tx, &input.resource_arn).await?;
    repository.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &repository)?;
    Ok(UntagResourceOutput {})
}

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListTagsForResource.html>
pub(crate) async fn list_tags_for_resource(
    tx: &mut Tx,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let (_, repository) = find_by_arn(tx, &input.resource_arn).await?;
    let tags = repository.tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    Ok(ListTagsForResourceOutput { tags: Some(tags) })
}

/// Tags as they are kept. AWS's own names are refused.
pub(crate) fn checked(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, Fault> {
    let invalid = |tag: &&Tag| tag.key.is_empty() || tag.key.starts_with("aws:") || tag.key.len() > 128;
    if let Some(tag) = tags.iter().find(invalid) {
        let message = format!("The tag key {:?} is not allowed.", tag.key);
        return Err(Fault::new("InvalidTagParameterException", message));
    }
    let tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    count(&tags)?;
    Ok(tags)
}

fn count(tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    Err(Fault::new("TooManyTagsException", format!("A repository can have at most {TAGS_MAX} tags.")))
}
