//! Uploads in parts over HTTP.

use base::Fault;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, CommonPrefix,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, CopyPartResult,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, EncodingType, Initiator,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload,
    Owner, Part, ServerSideEncryption, StorageClass, UploadPartCopyInput, UploadPartCopyOutput,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result};
use uuid::Uuid;

use super::convert::{conditions, from_time, multipart_headers, to_checksum_type, to_etag, to_time};
use super::door::Door;
use super::objects::{check_acl, source};
use super::{caller, uploads};
use crate::body::{Claims, Uploader};
use crate::checksum::{Algorithm, ChecksumType};
use crate::fault;
use crate::multipart::{Multipart, Named, Uploaded, Which, Whole, upload_id};
use crate::object::{self, Encryption};
use crate::ops::complete_multipart_upload::Completion;
use crate::ops::create_multipart_upload::Start;
use crate::ops::list_objects_v2::encode;
use crate::ops::put_object::{About, Placed, given};
use crate::ops::{
    abort_multipart_upload, complete_multipart_upload, copy_object, create_multipart_upload, get_object,
    list_multipart_uploads, list_parts, upload_part,
};
use crate::tags;

type Answer<O> = S3Result<S3Response<O>>;

/// The most entries of a page.
const PAGE_MAX: usize = 1000;

pub(super) async fn create(
    door: &Door,
    request: S3Request<CreateMultipartUploadInput>,
) -> Answer<CreateMultipartUploadOutput> {
    let S3Request { input, extensions, .. } = request;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let start = door.told(&extensions, to_start(input).map_err(kernel::Error::Fault))?;
    let handler = create_multipart_upload::create_multipart_upload;
    let (id, upload) = door.run(&extensions, "CreateMultipartUpload", handler, start).await?;
    let encryption = upload.encryption.clone().unwrap_or_default();
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(bucket),
        key: Some(key),
        upload_id: Some(id),
        checksum_algorithm: upload.algorithm.map(to_algorithm),
        checksum_type: upload.algorithm.map(|_| to_checksum_type(upload.checksum_type)),
        server_side_encryption: Some(ServerSideEncryption::from(encryption.algorithm().to_owned())),
        ssekms_key_id: encryption.key,
        ..CreateMultipartUploadOutput::default()
    }))
}

fn to_start(mut input: CreateMultipartUploadInput) -> Result<Start, Fault> {
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
    ])?;
    let about = About {
        headers: multipart_headers(&mut input),
        tags: tags::of_header(input.tagging.as_deref())?,
        encryption: Encryption::asked(
            input.server_side_encryption.as_ref().map(|asked| asked.as_str()),
            input.ssekms_key_id,
            input.bucket_key_enabled,
        )?,
    };
    about.headers.check()?;
    let algorithm = input.checksum_algorithm.as_ref().map(|it| Algorithm::parse(it.as_str())).transpose()?;
    let checksum_type =
        input.checksum_type.as_ref().map(|it| ChecksumType::parse(it.as_str())).transpose()?;
    Ok(Start { bucket: input.bucket, key: input.key, about, algorithm, checksum_type })
}

fn to_algorithm(algorithm: Algorithm) -> ChecksumAlgorithm {
    ChecksumAlgorithm::from(algorithm.name().to_owned())
}

pub(super) async fn upload(door: &Door, request: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
    let S3Request { input, extensions, .. } = request;
    let result = take_in(door, &extensions, input).await;
    let (part, upload) = door.told(&extensions, result)?;
    let checksum = |algorithm| part.segment.checksum.clone().filter(|_| upload.algorithm() == algorithm);
    Ok(S3Response::new(UploadPartOutput {
        e_tag: Some(to_etag(&part.etag)),
        checksum_crc32: checksum(Algorithm::Crc32),
        checksum_crc32c: checksum(Algorithm::Crc32c),
        checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
        checksum_sha1: checksum(Algorithm::Sha1),
        checksum_sha256: checksum(Algorithm::Sha256),
        server_side_encryption: Some(encryption(&upload)),
        ..UploadPartOutput::default()
    }))
}

fn encryption(upload: &Multipart) -> ServerSideEncryption {
    let encryption = upload.encryption.clone().unwrap_or_default();
    ServerSideEncryption::from(encryption.algorithm().to_owned())
}

async fn take_in(
    door: &Door,
    extensions: &http::Extensions,
    input: UploadPartInput,
) -> kernel::Result<(Uploaded, Multipart)> {
    fault::refuse_unsupported(&[("encryption with a customer's key", input.sse_customer_key.is_some())])?;
    let caller = caller(extensions, &door.kernel);
    let which = Which { bucket: input.bucket, key: input.key, upload: input.upload_id };
    let number = input.part_number;
    let asked = (which.clone(), number);
    let run = door.kernel.transact(crate::NAME, caller.clone(), "UploadPart", upload_part::prepare, asked);
    let upload = run.await?;
    let checksums = given([
        (Algorithm::Crc32, input.checksum_crc32),
        (Algorithm::Crc32c, input.checksum_crc32c),
        (Algorithm::Crc64Nvme, input.checksum_crc64nvme),
        (Algorithm::Sha1, input.checksum_sha1),
        (Algorithm::Sha256, input.checksum_sha256),
    ]);
    let claims = Claims { md5: input.content_md5, checksums };
    upload_part::check(&upload, &claims)?;
    let wanted = (claims, Some(upload.algorithm()));
    let draft = uploads::take_in(door, &caller, extensions, input.body, wanted).await?;
    let part = (which, number, draft);
    door.kernel.transact(crate::NAME, caller, "UploadPart", upload_part::upload_part, part).await
}

pub(super) async fn upload_copy(
    door: &Door,
    request: S3Request<UploadPartCopyInput>,
) -> Answer<UploadPartCopyOutput> {
    let S3Request { input, extensions, .. } = request;
    let result = copy_in(door, &extensions, input).await;
    let (part, upload, version) = door.told(&extensions, result)?;
    let checksum = |algorithm| part.segment.checksum.clone().filter(|_| upload.algorithm() == algorithm);
    let result = CopyPartResult {
        e_tag: Some(to_etag(&part.etag)),
        last_modified: to_time(part.modified_at),
        checksum_crc32: checksum(Algorithm::Crc32),
        checksum_crc32c: checksum(Algorithm::Crc32c),
        checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
        checksum_sha1: checksum(Algorithm::Sha1),
        checksum_sha256: checksum(Algorithm::Sha256),
    };
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: version,
        server_side_encryption: Some(encryption(&upload)),
        ..UploadPartCopyOutput::default()
    }))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
async fn copy_in(
    door: &Door,
    extensions: &http::Extensions,
    input: UploadPartCopyInput,
) -> kernel::Result<(Uploaded, Multipart, Option<String>)> {
    let customer_key = input.sse_customer_key.is_some() || input.copy_source_sse_customer_key.is_some();
    fault::refuse_unsupported(&[("encryption with a customer's key", customer_key)])?;
    let (kernel, name) = (&door.kernel, "UploadPartCopy");
    let caller = caller(extensions, kernel);
    let from = source(&input.copy_source)?;
    let which = Which { bucket: input.bucket, key: input.key, upload: input.upload_id };
    let asked = (which.clone(), input.part_number);
    let upload = kernel.transact(crate::NAME, caller.clone(), name, upload_part::prepare, asked).await?;
    let found = kernel.transact(crate::NAME, caller.clone(), name, get_object::find, from).await?;
    let conditions = conditions(
        input.copy_source_if_match.as_ref(),
        input.copy_source_if_none_match.as_ref(),
        input.copy_source_if_modified_since.as_ref(),
        input.copy_source_if_unmodified_since.as_ref(),
    );
    conditions.check_read(&found.object).map_err(|_| fault::precondition_failed())?;
    let range = match input.copy_source_range.as_deref() {
        None => 0..found.object.bytes,
        Some(range) => copied_range(range, found.object.bytes)?,
    };
    let algorithms = [upload.algorithm()];
    let mut uploader = Uploader::new(kernel, caller.clone(), &algorithms, crate::body::BODY_BYTES_MAX);
    copy_object::transfer(kernel, &caller, &found, range, &mut uploader).await?;
    let part = (which, input.part_number, uploader.finish(&Claims::default())?);
    let (part, upload) = kernel.transact(crate::NAME, caller, name, upload_part::upload_part, part).await?;
    Ok((part, upload, found.version))
}

/// `bytes=first-last`, both of which are there.
fn copied_range(range: &str, bytes: u64) -> Result<std::ops::Range<u64>, Fault> {
    let last = range.rsplit_once('-').and_then(|(_, last)| last.trim().parse::<u64>().ok());
    let selected = object::select(Some(range), bytes).ok().flatten();
    match selected {
        Some(selected) if last.is_some_and(|last| last < bytes) && !range.contains("=-") => Ok(selected),
        _ => Err(fault::invalid_argument(format!(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy, and lie in the source of {bytes} bytes"
        ))),
    }
}

pub(super) async fn complete(
    door: &Door,
    request: S3Request<CompleteMultipartUploadInput>,
) -> Answer<CompleteMultipartUploadOutput> {
    let S3Request { input, extensions, headers, .. } = request;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let completion = door.told(&extensions, to_completion(input).map_err(kernel::Error::Fault))?;
    let handler = complete_multipart_upload::complete_multipart_upload;
    let Placed { object, version } =
        door.run(&extensions, "CompleteMultipartUpload", handler, completion).await?;
    let checksum = |algorithm| object.checksums.get(&algorithm).cloned();
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    Ok(S3Response::new(CompleteMultipartUploadOutput {
        location: Some(format!("http://{host}/{bucket}/{}", encode(&key))),
        bucket: Some(bucket),
        key: Some(key),
        e_tag: Some(to_etag(&object.etag)),
        checksum_crc32: checksum(Algorithm::Crc32),
        checksum_crc32c: checksum(Algorithm::Crc32c),
        checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
        checksum_sha1: checksum(Algorithm::Sha1),
        checksum_sha256: checksum(Algorithm::Sha256),
        checksum_type: Some(to_checksum_type(object.checksum_type)),
        server_side_encryption: Some(ServerSideEncryption::from(object.encryption.algorithm().to_owned())),
        ssekms_key_id: object.encryption.key.clone(),
        version_id: version,
        ..CompleteMultipartUploadOutput::default()
    }))
}

fn to_completion(input: CompleteMultipartUploadInput) -> Result<Completion, Fault> {
    fault::refuse_unsupported(&[("encryption with a customer's key", input.sse_customer_key.is_some())])?;
    let whole = Whole {
        checksums: given([
            (Algorithm::Crc32, input.checksum_crc32),
            (Algorithm::Crc32c, input.checksum_crc32c),
            (Algorithm::Crc64Nvme, input.checksum_crc64nvme),
            (Algorithm::Sha1, input.checksum_sha1),
            (Algorithm::Sha256, input.checksum_sha256),
        ]),
        checksum_type: input.checksum_type.as_ref().map(|it| ChecksumType::parse(it.as_str())).transpose()?,
        bytes: input.mpu_object_size.and_then(|bytes| u64::try_from(bytes).ok()),
    };
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    Ok(Completion {
        which: Which { bucket: input.bucket, key: input.key, upload: input.upload_id },
        parts: parts.into_iter().map(to_named).collect::<Result<_, _>>()?,
        whole,
        conditions: conditions(input.if_match.as_ref(), input.if_none_match.as_ref(), None, None),
    })
}

fn to_named(part: CompletedPart) -> Result<Named, Fault> {
    let number = part.part_number.and_then(|number| u32::try_from(number).ok());
    Ok(Named {
        number: number.ok_or_else(fault::malformed_xml)?,
        etag: part.e_tag.map(|etag| etag.value().to_owned()),
        checksums: given([
            (Algorithm::Crc32, part.checksum_crc32),
            (Algorithm::Crc32c, part.checksum_crc32c),
            (Algorithm::Crc64Nvme, part.checksum_crc64nvme),
            (Algorithm::Sha1, part.checksum_sha1),
            (Algorithm::Sha256, part.checksum_sha256),
        ]),
    })
}

pub(super) async fn abort(
    door: &Door,
    request: S3Request<AbortMultipartUploadInput>,
) -> Answer<AbortMultipartUploadOutput> {
    let S3Request { input, extensions, .. } = request;
    let which = Which { bucket: input.bucket, key: input.key, upload: input.upload_id };
    let asked = (which, input.if_match_initiated_time.as_ref().and_then(from_time));
    let handler = abort_multipart_upload::abort_multipart_upload;
    door.run(&extensions, "AbortMultipartUpload", handler, asked).await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub(super) async fn list(door: &Door, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
    let S3Request { input, extensions, .. } = request;
    let which =
        Which { bucket: input.bucket.clone(), key: input.key.clone(), upload: input.upload_id.clone() };
    let after = input.part_number_marker.and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
    let max = page(input.max_parts);
    let page = door.run(&extensions, "ListParts", list_parts::list_parts, (which, after, max)).await?;
    let upload = page.upload;
    let part = |(number, part): &(u32, Uploaded)| {
        let checksum =
            |algorithm| part.segment.checksum.clone().filter(|_| upload.algorithm == Some(algorithm));
        Part {
            part_number: i32::try_from(*number).ok(),
            e_tag: Some(to_etag(&part.etag)),
            last_modified: to_time(part.modified_at),
            size: i64::try_from(part.segment.bytes).ok(),
            checksum_crc32: checksum(Algorithm::Crc32),
            checksum_crc32c: checksum(Algorithm::Crc32c),
            checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
            checksum_sha1: checksum(Algorithm::Sha1),
            checksum_sha256: checksum(Algorithm::Sha256),
        }
    };
    let next =
        page.parts.last().filter(|_| page.truncated).and_then(|(number, _)| i32::try_from(*number).ok());
    let (initiator, owner) = people(&upload);
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        parts: Some(page.parts.iter().map(part).collect()),
        is_truncated: Some(page.truncated),
        max_parts: i32::try_from(max).ok(),
        part_number_marker: Some(input.part_number_marker.unwrap_or(0)),
        next_part_number_marker: next,
        checksum_algorithm: upload.algorithm.map(to_algorithm),
        checksum_type: upload.algorithm.map(|_| to_checksum_type(upload.checksum_type)),
        initiator: Some(initiator),
        owner: Some(owner),
        storage_class: Some(class(&upload)),
        ..ListPartsOutput::default()
    }))
}

fn page(max: Option<i32>) -> usize {
    max.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE_MAX).min(PAGE_MAX)
}

fn people(upload: &Multipart) -> (Initiator, Owner) {
    let id = Some(upload.initiator.to_string());
    (Initiator { id: id.clone(), display_name: None }, Owner { id, display_name: None })
}

fn class(upload: &Multipart) -> StorageClass {
    StorageClass::from(upload.headers.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned()))
}

pub(super) async fn list_uploads(
    door: &Door,
    request: S3Request<ListMultipartUploadsInput>,
) -> Answer<ListMultipartUploadsOutput> {
    let S3Request { input, extensions, .. } = request;
    let max = page(input.max_uploads);
    let after = input
        .key_marker
        .clone()
        .map(|key| (key, input.upload_id_marker.as_deref().and_then(|upload| Uuid::try_parse(upload).ok())));
    let asked = list_multipart_uploads::Asked {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after,
        max,
    };
    let handler = list_multipart_uploads::list_multipart_uploads;
    let page = door.run(&extensions, "ListMultipartUploads", handler, asked).await?;
    let encoding = input.encoding_type.filter(|encoding| encoding.as_str() == EncodingType::URL);
    let text = |text: &str| if encoding.is_some() { encode(text) } else { text.to_owned() };
    let uploads = page.uploads.iter().map(|(row, upload)| {
        let (initiator, owner) = people(upload);
        MultipartUpload {
            key: Some(text(&row.key)),
            upload_id: Some(upload_id(row.upload)),
            initiated: to_time(upload.started_at),
            checksum_algorithm: upload.algorithm.map(to_algorithm),
            checksum_type: upload.algorithm.map(|_| to_checksum_type(upload.checksum_type)),
            initiator: Some(initiator),
            owner: Some(owner),
            storage_class: Some(class(upload)),
        }
    });
    let prefixes = page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(text(prefix)) });
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        uploads: Some(uploads.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        common_prefixes: Some(prefixes.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        delimiter: input.delimiter.as_deref().map(text),
        prefix: Some(text(input.prefix.as_deref().unwrap_or_default())),
        encoding_type: encoding.clone(),
        is_truncated: Some(page.next.is_some()),
        key_marker: Some(text(input.key_marker.as_deref().unwrap_or_default())),
        upload_id_marker: input.upload_id_marker,
        max_uploads: i32::try_from(max).ok(),
        next_key_marker: page.next.as_ref().map(|(key, _)| text(key)),
        next_upload_id_marker: page.next.and_then(|(_, upload)| upload.map(upload_id)),
        ..ListMultipartUploadsOutput::default()
    }))
}
