use base::Fault;
use kernel::{Parts, Result, Tx};

use crate::api::{DeleteBucketInput, DeleteBucketOutput};
use crate::bucket;
use crate::fault;
use crate::keys::{AddedKey, BucketKey, MultipartKey, ObjectKey, VersionKey};
use crate::multipart;

/// Uploads that end with their bucket.
const UPLOADS_MAX: usize = 1000;

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
    if !tx.scan::<VersionKey>(Parts::of(&name), 1).await?.is_empty() {
        let message =
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket.";
        return Err(Fault::new("BucketNotEmpty", message).with_status(409).into());
    }
    // Uploads under way do not keep a bucket; they end with it.
    let uploads = tx.scan::<MultipartKey>(Parts::of(&name), UPLOADS_MAX).await?;
    if uploads.len() == UPLOADS_MAX {
        let message = "The bucket has too many uploads in parts under way; abort some of them first";
        return Err(Fault::new("OperationAborted", message).with_status(409).into());
    }
    for (row, _) in uploads {
        multipart::end(tx, &row)?;
    }
    tx.delete(&added);
    tx.delete(&BucketKey { bucket: name });
    Ok(DeleteBucketOutput {})
}
