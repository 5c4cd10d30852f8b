use kernel::{Result, Tx};

use crate::api::{
    self, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, ObjectAttributes,
    ObjectPart,
};
use crate::bucket;
use crate::checksum::{ChecksumType, with_checksums, word};
use crate::fault;
use crate::object::Target;
use crate::ops::get_object::{self, Found};

/// The most parts of a page.
const PARTS_MAX: usize = 1000;

/// What is known of an object, and of its parts.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>
pub(crate) async fn get_object_attributes(
    tx: &mut Tx,
    input: GetObjectAttributesInput,
) -> Result<GetObjectAttributesOutput> {
    fault::refuse_unsupported(&[("encryption with a customer's key", input.sse_customer_key.is_some())])?;
    bucket::expect(tx, (input.bucket.clone(), input.expected_bucket_owner)).await?;
    let target = Target { bucket: input.bucket, key: input.key, version: input.version_id };
    let found = get_object::find_head(tx, target).await?;
    let object = &found.object;
    let wants = |attribute| input.object_attributes.contains(&attribute);
    let after = input.part_number_marker.unwrap_or(0);
    let max = input.max_parts.and_then(|max| usize::try_from(max).ok()).unwrap_or(PARTS_MAX).min(PARTS_MAX);
    let class = object.headers.storage_class.as_deref().unwrap_or("STANDARD");
    let checksum = if wants(ObjectAttributes::Checksum) && !object.checksums.is_empty() {
        let told = |algorithm| object.checksums.get(&algorithm).cloned();
        let checksum_type = Some(word(object.checksum_type.as_str())?);
        Some(api::Checksum { checksum_type, ..with_checksums!(api::Checksum, told) })
    } else {
        None
    };
    let in_parts = wants(ObjectAttributes::ObjectParts) && object.segments > 0;
    Ok(GetObjectAttributesOutput {
        last_modified: Some(object.modified_at),
        version_id: found.version.clone(),
        e_tag: wants(ObjectAttributes::ETag).then(|| object.etag.clone()),
        checksum,
        object_parts: in_parts.then(|| parts(&found, after, max)),
        storage_class: word(class).ok().filter(|_| wants(ObjectAttributes::StorageClass)),
        object_size: i64::try_from(object.bytes).ok().filter(|_| wants(ObjectAttributes::ObjectSize)),
        ..GetObjectAttributesOutput::default()
    })
}

/// The parts behind a number. AWS tells them singly only with checksums of their own.
fn parts(found: &Found, after: i32, max: usize) -> GetObjectAttributesParts {
    let object = &found.object;
    let singly = object.checksum_type == ChecksumType::Composite;
    let behind = (1..).zip(found.segments.iter()).filter(|(at, _)| *at > after);
    let mut parts: Vec<ObjectPart> = behind
        .take(max.saturating_add(1))
        .map(|(at, segment)| {
            let told =
                |algorithm| segment.checksum.clone().filter(|_| object.checksums.contains_key(&algorithm));
            ObjectPart {
                part_number: Some(at),
                size: i64::try_from(segment.bytes).ok(),
                ..with_checksums!(ObjectPart, told)
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
