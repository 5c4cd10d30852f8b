use kernel::{Parts, Result, Tx};

use crate::api::{DeleteQueueInput, DeleteQueueOutput};
use crate::keys::MoveTaskKey;
use crate::ops::remove_messages;
use crate::queue::find_guarded;

/// Removes a queue; its messages follow in tasks.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html>
pub(crate) async fn delete_queue(tx: &mut Tx, input: DeleteQueueInput) -> Result<DeleteQueueOutput> {
    let (key, _) = find_guarded(tx, &input.queue_url).await?;
    tx.delete(&key);
    for (task, _) in tx.scan::<MoveTaskKey>(Parts::of(&key.name), 100).await? {
        tx.delete(&task);
    }
    remove_messages::remove_with_queue(tx, &key.name)?;
    Ok(DeleteQueueOutput {})
}
