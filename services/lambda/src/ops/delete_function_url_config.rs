//! `DeleteFunctionUrlConfig`: <https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionUrlConfig.html>

use kernel::{Result, Tx};

use crate::api::{DeleteFunctionUrlConfigInput, DeleteFunctionUrlConfigOutput};
use crate::fault;
use crate::keys::UrlIdKey;
use crate::ops::create_function_url_config::{in_directory, key};

/// Takes the address away, for good.
pub(crate) async fn delete_function_url_config(
    tx: &mut Tx,
    input: DeleteFunctionUrlConfigInput,
) -> Result<DeleteFunctionUrlConfigOutput> {
    let key = key(tx, &input.function_name, input.qualifier.as_deref()).await?;
    let row = tx.get(&key).await?.ok_or_else(fault::no_such_resource)?;
    forget_url(tx, &row.id);
    tx.delete(&key);
    Ok(DeleteFunctionUrlConfigOutput {})
}

/// Removes the host from the directory.
pub(crate) fn forget_url(tx: &mut Tx, id: &str) {
    in_directory(tx, |tx| tx.delete(&UrlIdKey { id: id.to_owned() }));
}
