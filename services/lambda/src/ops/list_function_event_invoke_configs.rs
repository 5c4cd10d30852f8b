//! `ListFunctionEventInvokeConfigs`:
//! <https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionEventInvokeConfigs.html>

use kernel::{Parts, Result, Tx};

use crate::api::{ListFunctionEventInvokeConfigsInput, ListFunctionEventInvokeConfigsOutput};
use crate::function::{ALL, function};
use crate::keys::EventConfigKey;
use crate::name::FunctionRef;
use crate::ops::put_function_event_invoke_config::shown;
use crate::page::page;

/// The configurations of a function, its versions and its aliases.
pub(crate) async fn list_function_event_invoke_configs(
    tx: &mut Tx,
    input: ListFunctionEventInvokeConfigsInput,
) -> Result<ListFunctionEventInvokeConfigsOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    function(tx, &name).await?;
    let all = tx.scan::<EventConfigKey>(Parts::of(&name), ALL).await?;
    let (all, next_marker) =
        page(all, |(key, _)| key.qualifier.clone(), input.marker.as_deref(), input.max_items)?;
    let configs = all.iter().map(|(key, config)| shown(tx, key, config)).collect();
    Ok(ListFunctionEventInvokeConfigsOutput { function_event_invoke_configs: Some(configs), next_marker })
}
