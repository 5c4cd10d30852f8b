use kernel::{Effect, Result, Tx};

use crate::api::{UpdateSecretInput, UpdateSecretOutput};
use crate::cipher::Content;
use crate::ops::put_secret_value::{NewVersion, add, seal_version};
use crate::{fault, secret, stages};

/// Changes what is known of a secret; a value that the request brings becomes its current version. A new key encrypts
/// versions from now on.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html>
pub(crate) async fn update_secret(effect: &Effect, input: UpdateSecretInput) -> Result<UpdateSecretOutput> {
    if input.r#type.is_some() {
        return Err(fault::not_honoured("Type").into());
    }
    let version = match Content::of(input.secret_string.clone(), input.secret_binary.clone())? {
        None => None,
        Some(content) => {
            let token = input.client_request_token.clone();
            let stages = vec![stages::CURRENT.to_owned()];
            let kms_key = input.kms_key_id.clone();
            Some(seal_version(effect, &input.secret_id, token, kms_key, stages, content).await?)
        }
    };
    effect.transact("UpdateSecret", update, (input, version)).await
}

async fn update(
    tx: &mut Tx,
    (input, version): (UpdateSecretInput, Option<NewVersion>),
) -> Result<UpdateSecretOutput> {
    let (key, mut secret) = secret::find(tx, &input.secret_id).await?;
    let version_id = version.as_ref().map(|version| version.id.clone());
    if let Some(version) = version {
        add(tx, &key, &mut secret, version)?;
    }
    secret.description = input.description.or(secret.description);
    secret.kms_key = input.kms_key_id.or(secret.kms_key);
    secret.changed_at = tx.now();
    tx.put(&key, &secret)?;
    Ok(UpdateSecretOutput { arn: Some(secret.arn(tx, &key.name)), name: Some(key.name), version_id })
}
