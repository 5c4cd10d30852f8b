//! One group of transactions from decision to visibility, for every embedded engine.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::RwLock;

use crate::backend::{Backend, Batch, View, WriteFault};
use crate::engine::{Commit, CommitError, Direction, KeyRange, Row, Snapshot, StoreError, Version};
use crate::floor::ScanFloor;
use crate::ledger::Ledger;
use crate::watch::Watches;

/// What readers see: the newest synced state, and who waits for the next.
pub(crate) struct Public {
    published: RwLock<Published>,
    /// Why nothing is acknowledged any more; set once, never taken back.
    poison: OnceLock<StoreError>,
    pub(crate) watches: Arc<Watches>,
    pub(crate) floor: ScanFloor,
}

#[derive(Clone)]
struct Published {
    version: Version,
    /// Gone when the store is closed.
    view: Option<Arc<dyn View>>,
}

impl Public {
    fn new(version: Version, view: Arc<dyn View>) -> Public {
        let published = RwLock::new(Published { version, view: Some(view) });
        Public { published, poison: OnceLock::new(), watches: Arc::default(), floor: ScanFloor::new() }
    }

    /// What readers see of a store that was never written.
    pub(crate) fn empty() -> Public {
        Public::new(Version(0), Arc::new(Nothing(Ok(()))))
    }

    /// A view of everything acknowledged.
    pub(crate) fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let Published { version, view } = self.published.read().clone();
        let view = view.ok_or_else(closed)?;
        Ok(Box::new(At { version, view }))
    }

    /// Why nothing is acknowledged any more, if that is so.
    pub(crate) fn failure(&self) -> Option<StoreError> {
        self.poison.get().cloned()
    }

    fn publish(&self, version: Version, view: Arc<dyn View>) -> Arc<dyn View> {
        let new = Published { version, view: Some(view.clone()) };
        // What is replaced is dropped without the lock, since it may be large.
        let _old = std::mem::replace(&mut *self.published.write(), new);
        view
    }

    fn close(&self) {
        let _old = self.published.write().view.take();
        self.watches.wake_all();
    }
}

/// What a closed store answers.
pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}

struct At {
    version: Version,
    view: Arc<dyn View>,
}

impl Snapshot for At {
    fn version(&self) -> Version {
        self.version
    }

    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Row>, StoreError>> {
        std::future::ready(self.view.get(key)).boxed()
    }

    fn scan<'a>(
        &'a self,
        range: KeyRange,
        limit: usize,
        direction: Direction,
    ) -> BoxFuture<'a, Result<Vec<(Bytes, Row)>, StoreError>> {
        std::future::ready(self.view.scan(&range, limit, direction)).boxed()
    }
}

/// The writing half of an embedded store. Only one thread at a time holds it.
pub(crate) struct Core<B> {
    backend: B,
    ledger: Ledger,
    public: Arc<Public>,
    /// What `public` shows.
    view: Arc<dyn View>,
    /// Set once, never taken back.
    poison: Option<StoreError>,
}

/// Verdicts in the order of their group.
pub(crate) type Verdicts = Vec<Result<Version, CommitError>>;

impl<B: Backend> Core<B> {
    /// Goes on where `backend` ends.
    pub(crate) fn new(backend: B) -> Result<Core<B>, StoreError> {
        let view = backend.view()?;
        let public = Arc::new(Public::new(backend.newest().1, view));
        Core::behind(public, backend)
    }

    /// Goes on where `backend` ends, behind what readers may use already.
    pub(crate) fn behind(public: Arc<Public>, backend: B) -> Result<Core<B>, StoreError> {
        let (number, last) = backend.newest();
        let view = public.publish(last, backend.view()?);
        Ok(Core { backend, ledger: Ledger::new(number, last), public, view, poison: None })
    }

    pub(crate) fn public(&self) -> Arc<Public> {
        self.public.clone()
    }

    pub(crate) fn name(&self) -> &'static str {
        self.backend.name()
    }

    /// Bytes that the engine holds in memory until it has flushed them.
    pub(crate) fn unflushed(&self) -> u64 {
        self.backend.unflushed()
    }

    /// Orders `group`, writes what holds of it with one sync, and shows it to readers.
    pub(crate) fn run(&mut self, group: Vec<Commit>) -> Verdicts {
        if let Some(poison) = &self.poison {
            return group.iter().map(|_| Err(CommitError::Store(poison.clone()))).collect();
        }
        let decided = self.ledger.decide(group, &*self.view);
        if decided.verdicts.iter().all(Result::is_err) {
            return decided.verdicts;
        }
        match self.write(&decided.batch) {
            Ok(()) => decided.verdicts,
            Err(why) => decided.refused(&why),
        }
    }

    fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        match self.backend.write(batch) {
            Ok(()) => {}
            Err(WriteFault::Full) => return Err(StoreError::Full),
            Err(WriteFault::Unknown(why)) => return Err(self.poisoned(&why)),
        }
        // The batch is on disk: if it cannot be shown, nothing that follows could be decided.
        let view = self.backend.view().map_err(|why| self.poisoned(&why.to_string()))?;
        self.ledger.written(batch);
        let puts = batch.rows.iter().filter(|row| row.value.is_some());
        self.public.floor.wrote_all(puts.map(|row| (&*row.key, row.version)));
        self.view = self.public.publish(batch.last, view);
        self.public.watches.wake(batch.rows.iter().map(|row| &row.key));
        Ok(())
    }

    fn poisoned(&mut self, why: &str) -> StoreError {
        tracing::error!(why, "the store is poisoned: it acknowledges nothing any more");
        let poison = StoreError::Poisoned(why.to_owned());
        self.poison = Some(poison.clone());
        self.public.poison.get_or_init(|| poison).clone()
    }

    /// Gives everything up as it is, closed or not.
    pub(crate) fn abandon(self) {
        self.public.close();
    }

    /// Releases the data. The error says what may be lost.
    pub(crate) fn close(&mut self) -> Result<(), StoreError> {
        self.public.close();
        self.view = Arc::new(Nothing(Err(closed())));
        let closing = self.backend.close();
        match self.poison.replace(closed()) {
            Some(poison @ StoreError::Poisoned(_)) => {
                self.poison = Some(poison.clone());
                Err(poison)
            }
            _ => closing,
        }
    }
}

/// Stands where there is no engine: none yet, or none any more, so that its files can be released.
struct Nothing(Result<(), StoreError>);

impl View for Nothing {
    fn get(&self, _: &[u8]) -> Result<Option<Row>, StoreError> {
        self.0.clone().map(|()| None)
    }

    fn scan(&self, _: &KeyRange, _: usize, _: Direction) -> Result<Vec<(Bytes, Row)>, StoreError> {
        self.0.clone().map(|()| Vec::new())
    }
}
