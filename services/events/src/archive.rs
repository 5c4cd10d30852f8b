//! Archives: what is kept of a bus's events beyond a day, and how it is counted.
//!
//! An event enters an archive in the commit that takes it, by a rule that EventBridge manages for the archive. Nothing
//! here holds more than a page of events in memory.

use std::time::Duration;

use base::{Arn, Timestamp};
use kernel::{Call, Direction, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::event::NewEvent;
use crate::keys::{Archive, ArchiveKey, ArchivedKey, RuleKey, Tally, TallyKey};
use crate::managed;
use crate::rule;

/// The internal operation that removes the events of an archive that is gone.
pub(crate) const EMPTY: &str = "EmptyArchive";

/// Who manages the rules of archives.
pub(crate) const MANAGER: &str = "prod.vhs.events.aws.internal";

/// Parts that an archive's counts are spread over. Events that come at once rarely meet on one.
const SLOTS: u64 = 256;
/// Events removed in one transaction.
const PAGE: usize = 200;
/// Events read at once.
const CHUNK: usize = 20;
/// A page is not longer than this, but for its last event.
const PAGE_BYTES_MAX: usize = 4 * 1_048_576;

/// The name in an archive's ARN.
pub(crate) fn name_of(arn: &Arn) -> Option<&str> {
    arn.resource.strip_prefix("archive/").filter(|_| arn.service == "events")
}

/// The archive's ARN in the transaction's scope.
pub(crate) fn arn(tx: &Tx, name: &str) -> String {
    Arn::new("events", &tx.scope().region, &tx.scope().account, format!("archive/{name}")).to_string()
}

/// The rule that fills the archive.
pub(crate) fn rule_key(bus: &str, name: &str) -> RuleKey {
    RuleKey { bus: bus.to_owned(), name: format!("Events-Archive-{name}") }
}

/// The rule's pattern: the archive's own, and nothing that comes out of an archive.
pub(crate) fn rule_pattern(own: Option<&str>) -> Result<String> {
    let mut pattern: serde_json::Map<String, serde_json::Value> = match own {
        Some(text) => serde_json::from_str(text)?,
        None => serde_json::Map::new(),
    };
    pattern.insert("replay-name".to_owned(), serde_json::json!([{ "exists": false }]));
    Ok(serde_json::to_string(&pattern)?)
}

/// Writes the rule that fills the archive.
pub(crate) async fn put_rule(tx: &mut Tx, name: &str, archive: &Archive) -> Result<()> {
    let arn = arn(tx, name);
    let target = crate::api::Target { id: name.to_owned(), arn, ..crate::api::Target::default() };
    let pattern = rule_pattern(archive.pattern.as_deref())?;
    let key = rule_key(&archive.bus, name);
    managed::write(tx, &key, MANAGER, Some(pattern), None, vec![target]).await
}

/// Adds an event.
pub(crate) async fn add(tx: &mut Tx, space: u64, event: &NewEvent, envelope: &str) -> Result<()> {
    let key = ArchivedKey { space, time: event.time, id: event.id, salt: tx.random() };
    tx.put(&key, &envelope.to_owned())?;
    let slot = TallyKey { space, slot: tx.random() % SLOTS };
    let tally = tx.get(&slot).await?.unwrap_or_default();
    let bytes = i64::try_from(envelope.len()).unwrap_or(i64::MAX);
    tx.put(&slot, &Tally { events: tally.events + 1, bytes: tally.bytes.saturating_add(bytes) })
}

/// How many events the archive has, and their bytes.
pub(crate) async fn count(tx: &mut Tx, space: u64) -> Result<Tally> {
    let parts = tx.scan::<TallyKey>(Parts::of(&space), SLOTS as usize).await?;
    Ok(parts.into_iter().fold(Tally::default(), |sum, (_, part)| Tally {
        events: sum.events + part.events,
        bytes: sum.bytes.saturating_add(part.bytes),
    }))
}

/// A page of events of the times from `from` until before `until`, oldest first, and whether more follow. It ends at
/// `limit` events, or earlier when they are large; where it does, perhaps nothing follows.
pub(crate) async fn page(
    tx: &mut Tx,
    space: u64,
    after: Option<ArchivedKey>,
    (from, until): (Timestamp, Timestamp),
    limit: usize,
) -> Result<(Vec<(ArchivedKey, String)>, bool)> {
    let parts = Parts::of(&space);
    let (mut rows, mut bytes, mut last) = (Vec::new(), 0, after);
    loop {
        let chunk = match &last {
            Some(last) => tx.scan_after(parts.clone(), last, CHUNK, Direction::Forward).await?,
            None => {
                let from = Some(parts.clone().and(&from));
                tx.scan_between::<ArchivedKey>(parts.clone(), from, None, CHUNK, Direction::Forward).await?
            }
        };
        let full = chunk.len() == CHUNK;
        for (key, envelope) in chunk {
            if key.time >= until {
                return Ok((rows, false));
            }
            bytes += envelope.len();
            last = Some(key.clone());
            rows.push((key, envelope));
            if bytes >= PAGE_BYTES_MAX {
                return Ok((rows, true));
            }
        }
        if !full || rows.len() >= limit {
            return Ok((rows, full));
        }
    }
}

/// Removes a page of what is older than the archive's retention. Returns whether there is more.
pub(crate) async fn expire(tx: &mut Tx, archive: &Archive) -> Result<bool> {
    if archive.retention_days == 0 {
        return Ok(false);
    }
    let before = tx.now() - Duration::from_secs(u64::from(archive.retention_days) * 86_400);
    remove(tx, archive.space, before).await
}

async fn remove(tx: &mut Tx, space: u64, before: Timestamp) -> Result<bool> {
    let (rows, more) = page(tx, space, None, (Timestamp::from_millis(i64::MIN), before), PAGE).await?;
    if rows.is_empty() {
        return Ok(false);
    }
    let slot = TallyKey { space, slot: tx.random() % SLOTS };
    let mut tally = tx.get(&slot).await?.unwrap_or_default();
    for (key, envelope) in &rows {
        tx.delete(key);
        tally.events -= 1;
        tally.bytes -= i64::try_from(envelope.len()).unwrap_or(0);
    }
    tx.put(&slot, &tally)?;
    Ok(more)
}

/// Names the space whose events are to be removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EmptyArchive {
    space: u64,
}

/// Has the events of an archive removed, page by page.
pub(crate) fn empty_later(tx: &mut Tx, space: u64) -> Result<()> {
    let call = Call::new("events", EMPTY, &EmptyArchive { space })?;
    tx.enqueue_quietly(tx.now(), NewTask::new(call))?;
    Ok(())
}

pub(crate) async fn empty_archive(tx: &mut Tx, input: EmptyArchive) -> Result<()> {
    if remove(tx, input.space, Timestamp::MAX).await? {
        return empty_later(tx, input.space);
    }
    for (key, _) in tx.scan::<TallyKey>(Parts::of(&input.space), SLOTS as usize).await? {
        tx.delete(&key);
    }
    Ok(())
}

/// Removes the archive with its rule; a user's rule that took the name of one removed by force stays.
pub(crate) async fn delete(tx: &mut Tx, name: &str, archive: &Archive) -> Result<()> {
    let key = rule_key(&archive.bus, name);
    if let Some(before) = tx.get(&key).await?.filter(|rule| rule.managed_by.as_deref() == Some(MANAGER)) {
        rule::remove(tx, &key, &before).await?;
    }
    tx.delete(&ArchiveKey { name: name.to_owned() });
    empty_later(tx, archive.space)
}
