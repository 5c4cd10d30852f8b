//! The writing thread: its runtime carries every connection, its loop commits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use futures::channel::oneshot;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_postgres::types::ToSql;

use super::batch::{Columns, Reply, next_group, put_keys, verdicts};
use super::session::{Address, Writer, is_broken, store_error};
use super::snapshot::Readers;
use super::{Hints, Postgres};
use crate::engine::{Commit, CommitError, StoreError, Version};
use crate::location::OpenError;

/// Pauses between attempts to reach a database that went away, in all about half a minute: a fail-over takes less.
const PAUSES_MS: [u64; 10] = [0, 50, 100, 500, 1_000, 2_000, 4_000, 6_000, 8_000, 10_000];

pub(super) enum Request {
    Commit(Waiting),
    Close(oneshot::Sender<()>),
}

pub(super) struct Waiting {
    pub(super) commit: Commit,
    pub(super) answer: oneshot::Sender<Result<Version, CommitError>>,
}

/// Opens the store, says so to `opened`, and commits until it is closed.
pub(super) fn carry(address: &Address, make: bool, opened: &Sender<Result<Postgres, OpenError>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            let _ = opened.send(Err(OpenError::unavailable(address, e)));
            return;
        }
    };
    runtime.block_on(async {
        let handle = Handle::current();
        match Writer::open(address, &handle, make).await {
            Ok(writer) => {
                let (requests, queue) = mpsc::unbounded_channel();
                let (settle, settled) = watch::channel(writer.state.last);
                let hints = Arc::<Hints>::default();
                let readers = Arc::new(Readers::new(address.clone(), handle.clone(), settled, hints.clone()));
                let engine = Postgres { requests, readers, hints: hints.clone() };
                let committer =
                    Committer { address: address.clone(), handle, writer, settle: Some(settle), hints };
                if opened.send(Ok(engine)).is_ok() {
                    committer.run(queue).await;
                }
            }
            Err(refused) => {
                // Whoever asked is gone if this fails.
                let _ = opened.send(Err(refused));
            }
        }
    });
}

/// Orders commits.
pub(super) struct Committer {
    address: Address,
    handle: Handle,
    writer: Writer,
    /// Gone once poisoned: the server may then show what will never be acknowledged.
    settle: Option<watch::Sender<Version>>,
    hints: Arc<Hints>,
}

impl Committer {
    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Request>) {
        let mut waiting = VecDeque::new();
        let mut closers = Vec::new();
        let mut arrived = Vec::new();
        loop {
            if waiting.is_empty() && (!closers.is_empty() || queue.recv_many(&mut arrived, 1024).await == 0) {
                break;
            }
            while let Ok(request) = queue.try_recv() {
                arrived.push(request);
            }
            for request in arrived.drain(..) {
                match request {
                    Request::Commit(commit) => waiting.push_back(commit),
                    Request::Close(answer) => {
                        queue.close();
                        closers.push(answer);
                    }
                }
            }
            let group = next_group(&mut waiting, |waiting: &Waiting| &waiting.commit);
            if !group.is_empty() {
                self.commit(group).await;
            }
        }
        self.hints.watches.wake_all();
        drop(self);
        for closer in closers {
            // Whoever stopped waiting need not know.
            let _ = closer.send(());
        }
    }

    async fn commit(&mut self, group: Vec<Waiting>) {
        let (commits, answers): (Vec<_>, Vec<_>) = group.into_iter().map(|w| (w.commit, w.answer)).unzip();
        let verdicts = match self.decide(&commits).await {
            Ok(reply) => {
                let verdicts = verdicts(&commits, &reply);
                self.show(&commits, &verdicts, &reply);
                verdicts
            }
            Err(why) => commits.iter().map(|_| Err(CommitError::Store(why.clone()))).collect(),
        };
        for (answer, verdict) in answers.into_iter().zip(verdicts) {
            // Whoever stopped waiting loses the answer, not the commit.
            let _ = answer.send(verdict);
        }
    }

    /// Tells floors, then snapshots, then watches.
    fn show(&mut self, commits: &[Commit], verdicts: &[Result<Version, CommitError>], reply: &Reply) {
        let held = || commits.iter().zip(verdicts).filter_map(|(c, v)| v.as_ref().ok().map(|v| (c, *v)));
        let puts: Vec<_> =
            held().flat_map(|(c, v)| put_keys(c, v).into_iter().map(move |k| (k, v))).collect();
        self.hints.floor.wrote_all(puts.iter().map(|(key, version)| (&**key, *version)));
        if let Some(settle) = &self.settle {
            settle.send_replace(Version(reply.base.0 + commits.len() as u64));
        }
        self.hints.watches.wake(puts.iter().map(|(key, _)| key).chain(held().flat_map(|(c, _)| &c.deletes)));
    }

    /// Has the server judge and commit `commits`, across broken connections.
    async fn decide(&mut self, commits: &[Commit]) -> Result<Reply, StoreError> {
        if let Some(poison) = self.hints.poison.get() {
            return Err(poison.clone());
        }
        let batch = self.writer.state.batch + 1;
        loop {
            let broken = match self.call(batch, commits).await {
                Ok(reply) => {
                    self.writer.state.batch = batch;
                    return Ok(reply);
                }
                Err(e) if e.code().is_some_and(|code| code.code() == "BW001") => {
                    return Err(self.poisoned(super::session::Cause(&e).to_string()));
                }
                Err(e) if !is_broken(&e) => return Err(store_error(&e)),
                Err(e) => e,
            };
            tracing::warn!(%broken, "the connection to PostgreSQL broke during a commit");
            self.reconnect(&broken).await?;
            let state = &mut self.writer.state;
            if state.batch == batch {
                let base = Version(state.last.0 - commits.len() as u64);
                return Ok(Reply { base, failed: std::mem::take(&mut state.failed) });
            }
            if state.batch != batch - 1 {
                let why =
                    format!("batch {} is written already: another process took the store over", state.batch);
                return Err(self.poisoned(why));
            }
        }
    }

    async fn call(&self, batch: i64, commits: &[Commit]) -> Result<Reply, tokio_postgres::Error> {
        let c = Columns::of(commits);
        let transactions = commits.len() as i32;
        let arguments: [&(dyn ToSql + Sync); 14] = [
            &batch,
            &transactions,
            &c.check_tx,
            &c.check_k,
            &c.check_ver,
            &c.put_tx,
            &c.put_k,
            &c.put_v,
            &c.delete_tx,
            &c.delete_k,
            &c.append_tx,
            &c.append_i,
            &c.append_p,
            &c.append_v,
        ];
        let row = self.writer.client.query_one(&self.writer.commit, &arguments).await?;
        Ok(Reply { base: Version(row.get::<_, i64>(0).cast_unsigned()), failed: row.get(1) })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a database that fails over is asked again after real time"
    )]
    async fn reconnect(&mut self, broken: &tokio_postgres::Error) -> Result<(), StoreError> {
        let mut last = super::session::Cause(broken).to_string();
        for pause in PAUSES_MS {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            match Writer::open(&self.address, &self.handle, false).await {
                Ok(writer) => {
                    self.writer = writer;
                    return Ok(());
                }
                Err(OpenError::InUse { holder, .. }) => {
                    last = format!("the store was taken over by {holder}")
                }
                Err(why) => last = why.to_string(),
            }
        }
        Err(self.poisoned(format!("the outcome of a commit is unknown, {last}")))
    }

    fn poisoned(&mut self, why: String) -> StoreError {
        self.settle = None;
        tracing::error!(why, "the store is poisoned: it acknowledges nothing any more");
        self.hints.poison.get_or_init(|| StoreError::Poisoned(why)).clone()
    }
}
