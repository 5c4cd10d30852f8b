//! `GetLayerVersionByArn`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionByArn.html>

use kernel::{Result, Tx};

use crate::api::{GetLayerVersionByArnInput, GetLayerVersionByArnOutput};
use crate::ops::get_layer_version::{get, missing};
use crate::settings::layer_key;

/// One version of a layer.
pub(crate) async fn get_layer_version_by_arn(
    tx: &mut Tx,
    input: GetLayerVersionByArnInput,
) -> Result<GetLayerVersionByArnOutput> {
    let key = layer_key(tx, &input.arn).ok_or_else(missing)?;
    get(tx, &key).await
}
