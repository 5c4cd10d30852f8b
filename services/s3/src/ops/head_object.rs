use kernel::{Result, Tx};

use crate::api::{HeadObjectInput, HeadObjectOutput, ServerSideEncryption};
use crate::bucket;
use crate::conditions::Conditions;
use crate::fault;
use crate::keys::ObjectKey;
use crate::object::{self, Object};

/// The object of a key, without its body.
pub(crate) async fn find(tx: &mut Tx, (bucket, key): (String, String)) -> Result<Object> {
    bucket::look_at(tx, &bucket).await?;
    let found = tx.peek(&ObjectKey { bucket, key }).await?;
    found.ok_or_else(|| fault::no_such_key().into())
}

/// What is known of an object.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
pub(crate) async fn head_object(tx: &mut Tx, input: HeadObjectInput) -> Result<HeadObjectOutput> {
    fault::refuse_unsupported(&[
        ("encryption with a customer's key", input.sse_customer_key.is_some()),
        ("PartNumber", input.part_number.is_some()),
        ("Range in HeadObject", input.range.is_some()),
    ])?;
    object::check_version(input.version_id.as_deref())?;
    let found = find(tx, (input.bucket.clone(), input.key.clone())).await?;
    conditions(&input).check_read(&found)?;
    Ok(describe(&found))
}

pub(crate) fn conditions(input: &HeadObjectInput) -> Conditions {
    Conditions {
        if_match: input.if_match.clone(),
        if_none_match: input.if_none_match.clone(),
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    }
}

pub(crate) fn describe(object: &Object) -> HeadObjectOutput {
    let headers = object.headers.clone();
    HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        last_modified: Some(object.modified_at),
        content_length: i64::try_from(object.bytes).ok(),
        e_tag: Some(format!("\"{}\"", object.etag)),
        content_type: Some(headers.content_type().to_owned()),
        cache_control: headers.cache_control,
        content_disposition: headers.content_disposition,
        content_encoding: headers.content_encoding,
        content_language: headers.content_language,
        website_redirect_location: headers.website_redirect_location,
        server_side_encryption: Some(ServerSideEncryption::Aes256),
        metadata: Some(headers.metadata),
        ..HeadObjectOutput::default()
    }
}
