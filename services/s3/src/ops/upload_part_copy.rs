use base::Fault;
use kernel::{Caller, Effect, Kernel, Result};

use crate::api::{CopyPartResult, UploadPartCopyInput, UploadPartCopyOutput};
use crate::body::{BODY_BYTES_MAX, Claims, Uploader};
use crate::bucket;
use crate::checksum::{with_checksums, word};
use crate::conditions::Conditions;
use crate::fault;
use crate::multipart::{Multipart, Uploaded, Which};
use crate::object::{self, Target};
use crate::ops::{copy_object, get_object, upload_part};

/// What becomes which part.
#[derive(Clone, Debug)]
pub(crate) struct PartCopy {
    pub which: Which,
    pub number: i32,
    pub from: Target,
    /// What must hold for the source.
    pub conditions: Conditions,
    /// `bytes=first-last`; the whole source, if there is none.
    pub range: Option<String>,
}

/// A part that was copied, its upload, and the version of its source.
pub(crate) type CopiedPart = (Uploaded, Multipart, Option<String>);

/// A part of an upload that is an object, or some bytes of it.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
pub(crate) async fn upload_part_copy(
    effect: &Effect,
    input: UploadPartCopyInput,
) -> Result<UploadPartCopyOutput> {
    let customer_key = input.sse_customer_key.is_some() || input.copy_source_sse_customer_key.is_some();
    fault::refuse_unsupported(&[("encryption with a customer's key", customer_key)])?;
    let from = copy_object::parse_source(&input.copy_source)?;
    for expected in [
        (input.bucket.clone(), input.expected_bucket_owner),
        (from.bucket.clone(), input.expected_source_bucket_owner),
    ] {
        effect.transact("UploadPartCopy", bucket::expect, expected).await?;
    }
    let copy = PartCopy {
        which: Which { bucket: input.bucket, key: input.key, upload: input.upload_id },
        number: input.part_number,
        from,
        conditions: Conditions {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        },
        range: input.copy_source_range,
    };
    let (part, upload, version) = copy_in(effect.kernel(), effect.caller(), copy).await?;
    let told = |algorithm| part.segment.checksum.clone().filter(|_| upload.algorithm() == algorithm);
    let encryption = upload.encryption.clone().unwrap_or_default();
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(CopyPartResult {
            e_tag: Some(format!("\"{}\"", part.etag)),
            last_modified: Some(part.modified_at),
            ..with_checksums!(CopyPartResult, told)
        }),
        copy_source_version_id: version,
        server_side_encryption: Some(word(encryption.algorithm())?),
        ..UploadPartCopyOutput::default()
    })
}

/// Copies a part; it does not depend on its source.
pub(crate) async fn copy_in(kernel: &Kernel, caller: &Caller, copy: PartCopy) -> Result<CopiedPart> {
    let PartCopy { which, number, from, conditions, range } = copy;
    let name = "UploadPartCopy";
    let asked = (which.clone(), number);
    let upload = kernel.transact(crate::NAME, caller.clone(), name, upload_part::prepare, asked).await?;
    let found = kernel.transact(crate::NAME, caller.clone(), name, get_object::find, from).await?;
    conditions.check_read(&found.object).map_err(|_| fault::precondition_failed())?;
    let range = match range.as_deref() {
        None => 0..found.object.bytes,
        Some(range) => copied_range(range, found.object.bytes)?,
    };
    let algorithms = [upload.algorithm()];
    let mut uploader = Uploader::new(kernel, caller.clone(), &algorithms, BODY_BYTES_MAX);
    copy_object::transfer(kernel, caller, &found, range, &mut uploader).await?;
    let part = (which, number, uploader.finish(&Claims::default())?);
    let handler = upload_part::keep;
    let (part, upload) = kernel.transact(crate::NAME, caller.clone(), name, handler, part).await?;
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
