//! Keys that callers encrypt with themselves, and plain chance.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    DataKeySpec, GenerateDataKeyInput, GenerateDataKeyOutput, GenerateDataKeyWithoutPlaintextInput,
    GenerateDataKeyWithoutPlaintextOutput, GenerateRandomInput, GenerateRandomOutput,
};
use crate::ops::{no_grants, no_recipient, unless_dry};
use crate::{fault, find};

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html>
pub(crate) async fn generate_data_key(
    tx: &mut Tx,
    input: GenerateDataKeyInput,
) -> Result<GenerateDataKeyOutput> {
    no_grants(input.grant_tokens.as_ref())?;
    no_recipient(input.recipient.as_ref())?;
    let bytes = length(input.key_spec, input.number_of_bytes)?;
    let (key, master) = find::key_or_alias(tx, &input.key_id).await?;
    let plaintext = find::random(tx, bytes);
    let context = input.encryption_context.unwrap_or_default();
    let sealed = find::seal(tx, &key, &master, &context, &plaintext)?;
    unless_dry(input.dry_run)?;
    Ok(GenerateDataKeyOutput {
        ciphertext_blob: Some(sealed.into()),
        plaintext: Some(plaintext.into()),
        key_id: Some(find::arn(tx, key.id)),
        key_material_id: master.material.last().map(|material| material.id.clone()),
        ..GenerateDataKeyOutput::default()
    })
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyWithoutPlaintext.html>
pub(crate) async fn generate_data_key_without_plaintext(
    tx: &mut Tx,
    input: GenerateDataKeyWithoutPlaintextInput,
) -> Result<GenerateDataKeyWithoutPlaintextOutput> {
    let whole = GenerateDataKeyInput {
        key_id: input.key_id,
        encryption_context: input.encryption_context,
        number_of_bytes: input.number_of_bytes,
        key_spec: input.key_spec,
        grant_tokens: input.grant_tokens,
        recipient: None,
        dry_run: input.dry_run,
    };
    let made = generate_data_key(tx, whole).await?;
    Ok(GenerateDataKeyWithoutPlaintextOutput {
        ciphertext_blob: made.ciphertext_blob,
        key_id: made.key_id,
        key_material_id: made.key_material_id,
    })
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateRandom.html>
pub(crate) async fn generate_random(tx: &mut Tx, input: GenerateRandomInput) -> Result<GenerateRandomOutput> {
    no_recipient(input.recipient.as_ref())?;
    if input.custom_key_store_id.is_some() {
        return Err(fault::unsupported("CustomKeyStoreId").into());
    }
    let Some(count) = input.number_of_bytes else {
        return Err(Fault::validation("NumberOfBytes must be given.").into());
    };
    let plaintext = find::random(tx, count.unsigned_abs() as usize);
    Ok(GenerateRandomOutput { plaintext: Some(plaintext.into()), ..GenerateRandomOutput::default() })
}

/// How many bytes a data key has: either its spec or its length is asked for.
fn length(spec: Option<DataKeySpec>, bytes: Option<i32>) -> Result<usize, Fault> {
    match (spec, bytes) {
        (Some(DataKeySpec::Aes256), None) => Ok(32),
        (Some(DataKeySpec::Aes128), None) => Ok(16),
        (None, Some(bytes)) => Ok(bytes.unsigned_abs() as usize),
        _ => Err(Fault::validation("Please specify either number of bytes or key spec.")),
    }
}
