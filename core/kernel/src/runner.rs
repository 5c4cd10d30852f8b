//! The one runner: claims what is due, runs it, settles it. Delivered, retrying or dead-lettered; nothing else. Beside tasks
//! it looks after the vigils of those who wait for something to come.
//!
//! A claim is kept in memory, since one process owns the store; a crash leaves the row, and the task runs again. What a
//! task of the store writes and its removal are one commit, so that it happens exactly once.

mod at_once;
mod batch;
mod desk;
mod run;
mod vigils;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base::Timestamp;
use bytes::Bytes;
use store::engine::{Direction, KeyRange, Version};
use store::{KeyError, Stored, parse_due_key};
use tokio::sync::{mpsc, oneshot};

use crate::Result;
use crate::key::{Parts, Prefix};
use crate::router::Kernel;
use crate::task::Task;
use crate::tx::{KERNEL, NewRow, TASK_PREFIX_BYTES, TASKS_ORDERED, Tx, kernel_scope, task_prefixes};
use crate::vigil::VigilKey;

pub(crate) use at_once::run_at_once;
use desk::Desk;

/// Rows read at once when the runner starts.
const START_PAGE: usize = 512;

/// A task's row as the runner knows it. The payload is kept only while it is about to run.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub key: Bytes,
    pub version: Version,
    pub due: Timestamp,
    /// Where the task stands among those of its order.
    pub place: (u64, u64),
    pub order: Option<Arc<str>>,
    pub lane: Option<Arc<str>>,
    /// Rows behind its own, if that is known.
    pub chunks: Option<u32>,
    pub task: Option<Arc<Task>>,
}

impl Entry {
    fn new(key: Bytes, version: Version, task: Option<Arc<Task>>) -> Result<Entry> {
        let parsed = due_of(&key)?;
        let order = task.as_ref().and_then(|task| task.order.as_deref().map(Arc::from));
        let lane = task.as_ref().and_then(|task| task.lane.as_deref().map(Arc::from));
        let place = (parsed.seq, parsed.salt);
        Ok(Entry { key, version, due: parsed.due, place, order, lane, chunks: None, task })
    }
}

pub(crate) enum Message {
    New(Vec<Entry>),
    /// Vigils whose rows were written or removed.
    Vigils(Vec<Bytes>),
    Idle(oneshot::Sender<()>),
    Stop(oneshot::Sender<()>),
}

/// The handle of the running runner.
pub(crate) struct Runner {
    inbox: mpsc::UnboundedSender<Message>,
    next_due: Arc<AtomicI64>,
}

impl Runner {
    /// Reads every task of the store and begins.
    #[expect(clippy::disallowed_methods, reason = "the runner is the one loop of the house")]
    pub(crate) async fn start(kernel: Kernel) -> Result<Runner> {
        let (inbox, messages) = mpsc::unbounded_channel();
        let next_due = Arc::new(AtomicI64::new(i64::MAX));
        let mut desk = Desk::new(kernel.clone(), messages, Arc::clone(&next_due));
        for prefix in task_prefixes() {
            load(&kernel, &prefix, &mut desk).await?;
        }
        load_vigils(&kernel, &mut desk).await?;
        tokio::spawn(desk.work());
        Ok(Runner { inbox, next_due })
    }

    /// Tasks that were just committed.
    pub(crate) fn take(&self, rows: Vec<NewRow>, version: Version) {
        let entry = |row: NewRow| {
            let entry = Entry::new(row.key, version, Some(row.task)).ok()?;
            Some(Entry { chunks: Some(row.chunks), ..entry })
        };
        let entries = rows.into_iter().filter_map(entry).collect();
        // A runner that has stopped takes nothing: the rows are in the store, and the next start finds them.
        let _ = self.inbox.send(Message::New(entries));
    }

    /// Vigils whose rows were just written or removed.
    pub(crate) fn look_after(&self, vigils: Vec<Bytes>) {
        let _ = self.inbox.send(Message::Vigils(vigils));
    }

    /// The next time at which a task or a look is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let ms = self.next_due.load(Ordering::SeqCst);
        (ms != i64::MAX).then_some(Timestamp::from_millis(ms))
    }

    /// Returns when no task or look is due or running.
    pub(crate) async fn idle(&self) {
        let (answer, idle) = oneshot::channel();
        if self.inbox.send(Message::Idle(answer)).is_ok() {
            let _ = idle.await;
        }
    }

    /// Starts nothing more, waits for what is running in the store and leaves what waits for the outside.
    pub(crate) async fn stop(&self) {
        let (answer, stopped) = oneshot::channel();
        if self.inbox.send(Message::Stop(answer)).is_ok() {
            let _ = stopped.await;
        }
    }
}

/// A task's key, taken apart.
fn due_of(key: &[u8]) -> Result<store::DueKey, KeyError> {
    parse_due_key(key.get(..TASK_PREFIX_BYTES).ok_or(KeyError::Short)?, key)
}

/// Hands every task below `prefix` to the desk; only ordered ones with their payload, whose order is needed.
async fn load(kernel: &Kernel, prefix: &[u8], desk: &mut Desk) -> Result<()> {
    let tx = Tx::open(&kernel.inner, KERNEL, kernel.house_caller()).await?;
    let mut range = KeyRange::prefix(prefix.to_vec());
    let mut ordered = Vec::new();
    loop {
        let rows = tx.raw_scan(range.clone(), START_PAGE, Direction::Forward).await?;
        let Some((last, _)) = rows.last() else { break };
        range.start = [&last[..], &[0]].concat().into();
        for (key, row) in rows {
            if prefix == TASKS_ORDERED {
                let task = Arc::new(Task::from_bytes(&row.value)?);
                ordered.push(Entry { task: None, ..Entry::new(key, row.version, Some(task))? });
            } else {
                desk.add(Entry::new(key, row.version, None)?);
            }
        }
    }
    // Keys are ordered by due time, and the first of an order may be the one that waits longest for its next attempt.
    ordered.sort_by_key(|entry| entry.place);
    ordered.into_iter().for_each(|entry| desk.add(entry));
    Ok(())
}

/// Hands every vigil to the desk.
async fn load_vigils(kernel: &Kernel, desk: &mut Desk) -> Result<()> {
    let tx = Tx::open(&kernel.inner, KERNEL, kernel.house_caller()).await?;
    let mut range = Prefix::new(KERNEL, &kernel_scope()).range::<VigilKey>(&Parts::none());
    loop {
        let rows = tx.raw_scan(range.clone(), START_PAGE, Direction::Forward).await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        range.start = [&last[..], &[0]].concat().into();
        rows.into_iter().for_each(|(key, _)| desk.keep_vigil(key));
    }
}
