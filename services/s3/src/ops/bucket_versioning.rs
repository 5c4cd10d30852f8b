use kernel::{Result, Tx};

use crate::api::{
    GetBucketVersioningInput, GetBucketVersioningOutput, MFADelete, PutBucketVersioningInput,
    PutBucketVersioningOutput,
};
use crate::{bucket, fault};

/// Enables or suspends versioning. Once enabled it cannot be taken away.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html>
pub(crate) async fn put_bucket_versioning(
    tx: &mut Tx,
    input: PutBucketVersioningInput,
) -> Result<PutBucketVersioningOutput> {
    let configuration = input.versioning_configuration;
    fault::refuse_unsupported(&[("MFA delete", configuration.mfa_delete == Some(MFADelete::Enabled))])?;
    let status = configuration.status.ok_or_else(|| {
        base::Fault::new(
            "IllegalVersioningConfigurationException",
            "The Versioning element must be specified",
        )
    })?;
    bucket::change(tx, &input.bucket, |bucket| bucket.versioning = Some(status)).await?;
    Ok(PutBucketVersioningOutput {})
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>
pub(crate) async fn get_bucket_versioning(
    tx: &mut Tx,
    input: GetBucketVersioningInput,
) -> Result<GetBucketVersioningOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    Ok(GetBucketVersioningOutput { status: found.versioning, mfa_delete: None })
}
