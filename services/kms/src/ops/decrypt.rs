use kernel::{Result, Tx};

use crate::api::{DecryptInput, DecryptOutput, EncryptionAlgorithmSpec};
use crate::ops::{no_grants, no_recipient, symmetric, unless_dry};
use crate::{fault, find};

/// The ciphertext names its key; a `KeyId` that is given must be the same.
///
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>
pub(crate) async fn decrypt(tx: &mut Tx, input: DecryptInput) -> Result<DecryptOutput> {
    no_grants(input.grant_tokens.as_ref())?;
    no_recipient(input.recipient.as_ref())?;
    symmetric(input.encryption_algorithm)?;
    if input.dry_run_modifiers.is_some_and(|modifiers| !modifiers.is_empty()) {
        return Err(fault::unsupported("DryRunModifiers").into());
    }
    let Some(ciphertext) = input.ciphertext_blob else { return Err(fault::invalid_ciphertext().into()) };
    let context = input.encryption_context.unwrap_or_default();
    let opened = find::open(tx, input.key_id.as_deref(), &context, ciphertext.as_bytes()).await?;
    unless_dry(input.dry_run)?;
    Ok(DecryptOutput {
        key_id: Some(find::arn(tx, opened.key.id)),
        plaintext: Some(opened.plaintext.into()),
        encryption_algorithm: Some(EncryptionAlgorithmSpec::SymmetricDefault),
        key_material_id: Some(opened.material_id),
        ..DecryptOutput::default()
    })
}
