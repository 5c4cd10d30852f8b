//! `ListAliases`: <https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html>

use kernel::{Result, Tx};

use crate::api::{ListAliasesInput, ListAliasesOutput};
use crate::function::{aliases, function};
use crate::name::{FunctionRef, version_text};
use crate::ops::create_alias::shown;
use crate::page::page;

/// The aliases of a function, or of one of its versions.
pub(crate) async fn list_aliases(tx: &mut Tx, input: ListAliasesInput) -> Result<ListAliasesOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    function(tx, &name).await?;
    let mut all = aliases(tx, &name).await?;
    if let Some(version) = &input.function_version {
        all.retain(|(_, alias)| version_text(alias.version) == *version);
    }
    let (all, next_marker) = page(all, |(alias, _)| alias.clone(), input.marker.as_deref(), input.max_items)?;
    let aliases = all.iter().map(|(alias_name, alias)| shown(tx.scope(), &name, alias_name, alias)).collect();
    Ok(ListAliasesOutput { next_marker, aliases: Some(aliases) })
}
