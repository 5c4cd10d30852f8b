//! What happened and why: a record with every commit that matters, bound to its chain of causes.

use std::time::Duration;

use base::{Document, Fault, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::key::Parts;
use crate::task::Exhausted;
use crate::tx::Tx;
use crate::{Result, keys};

/// One commit in a chain of causes: a call, or an attempt of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Names the span in its chain.
    #[serde(rename = "s")]
    pub id: u64,
    /// The span that caused it; 0 at the root.
    #[serde(rename = "p")]
    pub parent: u64,
    /// When it began.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// How long it took, in microseconds; known for attempts outside the store.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub took_us: Option<u64>,
    /// `service:Operation`.
    #[serde(rename = "o")]
    pub operation: String,
    /// In whose name.
    #[serde(rename = "w")]
    pub principal: String,
    /// The task that was tried, and how it ended.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// What the handler says of it.
    #[serde(rename = "n", default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Tasks enqueued by it: what must follow.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub enqueued: Vec<Enqueued>,
}
store::stored!(Span, format = 1);

/// A fact about a span, e.g. an event that was accepted, a rule that matched, an item that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// What kind of fact: `event`, `matched`, `item`, `execution`, …
    #[serde(rename = "k")]
    pub kind: String,
    /// What it is about: an event id, an ARN, a key.
    #[serde(rename = "s")]
    pub subject: String,
    /// More, for the reader.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Document>,
    /// Whether the chain is found by the subject.
    #[serde(rename = "f", default)]
    pub found_by: bool,
}

/// How an attempt of a task ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The task.
    #[serde(rename = "i")]
    pub task: Uuid,
    /// `service:Operation` of the task.
    #[serde(rename = "o")]
    pub operation: String,
    /// 1 is the first.
    #[serde(rename = "n")]
    pub number: u32,
    /// What the task is for, e.g. the rule.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it goes: the lane, i.e. the target's ARN.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The outcome.
    #[serde(rename = "e")]
    pub end: AttemptEnd,
}

/// The only ways in which an attempt ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AttemptEnd {
    /// Delivered.
    Delivered,
    /// Failed; the next attempt is due then.
    Retrying {
        /// Why it failed.
        fault: Fault,
        /// When the next attempt is due.
        next: Timestamp,
    },
    /// Failed for good.
    GivenUp {
        /// Why the last attempt failed.
        fault: Fault,
        /// Why there is no further one.
        because: Exhausted,
        /// The dead letter's destination, if there is one.
        dead_letter: Option<String>,
    },
}

/// A task that a span enqueued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enqueued {
    /// The task.
    #[serde(rename = "i")]
    pub task: Uuid,
    /// `service:Operation`.
    #[serde(rename = "o")]
    pub operation: String,
    /// Where it goes.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What it is for.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it is due.
    #[serde(rename = "t")]
    pub due: Timestamp,
}

keys! {
    /// A span, beside the others of its chain. Roots are ordered by time, so that old chains are at the front.
    pub struct SpanKey(1) -> Span { root: Uuid, span: u64 }
    /// The chain that a subject belongs to, for subjects that are no root themselves.
    pub struct SubjectKey(2) -> () { subject: String, root: Uuid }
}

/// How long spans are kept.
pub const RETENTION: Duration = Duration::from_secs(7 * 86_400);
/// The most spans of one chain that are shown.
pub const SPANS_MAX: usize = 5_000;

/// A chain of causes as stored, in the order of its spans' ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// What the chain's spans have in common.
    pub root: Uuid,
    /// The spans, oldest first.
    pub spans: Vec<Span>,
}

/// The chains that `id` belongs to: a root (request id or event id) or a subject (an execution's ARN, …), newest first.
pub async fn find(tx: &mut Tx, id: &str) -> Result<Vec<Chain>> {
    let mut roots = Vec::new();
    if let Ok(root) = Uuid::parse_str(id) {
        roots.push(root);
    }
    for (key, _) in tx.scan::<SubjectKey>(Parts::of(id), 20).await? {
        if !roots.contains(&key.root) {
            roots.push(key.root);
        }
    }
    let mut chains = Vec::new();
    for root in roots {
        let rows = tx.scan::<SpanKey>(Parts::of(&root), SPANS_MAX).await?;
        if !rows.is_empty() {
            let mut spans: Vec<Span> = rows.into_iter().map(|(_, span)| span).collect();
            spans.sort_by_key(|span| span.at);
            chains.push(Chain { root, spans });
        }
    }
    Ok(chains)
}

/// Removes at most `limit` spans of chains that began before `before`; how many it removed.
pub async fn sweep(tx: &mut Tx, before: Timestamp, limit: usize) -> Result<usize> {
    let rows = tx.scan::<SpanKey>(Parts::none(), limit).await?;
    let mut removed = 0;
    for (key, span) in rows {
        if root_time(key.root) >= before {
            break;
        }
        for note in span.notes.iter().filter(|note| note.found_by) {
            tx.delete(&SubjectKey { subject: note.subject.clone(), root: key.root });
        }
        tx.delete(&key);
        removed += 1;
    }
    Ok(removed)
}

/// The millisecond in a version 7 id; other ids count as the epoch.
fn root_time(root: Uuid) -> Timestamp {
    let ms = root.get_timestamp().map_or(0, |t| {
        let (secs, nanos) = t.to_unix();
        secs.saturating_mul(1000).saturating_add(u64::from(nanos / 1_000_000))
    });
    Timestamp::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
}
