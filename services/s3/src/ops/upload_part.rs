use base::Fault;
use kernel::{Result, Tx};

use crate::body::{self, Claims, Draft, Location, Segment};
use crate::fault;
use crate::keys::UploadedKey;
use crate::multipart::{self, Multipart, PARTS_MAX, Uploaded, Which};

/// That an upload is under way and a part may have this number: asked before the part is taken in.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
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
pub(crate) async fn upload_part(
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
