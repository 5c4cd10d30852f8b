use kernel::{Parts, Result, Tx};

use crate::api::{DeleteBucketInput, DeleteBucketOutput};
use crate::bucket;
use crate::fault;
use crate::keys::{AddedKey, BucketKey, ObjectKey};

/// Removes an empty bucket.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html>
pub(crate) async fn delete_bucket(tx: &mut Tx, input: DeleteBucketInput) -> Result<DeleteBucketOutput> {
    let name = input.bucket;
    bucket::find(tx, &name).await?;
    // Read before the scan, so that an object which comes meanwhile is a conflict.
    let added = AddedKey { bucket: name.clone() };
    tx.get(&added).await?;
    if !tx.scan::<ObjectKey>(Parts::of(&name), 1).await?.is_empty() {
        return Err(fault::bucket_not_empty().into());
    }
    tx.delete(&added);
    tx.delete(&BucketKey { bucket: name });
    Ok(DeleteBucketOutput {})
}
