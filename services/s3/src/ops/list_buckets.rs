use kernel::{Parts, Result, Tx};

use crate::api::{self, ListBucketsInput, ListBucketsOutput};
use crate::bucket;
use crate::keys::BucketKey;

/// More buckets than an account may have.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html>
const BUCKETS_MAX: usize = 1_000_000;

/// The caller's buckets, by name.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>
pub(crate) async fn list_buckets(tx: &mut Tx, input: ListBucketsInput) -> Result<ListBucketsOutput> {
    let owner = tx.caller().account.clone();
    bucket::enter(tx);
    let prefix = input.prefix.clone().unwrap_or_default();
    let after = input.continuation_token.unwrap_or_default();
    let region = input.bucket_region;
    let max = input.max_buckets.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
    let rows = tx.scan::<BucketKey>(Parts::none().and_starting_with(&prefix), BUCKETS_MAX).await?;
    let mut buckets: Vec<api::Bucket> = rows
        .into_iter()
        .filter(|(key, found)| found.owner == owner && key.bucket > after)
        .filter(|(_, found)| region.as_deref().is_none_or(|wanted| wanted == found.region.as_str()))
        .take(max.saturating_add(1))
        .map(|(key, found)| api::Bucket {
            bucket_region: Some(found.region.to_string()),
            creation_date: Some(found.created_at),
            name: Some(key.bucket),
            ..api::Bucket::default()
        })
        .collect();
    let more = buckets.len() > max;
    buckets.truncate(max);
    Ok(ListBucketsOutput {
        continuation_token: buckets.last().filter(|_| more).and_then(|last| last.name.clone()),
        buckets: Some(buckets),
        owner: Some(api::Owner { id: Some(owner.to_string()), ..api::Owner::default() }),
        prefix: input.prefix,
    })
}
