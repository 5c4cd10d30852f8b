//! `ListTags`: <https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html>

use kernel::{Result, Tx};

use crate::api::{ListTagsInput, ListTagsOutput};
use crate::ops::tag_resource::tagged;

/// The tags of a function or mapping.
pub(crate) async fn list_tags(tx: &mut Tx, input: ListTagsInput) -> Result<ListTagsOutput> {
    let mut tagged = tagged(tx, &input.resource).await?;
    Ok(ListTagsOutput { tags: Some(tagged.tags().clone()) })
}
