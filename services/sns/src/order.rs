//! FIFO topics: numbers that rise within a group, and messages that are known again.
//!
//! <https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html>

use std::time::Duration;

use base::Timestamp;
use kernel::{Call, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::{Accepted, AcceptedKey, Aged, AgedKey, Number, OrderKey, TopicKey};
use crate::message::Message;
use crate::topic::Topic;

/// The internal operation that forgets messages which can no longer be known again.
pub(crate) const FORGET: &str = "ForgetAccepted";

/// How long a message is known again.
const INTERVAL: Duration = Duration::from_secs(300);
/// The time between two looks at what can be forgotten.
const EVERY: Duration = Duration::from_secs(3_600);
/// Rows forgotten in one transaction.
const PAGE: usize = 500;
/// Groups share so many rows on which their publishers meet.
const BUCKETS: u64 = 64;

/// What the API shows of a number: 20 digits, rising within a group.
pub(crate) fn sequence_number(number: u64) -> String {
    const BASE: u64 = 10_000_000_000_000_000_000;
    BASE.saturating_add(number).to_string()
}

/// Gives the message its place, unless it is one that the topic has accepted already, which is given instead.
///
/// Publishers to one group meet on a row, so that numbers and deliveries are in the order of the commits.
pub(crate) async fn place(
    tx: &mut Tx,
    name: &str,
    topic: &Topic,
    message: &mut Message,
) -> Result<Option<Accepted>> {
    let Some(fifo) = &topic.settings.fifo else { return Ok(None) };
    let group = message.group.clone().unwrap_or_default();
    let key = AcceptedKey {
        topic: name.to_owned(),
        scope: if fifo.by_group { group.clone() } else { String::new() },
        id: message.deduplication.clone().unwrap_or_default(),
    };
    let now = tx.now();
    let known = |accepted: &Accepted| accepted.generation == topic.generation && accepted.at + INTERVAL > now;
    if let Some(accepted) = tx.get(&key).await?.filter(known) {
        return Ok(Some(accepted));
    }
    let bucket = OrderKey { topic: name.to_owned(), bucket: bucket_of(&group) };
    let fresh = u128::from(tx.seq() << 16);
    let number = tx.get(&bucket).await?.map_or(fresh, |last| fresh.max(last.0 + 1));
    tx.put(&bucket, &Number(number))?;
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    message.number = Some(number);
    tx.put(&key, &Accepted { at: now, generation: topic.generation, id: message.id, number })?;
    let aged = AgedKey { topic: name.to_owned(), at: now, seq: tx.seq(), salt: tx.random() };
    tx.put(&aged, &Aged { scope: key.scope, id: key.id })?;
    Ok(None)
}

fn bucket_of(group: &str) -> u64 {
    group.bytes().fold(5_381_u64, |hash, byte| hash.wrapping_mul(33) ^ u64::from(byte)) % BUCKETS
}

/// Which topic.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Forget {
    topic: String,
    generation: Uuid,
}

/// Forgets after a while, and from then on until the topic is gone.
pub(crate) fn schedule(tx: &mut Tx, name: &str, topic: &Topic) -> Result<()> {
    enqueue(tx, EVERY, &Forget { topic: name.to_owned(), generation: topic.generation })
}

fn enqueue(tx: &mut Tx, wait: Duration, forget: &Forget) -> Result<()> {
    let due = tx.now() + wait;
    tx.enqueue_quietly(due, NewTask::new(Call::new(crate::NAME, FORGET, forget)?))?;
    Ok(())
}

/// One page.
pub(crate) async fn forget(tx: &mut Tx, forget: Forget) -> Result<()> {
    let topic = tx.peek(&TopicKey { name: forget.topic.clone() }).await?;
    // A topic that is gone is remembered no longer, nor is anything of it; one made anew has a task of its own.
    let (until, alive) = match topic {
        Some(topic) if topic.generation != forget.generation => return Ok(()),
        Some(_) => (tx.now() - INTERVAL, true),
        None => (Timestamp::MAX, false),
    };
    let rows = tx.scan_head::<AgedKey>(Parts::of(&forget.topic), PAGE).await?;
    let old: Vec<(AgedKey, Aged)> = rows.into_iter().take_while(|(key, _)| key.at <= until).collect();
    let full = old.len() == PAGE;
    for (key, aged) in old {
        let row = AcceptedKey { topic: forget.topic.clone(), scope: aged.scope, id: aged.id };
        if tx.get(&row).await?.is_some_and(|accepted| accepted.at <= key.at) {
            tx.delete(&row);
        }
        tx.delete(&key);
    }
    match (full, alive) {
        (true, _) => enqueue(tx, Duration::from_secs(1), &forget),
        (false, true) => enqueue(tx, EVERY, &forget),
        (false, false) => {
            for bucket in 0..BUCKETS {
                tx.delete(&OrderKey { topic: forget.topic.clone(), bucket });
            }
            Ok(())
        }
    }
}
