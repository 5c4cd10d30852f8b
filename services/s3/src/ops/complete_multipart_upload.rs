use std::collections::BTreeMap;

use kernel::{Result, Tx};

use crate::body::Segments;
use crate::bucket;
use crate::conditions::Conditions;
use crate::keys::{ObjectKey, SegmentsKey, UploadedKey};
use crate::multipart::{self, Made, Named, PARTS_MAX, Uploaded, Which, Whole};
use crate::notify::Happening;
use crate::object::Object;
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
pub(crate) async fn complete_multipart_upload(tx: &mut Tx, completion: Completion) -> Result<Placed> {
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
