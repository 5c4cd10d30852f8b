use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, GetBucketTaggingInput, GetBucketTaggingOutput,
    PutBucketTaggingInput, PutBucketTaggingOutput,
};
use crate::{bucket, tags};

/// The most tags of a bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html>
pub(crate) const TAGS_MAX: usize = 50;

/// Keeps a bucket's tags.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>
pub(crate) async fn put_bucket_tagging(
    tx: &mut Tx,
    input: PutBucketTaggingInput,
) -> Result<PutBucketTaggingOutput> {
    let given = input.tagging.tag_set;
    tags::check(given.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())), TAGS_MAX)?;
    let tags = Some(given).filter(|tags| !tags.is_empty());
    bucket::change(tx, &input.bucket, |bucket| bucket.tags = tags).await?;
    Ok(PutBucketTaggingOutput {})
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>
pub(crate) async fn get_bucket_tagging(
    tx: &mut Tx,
    input: GetBucketTaggingInput,
) -> Result<GetBucketTaggingOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let absent = || Fault::new("NoSuchTagSet", "The TagSet does not exist").with_status(404);
    Ok(GetBucketTaggingOutput { tag_set: found.tags.ok_or_else(absent)? })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html>
pub(crate) async fn delete_bucket_tagging(
    tx: &mut Tx,
    input: DeleteBucketTaggingInput,
) -> Result<DeleteBucketTaggingOutput> {
    bucket::change(tx, &input.bucket, |bucket| bucket.tags = None).await?;
    Ok(DeleteBucketTaggingOutput {})
}
