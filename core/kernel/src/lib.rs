//! What a service is: operations over a transaction, tasks that follow a commit, one runner, one router, one trace.
//!
//! Knows no service, no protocol and no socket. Time, ids and chance enter here and nowhere else.
//!
//! # For the author of a service
//!
//! Rows: declare keys with [`keys!`] and stored values with `store::stored!(Type, format = 1)`. A key's account, region,
//! service and shard come from the transaction. Kinds that grow with traffic (messages, items, history) are `sharded`
//! (their first part, e.g. the queue's name, chooses the shard; every scan names it); values that may pass 90 kB are
//! `large`.
//!
//! Operations: `async fn send_message(tx: &mut Tx, input: SendMessageInput) -> Result<SendMessageOutput>` registered by
//! [`Service::transact`]. It may be run several times, so it has no effect but through `tx`: [`Tx::get`] (guarded),
//! [`Tx::peek`] and scans (unguarded), [`Tx::put`], [`Tx::delete`], [`Tx::append`], [`Tx::enqueue`], [`Tx::emit`],
//! [`Tx::note`] (a fact for the trace), [`Tx::now`], [`Tx::id`], [`Tx::caller`]. Errors are [`base::Fault`]s
//! (`return Err(Fault::new("QueueDoesNotExist", "…").into())`), or [`Error::Bug`] when it is our mistake.
//!
//! What waits or reaches outside is an *effect*: `async fn invoke(effect: &Effect, input) -> Result<Output>` registered by
//! [`Service::effect`]. It reads and writes by [`Effect::transact`] and calls other services by [`Effect::call`].
//!
//! What must happen afterwards is a task: `tx.enqueue(due, NewTask { retry, reply, …, ..NewTask::new(Call::new(service,
//! operation, &input)?) })`. It calls an operation of any service, AWS's or internal ([`Service::internal`]). A
//! [`Reply`] names an internal operation that gets the outcome as [`ReplyInput`]. Timers are tasks that are due later;
//! [`Tx::cancel`] removes one; a timer that fires too late must find by the rows that it is stale.
//!
//! Who waits for something to come keeps a *vigil* ([`Tx::keep_vigil`], [`Service::vigil`]): its look reads what is there,
//! and its [`Rest`] says when to look again. Sources that others read register a [`SourceKind`], for [`Effect::watch_source`].
//!
//! Targets: a service that can be delivered to registers [`TargetKind`]s; who delivers asks [`Tx::targets`].
//!
//! Tests: [`Kernel::new`] over `store::open(&Location::Memory)` with [`Clock::virtual_at`] and [`Chance::seeded`];
//! [`Kernel::start`]; then `kernel.call(caller, service, operation, json)`, [`Kernel::advance`] for time,
//! [`Kernel::idle`] to wait for the runner.

mod caller;
mod chance;
mod clock;
mod effect;
mod error;
mod event;
mod housekeeping;
mod key;
mod lookup;
mod router;
mod runner;
mod service;
mod source;
mod target;
pub mod task;
pub mod trace;
mod tx;
mod vigil;

#[doc(hidden)]
pub use store as __store;

pub use caller::{Caller, TraceCx};
pub use chance::Chance;
pub use clock::Clock;
pub use effect::Effect;
pub use error::{Error, Result};
pub use event::{Event, PUBLISH, ServiceEvent};
pub use housekeeping::UndeliveredKey;
pub use key::{Key, Parts, SHARDS, Scope};
pub use router::Kernel;
pub use service::{EffectHandler, Operation, Service, TransactHandler};
pub use source::{NextAsked, NextKnown, SourceKind, Sources, Watched};
pub use store::engine::Direction;
pub use target::{Delivery, TargetKind, Targets};
pub use task::{
    Call, DeadLetter, DeadLetterStyle, Exhausted, NewTask, Outcome, Reply, ReplyInput, RetryPolicy,
    RetryWhen, Task,
};
pub use tx::{TaskHandle, Tx};
pub use vigil::Rest;
