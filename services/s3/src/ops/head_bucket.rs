use kernel::{Result, Tx};

use crate::api::{HeadBucketInput, HeadBucketOutput};
use crate::bucket;

/// Where a bucket is, if it is there.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
pub(crate) async fn head_bucket(tx: &mut Tx, input: HeadBucketInput) -> Result<HeadBucketOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    Ok(HeadBucketOutput {
        bucket_arn: Some(format!("arn:aws:s3:::{}", input.bucket)),
        bucket_region: Some(found.region.to_string()),
        access_point_alias: Some(false),
        ..HeadBucketOutput::default()
    })
}
