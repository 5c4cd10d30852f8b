use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use base::{AccountId, Region, Timestamp};
use kernel::{Direction, Parts, Result, Tx};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::api::QueueAttributeName as Name;
use crate::api::{GetQueueAttributesInput, GetQueueAttributesOutput};
use crate::keys::{FifoKey, HeadKey};
use crate::queue::{Queue, arn, find, is_fifo};

/// Messages counted in one step.
const PAGE: usize = 5_000;
/// Up to so many messages are counted whenever they are asked for.
const EXACT_MAX: u64 = 1_000;
/// The longest time for which a count is given again.
const REUSABLE_MAX: Duration = Duration::from_secs(30);

/// The last counts of long queues.
#[derive(Default)]
pub(crate) struct Counts(Mutex<HashMap<(AccountId, Region, String), Count>>);

struct Count {
    /// Of which queue of this name.
    generation: Uuid,
    messages: [u64; 3],
    at: Timestamp,
    until: Timestamp,
}

/// The attributes that are asked for; `All` gives all.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>
pub(crate) async fn get_queue_attributes(
    tx: &mut Tx,
    input: GetQueueAttributesInput,
) -> Result<GetQueueAttributesOutput> {
    let (name, queue) = find(tx, &input.queue_url).await?;
    let asked = input.attribute_names.unwrap_or_default();
    let wanted = |name: Name| asked.contains(&Name::All) || asked.contains(&name);
    let mut all = fixed(tx, &name, &queue);
    let counts = [
        Name::ApproximateNumberOfMessages,
        Name::ApproximateNumberOfMessagesNotVisible,
        Name::ApproximateNumberOfMessagesDelayed,
    ];
    if counts.iter().any(|name| wanted(*name)) {
        all.extend(
            counts
                .into_iter()
                .zip(counted(tx, &name, queue.generation).await?.map(|count| count.to_string())),
        );
    }
    let attributes: BTreeMap<Name, String> = all.into_iter().filter(|(name, _)| wanted(*name)).collect();
    Ok(GetQueueAttributesOutput { attributes: Some(attributes).filter(|attributes| !attributes.is_empty()) })
}

fn fixed(tx: &Tx, name: &str, queue: &Queue) -> Vec<(Name, String)> {
    let mut attributes = queue.settings.to_attributes();
    attributes.push((Name::QueueArn, arn(tx, name).to_string()));
    attributes.push((Name::CreatedTimestamp, queue.created_at.as_secs().to_string()));
    attributes.push((Name::LastModifiedTimestamp, queue.modified_at.as_secs().to_string()));
    attributes
}

/// Visible, in flight, delayed: exact for a short queue, and for a long one as old as [`reusable_for`] allows.
async fn counted(tx: &mut Tx, queue: &str, generation: Uuid) -> Result<[u64; 3]> {
    let known = tx.state::<Counts>()?;
    let key = place(tx, queue);
    if let Some(count) = known.0.lock().get(&key)
        && count.generation == generation
        && tx.now() < count.until
        && tx.now() >= count.at
    {
        return Ok(count.messages);
    }
    let messages = count(tx, queue).await?;
    let reusable = reusable_for(messages.iter().sum());
    let mut known = known.0.lock();
    if reusable.is_zero() {
        known.remove(&key);
    } else {
        known.insert(key, Count { generation, messages, at: tx.now(), until: tx.now() + reusable });
    }
    Ok(messages)
}

/// How long a count of `messages` may be given again, so that who asks all the time does not count all the time: about
/// ten times what counting takes, and never long. SQS says itself that its counts are approximate.
fn reusable_for(messages: u64) -> Duration {
    if messages <= EXACT_MAX {
        return Duration::ZERO;
    }
    Duration::from_micros(messages.saturating_mul(10)).min(REUSABLE_MAX)
}

/// Forgets the count of a queue whose messages are being removed.
pub(crate) fn forget(tx: &Tx, queue: &str) -> Result<()> {
    tx.state::<Counts>()?.0.lock().remove(&place(tx, queue));
    Ok(())
}

fn place(tx: &Tx, queue: &str) -> (AccountId, Region, String) {
    (tx.scope().account.clone(), tx.scope().region.clone(), queue.to_owned())
}

/// Visible, in flight, delayed. Exact as of this transaction.
pub(crate) async fn count(tx: &mut Tx, queue: &str) -> Result<[u64; 3]> {
    let mut counts = [0; 3];
    let now = tx.now();
    let state = |visible_at, receives| match visible_at <= now {
        true => 0,
        false if receives > 0 => 1,
        false => 2,
    };
    if is_fifo(queue) {
        let mut rows = tx.scan::<FifoKey>(Parts::of(queue), PAGE).await?;
        loop {
            rows.iter().for_each(|(_, fifo)| counts[state(fifo.visible_at, fifo.head.receives)] += 1);
            match rows.last() {
                Some((last, _)) if rows.len() == PAGE => {
                    rows = tx.scan_after(Parts::of(queue), last, PAGE, Direction::Forward).await?;
                }
                _ => return Ok(counts),
            }
        }
    }
    let mut heads = tx.scan::<HeadKey>(Parts::of(queue), PAGE).await?;
    loop {
        heads.iter().for_each(|(key, head)| counts[state(key.visible_at, head.receives)] += 1);
        match heads.last() {
            Some((last, _)) if heads.len() == PAGE => {
                heads = tx.scan_after(Parts::of(queue), last, PAGE, Direction::Forward).await?;
            }
            _ => return Ok(counts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_given_again_for_a_bounded_time() {
        for (messages, expected) in [
            (EXACT_MAX, Duration::ZERO),
            (100_000, Duration::from_secs(1)),
            (10_000_000, REUSABLE_MAX),
            (u64::MAX, REUSABLE_MAX),
        ] {
            assert_eq!(reusable_for(messages), expected, "{messages}");
        }
    }
}
