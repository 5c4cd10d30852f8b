//! Buckets as the Resource Groups Tagging API sees them. S3's own API replaces a bucket's tags as a whole; these operations,
//! which are no client's, add and remove some in one transaction.

use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use super::bucket_tagging::TAGS_MAX;
use super::list_buckets::list_buckets;
use crate::api::{ListBucketsInput, Tag};
use crate::{bucket, tags};

#[derive(Deserialize)]
pub(crate) struct ListInput {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    buckets: Vec<OwnBucket>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OwnBucket {
    arn: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagInput {
    bucket: String,
    tags: Vec<Tag>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UntagInput {
    bucket: String,
    tag_keys: Vec<String>,
}

/// The caller's buckets in its region.
pub(crate) async fn list_own_buckets(tx: &mut Tx, _: ListInput) -> Result<ListOutput> {
    let region = tx.caller().region.to_string();
    let input = ListBucketsInput { bucket_region: Some(region), ..ListBucketsInput::default() };
    let mine = list_buckets(tx, input).await?.buckets.unwrap_or_default();
    let names = mine.into_iter().filter_map(|bucket| bucket.name);
    let buckets = names.map(|name| OwnBucket { arn: format!("arn:aws:s3:::{name}") }).collect();
    Ok(ListOutput { buckets })
}

/// Adds tags to a bucket or gives them other values.
pub(crate) async fn tag_bucket(tx: &mut Tx, input: TagInput) -> Result<()> {
    let keys: Vec<String> = input.tags.iter().map(|tag| tag.key.clone()).collect();
    change(tx, &input.bucket, &keys, input.tags).await
}

/// Removes tags from a bucket; those that are not there are no error.
pub(crate) async fn untag_bucket(tx: &mut Tx, input: UntagInput) -> Result<()> {
    change(tx, &input.bucket, &input.tag_keys, Vec::new()).await
}

async fn change(tx: &mut Tx, name: &str, gone: &[String], added: Vec<Tag>) -> Result<()> {
    let mut kept = bucket::find(tx, name).await?.tags.unwrap_or_default();
    kept.retain(|tag| !gone.contains(&tag.key));
    kept.extend(added);
    tags::check(kept.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())), TAGS_MAX)?;
    bucket::change(tx, name, |bucket| bucket.tags = Some(kept).filter(|tags| !tags.is_empty())).await
}
