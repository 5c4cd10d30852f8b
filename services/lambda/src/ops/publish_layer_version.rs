//! `PublishLayerVersion`: <https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html>

use base::Arn;
use kernel::{Effect, Result, Scope, Tx};

use crate::api::{LayerVersionContentOutput, PublishLayerVersionInput, PublishLayerVersionOutput};
use crate::download;
use crate::function::modified_text;
use crate::keys::{Layer, LayerKey, LayerNumberKey, PackageUse};
use crate::package::{self, Source};

/// Stores the package, then the layer version.
pub(crate) async fn publish_layer_version(
    effect: &Effect,
    mut input: PublishLayerVersionInput,
) -> Result<PublishLayerVersionOutput> {
    let package = package::take_in(effect, Source::of_layer(std::mem::take(&mut input.content))?).await?;
    effect.transact("PublishLayerVersion", publish, (input, package)).await
}

async fn publish(
    tx: &mut Tx,
    (input, package): (PublishLayerVersionInput, PackageUse),
) -> Result<PublishLayerVersionOutput> {
    let name = layer_name(&input.layer_name).to_owned();
    package::hold(tx, &package).await?;
    let number_key = LayerNumberKey { name: name.clone() };
    let mut number = tx.get(&number_key).await?.unwrap_or_default();
    number.0 += 1;
    tx.put(&number_key, &number)?;
    let layer = Layer {
        description: input.description.unwrap_or_default(),
        package,
        runtimes: input.compatible_runtimes.unwrap_or_default(),
        architectures: input.compatible_architectures.unwrap_or_default(),
        license: input.license_info,
        created: tx.now(),
    };
    let key = LayerKey { name, number: number.0 };
    tx.put(&key, &layer)?;
    Ok(PublishLayerVersionOutput {
        content: Some(content(tx, &layer)?),
        layer_arn: Some(layer_arn(tx.scope(), &key.name)),
        layer_version_arn: Some(version_arn(tx.scope(), &key)),
        description: Some(layer.description),
        created_date: Some(modified_text(layer.created)),
        version: i64::try_from(key.number).ok(),
        compatible_architectures: Some(layer.architectures),
        compatible_runtimes: Some(layer.runtimes),
        license_info: layer.license,
    })
}

/// A layer's name, given as a name or as an ARN.
pub(crate) fn layer_name(text: &str) -> &str {
    text.rsplit_once(":layer:").map_or(text, |(_, name)| name)
}

/// The package of a layer as AWS shows it, and where it can be downloaded.
pub(crate) fn content(tx: &Tx, layer: &Layer) -> Result<LayerVersionContentOutput> {
    Ok(LayerVersionContentOutput {
        location: Some(download::location(tx, &layer.package)?),
        code_sha256: Some(layer.package.code_sha256()),
        code_size: i64::try_from(layer.package.bytes).ok(),
        ..LayerVersionContentOutput::default()
    })
}

/// `arn:aws:lambda:…:layer:name`.
pub(crate) fn layer_arn(scope: &Scope, name: &str) -> String {
    Arn::new("lambda", &scope.region, &scope.account, format!("layer:{name}")).to_string()
}

/// `arn:aws:lambda:…:layer:name:number`.
pub(crate) fn version_arn(scope: &Scope, key: &LayerKey) -> String {
    format!("{}:{}", layer_arn(scope, &key.name), key.number)
}
