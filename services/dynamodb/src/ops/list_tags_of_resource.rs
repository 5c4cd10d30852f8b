//! `ListTagsOfResource`: a table's tags, all at once.

use kernel::{Result, Tx};

use crate::api::{ListTagsOfResourceInput, ListTagsOfResourceOutput, Tag};
use crate::tables;

pub(crate) async fn list_tags_of_resource(
    tx: &mut Tx,
    input: ListTagsOfResourceInput,
) -> Result<ListTagsOfResourceOutput> {
    let table = tables::of_arn(tx, &input.resource_arn).await?;
    let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    Ok(ListTagsOfResourceOutput { tags: Some(table.tags.iter().map(tag).collect()), next_token: None })
}
