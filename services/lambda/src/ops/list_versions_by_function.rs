//! `ListVersionsByFunction`: <https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html>

use kernel::{Result, Tx};

use crate::api::{ListVersionsByFunctionInput, ListVersionsByFunctionOutput};
use crate::function::{function, versions};
use crate::name::{FunctionRef, qualified_arn, version_text};
use crate::page::{ordered, page};

/// All versions, `$LATEST` first.
pub(crate) async fn list_versions_by_function(
    tx: &mut Tx,
    input: ListVersionsByFunctionInput,
) -> Result<ListVersionsByFunctionOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    function(tx, &name).await?;
    let all = versions(tx, &name).await?;
    let (shown, next_marker) =
        page(all, |(number, _)| ordered(*number), input.marker.as_deref(), input.max_items)?;
    let show = |(number, version): (u64, crate::keys::Version)| {
        let arn = qualified_arn(tx.scope(), &name, &version_text(number));
        version.shown_as(arn, &name, number)
    };
    Ok(ListVersionsByFunctionOutput { next_marker, versions: Some(shown.into_iter().map(show).collect()) })
}
