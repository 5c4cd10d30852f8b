//! Events and earlier versions of rules are kept for a day, archived events for their archive's retention.

use std::time::Duration;

use base::Timestamp;
use kernel::{Call, Direction, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::archive;
use crate::bus;
use crate::keys::{Accepted, ArchiveKey, BusKey, EventKey, PastRuleKey, PlaceKey, SweepKey};

/// The internal operation that removes what is too old.
pub(crate) const SWEEP: &str = "SweepEvents";

/// The internal operation that removes what is kept of a bus that is gone.
pub(crate) const FORGET: &str = "ForgetBus";

/// How long events and past rules are kept.
pub(crate) const RETENTION: Duration = Duration::from_secs(86_400);
/// The time between two sweeps.
const EVERY: Duration = Duration::from_secs(3_600);
/// Rows removed in one transaction.
const PAGE: usize = 100;
/// Archives looked at in one sweep.
const ARCHIVES_MAX: usize = 1_000;
/// Buses looked at in one sweep.
const BUSES_MAX: usize = 1_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sweep {
    /// The bus whose turn it is; all of them one after the other.
    bus: String,
}

/// Schedules the sweep of an account and region, once.
pub(crate) async fn ensure(tx: &mut Tx) -> Result<()> {
    if tx.version_of(&SweepKey {}).await?.is_some() {
        return Ok(());
    }
    if tx.get(&SweepKey {}).await?.is_none() {
        tx.put(&SweepKey {}, &())?;
        enqueue(tx, EVERY, bus::DEFAULT.to_owned())?;
    }
    Ok(())
}

fn enqueue(tx: &mut Tx, wait: Duration, bus: String) -> Result<()> {
    let due = tx.now() + wait;
    let scope = tx.scope().clone();
    let caller = tx.caller().as_service("events.amazonaws.com", scope.account, scope.region);
    let call = Call::new("events", SWEEP, &Sweep { bus })?;
    tx.enqueue_quietly(due, NewTask { caller: Some(caller), ..NewTask::new(call) })?;
    Ok(())
}

pub(crate) async fn sweep(tx: &mut Tx, sweep: Sweep) -> Result<()> {
    let before = tx.now() - RETENTION;
    let events = tx.scan::<EventKey>(Parts::of(&sweep.bus), PAGE).await?;
    let old_events = events.into_iter().take_while(|(_, event)| event.at < before);
    let mut removed = 0;
    for (key, event) in old_events {
        remove(tx, &key, &event);
        removed += 1;
    }
    removed = removed.max(past_rules(tx, &sweep.bus, before).await?);
    if removed == PAGE || archives(tx, &sweep.bus).await? {
        return enqueue(tx, Duration::ZERO, sweep.bus);
    }
    match next_bus(tx, &sweep.bus).await? {
        Some(next) => enqueue(tx, Duration::ZERO, next),
        None => enqueue(tx, EVERY, bus::DEFAULT.to_owned()),
    }
}

/// Removes a page of what is too old from every archive of the bus. Returns whether one has more.
async fn archives(tx: &mut Tx, bus: &str) -> Result<bool> {
    let mut more = false;
    for (_, archive) in tx.scan::<ArchiveKey>(Parts::none(), ARCHIVES_MAX).await? {
        more |= archive.bus == bus && archive::expire(tx, &archive).await?;
    }
    Ok(more)
}

/// Names a bus that is gone, and when it went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ForgetBus {
    bus: String,
    before: Timestamp,
}

/// Has what is kept of a bus that is deleted now removed, page by page; a new bus of its name begins empty.
pub(crate) fn forget_later(tx: &mut Tx, bus: &str) -> Result<()> {
    let before = tx.now() + Duration::from_millis(1);
    forget_on(tx, ForgetBus { bus: bus.to_owned(), before })
}

fn forget_on(tx: &mut Tx, input: ForgetBus) -> Result<()> {
    let scope = tx.scope().clone();
    let caller = tx.caller().as_service("events.amazonaws.com", scope.account, scope.region);
    let call = Call::new("events", FORGET, &input)?;
    tx.enqueue_quietly(tx.now(), NewTask { caller: Some(caller), ..NewTask::new(call) })?;
    Ok(())
}

pub(crate) async fn forget_bus(tx: &mut Tx, input: ForgetBus) -> Result<()> {
    let events = tx.scan::<EventKey>(Parts::of(&input.bus), PAGE).await?;
    let full = events.len() == PAGE;
    let old: Vec<_> = events.into_iter().take_while(|(_, event)| event.at < input.before).collect();
    let more = full && old.len() == PAGE;
    old.iter().for_each(|(key, event)| remove(tx, key, event));
    let rules = past_rules(tx, &input.bus, input.before).await?;
    if more || rules == PAGE { forget_on(tx, input) } else { Ok(()) }
}

fn remove(tx: &mut Tx, key: &EventKey, event: &Accepted) {
    if let Some(id) = event.id {
        tx.delete(&PlaceKey { bus: key.bus.clone(), id, place: key.place });
    }
    tx.delete(key);
}

async fn past_rules(tx: &mut Tx, bus: &str, before: Timestamp) -> Result<usize> {
    let parts = Parts::of(bus);
    let until = parts.clone().and(&before);
    let old = tx.scan_between::<PastRuleKey>(parts, None, Some(until), PAGE, Direction::Forward).await?;
    old.iter().for_each(|(key, _)| tx.delete(key));
    Ok(old.len())
}

/// The default bus comes first, then the others by name.
async fn next_bus(tx: &mut Tx, bus: &str) -> Result<Option<String>> {
    let buses = tx.scan::<BusKey>(Parts::none(), BUSES_MAX).await?;
    let mut names = buses.into_iter().map(|(key, _)| key.name).filter(|name| name != bus::DEFAULT);
    Ok(if bus == bus::DEFAULT { names.next() } else { names.find(|name| name.as_str() > bus) })
}
