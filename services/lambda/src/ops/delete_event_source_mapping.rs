//! `DeleteEventSourceMapping`: <https://docs.aws.amazon.com/lambda/latest/api/API_DeleteEventSourceMapping.html>

use kernel::{Result, Tx};

use crate::api::{DeleteEventSourceMappingInput, DeleteEventSourceMappingOutput};
use crate::keys::{MappingKey, PairKey};
use crate::mapping::{checkpoints, existing, keep_vigils, result, shown};

/// Removes a mapping at once. What it has with its function is taken to its end.
pub(crate) async fn delete_event_source_mapping(
    tx: &mut Tx,
    input: DeleteEventSourceMappingInput,
) -> Result<DeleteEventSourceMappingOutput> {
    let mut mapping = existing(tx, &input.uuid).await?;
    let result = result(tx, &input.uuid, &mapping).await?;
    mapping.enabled = false;
    keep_vigils(tx, &input.uuid, &mapping, mapping.settings.lanes)?;
    for (key, _) in checkpoints(tx, &input.uuid).await? {
        tx.delete(&key);
    }
    let function = mapping.function.arn(tx.scope());
    tx.delete(&PairKey { source: mapping.source.clone(), function });
    tx.delete(&MappingKey { uuid: input.uuid.clone() });
    Ok(shown(tx.scope(), &input.uuid, &mapping, result, "Deleting"))
}
