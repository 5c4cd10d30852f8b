use kernel::{Direction, Parts, Result, Tx};

use crate::api::{self, ListPartsInput, ListPartsOutput};
use crate::bucket;
use crate::checksum::{with_checksums, word};
use crate::fault;
use crate::keys::UploadedKey;
use crate::multipart::{self, Multipart, Uploaded, Which};

/// The most parts of a page.
const PAGE_MAX: usize = 1000;

/// The parts of an upload, by number.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
pub(crate) async fn list_parts(tx: &mut Tx, input: ListPartsInput) -> Result<ListPartsOutput> {
    fault::refuse_unsupported(&[("encryption with a customer's key", input.sse_customer_key.is_some())])?;
    bucket::expect(tx, (input.bucket.clone(), input.expected_bucket_owner)).await?;
    bucket::look_at(tx, &input.bucket).await?;
    let marker = input.part_number_marker.unwrap_or(0);
    let max = multipart::page(input.max_parts, PAGE_MAX);
    let which =
        Which { bucket: input.bucket.clone(), key: input.key.clone(), upload: input.upload_id.clone() };
    let row = which.row()?;
    let upload = tx.peek(&row).await?.ok_or_else(fault::no_such_upload)?;
    let after = UploadedKey { upload: row.upload, number: u32::try_from(marker).unwrap_or(0) };
    let rows =
        tx.scan_after(Parts::of(&row.upload), &after, max.saturating_add(1), Direction::Forward).await?;
    let truncated = rows.len() > max;
    let parts: Vec<api::Part> =
        rows.into_iter().take(max).map(|(row, part)| described(&upload, row.number, part)).collect();
    let (initiator, owner) = multipart::people(&upload);
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        next_part_number_marker: parts.last().filter(|_| truncated).and_then(|part| part.part_number),
        parts: Some(parts),
        is_truncated: Some(truncated),
        max_parts: i32::try_from(max).ok(),
        part_number_marker: Some(marker),
        checksum_algorithm: upload.algorithm.map(|algorithm| word(algorithm.name())).transpose()?,
        checksum_type: upload.algorithm.map(|_| word(upload.checksum_type.as_str())).transpose()?,
        initiator: Some(initiator),
        owner: Some(owner),
        storage_class: word(upload.class()).ok(),
        ..ListPartsOutput::default()
    })
}

fn described(upload: &Multipart, number: u32, part: Uploaded) -> api::Part {
    let told = |algorithm| part.segment.checksum.clone().filter(|_| upload.algorithm == Some(algorithm));
    api::Part {
        part_number: i32::try_from(number).ok(),
        e_tag: Some(format!("\"{}\"", part.etag)),
        last_modified: Some(part.modified_at),
        size: i64::try_from(part.segment.bytes).ok(),
        ..with_checksums!(api::Part, told)
    }
}
