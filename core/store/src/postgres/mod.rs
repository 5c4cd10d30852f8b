//! The engine for those who outgrow one machine's disk: PostgreSQL 15 or newer, with its own replication and fail-over.
//!
//! One thread of ours carries all connections and commits: it sends all waiting transactions in one call of one
//! function, which gives each its verdict. A writer whose connection breaks during a call connects again and reads
//! whether the call was committed, so a fail-over costs time, never an acknowledged commit or a wrong answer.

mod batch;
mod committer;
mod schema;
mod session;
mod snapshot;

use std::sync::Arc;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use tokio::sync::mpsc;

use crate::admission::{admit, shown};
use crate::core::closed;
use crate::engine::{Commit, CommitError, Engine, Snapshot, StoreError, Version};
use crate::floor::ScanFloor;
use crate::location::OpenError;
use crate::watch::{Wake, Watches};
use committer::{Request, Waiting};
use session::Address;
use snapshot::Readers;

/// A store in a database.
pub(crate) struct Postgres {
    requests: mpsc::UnboundedSender<Request>,
    readers: Arc<Readers>,
    hints: Arc<Hints>,
}

/// What commits tell besides their answers.
#[derive(Default)]
struct Hints {
    watches: Arc<Watches>,
    floor: ScanFloor,
    /// Why nothing is acknowledged any more.
    poison: std::sync::OnceLock<StoreError>,
}

impl Postgres {
    /// Connects to `url` and takes the store over, making it if there is none and `make` is set. Blocks meanwhile.
    pub(crate) fn open(url: &str, make: bool) -> Result<Postgres, OpenError> {
        let address = Address::parse(url)?;
        let (opened, outcome) = std::sync::mpsc::channel();
        let place = address.clone();
        let carry = move || committer::carry(&address, make, &opened);
        let thread = std::thread::Builder::new().name("committer".to_owned()).spawn(carry);
        thread.map_err(|e| OpenError::unavailable(&place, e))?;
        outcome.recv().map_err(|_| OpenError::unavailable(&place, "its thread ended"))?
    }

    fn enqueue(
        &self,
        commit: Commit,
    ) -> Result<oneshot::Receiver<Result<Version, CommitError>>, CommitError> {
        admit(&commit)?;
        admit_keys(&commit)?;
        let (answer, verdict) = oneshot::channel();
        let sent = self.requests.send(Request::Commit(Waiting { commit, answer }));
        sent.map_err(|_| CommitError::Store(self.hints.ended()))?;
        Ok(verdict)
    }
}

impl Hints {
    /// Why there is no answer any more.
    fn ended(&self) -> StoreError {
        self.poison.get().cloned().unwrap_or_else(closed)
    }
}

fn admit_keys(commit: &Commit) -> Result<(), CommitError> {
    let puts = commit.puts.iter().map(|(key, _)| (key, key.len()));
    let appends = commit.appends.iter().map(|a| (&a.prefix, a.prefix.len() + crate::Position::BYTES));
    match puts.chain(appends).find(|(_, bytes)| *bytes > schema::KEY_BYTES_MAX) {
        Some((key, bytes)) => Err(CommitError::Refused(format!(
            "a key of {bytes} bytes is longer than {}, the longest that PostgreSQL can order: {}",
            schema::KEY_BYTES_MAX,
            shown(key),
        ))),
        None => Ok(()),
    }
}

impl Engine for Postgres {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        self.readers.snapshot().boxed()
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Version, CommitError>> {
        async move {
            let verdict = self.enqueue(commit)?;
            verdict.await.unwrap_or_else(|_| Err(CommitError::Store(self.hints.ended())))
        }
        .boxed()
    }

    fn watch(&self, prefix: &[u8]) -> Wake {
        self.hints.watches.watch(prefix)
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let (answer, end) = oneshot::channel();
            self.readers.close();
            // Whoever closes twice finds it closed.
            if self.requests.send(Request::Close(answer)).is_ok() {
                let _ = end.await;
            }
            self.hints.poison.get().map_or(Ok(()), |poison| Err(poison.clone()))
        }
        .boxed()
    }

    fn name(&self) -> &'static str {
        "postgres"
    }

    fn failure(&self) -> Option<StoreError> {
        self.hints.poison.get().cloned()
    }

    fn floor(&self) -> &ScanFloor {
        &self.hints.floor
    }
}
