use std::time::Duration;

use base::Timestamp;
use kernel::{Call, Direction, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::fifo;
use crate::keys::{Head, HeadKey, MessageKey, MovedKey, QueueKey};
use crate::queue::Queue;

/// The internal operation that removes messages older than the retention period.
pub(crate) const EXPIRE: &str = "ExpireMessages";

/// Messages looked at in one transaction.
const PAGE: usize = 500;
/// The longest time between two looks.
const EVERY_MAX: Duration = Duration::from_secs(3_600);

/// Which queue, and how far this look has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Expire {
    queue: String,
    generation: Uuid,
    after: Option<(Timestamp, u64, u64)>,
    #[serde(default)]
    fifo_after: fifo::Walked,
}

/// Looks for expired messages after a while, and from then on until the queue is gone. A receive does not give out an
/// expired message in any case; this gives its room back.
pub(crate) fn schedule(tx: &mut Tx, name: &str, queue: &Queue) -> Result<()> {
    let expire =
        Expire { queue: name.to_owned(), generation: queue.generation, after: None, fifo_after: None };
    enqueue(tx, queue.settings.retention().min(EVERY_MAX), &expire)
}

fn enqueue(tx: &mut Tx, wait: Duration, expire: &Expire) -> Result<()> {
    let due = tx.now() + wait;
    tx.enqueue_quietly(due, NewTask::new(Call::new("sqs", EXPIRE, expire)?))?;
    Ok(())
}

/// One page of a look.
pub(crate) async fn expire(tx: &mut Tx, mut expire: Expire) -> Result<()> {
    let Some(queue) = tx.peek(&QueueKey { name: expire.queue.clone() }).await? else { return Ok(()) };
    if queue.generation != expire.generation {
        return Ok(());
    }
    if queue.settings.fifo.is_some() {
        return expire_fifo(tx, &queue, expire).await;
    }
    let parts = Parts::of(&expire.queue);
    let heads = match expire.after {
        None => tx.scan::<HeadKey>(parts, PAGE).await?,
        Some((visible_at, seq, salt)) => {
            let after = HeadKey { queue: expire.queue.clone(), visible_at, seq, salt };
            tx.scan_after(parts, &after, PAGE, Direction::Forward).await?
        }
    };
    for (key, head) in &heads {
        // Guarded: a receive may be moving the same message now.
        if head.sent_at + queue.settings.retention() <= tx.now() && tx.get(key).await?.is_some() {
            tx.delete(key);
            tx.delete(&MessageKey { queue: expire.queue.clone(), id: head.id });
            tx.delete(&MovedKey { queue: expire.queue.clone(), id: head.id });
        }
    }
    if let (PAGE, Some((last, _))) = (heads.len(), heads.last()) {
        expire.after = Some((last.visible_at, last.seq, last.salt));
        return enqueue(tx, Duration::ZERO, &expire);
    }
    schedule(tx, &expire.queue, &queue)
}

/// The same of a FIFO queue, which forgets besides what it knew of messages and receives.
async fn expire_fifo(tx: &mut Tx, queue: &Queue, mut expire: Expire) -> Result<()> {
    let name = expire.queue.clone();
    let now = tx.now();
    if fifo::forget_aged(tx, &name, now - fifo::INTERVAL, PAGE).await? {
        return enqueue(tx, Duration::ZERO, &expire);
    }
    let retention = queue.settings.retention();
    let old = move |head: &Head| head.sent_at + retention <= now;
    expire.fifo_after = fifo::remove_page(tx, &name, expire.fifo_after.take(), PAGE, old).await?;
    match expire.fifo_after {
        Some(_) => enqueue(tx, Duration::ZERO, &expire),
        None => schedule(tx, &name, queue),
    }
}
