//! `UpdateFunctionUrlConfig`: <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionUrlConfig.html>

use kernel::{Result, Tx};

use crate::api::{UpdateFunctionUrlConfigInput, UpdateFunctionUrlConfigOutput};
use crate::ops::create_function_url_config::{function_arn, key};
use crate::{fault, url};

/// Changes what the caller names and keeps the address.
pub(crate) async fn update_function_url_config(
    tx: &mut Tx,
    input: UpdateFunctionUrlConfigInput,
) -> Result<UpdateFunctionUrlConfigOutput> {
    let key = key(tx, &input.function_name, input.qualifier.as_deref()).await?;
    let mut row = tx.get(&key).await?.ok_or_else(fault::no_such_resource)?;
    row.auth_type = input.auth_type.unwrap_or(row.auth_type);
    row.invoke_mode = input.invoke_mode.unwrap_or(row.invoke_mode);
    row.cors = input.cors.or(row.cors);
    row.last_modified = tx.now();
    tx.put(&key, &row)?;
    Ok(UpdateFunctionUrlConfigOutput {
        function_url: url::text(tx.endpoint(), tx.scope(), &row.id),
        function_arn: function_arn(tx.scope(), &key),
        auth_type: row.auth_type,
        cors: row.cors,
        creation_time: row.created.to_iso_millis(),
        last_modified_time: row.last_modified.to_iso_millis(),
        invoke_mode: Some(row.invoke_mode),
    })
}
