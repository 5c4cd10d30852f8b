//! The router's door, which is AWS's own seam: a service, an operation and a document. Every caller comes through it.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base::schema::{OperationSchema, ServiceSchema};
use base::{Fault, Timestamp};
use bytes::Bytes;
use futures::future::BoxFuture;
use store::floor::ScanFloor;
use store::watch::SharedEngine;
use uuid::Uuid;

use crate::caller::Caller;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::effect::Effect;
use crate::key::shard_of;
use crate::runner::{Runner, run_at_once};
use crate::service::{Body, ErasedTransact, Registered, Service, TransactHandler, lookup};
use crate::source::Sources;
use crate::target::Targets;
use crate::tx::Tx;
use crate::{Error, Result};

/// How often a handler is run on conflicts before the caller is told to come again.
const CONFLICTS_MAX: u32 = 64;

/// Everything that runs: the router, the runner and what they share. Clones are handles of the same kernel.
#[derive(Clone)]
pub struct Kernel {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub engine: SharedEngine,
    pub clock: Clock,
    pub chance: Chance,
    pub targets: Targets,
    pub sources: Sources,
    pub services: HashMap<&'static str, Service>,
    pub runner: OnceLock<Runner>,
    endpoint: OnceLock<String>,
    reserved: Mutex<HashSet<Bytes>>,
    hot: Vec<tokio::sync::Mutex<()>>,
}

impl Inner {
    pub(crate) fn floor(&self) -> &ScanFloor {
        self.engine.floor()
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.endpoint.get().map_or("http://127.0.0.1:4566", String::as_str)
    }

    pub(crate) fn state<T: Any + Send + Sync>(&self, service: &str) -> Result<Arc<T>> {
        let service = self.services.get(service);
        lookup(service.ok_or_else(|| Error::bug("find the state of a service that is not registered"))?)
    }

    pub(crate) fn reserve(&self, key: &Bytes) -> bool {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone())
    }

    pub(crate) fn release(&self, keys: &[Bytes]) {
        if keys.is_empty() {
            return;
        }
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            reserved.remove(key);
        }
    }

    fn find(&self, service: &str, operation: &str) -> Result<(&Service, &Registered), Fault> {
        let known = self.services.get(service).ok_or_else(|| Fault::not_implemented(service, operation))?;
        match known.operations.get(operation) {
            Some(registered) => Ok((known, registered)),
            None => Err(Fault::not_implemented(service, operation)),
        }
    }
}

impl Kernel {
    /// A kernel over an open store. Its runner starts with [`Kernel::start`].
    pub fn new(engine: SharedEngine, clock: Clock, chance: Chance, services: Vec<Service>) -> Kernel {
        let (mut targets, mut sources) = (Targets::default(), Sources::default());
        let mut by_name = HashMap::new();
        for service in services.into_iter().chain([crate::housekeeping::service()]) {
            targets.add(&service.targets);
            sources.add(&service.sources);
            by_name.insert(service.name, service);
        }
        let hot = (0..64).map(|_| tokio::sync::Mutex::new(())).collect();
        let inner = Inner {
            engine,
            clock,
            chance,
            targets,
            sources,
            services: by_name,
            runner: OnceLock::new(),
            endpoint: OnceLock::new(),
            reserved: Mutex::default(),
            hot,
        };
        Kernel { inner: Arc::new(inner) }
    }

    /// Starts the runner: takes up every task in the store, then those that are committed from now on.
    pub async fn start(&self) -> Result<()> {
        let runner = Runner::start(self.clone()).await?;
        if self.inner.runner.set(runner).is_err() {
            return Err(Error::bug("start the runner a second time"));
        }
        let starts: Vec<(&'static str, &'static str)> = self
            .inner
            .services
            .values()
            .flat_map(|service| service.at_start.iter().map(|operation| (service.name, *operation)))
            .collect();
        for (service, operation) in starts {
            let caller = self.house_caller();
            self.call_internal(caller, service, operation, Bytes::from_static(b"null"))
                .await
                .map_err(Error::Fault)?;
        }
        Ok(())
    }

    /// Takes no new tasks, ends the vigils, waits for those tasks that are running in the store, and closes the store. Tasks that are waiting
    /// for something outside stay in the store and are run again at the next start.
    pub async fn stop(&self) -> Result<()> {
        self.halt().await;
        self.inner.engine.close().await?;
        Ok(())
    }

    /// Stops the runner and leaves the store open: a kernel started over the same store goes on where this one stopped.
    pub async fn halt(&self) {
        if let Some(runner) = self.inner.runner.get() {
            runner.stop().await;
        }
    }

    /// Says where clients reach this server, once it listens. Queue URLs and the like begin with it.
    pub fn set_endpoint(&self, endpoint: String) {
        // A server listens once; a second address would make URLs that were given out wrong.
        let _ = self.inner.endpoint.set(endpoint);
    }

    /// Where clients reach this server: `http://127.0.0.1:4566`, without a slash at the end.
    pub fn endpoint(&self) -> &str {
        self.inner.endpoint()
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// A fresh id.
    pub fn new_id(&self) -> Uuid {
        self.inner.chance.id(self.inner.clock.now())
    }

    /// The ARN table.
    pub fn targets(&self) -> &Targets {
        &self.inner.targets
    }

    /// The table of sources.
    pub fn sources(&self) -> &Sources {
        &self.inner.sources
    }

    /// The name of the store's engine.
    pub fn engine_name(&self) -> &'static str {
        self.inner.engine.name()
    }

    /// Whether the store answers: a read of its newest version.
    pub async fn ready(&self) -> Result<()> {
        if let Some(failure) = self.inner.engine.failure() {
            return Err(failure.into());
        }
        self.inner.engine.snapshot().await?;
        Ok(())
    }

    /// The schemas of all registered services; a service with several APIs has its own first.
    pub fn schemas(&self) -> impl Iterator<Item = &'static ServiceSchema> {
        self.inner.services.values().flat_map(Service::schemas)
    }

    /// The schema of an operation that clients may call, whether its service shows one as a whole or not.
    pub fn operation(&self, service: &str, operation: &str) -> Option<&'static OperationSchema> {
        self.inner.find(service, operation).ok()?.1.schema
    }

    /// The names of an operation's service and whether clients may call it.
    pub fn serves(&self, service: &str, operation: &str) -> bool {
        self.inner.find(service, operation).is_ok_and(|(_, registered)| registered.schema.is_some())
    }

    /// A caller for what the house does by itself.
    pub fn house_caller(&self) -> Caller {
        let caller = Caller::root_user(base::AccountId::default(), base::Region::default(), self.new_id());
        Caller { principal: "buswork.internal".to_owned(), ..caller }
    }

    /// Runs an operation of AWS's API: checks the document against its schema, runs the handler, commits.
    pub async fn call(
        &self,
        caller: Caller,
        service: &str,
        operation: &str,
        input: Bytes,
    ) -> Result<Bytes, Fault> {
        let (found, registered) = self.inner.find(service, operation)?;
        let Some(schema) = registered.schema else { return Err(Fault::not_implemented(service, operation)) };
        schema.check(&input)?;
        self.run(found.name, registered, caller, operation, &input)
            .await
            .map_err(|error| self.to_fault(error))
    }

    /// The same with parsed documents.
    pub async fn run_document(
        &self,
        caller: Caller,
        service: &str,
        operation: &str,
        input: &base::Document,
    ) -> Result<base::Document, Fault> {
        let input = serde_json::to_vec(input).map_err(|error| self.to_fault(error.into()))?;
        let output = self.call(caller, service, operation, input.into()).await?;
        serde_json::from_slice(&output).map_err(|error| self.to_fault(error.into()))
    }

    /// Runs an internal operation: for the server's own pages, never for a client's request.
    pub async fn ask(
        &self,
        caller: Caller,
        service: &str,
        operation: &str,
        input: &base::Document,
    ) -> Result<base::Document, Fault> {
        let input = serde_json::to_vec(input).map_err(|error| self.to_fault(error.into()))?;
        let output = self.call_internal(caller, service, operation, input.into()).await?;
        serde_json::from_slice(&output).map_err(|error| self.to_fault(error.into()))
    }

    pub(crate) async fn call_internal(
        &self,
        caller: Caller,
        service: &str,
        operation: &str,
        input: Bytes,
    ) -> Result<Bytes, Fault> {
        let (found, registered) = self.inner.find(service, operation)?;
        self.run(found.name, registered, caller, operation, &input)
            .await
            .map_err(|error| self.to_fault(error))
    }

    async fn run(
        &self,
        service: &'static str,
        registered: &Registered,
        caller: Caller,
        operation: &str,
        input: &Bytes,
    ) -> Result<Bytes> {
        match &registered.body {
            Body::Transact(handler) => {
                self.attempt(service, &caller, operation, Written { handler: handler.as_ref(), input }).await
            }
            Body::Effect(handler) => {
                let effect = Effect { kernel: self.clone(), service, caller, task: None, working: 0 };
                handler.call(&effect, input).await
            }
        }
    }

    pub(crate) fn body(&self, service: &str, operation: &str) -> Result<(&'static str, &Body), Fault> {
        let (service, registered) = self.inner.find(service, operation)?;
        Ok((service.name, &registered.body))
    }

    /// Runs a transaction of `service`, again on conflict, and commits it.
    pub async fn transact<I, O, F>(
        &self,
        service: &'static str,
        caller: Caller,
        name: &str,
        handler: F,
        input: I,
    ) -> Result<O>
    where
        I: Clone + Send + Sync,
        O: Send,
        F: for<'a> TransactHandler<'a, I, O>,
    {
        self.attempt(service, &caller, name, Typed { handler, input }).await
    }

    async fn attempt<O: Send>(
        &self,
        service: &'static str,
        caller: &Caller,
        operation: &str,
        work: impl Work<O>,
    ) -> Result<O> {
        let mut guard = None;
        // Once: whatever stands in the way of what is run at once is the runner's to deal with.
        let mut at_once = self.inner.runner.get().is_some();
        for _ in 0..CONFLICTS_MAX {
            let mut tx = Tx::open(&self.inner, service, caller.clone()).await?;
            let result = match work.call(&mut tx).await {
                Ok(output) => {
                    if std::mem::take(&mut at_once)
                        && let Err(error) = run_at_once(self, &mut tx, operation).await
                    {
                        tracing::debug!(%error, operation, "what was to be run at once is run after the commit");
                        continue;
                    }
                    self.commit(tx, operation).await.map(|()| output)
                }
                Err(error) => Err(error),
            };
            let key = match result {
                Err(Error::Conflict { key }) => key,
                result => return result,
            };
            drop(guard.take());
            guard = Some(self.queue_for(&key).await);
        }
        Err(too_many_conflicts(service, operation))
    }

    /// After a conflict on a row, those that want it queue up, so that each makes progress.
    pub(crate) async fn queue_for(&self, key: &Bytes) -> tokio::sync::MutexGuard<'_, ()> {
        let stripe = shard_of(key) as usize * 4 + key.len() % 4;
        self.inner.hot[stripe % self.inner.hot.len()].lock().await
    }

    /// Commits what a handler wrote and hands its new tasks to the runner.
    pub(crate) async fn commit(&self, tx: Tx, operation: &str) -> Result<()> {
        let Some(finished) = tx.finish(operation).await? else { return Ok(()) };
        let version = self.inner.engine.commit(finished.commit).await?;
        if let Some(runner) = self.inner.runner.get() {
            if !finished.tasks.is_empty() {
                runner.take(finished.tasks, version);
            }
            if !finished.vigils.is_empty() {
                runner.look_after(finished.vigils);
            }
        }
        drop(finished.reserved);
        Ok(())
    }

    /// What the caller learns of an error; a bug is logged here, once, under an id.
    pub fn to_fault(&self, error: Error) -> Fault {
        match error {
            Error::Fault(fault) => fault,
            Error::Store(store::engine::StoreError::Full) => {
                Fault::new("ServiceUnavailable", "no space left on the device that holds the store")
                    .with_status(503)
            }
            Error::Store(error) => {
                tracing::error!(%error, "the store does not answer");
                Fault::new("ServiceUnavailable", error.to_string()).with_status(503)
            }
            Error::Conflict { .. } => Fault::throttling("too many requests for the same resource at once"),
            Error::Bug(what) => {
                let id = self.new_id();
                tracing::error!(%id, "failed to {what}");
                Fault::internal(id)
            }
        }
    }

    /// Virtual time: runs everything that falls due until `by` has passed, each task at its own time. Returns when
    /// nothing is left to do at that time. For tests.
    pub async fn advance(&self, by: std::time::Duration) {
        let until = self.inner.clock.now() + by;
        loop {
            self.idle().await;
            let next = self.inner.runner.get().and_then(Runner::next_due);
            match next {
                Some(due) if due <= until => self.inner.clock.set(due.max(self.inner.clock.now())),
                _ => break,
            }
        }
        self.inner.clock.set(until);
        self.idle().await;
    }

    /// Returns when no task is due or running, and no vigil is looked after. Those that rest are not waited for.
    pub async fn idle(&self) {
        if let Some(runner) = self.inner.runner.get() {
            runner.idle().await;
        }
    }

    /// The next time at which a task is due, for the status page.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.inner.runner.get().and_then(Runner::next_due)
    }
}

/// What is run again on conflict.
trait Work<O>: Send + Sync {
    fn call<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<O>>;
}

/// A registered operation with its document.
struct Written<'w> {
    handler: &'w dyn ErasedTransact,
    input: &'w Bytes,
}

impl Work<Bytes> for Written<'_> {
    fn call<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<Bytes>> {
        self.handler.call(tx, self.input)
    }
}

/// A function with its input.
struct Typed<F, I> {
    handler: F,
    input: I,
}

impl<F, I, O> Work<O> for Typed<F, I>
where
    I: Clone + Send + Sync,
    F: for<'a> TransactHandler<'a, I, O>,
{
    fn call<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<O>> {
        Box::pin(self.handler.call(tx, self.input.clone()))
    }
}

fn too_many_conflicts(service: &str, operation: &str) -> Error {
    tracing::warn!(service, operation, "given up after {CONFLICTS_MAX} conflicts");
    Fault::throttling("too many requests for the same resource at once; try again").into()
}
