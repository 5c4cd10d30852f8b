//! `UntagResource`: removes tags from a table.

use kernel::{Result, Tx};

use crate::api::{UntagResourceInput, UntagResourceOutput};
use crate::table::Table;
use crate::tables;

pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let table = tables::of_arn(tx, &input.resource_arn).await?;
    let mut table = Table::clone(&table);
    table.tags.retain(|key, _| !input.tag_keys.contains(key));
    tables::put(tx, &table)?;
    Ok(UntagResourceOutput {})
}
