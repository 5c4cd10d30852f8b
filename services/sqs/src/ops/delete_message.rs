use kernel::{Result, Tx};

use crate::api::{DeleteMessageInput, DeleteMessageOutput};
use crate::fifo;
use crate::keys::{HeadKey, MessageKey, MovedKey};
use crate::message::Receipt;
use crate::queue::{find, is_fifo};

/// Deletes a message by the handle of its last receive. A handle that is no longer the last one deletes nothing; that is
/// an error for FIFO queues only.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html>
pub(crate) async fn delete_message(tx: &mut Tx, input: DeleteMessageInput) -> Result<DeleteMessageOutput> {
    let (queue, _) = find(tx, &input.queue_url).await?;
    delete(tx, &queue, &input.receipt_handle).await?;
    Ok(DeleteMessageOutput {})
}

/// Deletes the message of `handle`, if the handle is of the message's last receive.
pub(crate) async fn delete(tx: &mut Tx, queue: &str, handle: &str) -> Result<()> {
    if is_fifo(queue) {
        return fifo::delete(tx, queue, handle).await;
    }
    let receipt = Receipt::parse(queue, handle)?;
    if let Some(place) = locate(tx, queue, &receipt).await? {
        tx.delete(&place.key);
        tx.delete(&MessageKey { queue: queue.to_owned(), id: receipt.id });
        if place.moved {
            tx.delete(&MovedKey { queue: queue.to_owned(), id: receipt.id });
        }
    }
    Ok(())
}

/// Where the head of a received message stands.
pub(crate) struct Place {
    pub key: HeadKey,
    pub head: crate::keys::Head,
    /// Whether its visibility was changed since it was received.
    pub moved: bool,
}

/// The head of the message that `receipt` was given out for; `None` if it was received again or deleted.
pub(crate) async fn locate(tx: &mut Tx, queue: &str, receipt: &Receipt) -> Result<Option<Place>> {
    let key = receipt.head_key(queue);
    if let Some(head) = tx.get(&key).await?.filter(|head| head.receipt == receipt.receipt) {
        return Ok(Some(Place { key, head, moved: false }));
    }
    let moved = tx.get(&MovedKey { queue: queue.to_owned(), id: receipt.id }).await?;
    let Some(moved) = moved.filter(|moved| moved.receipt == receipt.receipt) else { return Ok(None) };
    let key = HeadKey { visible_at: moved.visible_at, ..key };
    let head = tx.get(&key).await?.filter(|head| head.receipt == receipt.receipt);
    Ok(head.map(|head| Place { key, head, moved: true }))
}
