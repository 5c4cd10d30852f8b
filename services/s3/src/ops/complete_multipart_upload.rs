use std::collections::BTreeMap;

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart};
use crate::body::Segments;
use crate::bucket;
use crate::checksum::{ChecksumType, claimed_checksums, with_checksums, word};
use crate::conditions::Conditions;
use crate::fault;
use crate::keys::{ObjectKey, SegmentsKey, UploadedKey};
use crate::multipart::{self, Made, Named, PARTS_MAX, Uploaded, Which, Whole};
use crate::notify::Happening;
use crate::object::Object;
use crate::ops::list_objects_v2::encode;
use crate::ops::put_object::{self, Placed};
use crate::versions::{self, Place};

/// Which parts become an object.
#[derive(Clone, Debug)]
pub(crate) struct Completion {
    pub which: Which,
    pub parts: Vec<Named>,
    pub whole: Whole,
    pub conditions: Conditions,
}

/// Makes an object of the parts that are named, and removes the others.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
pub(crate) async fn complete_multipart_upload(
    tx: &mut Tx,
    input: CompleteMultipartUploadInput,
) -> Result<CompleteMultipartUploadOutput> {
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    bucket::expect(tx, (input.bucket.clone(), input.expected_bucket_owner.clone())).await?;
    let Placed { object, version } = complete(tx, to_completion(input)?).await?;
    let told = |algorithm| object.checksums.get(&algorithm).cloned();
    Ok(CompleteMultipartUploadOutput {
        location: Some(format!("{}/{bucket}/{}", tx.endpoint(), encode(&key))),
        bucket: Some(bucket),
        key: Some(key),
        e_tag: Some(format!("\"{}\"", object.etag)),
        checksum_type: Some(word(object.checksum_type.as_str())?),
        server_side_encryption: Some(word(object.encryption.algorithm())?),
        ssekms_key_id: object.encryption.key.clone(),
        version_id: version,
        ..with_checksums!(CompleteMultipartUploadOutput, told)
    })
}

fn to_completion(input: CompleteMultipartUploadInput) -> Result<Completion, Fault> {
    fault::refuse_unsupported(&[("encryption with a customer's key", input.sse_customer_key.is_some())])?;
    let whole = Whole {
        checksums: claimed_checksums!(input)?,
        checksum_type: input.checksum_type.map(|kind| ChecksumType::parse(kind.as_str())).transpose()?,
        bytes: input.mpu_object_size.and_then(|bytes| u64::try_from(bytes).ok()),
    };
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    Ok(Completion {
        which: Which { bucket: input.bucket, key: input.key, upload: input.upload_id },
        parts: parts.into_iter().map(to_named).collect::<Result<_, _>>()?,
        whole,
        conditions: Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            ..Conditions::default()
        },
    })
}

fn to_named(part: CompletedPart) -> Result<Named, Fault> {
    let number = part.part_number.and_then(|number| u32::try_from(number).ok());
    Ok(Named {
        number: number.ok_or_else(fault::malformed_xml)?,
        checksums: claimed_checksums!(part)?,
        etag: part.e_tag.map(|etag| etag.trim_matches('"').to_owned()),
    })
}

/// The same for a caller over HTTP.
pub(crate) async fn complete(tx: &mut Tx, completion: Completion) -> Result<Placed> {
    let Completion { which, parts, whole, conditions } = completion;
    let bucket = bucket::find(tx, &which.bucket).await?;
    let (row, upload) = multipart::find(tx, &which).await?;
    let key = ObjectKey { bucket: row.bucket.clone(), key: row.key.clone() };
    conditions.check_write(versions::current(tx, &key).await?.as_ref())?;
    let uploaded = uploaded(tx, row.upload).await?;
    let Made { segments, bytes, etag, checksums } = multipart::make(&upload, &parts, &uploaded, &whole)?;
    for part in &parts {
        tx.delete(&UploadedKey { upload: row.upload, number: part.number });
    }
    multipart::end(tx, &row)?;
    let id = tx.id();
    let count = segments.len() as u32;
    tx.put(&SegmentsKey { id }, &Segments(segments))?;
    let object = Object {
        body: id,
        parts: 0,
        bytes,
        etag,
        modified_at: tx.now(),
        checksums,
        checksum_type: upload.checksum_type,
        segments: count,
        place: Place::default(),
        tags: upload.tags,
        encryption: upload.encryption.unwrap_or_default(),
        headers: upload.headers,
    };
    put_object::stand(tx, &bucket, key, object, Happening::CompletedUpload).await
}

/// All parts of an upload, guarded.
async fn uploaded(tx: &mut Tx, upload: uuid::Uuid) -> Result<BTreeMap<u32, Uploaded>> {
    let first = UploadedKey { upload, number: 0 };
    let rows = tx.scan_after_versioned(kernel::Parts::of(&upload), &first, PARTS_MAX as usize).await?;
    let mut parts = BTreeMap::new();
    for (row, part, version) in rows {
        tx.guard(&row, version);
        parts.insert(row.number, part);
    }
    Ok(parts)
}
