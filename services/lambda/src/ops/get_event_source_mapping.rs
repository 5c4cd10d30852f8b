//! `GetEventSourceMapping`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html>

use kernel::{Result, Tx};

use crate::api::{GetEventSourceMappingInput, GetEventSourceMappingOutput};
use crate::mapping::{existing, result, shown, state};

/// Shows a mapping.
pub(crate) async fn get_event_source_mapping(
    tx: &mut Tx,
    input: GetEventSourceMappingInput,
) -> Result<GetEventSourceMappingOutput> {
    let mapping = existing(tx, &input.uuid).await?;
    let result = result(tx, &input.uuid, &mapping).await?;
    Ok(shown(tx.scope(), &input.uuid, &mapping, result, state(&mapping)))
}
