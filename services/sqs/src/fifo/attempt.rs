//! A receive that is made again under the same attempt's id gets the same messages.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-receiverequestattemptid-request-parameter.html>

use base::Timestamp;
use kernel::{Result, Tx};

use super::deduplication::{INTERVAL, put_aged};
use super::settle;
use crate::keys::{Aged, Attempt, AttemptKey, FifoHead, FifoKey};
use crate::queue::Queue;

/// When the attempt was made first, and the messages that it was given, hidden until `visible_again`; `None` if it is a new one, or if any of its
/// messages has been changed since.
pub(super) async fn again(
    tx: &mut Tx,
    name: &str,
    queue: &Queue,
    id: &str,
    visible_again: Timestamp,
) -> Result<Option<(Timestamp, Vec<(FifoKey, FifoHead)>)>> {
    let now = tx.now();
    let attempt = tx.get(&AttemptKey { queue: name.to_owned(), id: id.to_owned() }).await?;
    let Some(attempt) =
        attempt.filter(|attempt| attempt.generation == queue.generation && attempt.at + INTERVAL > now)
    else {
        return Ok(None);
    };
    let mut given = Vec::new();
    for (group, number, receipt) in attempt.messages {
        let key = FifoKey { queue: name.to_owned(), group, number };
        let fifo = tx.get(&key).await?;
        let unchanged = |fifo: &FifoHead| fifo.head.receipt == receipt && fifo.visible_at > now;
        let Some(fifo) = fifo.filter(unchanged) else { return Ok(None) };
        given.push((key, FifoHead { visible_at: visible_again, ..fifo }));
    }
    for (key, fifo) in &given {
        tx.put(key, fifo)?;
    }
    for (key, _) in &given {
        settle(tx, name, &key.group).await?;
    }
    Ok(Some((attempt.at, given)))
}

/// From now on the attempt is known again.
pub(super) fn remember(
    tx: &mut Tx,
    name: &str,
    queue: &Queue,
    id: &str,
    given: &[(FifoKey, FifoHead)],
) -> Result<()> {
    let message = |(key, fifo): &(FifoKey, FifoHead)| (key.group.clone(), key.number, fifo.head.receipt);
    let messages = given.iter().map(message).collect();
    let attempt = Attempt { at: tx.now(), generation: queue.generation, messages };
    tx.put(&AttemptKey { queue: name.to_owned(), id: id.to_owned() }, &attempt)?;
    put_aged(tx, name, &Aged::Attempt { id: id.to_owned() })
}
