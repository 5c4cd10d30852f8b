use kernel::{Result, Tx};

use crate::api::{SetQueueAttributesInput, SetQueueAttributesOutput};
use crate::queue::{arn, check_dead_letter, find_guarded};

/// Sets attributes; those that are not named stay.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
pub(crate) async fn set_queue_attributes(
    tx: &mut Tx,
    input: SetQueueAttributesInput,
) -> Result<SetQueueAttributesOutput> {
    let (key, mut queue) = find_guarded(tx, &input.queue_url).await?;
    queue.settings.set(&input.attributes, &arn(tx, &key.name).to_string())?;
    check_dead_letter(tx, &input.attributes, &queue.settings).await?;
    queue.modified_at = tx.now();
    tx.put(&key, &queue)?;
    Ok(SetQueueAttributesOutput {})
}
