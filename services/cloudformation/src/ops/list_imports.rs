//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListImports.html>

use kernel::{Result, Tx};

use crate::api::{ListImportsInput, ListImportsOutput};
use crate::keys::ExportKey;
use crate::stack::invalid;

/// The names of the stacks that import an export. Clients look for the text of the refusal.
pub(crate) async fn list_imports(tx: &mut Tx, input: ListImportsInput) -> Result<ListImportsOutput> {
    let name = input.export_name;
    let export = tx.get(&ExportKey { name: name.clone() }).await?;
    let importers: Vec<String> =
        export.into_iter().flat_map(|export| export.importers.into_values()).collect();
    if importers.is_empty() {
        return Err(invalid(format!("Export '{name}' is not imported by any stack.")).into());
    }
    Ok(ListImportsOutput { imports: Some(importers), next_token: None })
}
