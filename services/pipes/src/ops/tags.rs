//! Tags of pipes.

use base::{Arn, tags};
use kernel::{Result, Tx};

use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use crate::keys::{Pipe, PipeKey};
use crate::{fault, pipe};

/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let (key, mut found) = find(tx, &input.resource_arn).await?;
    tags::merge(&mut found.tags, input.tags).map_err(|why| fault::invalid(why.to_string()))?;
    tx.put(&key, &found)?;
    Ok(TagResourceOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_UntagResource.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let (key, mut found) = find(tx, &input.resource_arn).await?;
    found.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &found)?;
    Ok(UntagResourceOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_ListTagsForResource.html>
pub(crate) async fn list_tags_for_resource(
    tx: &mut Tx,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let (_, found) = find(tx, &input.resource_arn).await?;
    Ok(ListTagsForResourceOutput { tags: Some(found.tags) })
}

/// The pipe of an ARN, which the schema has held against its pattern.
async fn find(tx: &mut Tx, text: &str) -> Result<(PipeKey, Pipe)> {
    let arn: Arn = text.parse().map_err(|_| fault::invalid(format!("{text} is not a valid ARN.")))?;
    let name = arn.resource_after("pipe").unwrap_or_default();
    if arn.account != tx.scope().account.as_str() || arn.region != tx.scope().region.as_str() {
        return Err(fault::no_such_pipe(name).into());
    }
    pipe::find(tx, name).await
}
