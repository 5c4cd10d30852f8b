//! `ListFunctions`: <https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html>

use kernel::{Parts, Result, Tx};

use crate::api::{FunctionVersion, ListFunctionsInput, ListFunctionsOutput};
use crate::function::ALL;
use crate::keys::VersionKey;
use crate::name::{qualified_arn, version_text};
use crate::page::{ordered, page};

/// `$LATEST` of every function, or all versions of all.
pub(crate) async fn list_functions(tx: &mut Tx, input: ListFunctionsInput) -> Result<ListFunctionsOutput> {
    let mut rows = tx.scan::<VersionKey>(Parts::none(), ALL).await?;
    let all_versions = input.function_version == Some(FunctionVersion::All);
    rows.retain(|(key, _)| all_versions || key.number == 0);
    let (rows, next_marker) = page(
        rows,
        |(key, _)| format!("{}\0{}", key.name, ordered(key.number)),
        input.marker.as_deref(),
        input.max_items,
    )?;
    let shown = rows.into_iter().map(|(key, version)| match all_versions {
        true => {
            let arn = qualified_arn(tx.scope(), &key.name, &version_text(key.number));
            version.shown_as(arn, &key.name, key.number)
        }
        false => version.shown(tx.scope(), &key.name, 0),
    });
    Ok(ListFunctionsOutput { next_marker, functions: Some(shown.collect()) })
}
