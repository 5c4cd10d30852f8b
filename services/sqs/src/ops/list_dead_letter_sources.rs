use kernel::{Parts, Result, Tx};

use crate::api::{ListDeadLetterSourceQueuesInput, ListDeadLetterSourceQueuesOutput};
use crate::keys::QueueKey;
use crate::ops::list_queues::{last_of, page_size};
use crate::queue::{arn, find, url};

/// The queues whose `RedrivePolicy` names this queue, in the order of their names.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListDeadLetterSourceQueues.html>
pub(crate) async fn list_dead_letter_source_queues(
    tx: &mut Tx,
    input: ListDeadLetterSourceQueuesInput,
) -> Result<ListDeadLetterSourceQueuesOutput> {
    let limit = page_size(input.max_results)?;
    let (name, _) = find(tx, &input.queue_url).await?;
    let own = arn(tx, &name).to_string();
    let after = input.next_token.as_deref().map(last_of).transpose()?.unwrap_or_default();
    let all = tx.scan::<QueueKey>(Parts::none(), usize::MAX >> 8).await?;
    let points_here = |queue: &crate::queue::Queue| {
        queue.settings.redrive.as_ref().is_some_and(|redrive| redrive.dead_letter_target_arn == own)
    };
    let mut names: Vec<String> = all
        .into_iter()
        .filter(|(key, queue)| key.name > after && points_here(queue))
        .map(|(key, _)| key.name)
        .take(limit + 1)
        .collect();
    let more = names.len() > limit;
    names.truncate(limit);
    let next_token =
        names.last().filter(|_| more && input.max_results.is_some()).map(|name| base::page::token(name));
    let queue_urls = names.iter().map(|name| url(tx, name)).collect();
    Ok(ListDeadLetterSourceQueuesOutput { queue_urls, next_token })
}
