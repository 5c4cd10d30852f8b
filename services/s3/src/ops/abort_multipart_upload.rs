use base::Timestamp;
use kernel::{Result, Tx};

use crate::fault;
use crate::multipart::{self, Which};

/// Ends an upload without an object.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
pub(crate) async fn abort_multipart_upload(
    tx: &mut Tx,
    (which, started_at): (Which, Option<Timestamp>),
) -> Result<()> {
    let (row, upload) = multipart::find(tx, &which).await?;
    if started_at.is_some_and(|claimed| claimed.as_secs() != upload.started_at.as_secs()) {
        return Err(fault::precondition_failed().into());
    }
    multipart::end(tx, &row)
}
