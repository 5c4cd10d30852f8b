//! The transaction that a handler sees, and nothing else: reads at one version, writes that all become true together.

mod at_once;
mod span;

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base::Timestamp;
use bytes::Bytes;
use store::chunk;
use store::engine::{Append, Check, Commit, Direction, Expect, KeyRange, Row, Snapshot, Version};
use store::log::Position;
use store::{Stored, due_key};
use uuid::Uuid;

use crate::caller::{Caller, TraceCx};
use crate::event::{self, Event, ServiceEvent};
use crate::housekeeping::UndeliveredKey;
use crate::key::{Key, Parts, Prefix, Scope};
use crate::router::Inner;
use crate::task::{Call, NewTask, Task};
use crate::trace::Note;
use crate::{Error, Result};
use span::new_span;

/// Chains longer than this are loops; what would lengthen them is refused.
pub(crate) const HOPS_MAX: u16 = 256;

/// The name under which the kernel keeps its own rows.
pub(crate) const KERNEL: &str = "kernel";

/// Names an enqueued task, so that it can be cancelled.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TaskHandle(pub(crate) Bytes);

/// What a finished transaction leaves to the runner.
pub(crate) struct NewRow {
    pub key: Bytes,
    pub due: Timestamp,
    /// Rows behind its own, if it is too large for one.
    pub chunks: u32,
    pub task: Arc<Task>,
    /// See [`NewTask::at_once`].
    pub at_once: bool,
}

/// A transaction that is ready to be committed.
pub(crate) struct Finished {
    pub commit: Commit,
    pub tasks: Vec<NewRow>,
    /// Keys of vigils' rows that the commit writes or removes.
    pub vigils: Vec<Bytes>,
    pub reserved: Reservations,
}

/// A transaction. Reads with [`Tx::get`] are guarded: if such a row changes before the commit, the handler runs again.
/// Scans and [`Tx::peek`] are not: an invariant over several rows needs a guard row that its writers touch.
pub struct Tx {
    pub(crate) inner: Arc<Inner>,
    snapshot: Box<dyn Snapshot>,
    pub(crate) service: &'static str,
    caller: Caller,
    now: Timestamp,
    scope: Scope,
    prefix: Prefix,
    /// What this transaction wrote, by full key: `None` is a deletion. `large` values may exceed one row.
    writes: BTreeMap<Bytes, Write>,
    /// About how many bytes they have.
    written: usize,
    reads: HashMap<Bytes, Expect, foldhash::fast::RandomState>,
    /// The oldest version of a row that was read before this transaction's snapshot, by the runner.
    claimed: Option<Version>,
    /// How many chunks stand behind rows that this transaction knows: read, or new.
    chunks: HashMap<Bytes, u32, foldhash::fast::RandomState>,
    appends: Vec<Append>,
    tasks: Vec<NewRow>,
    /// How many tasks were enqueued: gives each its place behind the others.
    enqueued: u64,
    /// How many of `tasks` a span tells of already.
    told: usize,
    /// Keys of vigils' rows that were written or removed.
    pub(crate) vigils: Vec<Bytes>,
    notes: Vec<Note>,
    /// Other chains that get this transaction's span.
    echoes: Vec<TraceCx>,
    span: u64,
    span_extra: Option<(Timestamp, Option<u64>, crate::trace::Attempt)>,
    reserved: Reservations,
}

#[derive(Clone)]
struct Write {
    value: Option<Bytes>,
    large: bool,
}

impl Tx {
    pub(crate) async fn open(inner: &Arc<Inner>, service: &'static str, caller: Caller) -> Result<Tx> {
        let snapshot = inner.engine.snapshot().await?;
        let now = inner.clock.now();
        let scope = Scope { account: caller.account.clone(), region: caller.region.clone() };
        let prefix = Prefix::new(service, &scope);
        let span = new_span(inner, now);
        Ok(Tx {
            inner: Arc::clone(inner),
            snapshot,
            service,
            caller,
            now,
            scope,
            prefix,
            writes: BTreeMap::new(),
            written: 0,
            reads: HashMap::default(),
            claimed: None,
            chunks: HashMap::default(),
            appends: Vec::new(),
            tasks: Vec::new(),
            enqueued: 0,
            told: 0,
            vigils: Vec::new(),
            notes: Vec::new(),
            echoes: Vec::new(),
            span,
            span_extra: None,
            reserved: Reservations { inner: Arc::clone(inner), keys: Vec::new() },
        })
    }

    /// The time of this transaction.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The chain of causes for what this transaction causes.
    pub fn trace(&self) -> TraceCx {
        TraceCx { parent: self.span, ..self.caller.trace }
    }

    /// A fresh id: a UUID version 7.
    pub fn id(&self) -> Uuid {
        self.inner.chance.id(self.now)
    }

    /// 64 random bits.
    pub fn random(&self) -> u64 {
        self.inner.chance.next_u64()
    }

    /// The newest commit that this transaction sees. It rises along every chain of causes, so that it orders rows of which
    /// one was written because of the other.
    pub fn seq(&self) -> u64 {
        self.snapshot.version().0
    }

    /// The service's own state outside the store: caches and the like, given at registration.
    pub fn state<T: Any + Send + Sync>(&self) -> Result<Arc<T>> {
        self.inner.state::<T>(self.service)
    }

    /// The ARN table.
    pub fn targets(&self) -> &crate::target::Targets {
        &self.inner.targets
    }

    /// Where rows are read and written now; at first the caller's account and region.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Reads and writes the rows of another account or region from here on.
    pub fn enter(&mut self, scope: Scope) {
        self.prefix = Prefix::new(self.service, &scope);
        self.scope = scope;
    }

    /// The row under `key`. If it changes before the commit, the handler runs again.
    pub async fn get<K: Key>(&mut self, key: &K) -> Result<Option<K::Value>> {
        Ok(self.get_versioned(key).await?.map(|(value, _)| value))
    }

    /// The row under `key` with the version that wrote it; what this transaction wrote itself has version 0.
    pub async fn get_versioned<K: Key>(&mut self, key: &K) -> Result<Option<(K::Value, Version)>> {
        let full = self.prefix.key(key);
        let Some(row) = self.read(&full, true).await? else { return Ok(None) };
        Ok(Some((K::Value::from_bytes(&row.value)?, row.version)))
    }

    /// The row under `key`, unguarded.
    pub async fn peek<K: Key>(&mut self, key: &K) -> Result<Option<K::Value>> {
        Ok(self.peek_versioned(key).await?.map(|(value, _)| value))
    }

    /// The row under `key` with its version, unguarded: the version tells whether something cached is current.
    pub async fn peek_versioned<K: Key>(&mut self, key: &K) -> Result<Option<(K::Value, Version)>> {
        let full = self.prefix.key(key);
        let Some(row) = self.read(&full, false).await? else { return Ok(None) };
        Ok(Some((K::Value::from_bytes(&row.value)?, row.version)))
    }

    /// The version of the row under `key` without decoding it, unguarded.
    pub async fn version_of<K: Key>(&mut self, key: &K) -> Result<Option<Version>> {
        let full = self.prefix.key(key);
        Ok(self.read(&full, false).await?.map(|row| row.version))
    }

    /// Writes `value` under `key`, whatever stood there.
    pub fn put<K: Key>(&mut self, key: &K, value: &K::Value) -> Result<()> {
        let bytes = value.to_bytes()?;
        self.written += bytes.len();
        self.writes.insert(self.prefix.key(key), Write { value: Some(bytes), large: K::LARGE });
        Ok(())
    }

    /// About how many bytes this transaction writes so far, tasks included. A commit takes 10 MB: what may be more goes out
    /// in several, one after the other ([`Tx::go_on`]).
    pub fn written_bytes(&self) -> usize {
        self.written
    }

    /// Removes the row under `key`, if there is one.
    pub fn delete<K: Key>(&mut self, key: &K) {
        self.writes.insert(self.prefix.key(key), Write { value: None, large: K::LARGE });
    }

    /// The first `limit` rows whose keys begin with `parts`, ascending; this transaction's own writes included.
    pub async fn scan<K: Key>(&mut self, parts: Parts, limit: usize) -> Result<Vec<(K, K::Value)>> {
        self.scan_range(self.prefix.range::<K>(&parts), limit, Direction::Forward).await
    }

    /// The last `limit` rows whose keys begin with `parts`, descending.
    pub async fn scan_back<K: Key>(&mut self, parts: Parts, limit: usize) -> Result<Vec<(K, K::Value)>> {
        self.scan_range(self.prefix.range::<K>(&parts), limit, Direction::Backward).await
    }

    /// The rows below `parts` that follow `after` (ascending) or precede it (descending).
    pub async fn scan_after<K: Key>(
        &mut self,
        parts: Parts,
        after: &K,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(K, K::Value)>> {
        let mut range = self.prefix.range::<K>(&parts);
        let at = self.prefix.key(after);
        match direction {
            Direction::Forward => range.start = [&at[..], &[0]].concat().into(),
            Direction::Backward => range.end = at,
        }
        self.scan_range(range, limit, direction).await
    }

    /// The rows below `parts` that follow `after`, each with the version that wrote it, for [`Tx::guard`].
    pub async fn scan_after_versioned<K: Key>(
        &mut self,
        parts: Parts,
        after: &K,
        limit: usize,
    ) -> Result<Vec<(K, K::Value, Version)>> {
        let mut range = self.prefix.range::<K>(&parts);
        range.start = [&self.prefix.key(after)[..], &[0]].concat().into();
        let rows = self.raw_scan(range, limit, Direction::Forward).await?;
        self.decode_versioned(rows)
    }

    /// The rows below `parts` from those whose keys begin with `from` on (included), up to those that begin with
    /// `until` (excluded) if given. `from` and `until` begin with `parts`.
    pub async fn scan_between<K: Key>(
        &mut self,
        parts: Parts,
        from: Option<Parts>,
        until: Option<Parts>,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(K, K::Value)>> {
        let mut range = self.prefix.range::<K>(&parts);
        if let Some(from) = from {
            range.start = self.prefix.range::<K>(&from).start;
        }
        if let Some(until) = until {
            range.end = self.prefix.range::<K>(&until).start;
        }
        self.scan_range(range, limit, direction).await
    }

    /// Like [`Tx::scan`] over a queue whose head is consumed: skips, as far as this process knows, what is dead.
    ///
    /// Source of the need: an ordered store keeps tombstones at the head of a queue until it compacts.
    pub async fn scan_head<K: Key>(&mut self, parts: Parts, limit: usize) -> Result<Vec<(K, K::Value)>> {
        let rows = self.head_rows::<K>(&parts, limit).await?;
        self.decode_rows(rows)
    }

    /// Like [`Tx::scan_head`], each row with the version that wrote it, for [`Tx::guard`].
    pub async fn scan_head_versioned<K: Key>(
        &mut self,
        parts: Parts,
        limit: usize,
    ) -> Result<Vec<(K, K::Value, Version)>> {
        let rows = self.head_rows::<K>(&parts, limit).await?;
        self.decode_versioned(rows)
    }

    async fn head_rows<K: Key>(&mut self, parts: &Parts, limit: usize) -> Result<Vec<(Bytes, Row)>> {
        let mut range = self.prefix.range::<K>(parts);
        let prefix = range.start.clone();
        let version = self.snapshot.version();
        range.start = self.inner.floor().start(&prefix, version);
        let rows = self.raw_scan(range, limit, Direction::Forward).await?;
        match rows.first() {
            Some((key, _)) => self.inner.floor().saw_first_live(&prefix, key, version),
            None => self.inner.floor().saw_empty(&prefix, version),
        }
        Ok(rows)
    }

    /// Appends `value` to the log below `log`: its position is given at commit, in commit order.
    pub fn append<K: Key>(&mut self, log: &K, value: &K::Value) -> Result<()> {
        self.appends.push(Append { prefix: self.prefix.key(log), value: value.to_bytes()? });
        Ok(())
    }

    /// Records of the log below `log` from `from` on (included, ascending), or before `from` (excluded, descending).
    pub async fn read_log<K: Key>(
        &mut self,
        log: &K,
        from: Position,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Position, K::Value)>> {
        let prefix = self.prefix.key(log);
        let mut range = KeyRange::prefix(prefix.clone());
        let at: Bytes = [&prefix[..], &from.to_bytes()].concat().into();
        match direction {
            Direction::Forward => range.start = at,
            Direction::Backward => range.end = at,
        }
        let rows = self.raw_scan(range, limit, direction).await?;
        rows.iter().map(|(key, row)| Ok((position_of(key)?, K::Value::from_bytes(&row.value)?))).collect()
    }

    /// Removes a record of a log.
    pub fn trim<K: Key>(&mut self, log: &K, position: Position) {
        let key = [&self.prefix.key(log)[..], &position.to_bytes()].concat();
        self.writes.insert(key.into(), Write { value: None, large: K::LARGE });
    }

    /// Guards a row that was scanned: if it is not at `version` when this commits, the handler runs again. Saves the
    /// read that [`Tx::get`] makes.
    pub fn guard<K: Key>(&mut self, key: &K, version: Version) {
        let full = self.prefix.key(key);
        // What this transaction wrote itself, nobody else can change before it commits.
        if !self.writes.contains_key(&full) {
            self.reads.insert(full, Expect::At(version));
        }
    }

    /// Keeps other transactions of this process from taking the same row until this one ends; `false` if one has it.
    /// A hint against conflicts between takers of one queue, never a lock.
    pub fn reserve<K: Key>(&mut self, key: &K) -> bool {
        let full = self.prefix.key(key);
        let free = self.inner.reserve(&full);
        if free {
            self.reserved.keys.push(full);
        }
        free
    }

    /// Enqueues a task that is due at `due`. It exists only if this transaction commits.
    pub fn enqueue(&mut self, due: Timestamp, new: NewTask) -> Result<TaskHandle> {
        let mut caller = new.caller.unwrap_or_else(|| self.caller.clone());
        caller.trace = new.trace.unwrap_or_else(|| self.trace());
        caller.trace.hop = caller.trace.hop.saturating_add(1);
        caller.request_id = self.id();
        if caller.trace.hop > HOPS_MAX {
            let why = format!("the chain of causes is longer than {HOPS_MAX} hops; it is taken for a loop");
            return Err(base::Fault::new("RecursiveInvocationException", why).into());
        }
        let task = Task {
            id: caller.request_id,
            call: new.call,
            caller,
            retry: new.retry,
            dead_letter: new.dead_letter,
            reply: new.reply,
            lane: new.lane,
            order: new.order,
            note: new.note,
            quiet: new.quiet,
            kept: new.kept,
            first_due: due,
            attempts: 0,
            last_fault: None,
        };
        let salt = (self.enqueued << 48) | (self.random() >> 16);
        self.enqueued += 1;
        if new.at_once && due <= self.now {
            return Ok(self.hold_task(due, task, salt));
        }
        self.place_task(due, task, self.seq(), salt)
    }

    /// Keeps among the undelivered what the runner did not see fail: work whose attempts were tasks of their own, the
    /// first of which was due at `since`.
    pub fn keep_undelivered(
        &mut self,
        new: NewTask,
        since: Timestamp,
        attempts: u32,
        fault: base::Fault,
    ) -> Result<()> {
        let id = self.id();
        let mut caller = new.caller.unwrap_or_else(|| self.caller.clone());
        caller.trace = self.trace();
        caller.request_id = id;
        let task = Task {
            id,
            call: new.call,
            caller,
            retry: new.retry,
            dead_letter: new.dead_letter,
            reply: new.reply,
            lane: new.lane,
            order: new.order,
            note: new.note,
            quiet: new.quiet,
            kept: new.kept,
            first_due: since,
            attempts,
            last_fault: Some(fault),
        };
        self.put_in(&Prefix::new(KERNEL, &kernel_scope()), &UndeliveredKey { id }, &task)
    }

    /// Like [`Tx::enqueue`] for the next part of the same work, e.g. the next page of many rows: however many parts it
    /// takes, it is one hop in the chain of causes.
    pub fn go_on(&mut self, due: Timestamp, new: NewTask) -> Result<TaskHandle> {
        let trace = new.trace.unwrap_or_else(|| self.trace());
        let trace = Some(TraceCx { hop: trace.hop.saturating_sub(1), ..trace });
        self.enqueue(due, NewTask { trace, ..new })
    }

    /// Like [`Tx::enqueue`] for work that is nobody's consequence: it begins a chain of causes of its own.
    pub fn enqueue_quietly(&mut self, due: Timestamp, new: NewTask) -> Result<TaskHandle> {
        let trace = Some(TraceCx::root(self.id()));
        self.enqueue(due, NewTask { trace, quiet: true, ..new })
    }

    /// Writes a task's row. A task keeps its place among those of its order, whenever it is due.
    pub(crate) fn place_task(
        &mut self,
        due: Timestamp,
        task: Task,
        seq: u64,
        salt: u64,
    ) -> Result<TaskHandle> {
        let key = due_key(&task_prefix(&task), due, seq, salt);
        let chunks = self.write_task(&key, &task)?;
        self.tasks.push(NewRow { key: key.clone(), due, chunks, task: Arc::new(task), at_once: false });
        Ok(TaskHandle(key))
    }

    /// Writes a task under its key. Returns how many rows stand behind its own.
    fn write_task(&mut self, key: &Bytes, task: &Task) -> Result<u32> {
        let value = task.to_bytes()?;
        self.written += value.len();
        let chunks = chunk::count(value.len());
        // The key is new, unless it is that of the row which this transaction removes.
        if !self.reads.contains_key(key) {
            self.chunks.insert(key.clone(), 0);
        }
        self.writes.insert(key.clone(), Write { value: Some(value), large: true });
        Ok(chunks)
    }

    /// The rows of the tasks enqueued so far, kept from the runner: for one that continues an entry of its own.
    pub(crate) fn take_tasks(&mut self) -> Vec<NewRow> {
        self.told = 0;
        std::mem::take(&mut self.tasks)
    }

    /// Removes a task that has not run. One that is running now is stopped from settling.
    pub fn cancel(&mut self, handle: &TaskHandle) {
        let stays = |row: &NewRow| row.key != handle.0;
        self.told = self.tasks[..self.told].iter().filter(|row| stays(row)).count();
        self.tasks.retain(stays);
        self.writes.insert(handle.0.clone(), Write { value: None, large: true });
    }

    /// Sends `event` to the default bus of the caller's account and region. Its id is returned.
    pub fn emit(&mut self, event: Event) -> Result<Uuid> {
        let id = self.id();
        let order = event.order.clone();
        let at_once = event.order.is_none() || event.begins_order;
        let input = ServiceEvent {
            id,
            source: event.source,
            detail_type: event.detail_type,
            resources: event.resources,
            time: self.now,
            detail: event.detail,
            order: event.order,
        };
        let note = Some(input.detail_type.clone());
        let call = Call::new("events", event::PUBLISH, &input)?;
        self.enqueue(self.now, NewTask { order, note, at_once, ..NewTask::new(call) })?;
        Ok(id)
    }

    /// Where clients reach this server: `http://127.0.0.1:4566`, without a slash at the end.
    pub fn endpoint(&self) -> &str {
        self.inner.endpoint()
    }

    // -- kernel only ------------------------------------------------------------------------------------------------

    /// Begins the next of several tasks that share this transaction, in the name of `caller`.
    pub(crate) fn begin_task(&mut self, service: &'static str, caller: Caller) {
        self.enter(Scope { account: caller.account.clone(), region: caller.region.clone() });
        self.service = service;
        self.prefix = Prefix::new(service, &self.scope);
        self.caller = caller;
        self.span = new_span(&self.inner, self.now);
    }

    /// What follows is told on the trace by a record of its own, beside that of what `operation` did so far: for what
    /// comes in one call and has nothing to do with each other.
    pub fn next_part(&mut self, operation: &str) -> Result<()> {
        let (service, scope) = (self.service, self.scope.clone());
        self.end_task(operation)?;
        self.service = service;
        self.enter(scope);
        self.span = new_span(&self.inner, self.now);
        Ok(())
    }

    /// Whether this transaction removes the row under `key`.
    pub(crate) fn removes(&self, key: &Bytes) -> bool {
        self.writes.get(key).is_some_and(|write| write.value.is_none())
    }

    /// Ends what [`Tx::begin_task`] began: its span is written.
    pub(crate) fn end_task(&mut self, operation: &str) -> Result<()> {
        self.write_span(operation)?;
        self.notes.clear();
        self.told = self.tasks.len();
        Ok(())
    }

    /// Removes a row that is as `expect` wrote it; `chunks` if it is known how many stand behind it.
    pub(crate) fn delete_raw(&mut self, key: &Bytes, expect: Version, chunks: Option<u32>) {
        if let Some(chunks) = chunks {
            self.chunks.insert(key.clone(), chunks);
        }
        self.claimed = Some(self.claimed.map_or(expect, |oldest| oldest.min(expect)));
        self.reads.insert(key.clone(), Expect::At(expect));
        self.writes.insert(key.clone(), Write { value: None, large: true });
    }

    /// Writes a row outside the transaction's own prefix.
    pub(crate) fn put_in<K: Key>(&mut self, prefix: &Prefix, key: &K, value: &K::Value) -> Result<()> {
        let bytes = value.to_bytes()?;
        self.writes.insert(prefix.key(key), Write { value: Some(bytes), large: K::LARGE });
        Ok(())
    }

    /// Removes a row outside the transaction's own prefix.
    pub(crate) fn delete_in<K: Key>(&mut self, prefix: &Prefix, key: &K) {
        self.writes.insert(prefix.key(key), Write { value: None, large: K::LARGE });
    }

    pub(crate) async fn get_raw(&mut self, key: &Bytes) -> Result<Option<Row>> {
        self.read(key, false).await
    }

    pub(crate) async fn raw_scan(
        &self,
        range: KeyRange,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Bytes, Row)>> {
        merge_scan(self.snapshot.as_ref(), &self.writes, range, limit, direction).await
    }

    async fn scan_range<K: Key>(
        &self,
        range: KeyRange,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(K, K::Value)>> {
        let rows = self.raw_scan(range, limit, direction).await?;
        self.decode_rows(rows)
    }

    fn decode_rows<K: Key>(&self, rows: Vec<(Bytes, Row)>) -> Result<Vec<(K, K::Value)>> {
        let decode =
            |(key, row): (Bytes, Row)| Ok((self.prefix.read::<K>(&key)?, K::Value::from_bytes(&row.value)?));
        rows.into_iter().map(decode).collect()
    }

    fn decode_versioned<K: Key>(&self, rows: Vec<(Bytes, Row)>) -> Result<Vec<(K, K::Value, Version)>> {
        let decode = |(key, row): (Bytes, Row)| {
            Ok((self.prefix.read::<K>(&key)?, K::Value::from_bytes(&row.value)?, row.version))
        };
        rows.into_iter().map(decode).collect()
    }

    async fn read(&mut self, key: &Bytes, guard: bool) -> Result<Option<Row>> {
        if let Some(write) = self.writes.get(key) {
            return Ok(write.value.clone().map(|value| Row { version: Version(0), value }));
        }
        let row = self.snapshot.get(key).await?;
        if guard {
            let expect = row.as_ref().map_or(Expect::Absent, |row| Expect::At(row.version));
            self.reads.insert(key.clone(), expect);
        }
        let Some(row) = row else { return Ok(None) };
        let chunks = chunk::header(&row.value)?.map_or(0, |header| header.chunks());
        self.chunks.insert(key.clone(), chunks);
        Ok(Some(assemble(self.snapshot.as_ref(), key, row).await?))
    }

    /// The commit, and what the runner must know once it holds. `None` if there is nothing to write.
    pub(crate) async fn finish(mut self, operation: &str) -> Result<Option<Finished>> {
        self.write_span(operation)?;
        self.write_held()?;
        if self.writes.is_empty() && self.appends.is_empty() {
            return Ok(None);
        }
        // What the runner read earlier may have changed before the snapshot: the store is to look at it from then on.
        let seen = self.snapshot.version();
        let read_at = self.claimed.map_or(seen, |oldest| oldest.min(seen));
        let mut commit = Commit { appends: self.appends, read_at: Some(read_at), ..Commit::default() };
        for (key, write) in self.writes {
            let old_chunks = match (write.large, self.chunks.get(&key), self.reads.get(&key)) {
                (false, ..) | (_, None, Some(Expect::Absent)) => 0,
                (_, Some(chunks), _) => *chunks,
                (_, None, _) => match self.snapshot.get(&key).await? {
                    Some(row) => chunk::header(&row.value)?.map_or(0, |header| header.chunks()),
                    None => 0,
                },
            };
            plan_write(&mut commit, key, write, old_chunks)?;
        }
        commit.checks = self.reads.into_iter().map(|(key, expect)| Check { key, expect }).collect();
        Ok(Some(Finished { commit, tasks: self.tasks, vigils: self.vigils, reserved: self.reserved }))
    }
}

/// The kernel's rows belong to no account: a chain of causes may cross them.
pub(crate) fn kernel_scope() -> Scope {
    Scope { account: base::AccountId::default(), region: base::Region::default() }
}

/// Releases reserved rows when the transaction has ended, however it ended.
pub(crate) struct Reservations {
    inner: Arc<Inner>,
    keys: Vec<Bytes>,
}

impl Drop for Reservations {
    fn drop(&mut self) {
        self.inner.release(&self.keys);
    }
}

/// Ordered tasks stand apart, so that the runner can rebuild their order at start without reading the others.
pub(crate) fn task_prefix(task: &Task) -> Vec<u8> {
    match &task.order {
        Some(_) => TASKS_ORDERED.to_vec(),
        None => vec![crate::key::shard_of(task.id.as_bytes()), b'~', b't'],
    }
}

/// Where ordered tasks stand. One shard: order is global to a store of one writer.
pub(crate) const TASKS_ORDERED: &[u8] = &[0, b'~', b'o'];

/// The length of every prefix below which tasks stand.
pub(crate) const TASK_PREFIX_BYTES: usize = 3;

/// All prefixes below which tasks stand.
pub(crate) fn task_prefixes() -> impl Iterator<Item = Vec<u8>> {
    let unordered = (0..crate::key::SHARDS).map(|shard| vec![shard, b'~', b't']);
    std::iter::once(TASKS_ORDERED.to_vec()).chain(unordered)
}

fn position_of(key: &[u8]) -> Result<Position> {
    let bytes = key.len().checked_sub(10).and_then(|at| <[u8; 10]>::try_from(&key[at..]).ok());
    bytes.map(Position::from_bytes).ok_or_else(|| Error::bug("read a log: a record's key has no position"))
}

fn plan_write(commit: &mut Commit, key: Bytes, write: Write, old_chunks: u32) -> Result<()> {
    let mut new_chunks = 0;
    match write.value {
        None => commit.deletes.push(key.clone()),
        Some(value) => {
            let split = chunk::split(&value);
            if !write.large && !split.chunks.is_empty() {
                return Err(Error::bug(
                    "write a row larger than the store allows: its kind is not declared large",
                ));
            }
            new_chunks = split.chunks.len() as u32;
            commit.puts.push((key.clone(), split.row));
            commit
                .puts
                .extend(split.chunks.into_iter().zip(0..).map(|(bytes, i)| (chunk::key(&key, i), bytes)));
        }
    }
    commit.deletes.extend((new_chunks..old_chunks).map(|i| chunk::key(&key, i)));
    Ok(())
}

/// The row itself, or what its chunks make together.
async fn assemble(snapshot: &dyn Snapshot, key: &[u8], row: Row) -> Result<Row> {
    let Some(header) = chunk::header(&row.value)? else {
        return Ok(Row { version: row.version, value: chunk::whole(row.value) });
    };
    let mut chunks = Vec::with_capacity(header.chunks() as usize);
    for key in chunk::keys(key, header) {
        // A missing chunk shows in the sum.
        chunks.extend(snapshot.get(&key).await?.map(|row| row.value));
    }
    Ok(Row { version: row.version, value: chunk::join(header, &chunks)? })
}

/// A scan of the snapshot with the transaction's own writes laid over it.
async fn merge_scan(
    snapshot: &dyn Snapshot,
    writes: &BTreeMap<Bytes, Write>,
    range: KeyRange,
    limit: usize,
    direction: Direction,
) -> Result<Vec<(Bytes, Row)>> {
    if limit == 0 || (!range.end.is_empty() && range.start >= range.end) {
        return Ok(Vec::new());
    }
    let mine: BTreeMap<&Bytes, &Write> = writes
        .range::<Bytes, _>(&range.start..)
        .take_while(|(key, _)| range.end.is_empty() || **key < range.end)
        .collect();
    let fetch = limit.saturating_add(mine.len());
    let mut merged = BTreeMap::new();
    for (key, row) in snapshot.scan(range, fetch, direction).await? {
        if !mine.contains_key(&key) {
            merged.insert(key, row);
        }
    }
    for (key, write) in mine {
        if let Some(value) = &write.value {
            merged.insert(key.clone(), Row { version: Version(0), value: value.clone() });
        }
    }
    let ordered: Vec<(Bytes, Row)> = match direction {
        Direction::Forward => merged.into_iter().take(limit).collect(),
        Direction::Backward => merged.into_iter().rev().take(limit).collect(),
    };
    let mut rows = Vec::with_capacity(ordered.len());
    for (key, row) in ordered {
        let row = assemble(snapshot, &key, row).await?;
        rows.push((key, row));
    }
    Ok(rows)
}
