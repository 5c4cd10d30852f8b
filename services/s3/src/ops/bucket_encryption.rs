use kernel::{Result, Tx};

use crate::api::{
    DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput, GetBucketEncryptionInput,
    GetBucketEncryptionOutput, PutBucketEncryptionInput, PutBucketEncryptionOutput, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use crate::object::Encryption;
use crate::{bucket, fault};

/// Keeps which encryption is told of new objects. Nothing is encrypted by S3 itself.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html>
pub(crate) async fn put_bucket_encryption(
    tx: &mut Tx,
    input: PutBucketEncryptionInput,
) -> Result<PutBucketEncryptionOutput> {
    let mut rules = input.server_side_encryption_configuration.rules;
    let Some(rule) = rules.pop().filter(|_| rules.is_empty()) else {
        return Err(fault::malformed_xml().into());
    };
    if let Some(by_default) = &rule.apply_server_side_encryption_by_default {
        let key = by_default.kms_master_key_id.clone();
        if by_default.sse_algorithm == ServerSideEncryption::Aes256 && key.is_some() {
            let message = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            return Err(fault::invalid_argument(message).into());
        }
        Encryption::asked(Some(by_default.sse_algorithm.as_str()), key, None)?;
    }
    let blocked = rule.blocked_encryption_types.is_some();
    fault::refuse_unsupported(&[("blocking types of encryption", blocked)])?;
    bucket::change(tx, &input.bucket, |bucket| bucket.encryption = Some(rule)).await?;
    Ok(PutBucketEncryptionOutput {})
}

/// What was kept, else what AWS does with every bucket.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>
pub(crate) async fn get_bucket_encryption(
    tx: &mut Tx,
    input: GetBucketEncryptionInput,
) -> Result<GetBucketEncryptionOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let by_default = ServerSideEncryptionByDefault {
        sse_algorithm: ServerSideEncryption::Aes256,
        kms_master_key_id: None,
    };
    let given = found.encryption.unwrap_or_default();
    let rule = ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(
            given.apply_server_side_encryption_by_default.unwrap_or(by_default),
        ),
        bucket_key_enabled: Some(given.bucket_key_enabled == Some(true)),
        ..ServerSideEncryptionRule::default()
    };
    let configuration = ServerSideEncryptionConfiguration { rules: vec![rule] };
    Ok(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html>
pub(crate) async fn delete_bucket_encryption(
    tx: &mut Tx,
    input: DeleteBucketEncryptionInput,
) -> Result<DeleteBucketEncryptionOutput> {
    bucket::change(tx, &input.bucket, |bucket| bucket.encryption = None).await?;
    Ok(DeleteBucketEncryptionOutput {})
}
