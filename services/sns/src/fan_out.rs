//! One message to all of its topic's subscriptions: in the commit of its publisher as far as that has room for them, and
//! in commits of their own from there on.
//!
//! What does not fit is kept in a row of its own and served by an internal operation, a bounded part in each commit.
//! Whoever has unsubscribed by then gets nothing, and who has subscribed since may get the message. Messages of one
//! group of a FIFO topic stand in line: while one of them is kept, those that come after it are kept behind it.

use base::Timestamp;
use kernel::{Call, Direction, Error, NewTask, Parts, Result, TraceCx, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::deliver::{self, Sent};
use crate::keys::{KeptKey, LineKey, Number, SubscriptionKey, TopicKey};
use crate::message::Message;
use crate::subscription::Subscription;
use crate::topic::{self, Topic};

/// The internal operation that serves the next part of a message's subscriptions.
pub(crate) const FAN_OUT: &str = "FanOut";

/// How much of a commit deliveries take, in bytes. The last one may exceed it: control characters make a message of
/// 256 KiB seven times as large, and with a dead-letter queue it is there twice.
const COMMIT_BYTES: usize = 4_000_000;
/// Subscriptions read at once.
const PAGE: usize = 100;

/// What a commit has left for deliveries, in bytes.
pub(crate) struct Room(usize);

impl Default for Room {
    fn default() -> Room {
        Room(COMMIT_BYTES)
    }
}

/// A message that not all of its subscriptions have been given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The topic that it was published to, of several of that name.
    pub generation: Uuid,
    pub published_at: Timestamp,
    /// The chain of causes of its publisher.
    pub trace: TraceCx,
    pub message: Message,
}
store::stored!(Kept, format = 1);

/// Gives a message to its topic's subscriptions, as many as there is room for, and sees to the others.
pub(crate) async fn publish(
    tx: &mut Tx,
    name: &str,
    topic: &Topic,
    message: Message,
    room: &mut Room,
) -> Result<()> {
    let topic_arn = topic::arn(tx, name).to_string();
    tx.note("message", &message.id.to_string(), Some(json!({ "topic": topic_arn })));
    let line = match (message.number, &message.group) {
        (Some(_), Some(group)) => group.clone(),
        _ => message.id.to_string(),
    };
    let key = LineKey { topic: name.to_owned(), line };
    // Guarded, so that nobody passes a message that is just being kept. Only groups can have a line already.
    let before = if message.number.is_some() { tx.get(&key).await?.map_or(0, |count| count.0) } else { 0 };
    let number = message.number.unwrap_or_default();
    let kept = Kept { generation: topic.generation, published_at: tx.now(), trace: tx.trace(), message };
    let mut part = FanOut { topic: key.topic.clone(), line: key.line.clone(), after: None };
    if before == 0 && serve(tx, topic, &kept, &mut part, room).await? {
        return Ok(());
    }
    tx.put(&KeptKey { topic: part.topic.clone(), line: part.line.clone(), number }, &kept)?;
    tx.put(&key, &Number(before + 1))?;
    if before == 0 { go_on(tx, &part, kept.trace) } else { Ok(()) }
}

/// Which line, and the subscription that the first message in it was given last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FanOut {
    topic: String,
    line: String,
    after: Option<Uuid>,
}

/// The next part of the first message in a line.
pub(crate) async fn fan_out(tx: &mut Tx, mut part: FanOut) -> Result<()> {
    let line = LineKey { topic: part.topic.clone(), line: part.line.clone() };
    let mut rows = tx.scan::<KeptKey>(Parts::of(&part.topic).and(&part.line), 2).await?.into_iter();
    let Some((key, kept)) = rows.next() else {
        tx.delete(&line);
        return Ok(());
    };
    let topic = tx.peek(&TopicKey { name: part.topic.clone() }).await?;
    let done = match topic.filter(|topic| topic.generation == kept.generation) {
        Some(topic) => match serve(tx, &topic, &kept, &mut part, &mut Room::default()).await {
            // What is taken for a loop ends here; what stands behind it in the line does not.
            Err(Error::Fault(fault)) if fault.code == "RecursiveInvocationException" => true,
            served => served?,
        },
        None => true,
    };
    if !done {
        return go_on(tx, &part, tx.trace());
    }
    tx.delete(&key);
    // Guarded: somebody may take his place in the line just now.
    let waiting = tx.get(&line).await?.map_or(0, |count| count.0.saturating_sub(1));
    match rows.next() {
        Some((_, next)) => {
            tx.put(&line, &Number(waiting))?;
            go_on(tx, &FanOut { after: None, ..part }, next.trace)
        }
        None => {
            tx.delete(&line);
            Ok(())
        }
    }
}

/// In the topic's account, and in a lane of its own: no two parts share a commit.
fn go_on(tx: &mut Tx, part: &FanOut, trace: TraceCx) -> Result<()> {
    let scope = tx.scope().clone();
    let task = NewTask {
        caller: Some(tx.caller().as_service("sns.amazonaws.com", scope.account, scope.region)),
        trace: Some(trace),
        lane: Some(format!("{}/{}", part.topic, part.line)),
        note: Some("the next subscriptions".to_owned()),
        ..NewTask::new(Call::new(crate::NAME, FAN_OUT, part)?)
    };
    tx.go_on(tx.now(), task)?;
    Ok(())
}

/// Gives the message to the subscriptions that follow in the order of their ids. Whether that were all.
async fn serve(tx: &mut Tx, topic: &Topic, kept: &Kept, part: &mut FanOut, room: &mut Room) -> Result<bool> {
    let topic_arn = topic::arn(tx, &part.topic);
    loop {
        let rows = page(tx, part).await?;
        let is_last = rows.len() < PAGE;
        for (key, subscription) in rows {
            if room.0 == 0 {
                return Ok(false);
            }
            let sent = Sent { topic_arn: &topic_arn, topic, message: &kept.message, at: kept.published_at };
            let bytes = deliver::give(tx, &sent, key.id, &subscription)?;
            room.0 = room.0.saturating_sub(bytes);
            part.after = Some(key.id);
        }
        if is_last {
            return Ok(true);
        }
    }
}

async fn page(tx: &mut Tx, part: &FanOut) -> Result<Vec<(SubscriptionKey, Subscription)>> {
    let parts = Parts::of(&part.topic);
    match part.after {
        None => tx.scan(parts, PAGE).await,
        Some(id) => {
            let after = SubscriptionKey { topic: part.topic.clone(), id };
            tx.scan_after(parts, &after, PAGE, Direction::Forward).await
        }
    }
}
