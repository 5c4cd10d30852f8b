//! Objects over HTTP.

use std::ops::Range;
use std::sync::Arc;

use base::Fault;
use futures::TryStreamExt as _;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::StreamBody;
use s3s::dto::{
    Checksum, CopyObjectInput, CopyObjectOutput, CopyObjectResult, DeleteObjectInput, DeleteObjectOutput,
    DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, GetObjectAttributesInput,
    GetObjectAttributesOutput, GetObjectAttributesParts, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, MetadataDirective, ObjectPart, PutObjectInput, PutObjectOutput, ServerSideEncryption,
    StorageClass, StreamingBlob, TaggingDirective,
};
use s3s::{S3Request, S3Response, S3Result};

use super::convert::{
    conditions, copy_headers, from_time, put_headers, quoted, same_checksums, to_checksum_type, to_etag,
    to_time, to_word,
};
use super::door::Door;
use super::{caller, uploads};
use crate::api;
use crate::body::{self, Claims};
use crate::checksum::{Algorithm, word};
use crate::conditions::Conditions;
use crate::fault;
use crate::notify::Happening;
use crate::object::{self, Encryption, Object, Target};
use crate::ops::get_object::Found;
use crate::ops::put_object::{About, Placed, Placement, given};
use crate::ops::{copy_object, delete_object, delete_objects, get_object, get_object_attributes, put_object};
use crate::tags;

type Answer<O> = S3Result<S3Response<O>>;

/// ACLs that say no more than that the bucket's owner owns the object.
const HARMLESS: [&str; 2] = ["private", "bucket-owner-full-control"];

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
        copy_object::copy(&door.kernel, &caller(&extensions, &door.kernel), copy).await
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
    let from = copy_object::source(&input.copy_source)?;
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
    copy_object::refuse_in_place(&from, &to, changes)?;
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

pub(super) async fn delete_several(
    door: &Door,
    request: S3Request<DeleteObjectsInput>,
) -> Answer<DeleteObjectsOutput> {
    let S3Request { input, extensions, .. } = request;
    let objects = input.delete.objects.into_iter().map(|object| api::ObjectIdentifier {
        key: object.key,
        version_id: object.version_id,
        e_tag: object.e_tag.map(|etag| etag.value().to_owned()),
        last_modified_time: object.last_modified_time.as_ref().and_then(from_time),
        size: object.size,
    });
    let asked = api::DeleteObjectsInput {
        bucket: input.bucket,
        delete: api::Delete { objects: objects.collect(), quiet: input.delete.quiet },
        mfa: input.mfa,
        bypass_governance_retention: input.bypass_governance_retention,
        ..Default::default()
    };
    let caller = caller(&extensions, &door.kernel);
    let removed = delete_objects::remove(&door.kernel, &caller, asked).await;
    let api::DeleteObjectsOutput { deleted, errors, .. } = door.told(&extensions, removed)?;
    let to_deleted = |deleted: api::DeletedObject| DeletedObject {
        key: deleted.key,
        delete_marker: deleted.delete_marker,
        delete_marker_version_id: deleted.delete_marker_version_id,
        version_id: deleted.version_id,
    };
    let to_error = |error: api::Error| s3s::dto::Error {
        code: error.code,
        key: error.key,
        message: error.message,
        version_id: error.version_id,
    };
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: deleted.map(|all| all.into_iter().map(to_deleted).collect()),
        errors: errors.map(|all| all.into_iter().map(to_error).collect()),
        ..DeleteObjectsOutput::default()
    }))
}

pub(super) async fn attributes(
    door: &Door,
    request: S3Request<GetObjectAttributesInput>,
) -> Answer<GetObjectAttributesOutput> {
    let S3Request { input, extensions, .. } = request;
    // s3s takes a list in one header for one name.
    let names = input.object_attributes.iter().flat_map(|names| names.as_str().split(','));
    let wanted = api::GetObjectAttributesInput {
        object_attributes: names.filter_map(|name| word(name.trim()).ok()).collect(),
        bucket: input.bucket,
        key: input.key,
        version_id: input.version_id,
        max_parts: input.max_parts,
        part_number_marker: input.part_number_marker,
        sse_customer_key: input.sse_customer_key,
        ..Default::default()
    };
    let handler = get_object_attributes::get_object_attributes;
    let told = door.run(&extensions, "GetObjectAttributes", handler, wanted).await?;
    let checksum = |checksum: api::Checksum| Checksum {
        checksum_type: to_word!(checksum.checksum_type),
        ..same_checksums!(Checksum, checksum)
    };
    Ok(S3Response::new(GetObjectAttributesOutput {
        last_modified: told.last_modified.and_then(to_time),
        version_id: told.version_id,
        e_tag: quoted(told.e_tag.as_deref()),
        checksum: told.checksum.map(checksum),
        object_parts: told.object_parts.map(to_parts),
        storage_class: to_word!(told.storage_class),
        object_size: told.object_size,
        ..GetObjectAttributesOutput::default()
    }))
}

fn to_parts(told: api::GetObjectAttributesParts) -> GetObjectAttributesParts {
    let part = |part: api::ObjectPart| ObjectPart {
        part_number: part.part_number,
        size: part.size,
        ..same_checksums!(ObjectPart, part)
    };
    GetObjectAttributesParts {
        is_truncated: told.is_truncated,
        max_parts: told.max_parts,
        next_part_number_marker: told.next_part_number_marker,
        part_number_marker: told.part_number_marker,
        parts: told.parts.map(|parts| parts.into_iter().map(part).collect()),
        total_parts_count: told.total_parts_count,
    }
}
