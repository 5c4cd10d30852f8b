use kernel::{Result, Tx};

use crate::api::{
    ChangeMessageVisibilityBatchInput, ChangeMessageVisibilityBatchOutput,
    ChangeMessageVisibilityBatchResultEntry,
};
use crate::ops::{batch, change_message_visibility};
use crate::queue::find;

/// Changes the visibility of up to ten messages in one commit.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html>
pub(crate) async fn change_message_visibility_batch(
    tx: &mut Tx,
    input: ChangeMessageVisibilityBatchInput,
) -> Result<ChangeMessageVisibilityBatchOutput> {
    let (queue, _) = find(tx, &input.queue_url).await?;
    batch::check_ids(
        "ChangeMessageVisibilityBatchRequestEntry",
        input.entries.iter().map(|entry| &entry.id),
    )?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in input.entries {
        // Without a timeout of its own, an entry is visible at once.
        let timeout_s = entry.visibility_timeout.unwrap_or(0);
        let result = change_message_visibility::change(tx, &queue, &entry.receipt_handle, timeout_s).await;
        let result = result.map(|()| ChangeMessageVisibilityBatchResultEntry { id: entry.id.clone() });
        batch::sort(entry.id, result, &mut successful, &mut failed)?;
    }
    Ok(ChangeMessageVisibilityBatchOutput { successful, failed })
}
