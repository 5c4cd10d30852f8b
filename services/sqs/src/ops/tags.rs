use std::collections::BTreeMap;

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    ListQueueTagsInput, ListQueueTagsOutput, TagQueueInput, TagQueueOutput, UntagQueueInput, UntagQueueOutput,
};
use crate::queue::{find, find_guarded};

/// The most tags of a queue.
const TAGS_MAX: usize = 50;
/// The longest key of a tag, in characters.
const KEY_MAX: usize = 128;
/// The longest value.
const VALUE_MAX: usize = 256;

/// Refuses what the tags of the queue `name` cannot be.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html>
pub(crate) fn check(name: &str, tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    let invalid = |message: String| Err(Fault::new("InvalidParameterValue", message));
    if tags.len() > TAGS_MAX {
        return invalid(format!("Too many tags added for queue {name}."));
    }
    for (key, value) in tags {
        if !(1..=KEY_MAX).contains(&key.chars().count()) {
            return invalid(format!("Tag keys must be between 1 and {KEY_MAX} characters in length."));
        }
        if value.chars().count() > VALUE_MAX {
            return invalid(format!("Tag values must be at most {VALUE_MAX} characters in length."));
        }
    }
    Ok(())
}

/// Adds tags or gives them other values.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_TagQueue.html>
pub(crate) async fn tag_queue(tx: &mut Tx, input: TagQueueInput) -> Result<TagQueueOutput> {
    let (key, mut queue) = find_guarded(tx, &input.queue_url).await?;
    queue.tags.extend(input.tags);
    check(&key.name, &queue.tags)?;
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
