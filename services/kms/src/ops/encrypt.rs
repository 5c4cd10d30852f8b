use kernel::{Result, Tx};

use crate::api::{EncryptInput, EncryptOutput, EncryptionAlgorithmSpec};
use crate::find;
use crate::ops::{no_grants, symmetric, unless_dry};

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>
pub(crate) async fn encrypt(tx: &mut Tx, input: EncryptInput) -> Result<EncryptOutput> {
    no_grants(input.grant_tokens.as_ref())?;
    symmetric(input.encryption_algorithm)?;
    let (key, master) = find::key_or_alias(tx, &input.key_id).await?;
    let context = input.encryption_context.unwrap_or_default();
    let ciphertext = find::seal(tx, &key, &master, &context, input.plaintext.as_bytes())?;
    unless_dry(input.dry_run)?;
    Ok(EncryptOutput {
        ciphertext_blob: Some(ciphertext.into()),
        key_id: Some(find::arn(tx, key.id)),
        encryption_algorithm: Some(EncryptionAlgorithmSpec::SymmetricDefault),
    })
}
