use kernel::{Result, Tx};

use super::list_objects_v2::{described, text_of};
use crate::api::{CommonPrefix, ListObjectsInput, ListObjectsOutput};
use crate::bucket;
use crate::listing::{self, Listing};

/// A page of a bucket's objects, as it was asked for before there were tokens.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>
pub(crate) async fn list_objects(tx: &mut Tx, input: ListObjectsInput) -> Result<ListObjectsOutput> {
    bucket::expect(tx, (input.bucket.clone(), input.expected_bucket_owner)).await?;
    let asked = Listing {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: input.marker.clone().unwrap_or_default(),
        max: input.max_keys,
    };
    let max_keys = asked.max_keys()?;
    let page = listing::list(tx, asked).await?;
    let text = text_of(input.encoding_type);
    let contents = page.objects.iter().map(|(key, object)| described(text(key), object));
    let prefixes = page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(text(prefix)) });
    Ok(ListObjectsOutput {
        is_truncated: Some(page.next.is_some()),
        marker: Some(text(input.marker.as_deref().unwrap_or_default())),
        // Without a delimiter the client goes on from the last key, which AWS leaves it to find.
        next_marker: page.next.as_deref().filter(|_| input.delimiter.is_some()).map(&text),
        contents: Some(contents.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        name: Some(input.bucket),
        prefix: Some(text(input.prefix.as_deref().unwrap_or_default())),
        delimiter: input.delimiter.as_deref().map(&text),
        max_keys: i32::try_from(max_keys).ok(),
        common_prefixes: Some(prefixes.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}
