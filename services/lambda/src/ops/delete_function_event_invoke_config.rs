//! `DeleteFunctionEventInvokeConfig`:
//! <https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionEventInvokeConfig.html>

use kernel::{Result, Tx};

use crate::api::{DeleteFunctionEventInvokeConfigInput, DeleteFunctionEventInvokeConfigOutput};
use crate::ops::put_function_event_invoke_config::{key, missing};

/// Back to the defaults.
pub(crate) async fn delete_function_event_invoke_config(
    tx: &mut Tx,
    input: DeleteFunctionEventInvokeConfigInput,
) -> Result<DeleteFunctionEventInvokeConfigOutput> {
    let key = key(tx, &input.function_name, input.qualifier.as_deref()).await?;
    let absent = missing(tx, &key);
    tx.get(&key).await?.ok_or(absent)?;
    tx.delete(&key);
    Ok(DeleteFunctionEventInvokeConfigOutput {})
}
