//! `UpdateFunctionEventInvokeConfig`:
//! <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionEventInvokeConfig.html>

use kernel::{Result, Tx};

use crate::api::{UpdateFunctionEventInvokeConfigInput, UpdateFunctionEventInvokeConfigOutput};
use crate::ops::put_function_event_invoke_config::{checked, key, missing, number, shown};

/// Changes what the caller names and keeps the rest.
pub(crate) async fn update_function_event_invoke_config(
    tx: &mut Tx,
    input: UpdateFunctionEventInvokeConfigInput,
) -> Result<UpdateFunctionEventInvokeConfigOutput> {
    let key = key(tx, &input.function_name, input.qualifier.as_deref()).await?;
    let absent = missing(tx, &key);
    let mut config = tx.get(&key).await?.ok_or(absent)?;
    config.retries_max = number(input.maximum_retry_attempts).or(config.retries_max);
    config.age_s_max = number(input.maximum_event_age_in_seconds).or(config.age_s_max);
    if let Some(destinations) = input.destination_config {
        config.destinations = checked(tx, destinations)?;
    }
    config.last_modified = tx.now();
    tx.put(&key, &config)?;
    Ok(shown(tx, &key, &config))
}
