//! `ListEventSourceMappings`: <https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html>

use kernel::{Parts, Result, Tx};

use crate::api::{ListEventSourceMappingsInput, ListEventSourceMappingsOutput};
use crate::function::ALL;
use crate::keys::MappingKey;
use crate::mapping::{result, shown, state};
use crate::name::FunctionRef;
use crate::page::page;

/// The mappings of all functions and sources, or of one.
pub(crate) async fn list_event_source_mappings(
    tx: &mut Tx,
    input: ListEventSourceMappingsInput,
) -> Result<ListEventSourceMappingsOutput> {
    let function = input.function_name.as_deref().map(|name| FunctionRef::parse(name, None, tx.scope()));
    let function = function.transpose()?;
    let mut rows = tx.scan::<MappingKey>(Parts::none(), ALL).await?;
    rows.retain(|(_, mapping)| {
        input.event_source_arn.as_ref().is_none_or(|source| *source == mapping.source)
            && function.as_ref().is_none_or(|function| *function == mapping.function)
    });
    let (rows, next_marker) =
        page(rows, |(key, _)| key.uuid.clone(), input.marker.as_deref(), input.max_items)?;
    let mut mappings = Vec::with_capacity(rows.len());
    for (key, mapping) in rows {
        let result = result(tx, &key.uuid, &mapping).await?;
        mappings.push(shown(tx.scope(), &key.uuid, &mapping, result, state(&mapping)));
    }
    Ok(ListEventSourceMappingsOutput { next_marker, event_source_mappings: Some(mappings) })
}
