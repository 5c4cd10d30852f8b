//! What a service is: a name, operations, targets and state; assembled by the server, known to no other service.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use base::Fault;
use base::schema::{OperationSchema, ServiceSchema};
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::effect::Effect;
use crate::source::SourceKind;
use crate::target::TargetKind;
use crate::tx::Tx;
use crate::vigil::{ErasedLook, Rest};
use crate::{Error, Result};

/// An operation of AWS's API: its shapes and their constraints. Implemented by generated markers.
pub trait Operation: Send + Sync + 'static {
    /// The input structure.
    type Input: DeserializeOwned + Send + 'static;
    /// The output structure.
    type Output: Serialize + Send + 'static;
    /// Name, shapes and constraints.
    const SCHEMA: &'static OperationSchema;
}

/// A handler over a transaction: an `async fn(&mut Tx, Input) -> Result<Output>`.
pub trait TransactHandler<'a, I, O>: Send + Sync {
    /// What the function returns.
    type Future: Future<Output = Result<O>> + Send + 'a;
    /// Calls the function.
    fn call(&self, tx: &'a mut Tx, input: I) -> Self::Future;
}

impl<'a, F, Fut, I, O> TransactHandler<'a, I, O> for F
where
    F: Fn(&'a mut Tx, I) -> Fut + Send + Sync,
    Fut: Future<Output = Result<O>> + Send + 'a,
{
    type Future = Fut;

    fn call(&self, tx: &'a mut Tx, input: I) -> Fut {
        self(tx, input)
    }
}

/// A handler that may wait and call out: an `async fn(&Effect, Input) -> Result<Output>`.
pub trait EffectHandler<'a, I, O>: Send + Sync {
    /// What the function returns.
    type Future: Future<Output = Result<O>> + Send + 'a;
    /// Calls the function.
    fn call(&self, effect: &'a Effect, input: I) -> Self::Future;
}

impl<'a, F, Fut, I, O> EffectHandler<'a, I, O> for F
where
    F: Fn(&'a Effect, I) -> Fut + Send + Sync,
    Fut: Future<Output = Result<O>> + Send + 'a,
{
    type Future = Fut;

    fn call(&self, effect: &'a Effect, input: I) -> Fut {
        self(effect, input)
    }
}

/// A registered operation with its types erased: JSON text in, JSON text out.
pub(crate) struct Registered {
    pub schema: Option<&'static OperationSchema>,
    pub body: Body,
}

pub(crate) enum Body {
    Transact(Box<dyn ErasedTransact>),
    Effect(Box<dyn ErasedEffect>),
}

pub(crate) trait ErasedTransact: Send + Sync {
    fn call<'a>(&'a self, tx: &'a mut Tx, input: &'a Bytes) -> BoxFuture<'a, Result<Bytes>>;
}

pub(crate) trait ErasedEffect: Send + Sync {
    fn call<'a>(&'a self, effect: &'a Effect, input: &'a Bytes) -> BoxFuture<'a, Result<Bytes>>;
}

struct Erased<F, I, O>(F, PhantomData<fn(I) -> O>);

impl<F, I, O> ErasedTransact for Erased<F, I, O>
where
    F: for<'a> TransactHandler<'a, I, O>,
    I: DeserializeOwned + Send,
    O: Serialize + Send,
{
    fn call<'a>(&'a self, tx: &'a mut Tx, input: &'a Bytes) -> BoxFuture<'a, Result<Bytes>> {
        Box::pin(async move {
            let output = self.0.call(tx, parse(input)?).await?;
            Ok(serde_json::to_vec(&output)?.into())
        })
    }
}

impl<F, I, O> ErasedEffect for Erased<F, I, O>
where
    F: for<'a> EffectHandler<'a, I, O>,
    I: DeserializeOwned + Send,
    O: Serialize + Send,
{
    fn call<'a>(&'a self, effect: &'a Effect, input: &'a Bytes) -> BoxFuture<'a, Result<Bytes>> {
        Box::pin(async move {
            let output = self.0.call(effect, parse(input)?).await?;
            Ok(serde_json::to_vec(&output)?.into())
        })
    }
}

impl<F, I> ErasedLook for Erased<F, I, Rest>
where
    F: for<'a> EffectHandler<'a, I, Rest>,
    I: DeserializeOwned + Send,
{
    fn call<'a>(&'a self, effect: &'a Effect, input: &'a Bytes) -> BoxFuture<'a, Result<Rest>> {
        Box::pin(async move { self.0.call(effect, parse(input)?).await })
    }
}

fn parse<I: DeserializeOwned>(input: &Bytes) -> Result<I> {
    let text = if input.is_empty() { b"{}" } else { &input[..] };
    serde_json::from_slice(text)
        .map_err(|error| Fault::new("SerializationException", error.to_string()).into())
}

/// A service: what the server assembles the router from.
///
/// ```ignore
/// pub fn service() -> Service {
///     Service::new(&api::SERVICE)
///         .transact::<api::SendMessage, _>(ops::send_message::send_message)
///         .effect::<api::ReceiveMessage, _>(ops::receive_message::receive_message)
///         .internal("Expire", ops::expire::expire)
///         .targets(&[target::QUEUE])
/// }
/// ```
pub struct Service {
    pub(crate) name: &'static str,
    pub(crate) schema: Option<&'static ServiceSchema>,
    /// Further APIs of the same service.
    pub(crate) others: Vec<&'static ServiceSchema>,
    pub(crate) operations: HashMap<&'static str, Registered>,
    pub(crate) vigils: HashMap<&'static str, Box<dyn ErasedLook>>,
    pub(crate) targets: Vec<TargetKind>,
    pub(crate) sources: Vec<SourceKind>,
    pub(crate) state: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    pub(crate) at_start: Vec<&'static str>,
}

impl Service {
    /// A service of AWS's, without operations yet.
    pub fn new(schema: &'static ServiceSchema) -> Service {
        Service { schema: Some(schema), ..Service::internal_only(schema.signing_name) }
    }

    /// A service that no client can call, or one whose API is served in another way.
    pub fn internal_only(name: &'static str) -> Service {
        Service {
            name,
            schema: None,
            others: Vec::new(),
            operations: HashMap::new(),
            vigils: HashMap::new(),
            targets: Vec::new(),
            sources: Vec::new(),
            state: HashMap::new(),
            at_start: Vec::new(),
        }
    }

    /// Another API of the same service, under the same signing name and over the same rows. Its operations have names of
    /// their own.
    #[must_use]
    pub fn also(mut self, schema: &'static ServiceSchema) -> Service {
        self.others.push(schema);
        self
    }

    /// Serves `Op` by a function over a transaction. It is run again on conflict, so it has no other effect.
    #[must_use]
    pub fn transact<Op, F>(mut self, handler: F) -> Service
    where
        Op: Operation,
        F: for<'a> TransactHandler<'a, Op::Input, Op::Output> + 'static,
    {
        let body = Body::Transact(Box::new(Erased(handler, PhantomData)));
        self.operations.insert(Op::SCHEMA.name, Registered { schema: Some(Op::SCHEMA), body });
        self
    }

    /// Serves `Op` by a function that may wait, call other operations and touch the world; it holds no transaction
    /// across a call.
    #[must_use]
    pub fn effect<Op, F>(mut self, handler: F) -> Service
    where
        Op: Operation,
        F: for<'a> EffectHandler<'a, Op::Input, Op::Output> + 'static,
    {
        let body = Body::Effect(Box::new(Erased(handler, PhantomData)));
        self.operations.insert(Op::SCHEMA.name, Registered { schema: Some(Op::SCHEMA), body });
        self
    }

    /// An operation for tasks and replies only, over a transaction; clients cannot call it.
    #[must_use]
    pub fn internal<I, O, F>(mut self, name: &'static str, handler: F) -> Service
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + Send + 'static,
        F: for<'a> TransactHandler<'a, I, O> + 'static,
    {
        let body = Body::Transact(Box::new(Erased(handler, PhantomData)));
        self.operations.insert(name, Registered { schema: None, body });
        self
    }

    /// An operation for tasks only that may wait and call out; clients cannot call it.
    #[must_use]
    pub fn internal_effect<I, O, F>(mut self, name: &'static str, handler: F) -> Service
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + Send + 'static,
        F: for<'a> EffectHandler<'a, I, O> + 'static,
    {
        let body = Body::Effect(Box::new(Erased(handler, PhantomData)));
        self.operations.insert(name, Registered { schema: None, body });
        self
    }

    /// A look for the vigils that [`crate::Tx::keep_vigil`] keeps.
    #[must_use]
    pub fn vigil<I, F>(mut self, look: &'static str, handler: F) -> Service
    where
        I: DeserializeOwned + Send + 'static,
        F: for<'a> EffectHandler<'a, I, Rest> + 'static,
    {
        self.vigils.insert(look, Box::new(Erased(handler, PhantomData)));
        self
    }

    /// ARNs that this service serves as sources.
    #[must_use]
    pub fn sources(mut self, kinds: &[SourceKind]) -> Service {
        self.sources.extend_from_slice(kinds);
        self
    }

    /// ARNs that this service serves as targets.
    #[must_use]
    pub fn targets(mut self, kinds: &[TargetKind]) -> Service {
        self.targets.extend_from_slice(kinds);
        self
    }

    /// State outside the store: caches, supervisors. Losing it loses nothing.
    #[must_use]
    pub fn state<T: Any + Send + Sync>(mut self, state: Arc<T>) -> Service {
        self.state.insert(TypeId::of::<T>(), state);
        self
    }

    /// An internal operation that is run once when the kernel starts, with an empty input.
    #[must_use]
    pub fn at_start(mut self, operation: &'static str) -> Service {
        self.at_start.push(operation);
        self
    }

    /// The schema, for the protocols.
    pub fn schema(&self) -> Option<&'static ServiceSchema> {
        self.schema
    }

    /// The schemas of all its APIs, its own first.
    pub fn schemas(&self) -> impl Iterator<Item = &'static ServiceSchema> {
        self.schema.into_iter().chain(self.others.iter().copied())
    }

    /// The names of the operations that are served, internal ones included.
    pub fn operation_names(&self) -> impl Iterator<Item = &'static str> {
        self.operations.keys().copied()
    }
}

pub(crate) fn lookup<T: Any + Send + Sync>(service: &Service) -> Result<Arc<T>> {
    let state = service.state.get(&TypeId::of::<T>()).cloned();
    state.and_then(|state| state.downcast::<T>().ok()).ok_or_else(|| {
        Error::bug(format!("find the state {} of service {}", std::any::type_name::<T>(), service.name))
    })
}
