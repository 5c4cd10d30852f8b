use base::Timestamp;
use kernel::{Call, Direction, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::fifo;
use crate::keys::{Head, HeadKey, MessageKey, MovedKey};
use crate::ops::get_queue_attributes;
use crate::queue::is_fifo;

/// The internal operation that removes the messages of a queue that was purged or deleted.
pub(crate) const REMOVE: &str = "RemoveMessages";

/// Messages looked at in one transaction.
const PAGE: usize = 500;

/// Which messages, and how far it has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Remove {
    queue: String,
    sent_until: Timestamp,
    after: Option<(Timestamp, u64, u64)>,
    #[serde(default)]
    fifo_after: fifo::Walked,
    /// Whether the queue itself is gone, and what it knew goes with it.
    #[serde(default)]
    all: bool,
}

/// Removes, in tasks, all messages of `queue` that were sent up to now.
pub(crate) fn remove_sent_until_now(tx: &mut Tx, queue: &str) -> Result<()> {
    begin(tx, queue, false)
}

/// The same for a queue that is gone.
pub(crate) fn remove_with_queue(tx: &mut Tx, queue: &str) -> Result<()> {
    begin(tx, queue, true)
}

fn begin(tx: &mut Tx, queue: &str, all: bool) -> Result<()> {
    let queue = queue.to_owned();
    let remove = Remove { queue, sent_until: tx.now(), after: None, fifo_after: None, all };
    tx.enqueue(tx.now(), NewTask::new(Call::new("sqs", REMOVE, &remove)?))?;
    Ok(())
}

fn go_on(tx: &mut Tx, remove: &Remove) -> Result<()> {
    tx.go_on(tx.now(), NewTask::new(Call::new("sqs", REMOVE, remove)?))?;
    Ok(())
}

/// One page of the removal.
pub(crate) async fn remove_messages(tx: &mut Tx, mut remove: Remove) -> Result<()> {
    get_queue_attributes::forget(tx, &remove.queue)?;
    if is_fifo(&remove.queue) {
        return remove_fifo(tx, remove).await;
    }
    let parts = Parts::of(&remove.queue);
    let heads = match remove.after {
        None => tx.scan::<HeadKey>(parts, PAGE).await?,
        Some((visible_at, seq, salt)) => {
            let after = HeadKey { queue: remove.queue.clone(), visible_at, seq, salt };
            tx.scan_after(parts, &after, PAGE, Direction::Forward).await?
        }
    };
    for (key, head) in &heads {
        // A message that was sent since then stays: it belongs to the queue as it is after the purge.
        // Guarded: a receive may be moving the same message now, and would leave its new place without a message.
        if head.sent_at <= remove.sent_until && tx.get(key).await?.is_some() {
            tx.delete(key);
            tx.delete(&MessageKey { queue: remove.queue.clone(), id: head.id });
            tx.delete(&MovedKey { queue: remove.queue.clone(), id: head.id });
        }
    }
    if let (PAGE, Some((last, _))) = (heads.len(), heads.last()) {
        remove.after = Some((last.visible_at, last.seq, last.salt));
        go_on(tx, &remove)?;
    }
    Ok(())
}

async fn remove_fifo(tx: &mut Tx, mut remove: Remove) -> Result<()> {
    let queue = remove.queue.clone();
    if remove.all && fifo::forget_aged(tx, &queue, remove.sent_until, PAGE).await? {
        return go_on(tx, &remove);
    }
    let until = remove.sent_until;
    let old = move |head: &Head| head.sent_at <= until;
    remove.fifo_after = fifo::remove_page(tx, &queue, remove.fifo_after.take(), PAGE, old).await?;
    match remove.fifo_after {
        Some(_) => go_on(tx, &remove),
        None => Ok(()),
    }
}
