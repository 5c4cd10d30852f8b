use base::Fault;
use kernel::{Effect, Result, Tx};

use crate::api::{UploadPartInput, UploadPartOutput};
use crate::body::{self, BODY_BYTES_MAX, Claims, Draft, Location, Segment, Uploader};
use crate::bucket;
use crate::checksum::{Algorithm, claimed_checksums, with_checksums, word};
use crate::fault;
use crate::keys::UploadedKey;
use crate::multipart::{self, Multipart, PARTS_MAX, Uploaded, Which};
use crate::ops::put_object::algorithms;

/// Keeps a part whose body is in the document.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
pub(crate) async fn upload_part(effect: &Effect, input: UploadPartInput) -> Result<UploadPartOutput> {
    let name = "UploadPart";
    let claims = Claims { checksums: claimed_checksums!(input)?, md5: input.content_md5.clone() };
    let body = input.body.unwrap_or_default();
    let length = i64::try_from(body.as_bytes().len()).ok();
    fault::refuse_unsupported(&[("encryption with a customer's key", input.sse_customer_key.is_some())])?;
    if input.content_length.is_some() && input.content_length != length {
        let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
        return Err(Fault::new("IncompleteBody", message).into());
    }
    let expected = (input.bucket.clone(), input.expected_bucket_owner);
    effect.transact(name, bucket::expect, expected).await?;
    let which = Which { bucket: input.bucket, key: input.key, upload: input.upload_id };
    let upload = effect.transact(name, prepare, (which.clone(), input.part_number)).await?;
    check(&upload, &claims)?;
    if let Some(asked) = input.checksum_algorithm {
        let asked = (Algorithm::parse(asked.as_str())?, String::new());
        check(&upload, &Claims { md5: None, checksums: [asked].into() })?;
    }
    let algorithms = algorithms(&claims, Some(upload.algorithm()));
    let mut uploader = Uploader::new(effect.kernel(), effect.caller().clone(), &algorithms, BODY_BYTES_MAX);
    uploader.push(body.as_bytes()).await?;
    let part = (which, input.part_number, uploader.finish(&claims)?);
    let (part, upload) = effect.transact(name, keep, part).await?;
    let told = |algorithm| part.segment.checksum.clone().filter(|_| upload.algorithm() == algorithm);
    let encryption = upload.encryption.clone().unwrap_or_default();
    Ok(UploadPartOutput {
        e_tag: Some(format!("\"{}\"", part.etag)),
        server_side_encryption: Some(word(encryption.algorithm())?),
        ..with_checksums!(UploadPartOutput, told)
    })
}

/// That an upload is under way and a part may have this number: asked before the part is taken in.
pub(crate) async fn prepare(tx: &mut Tx, (which, number): (Which, i32)) -> Result<Multipart> {
    if !u32::try_from(number).is_ok_and(|number| (1..=PARTS_MAX).contains(&number)) {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        return Err(fault::invalid_argument(message).into());
    }
    multipart::find(tx, &which).await.map(|(_, upload)| upload)
}

/// Whether a part's checksums are of the upload's algorithm.
///
/// # Errors
/// `InvalidRequest`.
pub(crate) fn check(upload: &Multipart, claims: &Claims) -> Result<(), Fault> {
    let Some(algorithm) = upload.algorithm else { return Ok(()) };
    match claims.checksums.keys().find(|claimed| **claimed != algorithm) {
        None => Ok(()),
        Some(claimed) => {
            let (expected, actual) = (algorithm.name().to_lowercase(), claimed.name().to_lowercase());
            let message = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
            );
            Err(Fault::new("InvalidRequest", message))
        }
    }
}

/// Keeps a part that was taken in, instead of what had its number.
pub(crate) async fn keep(
    tx: &mut Tx,
    (which, number, draft): (Which, i32, Draft),
) -> Result<(Uploaded, Multipart)> {
    let (row, upload) = multipart::find(tx, &which).await?;
    let number = u32::try_from(number).unwrap_or_default();
    let key = UploadedKey { upload: row.upload, number };
    if let Some(before) = tx.get(&key).await? {
        body::discard(tx, Location::Whole(before.segment))?;
    }
    let checksum = draft.checksums.get(&upload.algorithm()).cloned();
    let segment = Segment { number, checksum, ..draft.settle(tx).await? };
    let part = Uploaded { segment, etag: draft.etag, modified_at: tx.now() };
    tx.put(&key, &part)?;
    Ok((part, upload))
}
