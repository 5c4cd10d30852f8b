use kernel::{Result, Tx};

use crate::api::{SendMessageBatchInput, SendMessageBatchOutput, SendMessageBatchResultEntry};
use crate::message::BYTES_MAX;
use crate::ops::batch;
use crate::ops::send_message::Draft;
use crate::queue::find;
use crate::{fault, fifo};

/// Sends up to ten messages in one commit; those that may not be sent are named in the answer.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>
pub(crate) async fn send_message_batch(
    tx: &mut Tx,
    input: SendMessageBatchInput,
) -> Result<SendMessageBatchOutput> {
    let (name, queue) = find(tx, &input.queue_url).await?;
    batch::check_ids("SendMessageBatchRequestEntry", input.entries.iter().map(|entry| &entry.id))?;
    let (mut successful, mut failed, mut checked) = (Vec::new(), Vec::new(), Vec::new());
    for entry in input.entries {
        let draft = Draft {
            body: entry.message_body,
            delay_s: entry.delay_seconds,
            attributes: entry.message_attributes,
            system: entry.message_system_attributes,
            group: entry.message_group_id,
            deduplication: entry.message_deduplication_id,
        };
        match draft.check(&queue) {
            Ok(message) => checked.push((entry.id, message)),
            Err(fault) => failed.push(batch::refused(entry.id, fault)),
        }
    }
    let bytes: usize = checked.iter().map(|(_, message)| message.len()).sum();
    if bytes > BYTES_MAX as usize {
        return Err(fault::batch_too_long(bytes).into());
    }
    for ((id, message), index) in checked.into_iter().zip(0..) {
        let sent = message.send(tx, (&name, &queue), index).await?;
        successful.push(SendMessageBatchResultEntry {
            id,
            message_id: sent.id.to_string(),
            md5_of_message_body: sent.md5_of_body,
            md5_of_message_attributes: sent.md5_of_attributes,
            md5_of_message_system_attributes: sent.md5_of_system,
            sequence_number: sent.number.map(fifo::sequence_number),
        });
    }
    Ok(SendMessageBatchOutput { successful, failed })
}
