use kernel::{Result, Tx};

use crate::bucket;
use crate::checksum::{Algorithm, ChecksumType};
use crate::keys::MultipartKey;
use crate::multipart::{self, Multipart};
use crate::object;
use crate::ops::put_object::About;

/// An upload to be started.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub bucket: String,
    pub key: String,
    pub about: About,
    pub algorithm: Option<Algorithm>,
    pub checksum_type: Option<ChecksumType>,
}

/// Starts an upload in parts; its id, and what is known of it.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
pub(crate) async fn create_multipart_upload(tx: &mut Tx, start: Start) -> Result<(String, Multipart)> {
    object::check_key(&start.key)?;
    let algorithm = start.algorithm.unwrap_or(Algorithm::DEFAULT);
    let checksum_type = start.checksum_type.unwrap_or_else(|| algorithm.default_type());
    algorithm.check_type(checksum_type)?;
    let initiator = tx.caller().account.clone();
    let found = bucket::find(tx, &start.bucket).await?;
    let encryption = start.about.encryption.unwrap_or_else(|| found.default_encryption());
    let upload = Multipart {
        started_at: tx.now(),
        initiator,
        headers: start.about.headers,
        tags: start.about.tags,
        encryption: Some(encryption),
        algorithm: start.algorithm,
        checksum_type,
    };
    let row = MultipartKey { bucket: start.bucket, key: start.key, upload: tx.id() };
    tx.put(&row, &upload)?;
    Ok((multipart::upload_id(row.upload), upload))
}
