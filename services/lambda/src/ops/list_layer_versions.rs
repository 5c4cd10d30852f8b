//! `ListLayerVersions`: <https://docs.aws.amazon.com/lambda/latest/api/API_ListLayerVersions.html>

use kernel::{Parts, Result, Scope, Tx};

use crate::api::{
    Architecture, LayerVersionsListItem, ListLayerVersionsInput, ListLayerVersionsOutput, Runtime,
};
use crate::function::{ALL, modified_text};
use crate::keys::{Layer, LayerKey};
use crate::ops::publish_layer_version::{layer_name, version_arn};
use crate::page::{ordered, page};

/// The versions of a layer, newest first.
pub(crate) async fn list_layer_versions(
    tx: &mut Tx,
    input: ListLayerVersionsInput,
) -> Result<ListLayerVersionsOutput> {
    let mut all = tx.scan_back::<LayerKey>(Parts::of(layer_name(&input.layer_name)), ALL).await?;
    all.retain(|(_, layer)| suits(layer, input.compatible_runtime, input.compatible_architecture));
    let (all, next_marker) =
        page(all, |(key, _)| ordered(u64::MAX - key.number), input.marker.as_deref(), input.max_items)?;
    let versions = all.iter().map(|(key, layer)| item(tx.scope(), key, layer)).collect();
    Ok(ListLayerVersionsOutput { next_marker, layer_versions: Some(versions) })
}

/// Whether a layer says that it suits the runtime and the architecture; one that says nothing suits none that is asked for.
pub(crate) fn suits(layer: &Layer, runtime: Option<Runtime>, architecture: Option<Architecture>) -> bool {
    runtime.is_none_or(|runtime| layer.runtimes.contains(&runtime))
        && architecture.is_none_or(|architecture| layer.architectures.contains(&architecture))
}

/// A layer version as lists show it.
pub(crate) fn item(scope: &Scope, key: &LayerKey, layer: &Layer) -> LayerVersionsListItem {
    LayerVersionsListItem {
        layer_version_arn: Some(version_arn(scope, key)),
        version: i64::try_from(key.number).ok(),
        description: Some(layer.description.clone()),
        created_date: Some(modified_text(layer.created)),
        compatible_architectures: Some(layer.architectures.clone()),
        compatible_runtimes: Some(layer.runtimes.clone()),
        license_info: layer.license.clone(),
    }
}
