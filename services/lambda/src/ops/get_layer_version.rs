//! `GetLayerVersion`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html>

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{GetLayerVersionInput, GetLayerVersionOutput, error};
use crate::function::modified_text;
use crate::keys::LayerKey;
use crate::ops::publish_layer_version::{content, layer_arn, layer_name, version_arn};

/// One version of a layer.
pub(crate) async fn get_layer_version(
    tx: &mut Tx,
    input: GetLayerVersionInput,
) -> Result<GetLayerVersionOutput> {
    let name = layer_name(&input.layer_name).to_owned();
    let number = u64::try_from(input.version_number).unwrap_or(0);
    get(tx, &LayerKey { name, number }).await
}

/// The layer version under `key`.
pub(crate) async fn get(tx: &mut Tx, key: &LayerKey) -> Result<GetLayerVersionOutput> {
    let layer = tx.get(key).await?.ok_or_else(missing)?;
    Ok(GetLayerVersionOutput {
        content: Some(content(tx, &layer)?),
        layer_arn: Some(layer_arn(tx.scope(), &key.name)),
        layer_version_arn: Some(version_arn(tx.scope(), key)),
        description: Some(layer.description),
        created_date: Some(modified_text(layer.created)),
        version: i64::try_from(key.number).ok(),
        compatible_architectures: Some(layer.architectures),
        compatible_runtimes: Some(layer.runtimes),
        license_info: layer.license,
    })
}

/// There is no such layer version.
pub(crate) fn missing() -> Fault {
    error::resource_not_found_exception("The resource you requested does not exist.")
}
