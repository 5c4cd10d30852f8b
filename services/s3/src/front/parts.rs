//! Uploads in parts over HTTP.

use base::Fault;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CopyPartResult, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListPartsInput, ListPartsOutput, MultipartUpload, Part, ServerSideEncryption, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result};

use super::convert::{
    conditions, from_encoding, from_time, multipart_headers, quoted, same_checksums, to_checksum_type,
    to_etag, to_owner, to_prefixes, to_time, to_word,
};
use super::door::Door;
use super::objects::check_acl;
use super::{caller, uploads};
use crate::api;
use crate::body::Claims;
use crate::checksum::{Algorithm, ChecksumType};
use crate::fault;
use crate::multipart::{Multipart, Named, Uploaded, Which, Whole};
use crate::object::Encryption;
use crate::ops::complete_multipart_upload::Completion;
use crate::ops::create_multipart_upload::Start;
use crate::ops::list_objects_v2::encode;
use crate::ops::put_object::{About, Placed, given};
use crate::ops::upload_part_copy::PartCopy;
use crate::ops::{
    abort_multipart_upload, complete_multipart_upload, copy_object, create_multipart_upload,
    list_multipart_uploads, list_parts, upload_part, upload_part_copy,
};
use crate::tags;

type Answer<O> = S3Result<S3Response<O>>;

pub(super) async fn create(
    door: &Door,
    request: S3Request<CreateMultipartUploadInput>,
) -> Answer<CreateMultipartUploadOutput> {
    let S3Request { input, extensions, .. } = request;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let start = door.told(&extensions, to_start(input).map_err(kernel::Error::Fault))?;
    let handler = create_multipart_upload::start;
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
    Ok(Start { bucket: input.bucket, key: input.key, about, algorithm, checksum_type, owner: None })
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
    door.kernel.transact(crate::NAME, caller, "UploadPart", upload_part::keep, part).await
}

pub(super) async fn upload_copy(
    door: &Door,
    request: S3Request<UploadPartCopyInput>,
) -> Answer<UploadPartCopyOutput> {
    let S3Request { input, extensions, .. } = request;
    let result = async {
        let copy = to_part_copy(input)?;
        upload_part_copy::copy_in(&door.kernel, &caller(&extensions, &door.kernel), copy).await
    };
    let result = result.await;
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

fn to_part_copy(input: UploadPartCopyInput) -> Result<PartCopy, Fault> {
    let customer_key = input.sse_customer_key.is_some() || input.copy_source_sse_customer_key.is_some();
    fault::refuse_unsupported(&[("encryption with a customer's key", customer_key)])?;
    Ok(PartCopy {
        from: copy_object::source(&input.copy_source)?,
        which: Which { bucket: input.bucket, key: input.key, upload: input.upload_id },
        number: input.part_number,
        conditions: conditions(
            input.copy_source_if_match.as_ref(),
            input.copy_source_if_none_match.as_ref(),
            input.copy_source_if_modified_since.as_ref(),
            input.copy_source_if_unmodified_since.as_ref(),
        ),
        range: input.copy_source_range,
    })
}

pub(super) async fn complete(
    door: &Door,
    request: S3Request<CompleteMultipartUploadInput>,
) -> Answer<CompleteMultipartUploadOutput> {
    let S3Request { input, extensions, headers, .. } = request;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let completion = door.told(&extensions, to_completion(input).map_err(kernel::Error::Fault))?;
    let handler = complete_multipart_upload::complete;
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
    let asked = api::AbortMultipartUploadInput {
        bucket: input.bucket,
        key: input.key,
        upload_id: input.upload_id,
        if_match_initiated_time: input.if_match_initiated_time.as_ref().and_then(from_time),
        ..Default::default()
    };
    let handler = abort_multipart_upload::abort_multipart_upload;
    door.run(&extensions, "AbortMultipartUpload", handler, asked).await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub(super) async fn list(door: &Door, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
    let S3Request { input, extensions, .. } = request;
    let asked = api::ListPartsInput {
        bucket: input.bucket,
        key: input.key,
        upload_id: input.upload_id,
        max_parts: input.max_parts,
        part_number_marker: input.part_number_marker,
        sse_customer_key: input.sse_customer_key,
        ..Default::default()
    };
    let page = door.run(&extensions, "ListParts", list_parts::list_parts, asked).await?;
    let part = |part: api::Part| Part {
        part_number: part.part_number,
        e_tag: quoted(part.e_tag.as_deref()),
        last_modified: part.last_modified.and_then(to_time),
        size: part.size,
        ..same_checksums!(Part, part)
    };
    Ok(S3Response::new(ListPartsOutput {
        bucket: page.bucket,
        key: page.key,
        upload_id: page.upload_id,
        parts: page.parts.map(|parts| parts.into_iter().map(part).collect()),
        is_truncated: page.is_truncated,
        max_parts: page.max_parts,
        part_number_marker: page.part_number_marker,
        next_part_number_marker: page.next_part_number_marker,
        checksum_algorithm: to_word!(page.checksum_algorithm),
        checksum_type: to_word!(page.checksum_type),
        initiator: page.initiator.map(to_initiator),
        owner: page.owner.map(to_owner),
        storage_class: to_word!(page.storage_class),
        ..ListPartsOutput::default()
    }))
}

fn to_initiator(initiator: api::Initiator) -> Initiator {
    Initiator { id: initiator.id, display_name: initiator.display_name }
}

pub(super) async fn list_uploads(
    door: &Door,
    request: S3Request<ListMultipartUploadsInput>,
) -> Answer<ListMultipartUploadsOutput> {
    let S3Request { input, extensions, .. } = request;
    let asked = api::ListMultipartUploadsInput {
        bucket: input.bucket,
        delimiter: input.delimiter,
        encoding_type: from_encoding(input.encoding_type.as_ref()),
        key_marker: input.key_marker,
        max_uploads: input.max_uploads,
        prefix: input.prefix,
        upload_id_marker: input.upload_id_marker,
        ..Default::default()
    };
    let handler = list_multipart_uploads::list_multipart_uploads;
    let page = door.run(&extensions, "ListMultipartUploads", handler, asked).await?;
    let upload = |upload: api::MultipartUpload| MultipartUpload {
        key: upload.key,
        upload_id: upload.upload_id,
        initiated: upload.initiated.and_then(to_time),
        checksum_algorithm: to_word!(upload.checksum_algorithm),
        checksum_type: to_word!(upload.checksum_type),
        initiator: upload.initiator.map(to_initiator),
        owner: upload.owner.map(to_owner),
        storage_class: to_word!(upload.storage_class),
    };
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: page.bucket,
        uploads: page.uploads.map(|uploads| uploads.into_iter().map(upload).collect()),
        common_prefixes: to_prefixes(page.common_prefixes),
        delimiter: page.delimiter,
        prefix: page.prefix,
        encoding_type: to_word!(page.encoding_type),
        is_truncated: page.is_truncated,
        key_marker: page.key_marker,
        upload_id_marker: page.upload_id_marker,
        max_uploads: page.max_uploads,
        next_key_marker: page.next_key_marker,
        next_upload_id_marker: page.next_upload_id_marker,
        ..ListMultipartUploadsOutput::default()
    }))
}
