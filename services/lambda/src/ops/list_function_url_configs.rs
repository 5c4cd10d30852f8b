//! `ListFunctionUrlConfigs`: <https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html>

use kernel::{Parts, Result, Tx};

use crate::api::{FunctionUrlConfig, ListFunctionUrlConfigsInput, ListFunctionUrlConfigsOutput};
use crate::function::{ALL, function};
use crate::keys::{Url, UrlKey};
use crate::name::FunctionRef;
use crate::ops::create_function_url_config::function_arn;
use crate::page::page;
use crate::url;

/// The addresses of a function and its aliases.
pub(crate) async fn list_function_url_configs(
    tx: &mut Tx,
    input: ListFunctionUrlConfigsInput,
) -> Result<ListFunctionUrlConfigsOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    function(tx, &name).await?;
    let all = tx.scan::<UrlKey>(Parts::of(&name), ALL).await?;
    let (all, next_marker) =
        page(all, |(key, _)| key.qualifier.clone(), input.marker.as_deref(), input.max_items)?;
    let shown = |(key, row): (UrlKey, Url)| FunctionUrlConfig {
        function_url: url::text(tx.endpoint(), tx.scope(), &row.id),
        function_arn: function_arn(tx.scope(), &key),
        creation_time: row.created.to_iso_millis(),
        last_modified_time: row.last_modified.to_iso_millis(),
        cors: row.cors,
        auth_type: row.auth_type,
        invoke_mode: Some(row.invoke_mode),
    };
    Ok(ListFunctionUrlConfigsOutput {
        function_url_configs: all.into_iter().map(shown).collect(),
        next_marker,
    })
}
