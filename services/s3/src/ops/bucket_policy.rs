use base::{Document, Fault};
use kernel::{Result, Tx};

use crate::api::{
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
    PutBucketPolicyInput, PutBucketPolicyOutput,
};
use crate::bucket;

/// The largest policy, in bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>
const POLICY_BYTES_MAX: usize = 20 * 1024;

/// Keeps a policy. Access is not checked against it.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>
pub(crate) async fn put_bucket_policy(
    tx: &mut Tx,
    input: PutBucketPolicyInput,
) -> Result<PutBucketPolicyOutput> {
    let is_object = serde_json::from_str::<Document>(&input.policy).is_ok_and(|policy| policy.is_object());
    if !is_object {
        return Err(malformed("Policies must be valid JSON and the first byte must be '{'").into());
    }
    if input.policy.len() > POLICY_BYTES_MAX {
        return Err(malformed("Policies must not exceed 20480 bytes").into());
    }
    bucket::change(tx, &input.bucket, |bucket| bucket.policy = Some(input.policy)).await?;
    Ok(PutBucketPolicyOutput {})
}

/// The policy as it was given.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>
pub(crate) async fn get_bucket_policy(
    tx: &mut Tx,
    input: GetBucketPolicyInput,
) -> Result<GetBucketPolicyOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let absent = || Fault::new("NoSuchBucketPolicy", "The bucket policy does not exist").with_status(404);
    Ok(GetBucketPolicyOutput { policy: Some(found.policy.ok_or_else(absent)?) })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html>
pub(crate) async fn delete_bucket_policy(
    tx: &mut Tx,
    input: DeleteBucketPolicyInput,
) -> Result<DeleteBucketPolicyOutput> {
    bucket::change(tx, &input.bucket, |bucket| bucket.policy = None).await?;
    Ok(DeleteBucketPolicyOutput {})
}

fn malformed(message: &str) -> Fault {
    Fault::new("MalformedPolicy", message)
}
