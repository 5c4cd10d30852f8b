//! `PutFunctionEventInvokeConfig`: <https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html>

use base::{Arn, Fault};
use kernel::{Result, Tx};

use crate::api::{
    DestinationConfig, FunctionEventInvokeConfig, PutFunctionEventInvokeConfigInput,
    PutFunctionEventInvokeConfigOutput,
};
use crate::keys::{EventConfig, EventConfigKey};
use crate::name::{FunctionRef, LATEST, qualified_arn};
use crate::{fault, function};

/// Replaces the configuration of asynchronous invocation.
pub(crate) async fn put_function_event_invoke_config(
    tx: &mut Tx,
    input: PutFunctionEventInvokeConfigInput,
) -> Result<PutFunctionEventInvokeConfigOutput> {
    let key = key(tx, &input.function_name, input.qualifier.as_deref()).await?;
    let is_empty =
        input.destination_config.as_ref().is_none_or(|config| *config == DestinationConfig::default());
    if input.maximum_retry_attempts.is_none() && input.maximum_event_age_in_seconds.is_none() && is_empty {
        return Err(fault::invalid(
            "You must specify at least one of error handling or destination setting.",
        )
        .into());
    }
    let config = EventConfig {
        retries_max: number(input.maximum_retry_attempts),
        age_s_max: number(input.maximum_event_age_in_seconds),
        destinations: checked(tx, input.destination_config.unwrap_or_default())?,
        last_modified: tx.now(),
    };
    tx.put(&key, &config)?;
    Ok(shown(tx, &key, &config))
}

/// The key of what the caller names, which exists.
pub(crate) async fn key(tx: &mut Tx, name: &str, qualifier: Option<&str>) -> Result<EventConfigKey> {
    let wanted = FunctionRef::parse(name, qualifier, tx.scope())?;
    function::find(tx, &wanted, 0).await?;
    let qualifier = wanted.qualifier_or_latest().to_owned();
    Ok(EventConfigKey { name: wanted.name, qualifier })
}

/// The destinations, if this platform can deliver to them.
pub(crate) fn checked(tx: &Tx, config: DestinationConfig) -> Result<DestinationConfig, Fault> {
    let success = config.on_success.as_ref().and_then(|on| on.destination.as_ref());
    let failure = config.on_failure.as_ref().and_then(|on| on.destination.as_ref());
    for arn in success.into_iter().chain(failure) {
        let invalid = || fault::invalid(format!("The destination ARN {arn} is invalid."));
        let parsed: Arn = arn.parse().map_err(|_| invalid())?;
        if tx.targets().find(&parsed).is_none() {
            return Err(fault::unsupported(&format!("The destination {arn}")));
        }
    }
    Ok(config)
}

/// A count of the input, which the schema has bounded.
pub(crate) fn number(wanted: Option<i32>) -> Option<u32> {
    wanted.and_then(|number| u32::try_from(number).ok())
}

/// A configuration as AWS shows it.
pub(crate) fn shown(tx: &Tx, key: &EventConfigKey, config: &EventConfig) -> FunctionEventInvokeConfig {
    FunctionEventInvokeConfig {
        last_modified: Some(config.last_modified),
        function_arn: Some(qualified_arn(tx.scope(), &key.name, &key.qualifier)),
        maximum_retry_attempts: config.retries_max.and_then(|number| i32::try_from(number).ok()),
        maximum_event_age_in_seconds: config.age_s_max.and_then(|number| i32::try_from(number).ok()),
        destination_config: Some(config.destinations.clone()),
    }
}

/// There is no configuration.
pub(crate) fn missing(tx: &Tx, key: &EventConfigKey) -> Fault {
    let arn =
        qualified_arn(tx.scope(), &key.name, if key.qualifier.is_empty() { LATEST } else { &key.qualifier });
    let message = format!("The function {arn} doesn't have an EventInvokeConfig");
    crate::api::error::resource_not_found_exception(message)
}
