//! Tags of keys.

use std::collections::BTreeMap;

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    ListResourceTagsInput, ListResourceTagsOutput, Tag, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use crate::find;
use crate::ops::state::own;
use crate::paging::{limit, page};

/// The most tags of a key.
const TAGS_MAX: usize = 50;

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let (key, mut master) = own(tx, &input.key_id).await?;
    find::not_going(tx, &key, &master)?;
    master.tags.extend(checked(input.tags)?);
    count(&master.tags)?;
    tx.put(&key, &master)?;
    Ok(TagResourceOutput {})
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_UntagResource.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let (key, mut master) = own(tx, &input.key_id).await?;
    find::not_going(tx, &key, &master)?;
    master.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &master)?;
    Ok(UntagResourceOutput {})
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html>
pub(crate) async fn list_resource_tags(
    tx: &mut Tx,
    input: ListResourceTagsInput,
) -> Result<ListResourceTagsOutput> {
    let (_, master) = find::key(tx, &input.key_id).await?;
    let all = master.tags.into_iter().map(|(tag_key, tag_value)| Tag { tag_key, tag_value });
    let page_size = limit(input.limit, 50, 50);
    let (tags, next_marker) = page(all, |tag| tag.tag_key.clone(), input.marker.as_deref(), page_size);
    Ok(ListResourceTagsOutput { tags: Some(tags), truncated: Some(next_marker.is_some()), next_marker })
}

/// Tags as they are kept. AWS's own names are refused.
pub(crate) fn checked(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, Fault> {
    if tags.iter().any(|tag| tag.tag_key.starts_with("aws:")) {
        return Err(Fault::new("TagException", "Tags that begin with aws: are reserved."));
    }
    let names = tags.len();
    let tags: BTreeMap<String, String> = tags.into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect();
    if tags.len() < names {
        return Err(Fault::new("TagException", "Duplicate tag keys"));
    }
    count(&tags)?;
    Ok(tags)
}

fn count(tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    Err(Fault::new("LimitExceededException", format!("A key can have at most {TAGS_MAX} tags.")))
}
