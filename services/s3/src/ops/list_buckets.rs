use kernel::{Parts, Result, Tx};

use crate::bucket::{self, Bucket};
use crate::keys::BucketKey;

/// More buckets than an account may have.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html>
const BUCKETS_MAX: usize = 1_000_000;

/// The caller's buckets whose names begin with `prefix`, by name.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>
pub(crate) async fn list_buckets(tx: &mut Tx, prefix: String) -> Result<Vec<(String, Bucket)>> {
    let owner = tx.caller().account.clone();
    bucket::enter(tx);
    let rows = tx.scan::<BucketKey>(Parts::none().and_starting_with(&prefix), BUCKETS_MAX).await?;
    let mine = rows.into_iter().filter(|(_, bucket)| bucket.owner == owner);
    Ok(mine.map(|(key, bucket)| (key.bucket, bucket)).collect())
}
