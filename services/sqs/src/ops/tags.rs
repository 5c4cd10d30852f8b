use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    ListQueueTagsInput, ListQueueTagsOutput, TagQueueInput, TagQueueOutput, UntagQueueInput, UntagQueueOutput,
};
use crate::queue::{find, find_guarded};

/// The most tags of a queue.
const TAGS_MAX: usize = 50;

/// Adds tags or gives them other values.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_TagQueue.html>
pub(crate) async fn tag_queue(tx: &mut Tx, input: TagQueueInput) -> Result<TagQueueOutput> {
    let (key, mut queue) = find_guarded(tx, &input.queue_url).await?;
    queue.tags.extend(input.tags);
    if queue.tags.len() > TAGS_MAX {
        let message = format!("Too many tags added for queue {}.", key.name);
        return Err(Fault::new("InvalidParameterValue", message).into());
    }
    tx.put(&key, &queue)?;
    Ok(TagQueueOutput {})
}

/// Removes tags; those that are not there are no error.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_UntagQueue.html>
pub(crate) async fn untag_queue(tx: &mut Tx, input: UntagQueueInput) -> Result<UntagQueueOutput> {
    let (key, mut queue) = find_guarded(tx, &input.queue_url).await?;
    queue.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &queue)?;
    Ok(UntagQueueOutput {})
}

/// The queue's tags.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueueTags.html>
pub(crate) async fn list_queue_tags(tx: &mut Tx, input: ListQueueTagsInput) -> Result<ListQueueTagsOutput> {
    let (_, queue) = find(tx, &input.queue_url).await?;
    Ok(ListQueueTagsOutput { tags: Some(queue.tags).filter(|tags| !tags.is_empty()) })
}
