use std::collections::BTreeMap;

use base::Fault;
use kernel::{Result, Tx};

use crate::access::Who;
use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use crate::topic::{find, find_guarded};

/// The most tags of a topic.
const TAGS_MAX: usize = 50;

/// Adds tags or gives them other values.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let (key, mut topic) =
        find_guarded(tx, &input.resource_arn, Who::Owner("TagResource")).await.map_err(as_resource)?;
    topic.tags.extend(input.tags.into_iter().map(|tag| (tag.key, tag.value)));
    check(&topic.tags)?;
    tx.put(&key, &topic)?;
    Ok(TagResourceOutput {})
}

/// Removes tags; those that are not there are no error.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_UntagResource.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let (key, mut topic) =
        find_guarded(tx, &input.resource_arn, Who::Owner("UntagResource")).await.map_err(as_resource)?;
    topic.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &topic)?;
    Ok(UntagResourceOutput {})
}

/// The topic's tags.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_ListTagsForResource.html>
pub(crate) async fn list_tags_for_resource(
    tx: &mut Tx,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let (_, topic) =
        find(tx, &input.resource_arn, Who::Owner("ListTagsForResource")).await.map_err(as_resource)?;
    let tags = topic.tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    Ok(ListTagsForResourceOutput { tags: Some(tags) })
}

/// Tags beyond the limit are refused.
pub(crate) fn check(tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    let message = "Could not complete request: tag quota of per resource exceeded";
    Err(Fault::new("TagLimitExceededException", message))
}

/// Operations on tags have a name of their own for a topic that is not there.
fn as_resource(error: kernel::Error) -> kernel::Error {
    match error {
        kernel::Error::Fault(fault) if fault.code == "NotFoundException" => {
            Fault::new("ResourceNotFoundException", "Resource does not exist").with_status(404).into()
        }
        error => error,
    }
}
