//! `ListLayers`: <https://docs.aws.amazon.com/lambda/latest/api/API_ListLayers.html>

use std::collections::BTreeMap;

use kernel::{Parts, Result, Tx};

use crate::api::{LayersListItem, ListLayersInput, ListLayersOutput};
use crate::function::ALL;
use crate::keys::{Layer, LayerKey};
use crate::ops::list_layer_versions::{item, suits};
use crate::ops::publish_layer_version::layer_arn;
use crate::page::page;

/// All layers, each with its newest version that suits.
pub(crate) async fn list_layers(tx: &mut Tx, input: ListLayersInput) -> Result<ListLayersOutput> {
    let mut newest: BTreeMap<String, (LayerKey, Layer)> = BTreeMap::new();
    for (key, layer) in tx.scan::<LayerKey>(Parts::none(), ALL).await? {
        if suits(&layer, input.compatible_runtime, input.compatible_architecture) {
            newest.insert(key.name.clone(), (key, layer));
        }
    }
    let all: Vec<(String, (LayerKey, Layer))> = newest.into_iter().collect();
    let (all, next_marker) = page(all, |(name, _)| name.clone(), input.marker.as_deref(), input.max_items)?;
    let shown = |(name, (key, layer)): (String, (LayerKey, Layer))| LayersListItem {
        layer_arn: Some(layer_arn(tx.scope(), &name)),
        latest_matching_version: Some(item(tx.scope(), &key, &layer)),
        layer_name: Some(name),
    };
    Ok(ListLayersOutput { next_marker, layers: Some(all.into_iter().map(shown).collect()) })
}
