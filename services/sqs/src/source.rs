//! A queue as a source: how those who receive for others wait until there is something to receive.

use std::time::Duration;

use base::Arn;
use kernel::{NextAsked, NextKnown, Parts, Result, SourceKind, Tx, Watched};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::{HeadKey, MessageKey, ReadyKey};
use crate::queue::{find, is_fifo};

/// The internal operation that says when a message becomes visible by itself.
pub(crate) const NEXT: &str = "NextVisible";

/// The internal operation that says what caused messages, for those who receive for others.
pub(crate) const CAUSES: &str = "FindCauses";

/// How soon to look again for what somebody else is about to take or to give back.
const SOON: Duration = Duration::from_secs(1);

/// Queues by their ARN.
pub(crate) const QUEUE: SourceKind = SourceKind {
    service: "sqs",
    name: "SQS queue",
    serves: |arn| !arn.resource.contains(['/', ':']),
    watched,
    next: Some(NEXT),
};

fn watched(arn: &Arn) -> Watched {
    let queue = Parts::of(&arn.resource);
    if is_fifo(&arn.resource) { Watched::rows::<ReadyKey>(queue) } else { Watched::rows::<HeadKey>(queue) }
}

/// When the first message that is in flight or delayed becomes visible.
pub(crate) async fn next_visible(tx: &mut Tx, asked: NextAsked) -> Result<NextKnown> {
    let (name, _) = find(tx, &asked.source).await?;
    let queue = Parts::of(&name);
    let at = if is_fifo(&name) {
        tx.scan_head::<ReadyKey>(queue, 1).await?.first().map(|(key, ())| key.ready_at)
    } else {
        tx.scan_head::<HeadKey>(queue, 1).await?.first().map(|(key, _)| key.visible_at)
    };
    let soon = tx.now() + SOON;
    Ok(NextKnown { at: at.map(|at| if at <= tx.now() { soon } else { at }) })
}

/// The input of [`CAUSES`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Asked {
    /// The queue's URL, ARN or name.
    pub(crate) queue: String,
    /// Ids of messages that are in it.
    pub(crate) message_ids: Vec<Uuid>,
}

/// For each message a trace header; `None` for one that is gone.
pub(crate) async fn find_causes(tx: &mut Tx, asked: Asked) -> Result<Vec<Option<String>>> {
    let (queue, _) = find(tx, &asked.queue).await?;
    let mut causes = Vec::with_capacity(asked.message_ids.len());
    for id in asked.message_ids {
        let message = tx.peek(&MessageKey { queue: queue.clone(), id }).await?;
        causes.push(message.and_then(|message| message.cause).map(|cause| cause.to_header()));
    }
    Ok(causes)
}
