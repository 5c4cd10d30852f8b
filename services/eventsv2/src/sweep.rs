//! What is old is forgotten: events by their bus's retention, duplicates after five minutes, groups and client tokens after a
//! day. Each bus has a sweep of its own, which ends with it.

use std::time::Duration;

use kernel::{Call, Direction, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use store::log::Position;

use crate::keys::{BodyKey, BusKey, FadeKey, Group, GroupKey, LogKey, Record, SeenKey, Token, TokenKey};
use crate::publish::SEEN;
use crate::{NAME, PRINCIPAL, token};

/// The internal operation that removes what is too old of a bus, or all of one that is gone.
pub(crate) const SWEEP: &str = "SweepBus";

/// The time between two sweeps.
const EVERY: Duration = Duration::from_secs(3_600);
/// How long a group that nobody publishes to is remembered. Its numbers go on with the time.
const GROUP_KEPT: Duration = Duration::from_secs(86_400);
/// Rows of a kind removed in one transaction.
const PAGE: usize = 100;
/// Rows looked at that may all be young.
const LOOKED_AT: usize = 500;

/// Which bus.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sweep {
    pub name: String,
    pub id: String,
    /// The group that was looked at last, if not all were.
    #[serde(default)]
    pub group: Option<String>,
}

/// Has a bus swept in an hour.
pub(crate) fn begin(tx: &mut Tx, name: &str, id: &str) -> Result<()> {
    later(tx, Sweep { name: name.to_owned(), id: id.to_owned(), group: None }, EVERY)
}

/// Has what is left of a bus that is gone removed.
pub(crate) fn forget(tx: &mut Tx, name: &str, id: &str) -> Result<()> {
    later(tx, Sweep { name: name.to_owned(), id: id.to_owned(), group: None }, Duration::ZERO)
}

fn later(tx: &mut Tx, sweep: Sweep, wait: Duration) -> Result<()> {
    let scope = tx.scope().clone();
    let caller = Some(tx.caller().as_service(PRINCIPAL, scope.account, scope.region));
    let (due, call) = (tx.now() + wait, Call::new(NAME, SWEEP, &sweep)?);
    tx.enqueue_quietly(due, NewTask { caller, ..NewTask::new(call) })?;
    Ok(())
}

pub(crate) async fn sweep(tx: &mut Tx, sweep: Sweep) -> Result<()> {
    let now = tx.now();
    let bus = tx.peek(&BusKey { name: sweep.name.clone() }).await?.filter(|bus| bus.id == sweep.id);
    let days = bus.as_ref().map(|bus| Duration::from_secs(u64::from(bus.retention_days) * 86_400));
    let mut more = events(tx, &sweep.id, days.map(|kept| now - kept)).await?;
    more |= duplicates(tx, &sweep.id, bus.as_ref().map(|_| now - SEEN)).await?;
    let group = groups(tx, &sweep, bus.as_ref().map(|_| now - GROUP_KEPT)).await?;
    more |= group.is_some();
    tokens(tx, now - token::KEPT).await?;
    let next = Sweep { group, ..sweep };
    match (more, bus) {
        (true, _) => later(tx, next, Duration::ZERO),
        (false, Some(_)) => later(tx, next, EVERY),
        (false, None) => Ok(()),
    }
}

/// Removes a page of the log that is older than `before`, or of all of it. Returns whether there is more.
async fn events(tx: &mut Tx, bus: &str, before: Option<base::Timestamp>) -> Result<bool> {
    let log = LogKey { bus: bus.to_owned() };
    let page = tx.read_log(&log, Position::default(), PAGE, Direction::Forward).await?;
    let full = page.len() == PAGE;
    let is_old = |record: &Record| before.is_none_or(|before| record.at < before);
    let mut all = true;
    for (position, record) in page {
        if !is_old(&record) {
            all = false;
            break;
        }
        if record.event.is_none() {
            tx.delete(&BodyKey { bus: bus.to_owned(), id: record.id });
        }
        tx.trim(&log, position);
    }
    Ok(full && all)
}

async fn duplicates(tx: &mut Tx, bus: &str, before: Option<base::Timestamp>) -> Result<bool> {
    let parts = Parts::of(bus);
    let until = before.map(|before| parts.clone().and(&before));
    let old = tx.scan_between::<FadeKey>(parts, None, until, PAGE, Direction::Forward).await?;
    for (key, ()) in &old {
        let seen = SeenKey { bus: bus.to_owned(), key: key.key.clone() };
        // It may have been seen again since.
        if tx.get(&seen).await?.is_some_and(|seen| seen.at <= key.at) {
            tx.delete(&seen);
        }
        tx.delete(key);
    }
    Ok(old.len() == PAGE)
}

/// Removes old groups of a page; returns the last group of the page if there are more.
async fn groups(tx: &mut Tx, sweep: &Sweep, before: Option<base::Timestamp>) -> Result<Option<String>> {
    let parts = Parts::of(&sweep.id);
    let page: Vec<(GroupKey, Group)> = match &sweep.group {
        None => tx.scan(parts, LOOKED_AT).await?,
        Some(group) => {
            let after = GroupKey { bus: sweep.id.clone(), group: group.clone() };
            tx.scan_after(parts, &after, LOOKED_AT, Direction::Forward).await?
        }
    };
    let last = page.last().filter(|_| page.len() == LOOKED_AT).map(|(key, _)| key.group.clone());
    for (key, group) in page {
        if before.is_none_or(|before| group.at < before) {
            // Guarded: somebody may publish to it now.
            tx.get(&key).await?;
            tx.delete(&key);
        }
    }
    Ok(last)
}

async fn tokens(tx: &mut Tx, before: base::Timestamp) -> Result<()> {
    let page: Vec<(TokenKey, Token)> = tx.scan(Parts::none(), LOOKED_AT).await?;
    for (key, token) in page {
        if token.at < before {
            tx.delete(&key);
        }
    }
    Ok(())
}
