use kernel::{Result, Tx};

use crate::api::{DeleteMessageBatchInput, DeleteMessageBatchOutput, DeleteMessageBatchResultEntry};
use crate::ops::{batch, delete_message};
use crate::queue::find;

/// Deletes up to ten messages in one commit.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html>
pub(crate) async fn delete_message_batch(
    tx: &mut Tx,
    input: DeleteMessageBatchInput,
) -> Result<DeleteMessageBatchOutput> {
    let (queue, _) = find(tx, &input.queue_url).await?;
    batch::check_ids("DeleteMessageBatchRequestEntry", input.entries.iter().map(|entry| &entry.id))?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in input.entries {
        let result = delete_message::delete(tx, &queue, &entry.receipt_handle).await;
        let result = result.map(|()| DeleteMessageBatchResultEntry { id: entry.id.clone() });
        batch::sort(entry.id, result, &mut successful, &mut failed)?;
    }
    Ok(DeleteMessageBatchOutput { successful, failed })
}
