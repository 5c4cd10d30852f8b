//! What an effect handler sees: the router, the clock and transactions of its own service, one at a time.

use std::any::Any;
use std::sync::Arc;

use base::{Arn, Fault, Timestamp};
use bytes::Bytes;
use store::watch::Wake;
use uuid::Uuid;

use crate::Result;
use crate::caller::Caller;
use crate::clock::Clock;
use crate::key::{Key, Parts, Prefix, Scope};
use crate::router::Kernel;
use crate::service::TransactHandler;
use crate::source::{NextAsked, NextKnown};

/// The context of an effect handler.
#[derive(Clone)]
pub struct Effect {
    pub(crate) kernel: Kernel,
    pub(crate) service: &'static str,
    pub(crate) caller: Caller,
    pub(crate) task: Option<Uuid>,
    pub(crate) working: usize,
}

impl Effect {
    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.kernel.clock().now()
    }

    /// For waiting.
    pub fn clock(&self) -> &Clock {
        self.kernel.clock()
    }

    /// Where clients reach this server: `http://127.0.0.1:4566`, without a slash at the end.
    pub fn endpoint(&self) -> &str {
        self.kernel.endpoint()
    }

    /// A fresh id.
    pub fn id(&self) -> Uuid {
        self.kernel.new_id()
    }

    /// The task that is being run, if this is no direct call: the idempotency key of what is done outside the store.
    pub fn task(&self) -> Option<Uuid> {
        self.task
    }

    /// The service's own state outside the store.
    pub fn state<T: Any + Send + Sync>(&self) -> Result<Arc<T>> {
        self.kernel.inner.state::<T>(self.service)
    }

    /// Calls an operation of any service, in the caller's name and chain of causes.
    pub async fn call(&self, service: &str, operation: &str, input: Bytes) -> Result<Bytes, Fault> {
        self.kernel.call(self.caller.clone(), service, operation, input).await
    }

    /// Calls an operation in another name.
    pub async fn call_as(
        &self,
        caller: Caller,
        service: &str,
        operation: &str,
        input: Bytes,
    ) -> Result<Bytes, Fault> {
        self.kernel.call(caller, service, operation, input).await
    }

    /// Runs a transaction of this service, again on conflict, and commits it.
    pub async fn transact<I, O, F>(&self, name: &str, handler: F, input: I) -> Result<O>
    where
        I: Clone + Send + Sync,
        O: Send,
        F: for<'a> TransactHandler<'a, I, O>,
    {
        self.kernel.transact(self.service, self.caller.clone(), name, handler, input).await
    }

    /// Wakes when a row of this kind below `parts` may have been written, in the caller's account and region.
    pub fn watch<K: Key>(&self, parts: &Parts) -> Wake {
        let scope = Scope { account: self.caller.account.clone(), region: self.caller.region.clone() };
        self.kernel.inner.engine.watch(&Prefix::new(self.service, &scope).range::<K>(parts).start)
    }

    /// Wakes when something new may stand in a source of any service; `None` if nothing serves it.
    pub fn watch_source(&self, source: &Arn) -> Option<Wake> {
        let kind = self.kernel.inner.sources.find(source)?;
        let prefix = Prefix::new(kind.service, &self.scope_of(source));
        Some(self.kernel.inner.engine.watch(&(kind.watched)(source).below(&prefix)))
    }

    /// When a source gives something though nothing is committed: a delay that ends, a message that becomes visible again.
    ///
    /// # Errors
    /// What the source's service answers, e.g. that there is no such source.
    pub async fn next_of_source(&self, source: &Arn) -> Result<Option<Timestamp>, Fault> {
        let Some(kind) = self.kernel.inner.sources.find(source) else { return Ok(None) };
        let Some(operation) = kind.next else { return Ok(None) };
        let Scope { account, region } = self.scope_of(source);
        let caller = self.caller.as_service(&self.caller.principal, account, region);
        let asked = NextAsked { source: source.to_string() };
        let input = serde_json::to_vec(&asked).map_err(Fault::internal)?;
        let answer = self.kernel.call_internal(caller, kind.service, operation, input.into()).await?;
        let NextKnown { at } = serde_json::from_slice(&answer).map_err(Fault::internal)?;
        Ok(at)
    }

    fn scope_of(&self, arn: &Arn) -> Scope {
        Scope {
            account: arn.account_id().unwrap_or_else(|| self.caller.account.clone()),
            region: arn.region_name().unwrap_or_else(|| self.caller.region.clone()),
        }
    }

    /// The table of sources.
    pub fn sources(&self) -> &crate::source::Sources {
        &self.kernel.inner.sources
    }

    /// How much of what earlier looks of this vigil have left is still at work. 0 for what is no look.
    pub fn working(&self) -> usize {
        self.working
    }

    /// The kernel, for what outlives the call.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }
}
