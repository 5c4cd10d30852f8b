//! `GetFunctionUrlConfig`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionUrlConfig.html>

use kernel::{Result, Tx};

use crate::api::{GetFunctionUrlConfigInput, GetFunctionUrlConfigOutput};
use crate::ops::create_function_url_config::{function_arn, key};
use crate::{fault, url};

/// The address of a function or an alias.
pub(crate) async fn get_function_url_config(
    tx: &mut Tx,
    input: GetFunctionUrlConfigInput,
) -> Result<GetFunctionUrlConfigOutput> {
    let key = key(tx, &input.function_name, input.qualifier.as_deref()).await?;
    let row = tx.get(&key).await?.ok_or_else(fault::no_such_resource)?;
    Ok(GetFunctionUrlConfigOutput {
        function_url: url::text(tx.endpoint(), tx.scope(), &row.id),
        function_arn: function_arn(tx.scope(), &key),
        auth_type: row.auth_type,
        cors: row.cors,
        creation_time: row.created.to_iso_millis(),
        last_modified_time: row.last_modified.to_iso_millis(),
        invoke_mode: Some(row.invoke_mode),
    })
}
