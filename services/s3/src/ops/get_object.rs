use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use kernel::{Effect, Result, Tx};

use crate::api::{GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput};
use crate::body;
use crate::fault;
use crate::keys::PartKey;
use crate::object::{self, Object};
use crate::ops::head_object;

/// An object that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub object: Object,
    /// Its body, if it is a single part: then it is of the same moment as the object.
    pub whole: Option<Bytes>,
}

/// The object of a key, with its body if that is small.
pub(crate) async fn find(tx: &mut Tx, (bucket, key): (String, String)) -> Result<Found> {
    let object = head_object::find(tx, (bucket, key)).await?;
    let whole = match object.parts {
        0 => Some(Bytes::new()),
        1 => Some(body::read_part(tx, PartKey { body: object.body, part: 0 }).await?),
        _ => None,
    };
    Ok(Found { object, whole })
}

/// The object of a key with its body in the document.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub(crate) async fn get_object(effect: &Effect, input: GetObjectInput) -> Result<GetObjectOutput> {
    let range = input.range.clone();
    let head: HeadObjectInput = HeadObjectInput {
        bucket: input.bucket,
        key: input.key,
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
        version_id: input.version_id,
        ..HeadObjectInput::default()
    };
    fault::refuse_unsupported(&[
        ("encryption with a customer's key", input.sse_customer_key.is_some()),
        ("PartNumber", input.part_number.is_some()),
    ])?;
    object::check_version(head.version_id.as_deref())?;
    let found = effect.transact("GetObject", find, (head.bucket.clone(), head.key.clone())).await?;
    head_object::conditions(&head).check_read(&found.object)?;
    let selected = object::select(range.as_deref(), found.object.bytes)?;
    let range = selected.clone().unwrap_or(0..found.object.bytes);
    let body = collect(effect, &found, range.clone()).await?;
    let HeadObjectOutput { accept_ranges, last_modified, e_tag, metadata, content_type, .. } =
        head_object::describe(&found.object);
    let headers = found.object.headers;
    Ok(GetObjectOutput {
        body: Some(body.into()),
        accept_ranges,
        last_modified,
        e_tag,
        metadata,
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
    let pieces = body::read(effect.kernel().clone(), effect.caller().clone(), &found.object, range);
    let all = pieces.try_fold(BytesMut::new(), |mut all, piece| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    });
    Ok(all.await?.to_vec())
}
