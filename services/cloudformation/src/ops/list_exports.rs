//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListExports.html>

use kernel::{Direction, Parts, Result, Tx};

use super::PAGE;
use crate::api::{Export, ListExportsInput, ListExportsOutput};
use crate::keys::ExportKey;

/// The exports of the account and region, by name.
pub(crate) async fn list_exports(tx: &mut Tx, input: ListExportsInput) -> Result<ListExportsOutput> {
    let rows = match input.next_token {
        None => tx.scan::<ExportKey>(Parts::none(), PAGE).await?,
        Some(name) => tx.scan_after(Parts::none(), &ExportKey { name }, PAGE, Direction::Forward).await?,
    };
    let next_token = rows.last().filter(|_| rows.len() == PAGE).map(|(key, _)| key.name.clone());
    let export = |(key, export): (ExportKey, crate::export::Export)| Export {
        exporting_stack_id: Some(export.stack_arn),
        name: Some(key.name),
        value: Some(export.value),
    };
    Ok(ListExportsOutput { exports: Some(rows.into_iter().map(export).collect()), next_token })
}
