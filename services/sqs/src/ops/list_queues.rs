use base::Fault;
use kernel::{Direction, Parts, Result, Tx};

use crate::api::{ListQueuesInput, ListQueuesOutput};
use crate::fault;
use crate::keys::QueueKey;
use crate::queue::url;

/// The most queues in an answer.
const PAGE_MAX: usize = 1_000;
/// The URLs of the queues whose names begin with a prefix, in the order of their names.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html>
pub(crate) async fn list_queues(tx: &mut Tx, input: ListQueuesInput) -> Result<ListQueuesOutput> {
    let limit = page_size(input.max_results)?;
    let prefix = input.queue_name_prefix.unwrap_or_default();
    let parts = Parts::none().and_starting_with(&prefix);
    let mut queues = match &input.next_token {
        None => tx.scan::<QueueKey>(parts, limit + 1).await?,
        Some(token) => {
            let last = QueueKey { name: last_of(token)? };
            tx.scan_after(parts, &last, limit + 1, Direction::Forward).await?
        }
    };
    let more = queues.len() > limit;
    queues.truncate(limit);
    // Without MaxResults there is no token, as at AWS: the answer ends after a thousand.
    let next_token = queues
        .last()
        .filter(|_| more && input.max_results.is_some())
        .map(|(key, _)| base::page::token(&key.name));
    let urls: Vec<String> = queues.iter().map(|(key, _)| url(tx, &key.name)).collect();
    Ok(ListQueuesOutput { queue_urls: Some(urls).filter(|urls| !urls.is_empty()), next_token })
}

/// The last queue of the answer whose token this is.
pub(crate) fn last_of(token: &str) -> Result<String, Fault> {
    let last = base::page::last_of(token);
    last.ok_or_else(|| fault::invalid_value(token, "NextToken", "Invalid or expired next token."))
}

pub(crate) fn page_size(max_results: Option<i32>) -> Result<usize> {
    match max_results {
        None => Ok(PAGE_MAX),
        Some(size @ 1..=1_000) => Ok(size as usize),
        Some(size) => {
            Err(fault::invalid_value(size, "MaxResults", "Must be between 1 and 1000, if provided.").into())
        }
    }
}
