//! Objects over HTTP.

use std::collections::BTreeMap;
use std::ops::Range;

use base::Fault;
use futures::{StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::StreamBody;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput, DeleteObjectOutput,
    DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, MetadataDirective, PutObjectInput, PutObjectOutput, ServerSideEncryption, StorageClass,
    StreamingBlob,
};
use s3s::{S3Request, S3Response, S3Result};

use super::caller;
use super::convert::{conditions, copy_headers, put_headers, to_etag, to_time};
use super::door::Door;
use crate::api;
use crate::body::{self, Claims, Uploader};
use crate::conditions::Conditions;
use crate::fault;
use crate::object::{self, Object};
use crate::ops::get_object::Found;
use crate::ops::put_object::{Placement, given};
use crate::ops::{copy_object, delete_object, get_object, head_object, put_object};

type Answer<O> = S3Result<S3Response<O>>;

/// ACLs that say no more than that the bucket's owner owns the object.
const HARMLESS: [&str; 2] = ["private", "bucket-owner-full-control"];

/// The most keys that one request removes.
const DELETE_MAX: usize = 1000;

pub(super) async fn put(door: &Door, request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
    let S3Request { input, extensions, .. } = request;
    let result = take_in(door, &extensions, input).await;
    let object = door.told(&extensions, result)?;
    let checksum = |name: &str| object.checksums.get(name).cloned();
    Ok(S3Response::new(PutObjectOutput {
        e_tag: Some(to_etag(&object.etag)),
        checksum_crc32: checksum("CRC32"),
        checksum_crc32c: checksum("CRC32C"),
        checksum_crc64nvme: checksum("CRC64NVME"),
        checksum_sha1: checksum("SHA1"),
        checksum_sha256: checksum("SHA256"),
        server_side_encryption: Some(encrypted()),
        ..PutObjectOutput::default()
    }))
}

async fn take_in(
    door: &Door,
    extensions: &http::Extensions,
    mut input: PutObjectInput,
) -> kernel::Result<Object> {
    check_put(&input)?;
    let headers = put_headers(&mut input);
    headers.check()?;
    let caller = caller(extensions, &door.kernel);
    let target = (input.bucket.clone(), input.key.clone());
    let run = door.kernel.transact(crate::NAME, caller.clone(), "PutObject", put_object::prepare, target);
    run.await?;
    let checksums = given([
        ("CRC32", input.checksum_crc32),
        ("CRC32C", input.checksum_crc32c),
        ("CRC64NVME", input.checksum_crc64nvme),
        ("SHA1", input.checksum_sha1),
        ("SHA256", input.checksum_sha256),
    ]);
    let mut uploader =
        Uploader::new(&door.kernel, caller.clone(), Claims { md5: input.content_md5, checksums });
    if let Some(mut body) = input.body {
        while let Some(bytes) = body.next().await {
            let incomplete = |_| Fault::new("IncompleteBody", "The request body terminated unexpectedly");
            uploader.push(&bytes.map_err(incomplete)?).await?;
        }
    }
    let conditions = conditions(input.if_match.as_ref(), input.if_none_match.as_ref(), None, None);
    let draft = uploader.finish()?;
    let placement = Placement { bucket: input.bucket, key: input.key, headers, conditions, draft };
    door.kernel.transact(crate::NAME, caller, "PutObject", put_object::place, placement).await
}

fn check_put(input: &PutObjectInput) -> Result<(), Fault> {
    let grants =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
    check_acl(input.acl.as_ref().map(|acl| acl.as_str()), grants.into_iter().any(Option::is_some))?;
    let locked = input.object_lock_mode.is_some()
        || input.object_lock_retain_until_date.is_some()
        || input.object_lock_legal_hold_status.is_some();
    fault::refuse_unsupported(&[
        ("encryption with a key of KMS", !is_plain(input.server_side_encryption.as_ref())),
        ("encryption with a customer's key", input.sse_customer_key.is_some()),
        ("object lock", locked),
        ("appending to an object", input.write_offset_bytes.is_some()),
        ("tags of an object", input.tagging.as_ref().is_some_and(|tags| !tags.is_empty())),
    ])
}

fn check_acl(acl: Option<&str>, grants: bool) -> Result<(), Fault> {
    let harmless = acl.is_none_or(|acl| HARMLESS.contains(&acl));
    if grants || !harmless { Err(fault::access_control_list_not_supported()) } else { Ok(()) }
}

fn is_plain(encryption: Option<&ServerSideEncryption>) -> bool {
    encryption.is_none_or(|encryption| encryption.as_str() == ServerSideEncryption::AES256)
}

fn encrypted() -> ServerSideEncryption {
    ServerSideEncryption::from_static(ServerSideEncryption::AES256)
}

pub(super) async fn get(door: &Door, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
    let S3Request { input, extensions, headers, .. } = request;
    let wanted = Wanted {
        target: (input.bucket, input.key),
        version: input.version_id,
        customer_key: input.sse_customer_key.is_some(),
        part: input.part_number.is_some(),
        conditions: conditions(
            input.if_match.as_ref(),
            input.if_none_match.as_ref(),
            input.if_modified_since.as_ref(),
            input.if_unmodified_since.as_ref(),
        ),
        range: raw_range(&headers),
    };
    let result = door.told(&extensions, wanted.check());
    result?;
    let found = door.run(&extensions, "GetObject", get_object::find, wanted.target.clone()).await?;
    let selected = wanted.select(door, &extensions, &found.object)?;
    let range = selected.clone().unwrap_or(0..found.object.bytes);
    let body = stream(door, &extensions, &found, range.clone());
    let described = describe(found.object, input.checksum_mode.is_some() && selected.is_none());
    Ok(S3Response::new(GetObjectOutput {
        body: Some(body),
        content_length: i64::try_from(range.end - range.start).ok(),
        content_range: selected.map(|range| described.content_range(&range)),
        accept_ranges: described.output.accept_ranges,
        cache_control: described.output.cache_control,
        content_disposition: described.output.content_disposition,
        content_encoding: described.output.content_encoding,
        content_language: described.output.content_language,
        content_type: described.output.content_type,
        checksum_crc32: described.output.checksum_crc32,
        checksum_crc32c: described.output.checksum_crc32c,
        checksum_crc64nvme: described.output.checksum_crc64nvme,
        checksum_sha1: described.output.checksum_sha1,
        checksum_sha256: described.output.checksum_sha256,
        e_tag: described.output.e_tag,
        expires: described.output.expires,
        last_modified: described.output.last_modified,
        metadata: described.output.metadata,
        server_side_encryption: described.output.server_side_encryption,
        storage_class: described.output.storage_class,
        website_redirect_location: described.output.website_redirect_location,
        ..GetObjectOutput::default()
    }))
}

pub(super) async fn head(door: &Door, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
    let S3Request { input, extensions, headers, .. } = request;
    let wanted = Wanted {
        target: (input.bucket, input.key),
        version: input.version_id,
        customer_key: input.sse_customer_key.is_some(),
        part: input.part_number.is_some(),
        conditions: conditions(
            input.if_match.as_ref(),
            input.if_none_match.as_ref(),
            input.if_modified_since.as_ref(),
            input.if_unmodified_since.as_ref(),
        ),
        range: raw_range(&headers),
    };
    door.told(&extensions, wanted.check())?;
    let object = door.run(&extensions, "HeadObject", head_object::find, wanted.target.clone()).await?;
    let selected = wanted.select(door, &extensions, &object)?;
    let described = describe(object, input.checksum_mode.is_some() && selected.is_none());
    let mut output = described.output.clone();
    let Some(range) = selected else { return Ok(S3Response::new(output)) };
    output.content_length = i64::try_from(range.end - range.start).ok();
    output.content_range = Some(described.content_range(&range));
    Ok(S3Response::with_status(output, http::StatusCode::PARTIAL_CONTENT))
}

/// s3s refuses ranges that HTTP tells servers to ignore, so they are read from the header.
fn raw_range(headers: &HeaderMap) -> Option<String> {
    headers.get(http::header::RANGE).and_then(|range| range.to_str().ok()).map(str::to_owned)
}

/// What is read, and under which conditions.
struct Wanted {
    target: (String, String),
    version: Option<String>,
    customer_key: bool,
    part: bool,
    conditions: Conditions,
    range: Option<String>,
}

impl Wanted {
    fn check(&self) -> kernel::Result<()> {
        fault::refuse_unsupported(&[
            ("encryption with a customer's key", self.customer_key),
            ("partNumber", self.part),
        ])?;
        Ok(object::check_version(self.version.as_deref())?)
    }

    fn select(
        &self,
        door: &Door,
        extensions: &http::Extensions,
        object: &Object,
    ) -> S3Result<Option<Range<u64>>> {
        let selected = self
            .conditions
            .check_read(object)
            .and_then(|()| object::select(self.range.as_deref(), object.bytes));
        door.told(extensions, selected.map_err(kernel::Error::Fault)).map_err(|mut error| {
            error.set_headers(validators(object));
            error
        })
    }
}

/// What tells a client whether what it has is current: a refusal because it is tells that, too.
fn validators(object: &Object) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", object.etag)) {
        headers.insert(http::header::ETAG, etag);
    }
    headers
}

fn stream(door: &Door, extensions: &http::Extensions, found: &Found, range: Range<u64>) -> StreamingBlob {
    if let Some(whole) = &found.whole {
        return StreamingBlob::from(s3s::Body::from(whole.slice(range.start as usize..range.end as usize)));
    }
    let caller = caller(extensions, &door.kernel);
    let pieces = body::read(door.kernel.clone(), caller, &found.object, range).map_ok(Frame::data);
    StreamingBlob::from(s3s::Body::http_body_unsync(StreamBody::new(pieces)))
}

/// An object as the headers of an answer.
struct Described {
    bytes: u64,
    output: HeadObjectOutput,
}

impl Described {
    fn content_range(&self, range: &Range<u64>) -> String {
        format!("bytes {}-{}/{}", range.start, range.end - 1, self.bytes)
    }
}

fn describe(object: Object, with_checksums: bool) -> Described {
    let mut checksums = if with_checksums { object.checksums } else { BTreeMap::new() };
    let mut checksum = |name: &str| checksums.remove(name);
    let content_type = object.headers.content_type().to_owned();
    let headers = object.headers;
    let output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: headers.cache_control,
        content_disposition: headers.content_disposition,
        content_encoding: headers.content_encoding,
        content_language: headers.content_language,
        content_length: i64::try_from(object.bytes).ok(),
        content_type: Some(content_type),
        checksum_crc32: checksum("CRC32"),
        checksum_crc32c: checksum("CRC32C"),
        checksum_crc64nvme: checksum("CRC64NVME"),
        checksum_sha1: checksum("SHA1"),
        checksum_sha256: checksum("SHA256"),
        e_tag: Some(to_etag(&object.etag)),
        expires: headers.expires.and_then(to_time),
        last_modified: to_time(object.modified_at),
        metadata: Some(headers.metadata.into_iter().collect()),
        server_side_encryption: Some(encrypted()),
        // AWS is silent about the standard class.
        storage_class: headers.storage_class.filter(|class| class != "STANDARD").map(StorageClass::from),
        website_redirect_location: headers.website_redirect_location,
        ..HeadObjectOutput::default()
    };
    Described { bytes: object.bytes, output }
}

pub(super) async fn copy(door: &Door, request: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
    let S3Request { input, extensions, .. } = request;
    let result = async {
        let copy = to_copy(input)?;
        copy_object::copy_object(&door.kernel, &caller(&extensions, &door.kernel), copy).await
    };
    let object = door.told(&extensions, result.await)?;
    let copied = CopyObjectResult {
        e_tag: Some(to_etag(&object.etag)),
        last_modified: to_time(object.modified_at),
        ..CopyObjectResult::default()
    };
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(copied),
        server_side_encryption: Some(encrypted()),
        ..CopyObjectOutput::default()
    }))
}

fn to_copy(mut input: CopyObjectInput) -> Result<copy_object::Copy, Fault> {
    let grants =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
    check_acl(input.acl.as_ref().map(|acl| acl.as_str()), grants.into_iter().any(Option::is_some))?;
    let customer_key = input.sse_customer_key.is_some() || input.copy_source_sse_customer_key.is_some();
    fault::refuse_unsupported(&[
        ("encryption with a key of KMS", !is_plain(input.server_side_encryption.as_ref())),
        ("encryption with a customer's key", customer_key),
        ("object lock", input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some()),
        ("tags of an object", input.tagging.as_ref().is_some_and(|tags| !tags.is_empty())),
    ])?;
    let CopySource::Bucket { bucket, key, version_id } = &input.copy_source else {
        return Err(fault::unsupported("copying from an access point"));
    };
    object::check_version(version_id.as_deref())?;
    let from = (bucket.to_string(), key.to_string());
    let to = (input.bucket.clone(), input.key.clone());
    let replaces =
        input.metadata_directive.as_ref().is_some_and(|d| d.as_str() == MetadataDirective::REPLACE);
    if from == to && !replaces && input.storage_class.is_none() && input.website_redirect_location.is_none() {
        let message = "This copy request is illegal because it is trying to copy an object to itself without \
                       changing the object's metadata, storage class, website redirect location or encryption \
                       attributes.";
        return Err(Fault::new("InvalidRequest", message));
    }
    let conditions = conditions(
        input.copy_source_if_match.as_ref(),
        input.copy_source_if_none_match.as_ref(),
        input.copy_source_if_modified_since.as_ref(),
        input.copy_source_if_unmodified_since.as_ref(),
    );
    let headers = replaces.then(|| copy_headers(&mut input));
    if let Some(headers) = &headers {
        headers.check()?;
    }
    Ok(copy_object::Copy { from, to, conditions, headers })
}

pub(super) async fn delete(door: &Door, request: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
    let S3Request { input, extensions, .. } = request;
    let by = conditions(input.if_match.as_ref(), None, None, None);
    let input = api::DeleteObjectInput {
        bucket: input.bucket,
        key: input.key,
        version_id: input.version_id,
        mfa: input.mfa,
        if_match: by.if_match,
        if_match_size: input.if_match_size,
        ..Default::default()
    };
    door.run(&extensions, "DeleteObject", delete_object::delete_object, input).await?;
    Ok(S3Response::new(DeleteObjectOutput::default()))
}

pub(super) async fn delete_several(
    door: &Door,
    request: S3Request<DeleteObjectsInput>,
) -> Answer<DeleteObjectsOutput> {
    let S3Request { input, extensions, .. } = request;
    let objects = input.delete.objects;
    let checked = if objects.is_empty() || objects.len() > DELETE_MAX {
        let message =
            "The XML you provided was not well-formed or did not validate against our published schema";
        Err(Fault::new("MalformedXML", message))
    } else {
        objects.iter().try_for_each(|object| object::check_version(object.version_id.as_deref()))
    };
    door.told(&extensions, checked.map_err(kernel::Error::Fault))?;
    let keys: Vec<String> = objects.into_iter().map(|object| object.key).collect();
    let which = (input.bucket, keys.clone());
    door.run(&extensions, "DeleteObjects", delete_object::delete_objects, which).await?;
    let quiet = input.delete.quiet == Some(true);
    let deleted = keys.into_iter().map(|key| DeletedObject { key: Some(key), ..DeletedObject::default() });
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet).then(|| deleted.collect()),
        ..DeleteObjectsOutput::default()
    }))
}
