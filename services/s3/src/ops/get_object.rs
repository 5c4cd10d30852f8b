use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use kernel::{Effect, Error, Result, Tx};

use crate::api::{GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput};
use crate::body::{self, Location, Segment};
use crate::bucket;
use crate::fault;
use crate::keys::{ObjectKey, PartKey, SegmentsKey};
use crate::object::{self, Object, Target};
use crate::ops::head_object;
use crate::versions;

/// An object that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub object: Object,
    /// Its version's id, if the bucket has versions.
    pub version: Option<String>,
    /// The bodies that it consists of.
    pub segments: Arc<[Segment]>,
    /// Its body, if it is a single row: then it is of the same moment as the object.
    pub whole: Option<Bytes>,
}

/// An object without its body.
pub(crate) async fn find_head(tx: &mut Tx, target: Target) -> Result<Found> {
    let bucket = bucket::look_at(tx, &target.bucket).await?;
    let key = ObjectKey { bucket: target.bucket, key: target.key };
    let object = versions::find(tx, &bucket, &key, target.version.as_deref()).await?;
    let version = bucket.versioning.map(|_| object.place.id());
    let segments: Arc<[Segment]> = match object.location() {
        Location::Whole(segment) => Arc::new([segment]),
        Location::InParts(id) => {
            let found = tx.peek(&SegmentsKey { id }).await?;
            found.ok_or_else(|| Error::bug(format!("read the parts of {id}: they are gone")))?.0.into()
        }
    };
    Ok(Found { object, version, segments, whole: None })
}

/// An object, with its body if that is small.
pub(crate) async fn find(tx: &mut Tx, target: Target) -> Result<Found> {
    let mut found = find_head(tx, target).await?;
    found.whole = match &*found.segments {
        [Segment { parts: 0, .. }] => Some(Bytes::new()),
        [Segment { parts: 1, body, .. }] => {
            Some(body::read_part(tx, PartKey { body: *body, part: 0 }).await?)
        }
        _ => None,
    };
    Ok(found)
}

/// The object of a key with its body in the document.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub(crate) async fn get_object(effect: &Effect, input: GetObjectInput) -> Result<GetObjectOutput> {
    let range = input.range.clone();
    let head: HeadObjectInput = HeadObjectInput {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
        ..HeadObjectInput::default()
    };
    fault::refuse_unsupported(&[
        ("encryption with a customer's key", input.sse_customer_key.is_some()),
        ("PartNumber in a document", input.part_number.is_some()),
    ])?;
    let expected = (input.bucket.clone(), input.expected_bucket_owner);
    effect.transact("GetObject", bucket::expect, expected).await?;
    let target = Target { bucket: input.bucket, key: input.key, version: input.version_id };
    let found = effect.transact("GetObject", find, target).await?;
    head_object::conditions(&head).check_read(&found.object)?;
    let selected = object::select(range.as_deref(), found.object.bytes)?;
    let range = selected.clone().unwrap_or(0..found.object.bytes);
    let body = collect(effect, &found, range.clone()).await?;
    let HeadObjectOutput { accept_ranges, last_modified, e_tag, metadata, content_type, tag_count, .. } =
        head_object::describe(&found)?;
    let headers = found.object.headers;
    Ok(GetObjectOutput {
        body: Some(body.into()),
        accept_ranges,
        last_modified,
        e_tag,
        metadata,
        tag_count,
        version_id: found.version,
        content_length: i64::try_from(range.end - range.start).ok(),
        content_range: selected
            .map(|range| format!("bytes {}-{}/{}", range.start, range.end - 1, found.object.bytes)),
        content_type: input.response_content_type.or(content_type),
        cache_control: input.response_cache_control.or(headers.cache_control),
        content_disposition: input.response_content_disposition.or(headers.content_disposition),
        content_encoding: input.response_content_encoding.or(headers.content_encoding),
        content_language: input.response_content_language.or(headers.content_language),
        website_redirect_location: headers.website_redirect_location,
        ..GetObjectOutput::default()
    })
}

async fn collect(effect: &Effect, found: &Found, range: std::ops::Range<u64>) -> Result<Vec<u8>> {
    if let Some(whole) = &found.whole {
        return Ok(whole.slice(range.start as usize..range.end as usize).to_vec());
    }
    let segments = Arc::clone(&found.segments);
    let pieces = body::read(effect.kernel().clone(), effect.caller().clone(), segments, range);
    let all = pieces.try_fold(BytesMut::new(), |mut all, piece| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    });
    Ok(all.await?.to_vec())
}
