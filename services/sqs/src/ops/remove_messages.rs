use base::Timestamp;
use kernel::{Call, Direction, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::keys::{HeadKey, MessageKey, MovedKey};

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
}

/// Removes, in tasks, all messages of `queue` that were sent up to now.
pub(crate) fn remove_sent_until_now(tx: &mut Tx, queue: &str) -> Result<()> {
    enqueue(tx, &Remove { queue: queue.to_owned(), sent_until: tx.now(), after: None })
}

fn enqueue(tx: &mut Tx, remove: &Remove) -> Result<()> {
    tx.enqueue(tx.now(), NewTask::new(Call::new("sqs", REMOVE, remove)?))?;
    Ok(())
}

/// One page of the removal.
pub(crate) async fn remove_messages(tx: &mut Tx, mut remove: Remove) -> Result<()> {
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
        if head.sent_at <= remove.sent_until {
            tx.delete(key);
            tx.delete(&MessageKey { queue: remove.queue.clone(), id: head.id });
            tx.delete(&MovedKey { queue: remove.queue.clone(), id: head.id });
        }
    }
    if let (PAGE, Some((last, _))) = (heads.len(), heads.last()) {
        remove.after = Some((last.visible_at, last.seq, last.salt));
        enqueue(tx, &remove)?;
    }
    Ok(())
}
