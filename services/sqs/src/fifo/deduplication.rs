//! A message that was accepted within the last five minutes is known again: it is accepted and not sent.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html>

use std::time::Duration;

use base::Timestamp;
use kernel::{Parts, Result, Tx};
use uuid::Uuid;

use crate::keys::{Accepted, Aged, AgedKey, AttemptKey, DeduplicationKey};
use crate::queue::Queue;

/// How long messages and attempts are known again.
pub(crate) const INTERVAL: Duration = Duration::from_secs(300);

/// The message that was accepted under the same id, if one was.
pub(crate) async fn accepted_before(
    tx: &mut Tx,
    key: &DeduplicationKey,
    queue: &Queue,
) -> Result<Option<Accepted>> {
    let accepted = tx.get(key).await?;
    let now = tx.now();
    Ok(accepted.filter(|accepted| accepted.generation == queue.generation && accepted.at + INTERVAL > now))
}

/// From now on the message is known again.
pub(crate) fn remember(
    tx: &mut Tx,
    key: &DeduplicationKey,
    queue: &Queue,
    id: Uuid,
    number: u64,
) -> Result<()> {
    tx.put(key, &Accepted { at: tx.now(), generation: queue.generation, id, number })?;
    let aged = Aged::Accepted { scope: key.scope.clone(), id: key.id.clone() };
    put_aged(tx, &key.queue, &aged)
}

pub(super) fn put_aged(tx: &mut Tx, queue: &str, aged: &Aged) -> Result<()> {
    let key = AgedKey { queue: queue.to_owned(), at: tx.now(), seq: tx.seq(), salt: tx.random() };
    tx.put(&key, aged)
}

/// Forgets what was remembered up to `until`, at most `page` rows; whether there may be more.
pub(crate) async fn forget_aged(tx: &mut Tx, queue: &str, until: Timestamp, page: usize) -> Result<bool> {
    let rows = tx.scan_head::<AgedKey>(Parts::of(queue), page).await?;
    let full = rows.len() == page;
    for (key, aged) in rows {
        if key.at > until {
            return Ok(false);
        }
        // What was remembered anew since then has another row by age, and stays.
        match aged {
            Aged::Accepted { scope, id } => {
                let row = DeduplicationKey { queue: queue.to_owned(), scope, id };
                if tx.get(&row).await?.is_some_and(|accepted| accepted.at <= key.at) {
                    tx.delete(&row);
                }
            }
            Aged::Attempt { id } => {
                let row = AttemptKey { queue: queue.to_owned(), id };
                if tx.get(&row).await?.is_some_and(|attempt| attempt.at <= key.at) {
                    tx.delete(&row);
                }
            }
        }
        tx.delete(&key);
    }
    Ok(full)
}
