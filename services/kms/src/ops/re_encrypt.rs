use kernel::{Result, Tx};

use crate::api::{EncryptionAlgorithmSpec, ReEncryptInput, ReEncryptOutput};
use crate::ops::{no_grants, symmetric, unless_dry};
use crate::{fault, find};

/// The same text under another key or context; it is not told to the caller.
///
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html>
pub(crate) async fn re_encrypt(tx: &mut Tx, input: ReEncryptInput) -> Result<ReEncryptOutput> {
    no_grants(input.grant_tokens.as_ref())?;
    symmetric(input.source_encryption_algorithm)?;
    symmetric(input.destination_encryption_algorithm)?;
    if input.dry_run_modifiers.is_some_and(|modifiers| !modifiers.is_empty()) {
        return Err(fault::unsupported("DryRunModifiers").into());
    }
    let Some(ciphertext) = input.ciphertext_blob else { return Err(fault::invalid_ciphertext().into()) };
    let source_context = input.source_encryption_context.unwrap_or_default();
    let source_key = input.source_key_id.as_deref();
    let opened = find::open(tx, source_key, &source_context, ciphertext.as_bytes()).await?;
    let (key, master) = find::key_or_alias(tx, &input.destination_key_id).await?;
    let context = input.destination_encryption_context.unwrap_or_default();
    let sealed = find::seal(tx, &key, &master, &context, &opened.plaintext)?;
    unless_dry(input.dry_run)?;
    let algorithm = Some(EncryptionAlgorithmSpec::SymmetricDefault);
    Ok(ReEncryptOutput {
        ciphertext_blob: Some(sealed.into()),
        source_key_id: Some(find::arn(tx, opened.key.id)),
        key_id: Some(find::arn(tx, key.id)),
        source_encryption_algorithm: algorithm,
        destination_encryption_algorithm: algorithm,
        source_key_material_id: Some(opened.material_id),
        destination_key_material_id: master.material.last().map(|material| material.id.clone()),
    })
}
