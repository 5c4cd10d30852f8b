//! Accepts an asynchronous event: a row, and a task that runs it. Both exist before the caller is answered.

use base::Arn;
use kernel::{Call, Caller, NewTask, Reply, Result, RetryPolicy, Scope, Tx};
use uuid::Uuid;

use crate::function;
use crate::keys::{Event, EventKey};
use crate::name::{FunctionRef, arn};
use crate::target::AcceptEvent;
use crate::{END_EVENT, NAME, RUN_EVENT};

/// The internal operation behind targets, and the asynchronous form of `Invoke`.
pub(crate) async fn accept_event(tx: &mut Tx, input: AcceptEvent) -> Result<()> {
    enter_scope_of(tx, &input.function);
    let wanted = FunctionRef::parse(&input.function, input.qualifier.as_deref(), tx.scope())?;
    function::find(tx, &wanted, 0).await?;
    let id = tx.caller().request_id;
    let event = Event {
        name: wanted.name,
        qualifier: wanted.qualifier,
        payload: input.payload,
        client_context: input.client_context,
        order: input.order,
        accepted: tx.now(),
        failures: 0,
        refusals: 0,
    };
    // Two events of one call, e.g. a destination and a dead letter, are two.
    let id = if tx.get(&EventKey { id }).await?.is_some() { tx.id() } else { id };
    tx.put(&EventKey { id }, &event)?;
    enqueue(tx, id, &event, tx.now())
}

/// A rule may stand in another region or account than the function that it targets: its rows are where its ARN says.
fn enter_scope_of(tx: &mut Tx, function: &str) {
    let arn = function.parse::<Arn>().ok();
    if let Some((account, region)) = arn.and_then(|arn| arn.account_id().zip(arn.region_name())) {
        tx.enter(Scope { account, region });
    }
}

/// Lets the event be run at `due`.
pub(crate) fn enqueue(tx: &mut Tx, id: Uuid, event: &Event, due: base::Timestamp) -> Result<()> {
    let context = serde_json::to_string(&id)?;
    let reply = Reply { service: NAME.to_owned(), operation: END_EVENT.to_owned(), context };
    let lane = arn(tx.scope(), &event.name);
    let order = event.order.as_ref().map(|order| format!("{lane}/{order}"));
    let Scope { account, region } = tx.scope().clone();
    let caller = Caller { account, region, ..tx.caller().clone() };
    let task = NewTask {
        caller: Some(caller),
        retry: RetryPolicy::once(),
        reply: Some(reply),
        lane: Some(lane),
        order,
        note: Some(event.name.clone()),
        ..NewTask::new(Call::new(NAME, RUN_EVENT, &id)?)
    };
    tx.enqueue(due, task)?;
    Ok(())
}
