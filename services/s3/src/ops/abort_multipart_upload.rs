use kernel::{Result, Tx};

use crate::api::{AbortMultipartUploadInput, AbortMultipartUploadOutput};
use crate::bucket;
use crate::fault;
use crate::multipart::{self, Which};

/// Ends an upload without an object.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
pub(crate) async fn abort_multipart_upload(
    tx: &mut Tx,
    input: AbortMultipartUploadInput,
) -> Result<AbortMultipartUploadOutput> {
    bucket::expect(tx, (input.bucket.clone(), input.expected_bucket_owner)).await?;
    let which = Which { bucket: input.bucket, key: input.key, upload: input.upload_id };
    let (row, upload) = multipart::find(tx, &which).await?;
    let started_at = input.if_match_initiated_time;
    if started_at.is_some_and(|claimed| claimed.as_secs() != upload.started_at.as_secs()) {
        return Err(fault::precondition_failed().into());
    }
    multipart::end(tx, &row)?;
    Ok(AbortMultipartUploadOutput::default())
}
