//! `GetFunctionEventInvokeConfig`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html>

use kernel::{Result, Tx};

use crate::api::{GetFunctionEventInvokeConfigInput, GetFunctionEventInvokeConfigOutput};
use crate::ops::put_function_event_invoke_config::{key, missing, shown};

/// The configuration of asynchronous invocation.
pub(crate) async fn get_function_event_invoke_config(
    tx: &mut Tx,
    input: GetFunctionEventInvokeConfigInput,
) -> Result<GetFunctionEventInvokeConfigOutput> {
    let key = key(tx, &input.function_name, input.qualifier.as_deref()).await?;
    let absent = missing(tx, &key);
    let config = tx.get(&key).await?.ok_or(absent)?;
    Ok(shown(tx, &key, &config))
}
