//! `DeleteLayerVersion`: <https://docs.aws.amazon.com/lambda/latest/api/API_DeleteLayerVersion.html>

use kernel::{Result, Tx};

use crate::api::{DeleteLayerVersionInput, DeleteLayerVersionOutput};
use crate::keys::LayerKey;
use crate::ops::publish_layer_version::layer_name;
use crate::package;

/// Removes a layer version. Functions that use it keep its package; its number is not used again.
pub(crate) async fn delete_layer_version(
    tx: &mut Tx,
    input: DeleteLayerVersionInput,
) -> Result<DeleteLayerVersionOutput> {
    let name = layer_name(&input.layer_name).to_owned();
    let key = LayerKey { name, number: u64::try_from(input.version_number).unwrap_or(0) };
    if let Some(layer) = tx.get(&key).await? {
        package::release(tx, &layer.package).await?;
        tx.delete(&key);
    }
    Ok(DeleteLayerVersionOutput {})
}
