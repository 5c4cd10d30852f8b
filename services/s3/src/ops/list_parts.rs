use kernel::{Direction, Parts, Result, Tx};

use crate::bucket;
use crate::fault;
use crate::keys::UploadedKey;
use crate::multipart::{Multipart, Uploaded, Which};

/// Parts of an upload, by number.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub upload: Multipart,
    pub parts: Vec<(u32, Uploaded)>,
    /// Whether there are more.
    pub truncated: bool,
}

/// The parts behind the number `after`.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
pub(crate) async fn list_parts(tx: &mut Tx, (which, after, max): (Which, u32, usize)) -> Result<Page> {
    bucket::look_at(tx, &which.bucket).await?;
    let row = which.row()?;
    let upload = tx.peek(&row).await?.ok_or_else(fault::no_such_upload)?;
    let after = UploadedKey { upload: row.upload, number: after };
    let rows =
        tx.scan_after(Parts::of(&row.upload), &after, max.saturating_add(1), Direction::Forward).await?;
    let truncated = rows.len() > max;
    let parts = rows.into_iter().take(max).map(|(row, part)| (row.number, part)).collect();
    Ok(Page { upload, parts, truncated })
}
