//! Objects over HTTP.

use std::ops::Range;
use std::sync::Arc;

use base::Fault;
use futures::TryStreamExt as _;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::StreamBody;
use s3s::dto::{
    Checksum, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput,
    DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, GetObjectAttributesInput,
    GetObjectAttributesOutput, GetObjectAttributesParts, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, MetadataDirective, ObjectPart, PutObjectInput, PutObjectOutput, ServerSideEncryption,
    StorageClass, StreamingBlob, TaggingDirective,
};
use s3s::{S3Request, S3Response, S3Result};

use super::convert::{conditions, copy_headers, from_time, put_headers, to_checksum_type, to_etag, to_time};
use super::door::Door;
use super::{caller, uploads};
use crate::api;
use crate::body::{self, Claims};
use crate::checksum::{Algorithm, ChecksumType};
use crate::conditions::Conditions;
use crate::fault;
use crate::notify::Happening;
use crate::object::{self, Encryption, Object, Target};
use crate::ops::get_object::Found;
use crate::ops::put_object::{About, Placed, Placement, given};
use crate::ops::{copy_object, delete_object, get_object, put_object};
use crate::tags;
use crate::versions::Removed;

type Answer<O> = S3Result<S3Response<O>>;

/// ACLs that say no more than that the bucket's owner owns the object.
const HARMLESS: [&str; 2] = ["private", "bucket-owner-full-control"];

/// The most keys that one request removes.
const DELETE_MAX: usize = 1000;

pub(super) async fn put(door: &Door, request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
    let S3Request { input, extensions, .. } = request;
    let result = take_in(door, &extensions, input).await;
    let Placed { object, version } = door.told(&extensions, result)?;
    let checksum = |algorithm| object.checksums.get(&algorithm).cloned();
    Ok(S3Response::new(PutObjectOutput {
        e_tag: Some(to_etag(&object.etag)),
        checksum_crc32: checksum(Algorithm::Crc32),
        checksum_crc32c: checksum(Algorithm::Crc32c),
        checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
        checksum_sha1: checksum(Algorithm::Sha1),
        checksum_sha256: checksum(Algorithm::Sha256),
        checksum_type: Some(to_checksum_type(object.checksum_type)),
        server_side_encryption: Some(encryption(&object)),
        ssekms_key_id: object.encryption.key.clone(),
        bucket_key_enabled: object.encryption.bucket_key.then_some(true),
        version_id: version,
        ..PutObjectOutput::default()
    }))
}

async fn take_in(
    door: &Door,
    extensions: &http::Extensions,
    mut input: PutObjectInput,
) -> kernel::Result<Placed> {
    check_put(&input)?;
    let about = About {
        headers: put_headers(&mut input),
        tags: tags::of_header(input.tagging.as_deref())?,
        encryption: Encryption::asked(
            input.server_side_encryption.as_ref().map(|asked| asked.as_str()),
            input.ssekms_key_id,
            input.bucket_key_enabled,
        )?,
    };
    about.headers.check()?;
    let caller = caller(extensions, &door.kernel);
    let target = (input.bucket.clone(), input.key.clone());
    let run = door.kernel.transact(crate::NAME, caller.clone(), "PutObject", put_object::prepare, target);
    run.await?;
    let checksums = given([
        (Algorithm::Crc32, input.checksum_crc32),
        (Algorithm::Crc32c, input.checksum_crc32c),
        (Algorithm::Crc64Nvme, input.checksum_crc64nvme),
        (Algorithm::Sha1, input.checksum_sha1),
        (Algorithm::Sha256, input.checksum_sha256),
    ]);
    let asked = input.checksum_algorithm.as_ref().map(|it| Algorithm::parse(it.as_str())).transpose()?;
    let claims = (Claims { md5: input.content_md5, checksums }, asked);
    let draft = uploads::take_in(door, &caller, extensions, input.body, claims).await?;
    let conditions = conditions(input.if_match.as_ref(), input.if_none_match.as_ref(), None, None);
    let (bucket, key, happening) = (input.bucket, input.key, Happening::Put);
    let placement = Placement { bucket, key, about, conditions, draft, happening };
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
        ("encryption with a customer's key", input.sse_customer_key.is_some()),
        ("an encryption context", input.ssekms_encryption_context.is_some()),
        ("object lock", locked),
        ("appending to an object", input.write_offset_bytes.is_some()),
    ])
}

pub(super) fn check_acl(acl: Option<&str>, grants: bool) -> Result<(), Fault> {
    let harmless = acl.is_none_or(|acl| HARMLESS.contains(&acl));
    if grants || !harmless { Err(fault::access_control_list_not_supported()) } else { Ok(()) }
}

/// The encryption that is told of an object.
fn encryption(object: &Object) -> ServerSideEncryption {
    ServerSideEncryption::from(object.encryption.algorithm().to_owned())
}

pub(super) async fn get(door: &Door, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
    let S3Request { input, extensions, headers, .. } = request;
    let wanted = Wanted {
        customer_key: input.sse_customer_key.is_some(),
        part: input.part_number,
        conditions: conditions(
            input.if_match.as_ref(),
            input.if_none_match.as_ref(),
            input.if_modified_since.as_ref(),
            input.if_unmodified_since.as_ref(),
        ),
        range: raw_range(&headers),
    };
    door.told(&extensions, wanted.check())?;
    let target = Target { bucket: input.bucket, key: input.key, version: input.version_id };
    let found = door.run(&extensions, "GetObject", get_object::find, target).await?;
    let selected = wanted.select(door, &extensions, &found)?;
    let range = selected.clone().unwrap_or(0..found.object.bytes);
    let body = stream(door, &extensions, &found, range.clone());
    let with_checksums = input.checksum_mode.is_some() && (selected.is_none() || wanted.part.is_some());
    let told = describe(&found, &wanted, with_checksums);
    let tags = i32::try_from(found.object.tags.len()).ok();
    let status = if selected.is_some() { http::StatusCode::PARTIAL_CONTENT } else { http::StatusCode::OK };
    let output = GetObjectOutput {
        body: Some(body),
        content_length: i64::try_from(range.end - range.start).ok(),
        content_range: selected.map(|range| content_range(&found.object, &range)),
        accept_ranges: told.accept_ranges,
        bucket_key_enabled: told.bucket_key_enabled,
        cache_control: input.response_cache_control.or(told.cache_control),
        content_disposition: input.response_content_disposition.or(told.content_disposition),
        content_encoding: input.response_content_encoding.or(told.content_encoding),
        content_language: input.response_content_language.or(told.content_language),
        content_type: input.response_content_type.or(told.content_type),
        checksum_crc32: told.checksum_crc32,
        checksum_crc32c: told.checksum_crc32c,
        checksum_crc64nvme: told.checksum_crc64nvme,
        checksum_sha1: told.checksum_sha1,
        checksum_sha256: told.checksum_sha256,
        checksum_type: told.checksum_type,
        e_tag: told.e_tag,
        expires: input.response_expires.or(told.expires),
        last_modified: told.last_modified,
        metadata: told.metadata,
        parts_count: told.parts_count,
        server_side_encryption: told.server_side_encryption,
        ssekms_key_id: told.ssekms_key_id,
        storage_class: told.storage_class,
        tag_count: tags.filter(|count| *count > 0),
        version_id: told.version_id,
        website_redirect_location: told.website_redirect_location,
        ..GetObjectOutput::default()
    };
    Ok(S3Response::with_status(output, status))
}

pub(super) async fn head(door: &Door, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
    let S3Request { input, extensions, headers, .. } = request;
    let wanted = Wanted {
        customer_key: input.sse_customer_key.is_some(),
        part: input.part_number,
        conditions: conditions(
            input.if_match.as_ref(),
            input.if_none_match.as_ref(),
            input.if_modified_since.as_ref(),
            input.if_unmodified_since.as_ref(),
        ),
        range: raw_range(&headers),
    };
    door.told(&extensions, wanted.check())?;
    let target = Target { bucket: input.bucket, key: input.key, version: input.version_id };
    let found = door.run(&extensions, "HeadObject", get_object::find_head, target).await?;
    let selected = wanted.select(door, &extensions, &found)?;
    let with_checksums = input.checksum_mode.is_some() && (selected.is_none() || wanted.part.is_some());
    let mut output = describe(&found, &wanted, with_checksums);
    output.cache_control = input.response_cache_control.or(output.cache_control);
    output.content_disposition = input.response_content_disposition.or(output.content_disposition);
    output.content_encoding = input.response_content_encoding.or(output.content_encoding);
    output.content_language = input.response_content_language.or(output.content_language);
    output.content_type = input.response_content_type.or(output.content_type);
    output.expires = input.response_expires.or(output.expires);
    let Some(range) = selected else { return Ok(S3Response::new(output)) };
    output.content_length = i64::try_from(range.end - range.start).ok();
    output.content_range = Some(content_range(&found.object, &range));
    Ok(S3Response::with_status(output, http::StatusCode::PARTIAL_CONTENT))
}

/// s3s refuses ranges that HTTP tells servers to ignore, so they are read from the header.
fn raw_range(headers: &HeaderMap) -> Option<String> {
    headers.get(http::header::RANGE).and_then(|range| range.to_str().ok()).map(str::to_owned)
}

/// What is read, and under which conditions.
struct Wanted {
    customer_key: bool,
    part: Option<i32>,
    conditions: Conditions,
    range: Option<String>,
}

impl Wanted {
    fn check(&self) -> kernel::Result<()> {
        fault::refuse_unsupported(&[("encryption with a customer's key", self.customer_key)])?;
        if self.part.is_some() && self.range.is_some() {
            let message = "Cannot specify both Range header and partNumber query parameter";
            return Err(Fault::new("InvalidRequest", message).into());
        }
        Ok(())
    }

    /// The bytes of the object that are asked for, if not all.
    fn select(
        &self,
        door: &Door,
        extensions: &http::Extensions,
        found: &Found,
    ) -> S3Result<Option<Range<u64>>> {
        let object = &found.object;
        let selected = self.conditions.check_read(object).and_then(|()| match self.part {
            Some(number) => part_range(found, number).map(Some),
            None => object::select(self.range.as_deref(), object.bytes),
        });
        door.told(extensions, selected.map_err(kernel::Error::Fault)).map_err(|mut error| {
            error.set_headers(validators(object));
            error
        })
    }
}

/// The bytes of a part; an object that was uploaded in one piece is its own only part.
fn part_range(found: &Found, number: i32) -> Result<Range<u64>, Fault> {
    let mut start = 0;
    for (at, segment) in (1..).zip(found.segments.iter()) {
        if at == number {
            return Ok(start..start + segment.bytes);
        }
        start += segment.bytes;
    }
    let message = "The requested partnumber is not satisfiable";
    Err(Fault::new("InvalidPartNumber", message).with_status(416))
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
    let segments = Arc::clone(&found.segments);
    let pieces = body::read(door.kernel.clone(), caller, segments, range).map_ok(Frame::data);
    StreamingBlob::from(s3s::Body::http_body_unsync(StreamBody::new(pieces)))
}

fn content_range(object: &Object, range: &Range<u64>) -> String {
    match range.end.checked_sub(1).filter(|last| *last >= range.start) {
        Some(last) => format!("bytes {}-{last}/{}", range.start, object.bytes),
        None => format!("bytes */{}", object.bytes),
    }
}

/// An object as the headers of an answer.
fn describe(found: &Found, wanted: &Wanted, with_checksums: bool) -> HeadObjectOutput {
    let object = &found.object;
    let headers = object.headers.clone();
    let segmented = object.segments > 0;
    let part = wanted.part.and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
    let of_part = part.filter(|_| segmented).and_then(|at| found.segments.get(at)?.checksum.clone());
    let checksum = |algorithm: Algorithm| {
        let whole = object.checksums.get(&algorithm).filter(|_| with_checksums)?;
        Some(of_part.clone().unwrap_or_else(|| whole.clone()))
    };
    HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        bucket_key_enabled: object.encryption.bucket_key.then_some(true),
        content_type: Some(headers.content_type().to_owned()),
        cache_control: headers.cache_control,
        content_disposition: headers.content_disposition,
        content_encoding: headers.content_encoding,
        content_language: headers.content_language,
        content_length: i64::try_from(object.bytes).ok(),
        checksum_crc32: checksum(Algorithm::Crc32),
        checksum_crc32c: checksum(Algorithm::Crc32c),
        checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
        checksum_sha1: checksum(Algorithm::Sha1),
        checksum_sha256: checksum(Algorithm::Sha256),
        checksum_type: with_checksums.then(|| to_checksum_type(object.checksum_type)),
        e_tag: Some(to_etag(&object.etag)),
        expires: headers.expires.and_then(to_time),
        last_modified: to_time(object.modified_at),
        metadata: Some(headers.metadata.into_iter().collect()),
        parts_count: i32::try_from(object.segments).ok().filter(|_| segmented && wanted.part.is_some()),
        server_side_encryption: Some(encryption(object)),
        ssekms_key_id: object.encryption.key.clone(),
        // AWS is silent about the standard class.
        storage_class: headers.storage_class.filter(|class| class != "STANDARD").map(StorageClass::from),
        version_id: found.version.clone(),
        website_redirect_location: headers.website_redirect_location,
        ..HeadObjectOutput::default()
    }
}

pub(super) async fn copy(door: &Door, request: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
    let S3Request { input, extensions, .. } = request;
    let result = async {
        let copy = to_copy(input)?;
        copy_object::copy_object(&door.kernel, &caller(&extensions, &door.kernel), copy).await
    };
    let copied = door.told(&extensions, result.await)?;
    let Placed { object, version } = copied.placed;
    let checksum = |algorithm| object.checksums.get(&algorithm).cloned();
    let result = CopyObjectResult {
        e_tag: Some(to_etag(&object.etag)),
        last_modified: to_time(object.modified_at),
        checksum_crc32: checksum(Algorithm::Crc32),
        checksum_crc32c: checksum(Algorithm::Crc32c),
        checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
        checksum_sha1: checksum(Algorithm::Sha1),
        checksum_sha256: checksum(Algorithm::Sha256),
        checksum_type: Some(to_checksum_type(object.checksum_type)),
    };
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: copied.source,
        server_side_encryption: Some(encryption(&object)),
        ssekms_key_id: object.encryption.key.clone(),
        version_id: version,
        ..CopyObjectOutput::default()
    }))
}

fn to_copy(mut input: CopyObjectInput) -> Result<copy_object::Copy, Fault> {
    let grants =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
    check_acl(input.acl.as_ref().map(|acl| acl.as_str()), grants.into_iter().any(Option::is_some))?;
    let customer_key = input.sse_customer_key.is_some() || input.copy_source_sse_customer_key.is_some();
    fault::refuse_unsupported(&[
        ("encryption with a customer's key", customer_key),
        ("an encryption context", input.ssekms_encryption_context.is_some()),
        ("object lock", input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some()),
    ])?;
    let from = source(&input.copy_source)?;
    let to = (input.bucket.clone(), input.key.clone());
    let replaces =
        input.metadata_directive.as_ref().is_some_and(|d| d.as_str() == MetadataDirective::REPLACE);
    let retags = input.tagging_directive.as_ref().is_some_and(|d| d.as_str() == TaggingDirective::REPLACE);
    let encryption = Encryption::asked(
        input.server_side_encryption.as_ref().map(|asked| asked.as_str()),
        input.ssekms_key_id.take(),
        input.bucket_key_enabled,
    )?;
    let changes = replaces
        || retags
        || input.storage_class.is_some()
        || input.website_redirect_location.is_some()
        || encryption.is_some();
    if from == Target::current(&to.0, &to.1) && !changes {
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
    let tags = if retags { Some(tags::of_header(input.tagging.as_deref())?) } else { None };
    let algorithm = input.checksum_algorithm.as_ref().map(|it| Algorithm::parse(it.as_str())).transpose()?;
    let class = input.storage_class.as_ref().map(|class| class.as_str().to_owned());
    let headers = replaces.then(|| copy_headers(&mut input));
    if let Some(headers) = &headers {
        headers.check()?;
    }
    let over = Conditions::default();
    Ok(copy_object::Copy { from, to, conditions, over, headers, class, tags, encryption, algorithm })
}

/// What a copy is made of.
pub(super) fn source(source: &CopySource) -> Result<Target, Fault> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(fault::unsupported("copying from an access point"));
    };
    let version = version_id.as_ref().map(ToString::to_string);
    Ok(Target { bucket: bucket.to_string(), key: key.to_string(), version })
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
        if_match_last_modified_time: input.if_match_last_modified_time.as_ref().and_then(from_time),
        bypass_governance_retention: input.bypass_governance_retention,
        ..Default::default()
    };
    let removed = door.run(&extensions, "DeleteObject", delete_object::delete_object, input).await?;
    Ok(S3Response::new(DeleteObjectOutput {
        delete_marker: removed.delete_marker,
        version_id: removed.version_id,
        ..DeleteObjectOutput::default()
    }))
}

/// Removes several objects, each by itself: what cannot be removed is told and keeps none of the others.
pub(super) async fn delete_several(
    door: &Door,
    request: S3Request<DeleteObjectsInput>,
) -> Answer<DeleteObjectsOutput> {
    let S3Request { input, extensions, .. } = request;
    let objects = input.delete.objects;
    let counted = (1..=DELETE_MAX).contains(&objects.len());
    let checked = if counted { Ok(()) } else { Err(fault::malformed_xml()) };
    let checked = checked.and_then(|()| {
        fault::refuse_unsupported(&[
            ("MFA", input.mfa.is_some()),
            ("bypassing governance retention", input.bypass_governance_retention == Some(true)),
        ])
    });
    door.told(&extensions, checked.map_err(kernel::Error::Fault))?;
    let caller = caller(&extensions, &door.kernel);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in objects {
        let target = Target { bucket: input.bucket.clone(), key: object.key, version: object.version_id };
        let timed = object.last_modified_time.is_some() || object.size.is_some();
        let refused = fault::refuse_unsupported(&[("a condition by time or size", timed)]);
        let by = Conditions {
            if_match: object.e_tag.map(|etag| etag.value().to_owned()),
            ..Conditions::default()
        };
        let run = async {
            refused?;
            let which = (target.clone(), by);
            door.kernel
                .transact(crate::NAME, caller.clone(), "DeleteObjects", delete_object::remove, which)
                .await
        };
        match run.await {
            Ok(removed) => deleted.push(to_deleted(target, removed)),
            // Without its bucket, none of them is there.
            Err(kernel::Error::Fault(fault)) if fault.code != "NoSuchBucket" => {
                errors.push(s3s::dto::Error {
                    code: Some(fault.code.into_owned()),
                    key: Some(target.key),
                    message: Some(fault.message),
                    version_id: target.version,
                });
            }
            Err(error) => return door.told(&extensions, Err(error)),
        }
    }
    let quiet = input.delete.quiet == Some(true);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: Some(errors).filter(|errors| !errors.is_empty()),
        ..DeleteObjectsOutput::default()
    }))
}

fn to_deleted(target: Target, removed: Removed) -> DeletedObject {
    DeletedObject {
        key: Some(target.key),
        delete_marker: removed.marker.then_some(true),
        delete_marker_version_id: removed.version.filter(|_| removed.marker),
        version_id: target.version,
    }
}

/// What is known of an object, and of its parts, as a document.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>
pub(super) async fn attributes(
    door: &Door,
    request: S3Request<GetObjectAttributesInput>,
) -> Answer<GetObjectAttributesOutput> {
    let S3Request { input, extensions, .. } = request;
    let target = Target { bucket: input.bucket, key: input.key, version: input.version_id };
    let found = door.run(&extensions, "GetObjectAttributes", get_object::find_head, target).await?;
    let object = &found.object;
    // s3s takes a list in one header for one name.
    let mut names = input.object_attributes.iter().flat_map(|names| names.as_str().split(','));
    let names: Vec<&str> = names.by_ref().map(str::trim).collect();
    let wants = |name: &str| names.contains(&name);
    let after = input.part_number_marker.unwrap_or(0);
    let max = input.max_parts.and_then(|max| usize::try_from(max).ok()).unwrap_or(1000).min(1000);
    let checksum = |algorithm| object.checksums.get(&algorithm).cloned();
    let class = object.headers.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned());
    Ok(S3Response::new(GetObjectAttributesOutput {
        last_modified: to_time(object.modified_at),
        version_id: found.version.clone(),
        e_tag: wants("ETag").then(|| to_etag(&object.etag)),
        checksum: (wants("Checksum") && !object.checksums.is_empty()).then(|| Checksum {
            checksum_crc32: checksum(Algorithm::Crc32),
            checksum_crc32c: checksum(Algorithm::Crc32c),
            checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
            checksum_sha1: checksum(Algorithm::Sha1),
            checksum_sha256: checksum(Algorithm::Sha256),
            checksum_type: Some(to_checksum_type(object.checksum_type)),
        }),
        object_parts: (wants("ObjectParts") && object.segments > 0).then(|| to_parts(&found, after, max)),
        storage_class: wants("StorageClass").then(|| StorageClass::from(class)),
        object_size: i64::try_from(object.bytes).ok().filter(|_| wants("ObjectSize")),
        ..GetObjectAttributesOutput::default()
    }))
}

/// The parts behind a number. AWS tells them singly only with checksums of their own.
fn to_parts(found: &Found, after: i32, max: usize) -> GetObjectAttributesParts {
    let object = &found.object;
    let singly = object.checksum_type == ChecksumType::Composite;
    let behind = (1..).zip(found.segments.iter()).filter(|(at, _)| *at > after);
    let mut parts: Vec<ObjectPart> = behind
        .take(max.saturating_add(1))
        .map(|(at, segment)| {
            let checksum =
                |algorithm| segment.checksum.clone().filter(|_| object.checksums.contains_key(&algorithm));
            ObjectPart {
                part_number: Some(at),
                size: i64::try_from(segment.bytes).ok(),
                checksum_crc32: checksum(Algorithm::Crc32),
                checksum_crc32c: checksum(Algorithm::Crc32c),
                checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
                checksum_sha1: checksum(Algorithm::Sha1),
                checksum_sha256: checksum(Algorithm::Sha256),
            }
        })
        .collect();
    let truncated = parts.len() > max;
    parts.truncate(max);
    let next = parts.last().and_then(|part| part.part_number);
    GetObjectAttributesParts {
        is_truncated: Some(truncated),
        max_parts: i32::try_from(max).ok(),
        next_part_number_marker: next,
        part_number_marker: Some(after),
        parts: singly.then_some(parts),
        total_parts_count: i32::try_from(object.segments).ok(),
    }
}
