use kernel::{Result, Tx};

use crate::api::{HeadObjectInput, HeadObjectOutput};
use crate::bucket;
use crate::conditions::Conditions;
use crate::fault;
use crate::object::Target;
use crate::ops::get_object::{self, Found};

/// What is known of an object.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
pub(crate) async fn head_object(tx: &mut Tx, input: HeadObjectInput) -> Result<HeadObjectOutput> {
    fault::refuse_unsupported(&[
        ("encryption with a customer's key", input.sse_customer_key.is_some()),
        ("PartNumber in a document", input.part_number.is_some()),
        ("Range in HeadObject", input.range.is_some()),
    ])?;
    bucket::expect(tx, (input.bucket.clone(), input.expected_bucket_owner.clone())).await?;
    let target =
        Target { bucket: input.bucket.clone(), key: input.key.clone(), version: input.version_id.clone() };
    let found = get_object::find_head(tx, target).await?;
    conditions(&input).check_read(&found.object)?;
    describe(&found)
}

pub(crate) fn conditions(input: &HeadObjectInput) -> Conditions {
    Conditions {
        if_match: input.if_match.clone(),
        if_none_match: input.if_none_match.clone(),
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    }
}

pub(crate) fn describe(found: &Found) -> Result<HeadObjectOutput> {
    let object = &found.object;
    let headers = object.headers.clone();
    let encryption = serde_json::from_value(object.encryption.algorithm().into())?;
    let tags = i32::try_from(object.tags.len()).ok();
    Ok(HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        last_modified: Some(object.modified_at),
        content_length: i64::try_from(object.bytes).ok(),
        e_tag: Some(format!("\"{}\"", object.etag)),
        version_id: found.version.clone(),
        content_type: Some(headers.content_type().to_owned()),
        cache_control: headers.cache_control,
        content_disposition: headers.content_disposition,
        content_encoding: headers.content_encoding,
        content_language: headers.content_language,
        website_redirect_location: headers.website_redirect_location,
        server_side_encryption: Some(encryption),
        ssekms_key_id: object.encryption.key.clone(),
        metadata: Some(headers.metadata),
        tag_count: tags.filter(|count| *count > 0),
        ..HeadObjectOutput::default()
    })
}
