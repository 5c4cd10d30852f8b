//! An event comes to a bus: it is appended to the bus's log, and the subscribers that want it are told to read on. Who
//! publishes delivers nothing: the log is the only truth, and a subscriber's cursor says what it has had of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use kernel::{Call, NewTask, Result, TraceCx, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::NAME;
use crate::cache::{Cache, Compiled};
use crate::event::{self, Delivered, NewEvent, system};
use crate::keys::{BodyKey, FadeKey, Group, GroupKey, LogKey, Logged, Record, Seen, SeenKey};
use crate::ops::pump::{PUMP, Pump};

/// How long an event makes others its duplicates.
pub(crate) const SEEN: Duration = Duration::from_secs(300);
/// Larger events have rows of their own: a record of a log is one row of the store.
const INLINE_BYTES_MAX: usize = 60_000;

/// What the publisher of an event is told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub id: Uuid,
    pub sequence: Option<String>,
    /// Whether it is a duplicate of an event that came before.
    pub duplicate: bool,
}

/// The events of one request on their way to a bus.
pub(crate) struct Publisher {
    bus: String,
    running: Arc<Compiled>,
    /// The numbers of the subscribers that want one of them.
    wanted: BTreeSet<usize>,
}

impl Publisher {
    /// For the bus of this id, which is there.
    pub(crate) async fn open(tx: &mut Tx, bus: &str) -> Result<Publisher> {
        let cache = tx.state::<Cache>()?;
        let running = cache.running(tx, bus).await?;
        Ok(Publisher { bus: bus.to_owned(), running, wanted: BTreeSet::new() })
    }

    /// Takes an event, unless it is a duplicate.
    pub(crate) async fn take(&mut self, tx: &mut Tx, event: NewEvent, trace: TraceCx) -> Result<Told> {
        let duplicate_key = event.duplicate_key();
        if let Some(key) = &duplicate_key
            && let Some(seen) = self.seen(tx, key).await?
        {
            return Ok(Told { id: seen.id, sequence: seen.sequence, duplicate: true });
        }
        let sequence = match event.system.get(system::GROUP) {
            Some(group) => Some(next_number(tx, &self.bus, group).await?),
            None => None,
        };
        let (id, now) = (event.id, tx.now());
        if let Some(key) = duplicate_key {
            let seen = Seen { at: now, id, sequence: sequence.clone() };
            tx.put(&SeenKey { bus: self.bus.clone(), key: key.clone() }, &seen)?;
            tx.put(&FadeKey { bus: self.bus.clone(), at: now, key }, &())?;
        }
        let logged = event::logged(event, now, sequence.clone(), trace);
        let wanted = self.matching(&logged)?;
        self.remember(tx, id, &logged, &wanted);
        self.wanted.extend(wanted);
        let mut record = Record { id, at: now, event: None };
        if logged.bytes() > INLINE_BYTES_MAX {
            tx.put(&BodyKey { bus: self.bus.clone(), id }, &logged)?;
        } else {
            record.event = Some(logged);
        }
        tx.append(&LogKey { bus: self.bus.clone() }, &record)?;
        Ok(Told { id, sequence, duplicate: false })
    }

    /// Tells the subscribers that want what was taken.
    pub(crate) fn close(self, tx: &mut Tx) -> Result<()> {
        self.wanted.iter().try_for_each(|number| {
            let running = &self.running.list[*number];
            read_on(tx, &running.name, &running.id, tx.now())
        })
    }

    async fn seen(&self, tx: &mut Tx, key: &str) -> Result<Option<Seen>> {
        let now = tx.now();
        let found = tx.get(&SeenKey { bus: self.bus.clone(), key: key.to_owned() }).await?;
        Ok(found.filter(|seen| seen.at + SEEN > now))
    }

    /// The numbers of the subscribers that want the event.
    fn matching(&self, logged: &Logged) -> Result<BTreeSet<usize>> {
        let mut matched = Vec::new();
        if !self.running.filtered.is_empty() {
            self.running
                .filtered
                .matches_json(logged.document(Delivered::Live), &mut matched)
                .map_err(|invalid| kernel::Error::bug(format!("match an event: {invalid:?}")))?;
        }
        Ok(matched.into_iter().chain(self.running.unfiltered.iter().copied()).collect())
    }

    /// Says on the trace what became of the event.
    fn remember(&self, tx: &mut Tx, id: Uuid, logged: &Logged, wanted: &BTreeSet<usize>) {
        let names: Vec<&str> = wanted.iter().map(|n| self.running.list[*n].name.as_str()).collect();
        let detail = json!({
            "source": logged.system(system::SOURCE), "detail-type": logged.system(system::DETAIL_TYPE),
            "bus": self.bus, "account": tx.scope().account, "region": tx.scope().region, "subscribers": names,
        });
        tx.note("event", &id.to_string(), Some(detail));
    }
}

/// Has a subscriber read its bus's log from where it stopped.
pub(crate) fn read_on(tx: &mut Tx, name: &str, id: &str, due: Timestamp) -> Result<()> {
    let task = reading(tx, name, id)?;
    tx.enqueue(due, task)?;
    Ok(())
}

/// The task by which a subscriber reads; those of one subscriber run one after the other.
pub(crate) fn reading(tx: &Tx, name: &str, id: &str) -> Result<NewTask> {
    let scope = tx.scope().clone();
    let call = Call::new(NAME, PUMP, &Pump { name: name.to_owned(), id: id.to_owned() })?;
    Ok(NewTask {
        order: Some(format!("pump|{id}")),
        note: Some(format!("subscriber {name}")),
        caller: Some(tx.caller().as_service(crate::PRINCIPAL, scope.account, scope.region)),
        ..NewTask::new(call)
    })
}

/// The next sequence number of an event group. It never falls, also when the group was forgotten in between.
async fn next_number(tx: &mut Tx, bus: &str, group: &str) -> Result<String> {
    let key = GroupKey { bus: bus.to_owned(), group: group.to_owned() };
    let last = tx.get(&key).await?.map_or(0, |group| group.last);
    let floor = u64::try_from(tx.now().as_millis()).unwrap_or(0).saturating_mul(1_000_000);
    let next = last.saturating_add(1).max(floor);
    tx.put(&key, &Group { last: next, at: tx.now() })?;
    Ok(format!("{next:020}"))
}
