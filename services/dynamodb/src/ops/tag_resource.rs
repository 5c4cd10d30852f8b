//! `TagResource`: adds tags to a table, or changes them.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{TagResourceInput, TagResourceOutput};
use crate::table::Table;
use crate::tables;

const TAGS_MAX: usize = 50;

pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let table = tables::of_arn(tx, &input.resource_arn).await?;
    let mut table = Table::clone(&table);
    for tag in input.tags {
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(
                Fault::validation("aws: prefixed tag key names are not allowed for external use.").into()
            );
        }
        table.tags.insert(tag.key, tag.value);
    }
    if table.tags.len() > TAGS_MAX {
        let text = "One or more parameter values were invalid: Too many tags: the limit is 50 for a resource";
        return Err(Fault::validation(text).into());
    }
    tables::put(tx, &table)?;
    Ok(TagResourceOutput {})
}
