//! Runs the function of an asynchronous event once. What follows is decided where the answer is taken in.

use base::{Fault, Timestamp};
use kernel::{Effect, Error, Result, Tx};
use uuid::Uuid;

use crate::event::{Answer, Attempt, age_max};
use crate::keys::{Event, EventConfig, EventConfigKey, EventKey};
use crate::name::{FunctionRef, LATEST};
use crate::run::{Order, Ran, run};
use crate::state::Functions;

/// The internal operation that a task of `AcceptEvent` calls.
pub(crate) async fn run_event(effect: &Effect, id: Uuid) -> Result<Option<Attempt>> {
    let Some((event, config)) = effect.transact("RunEvent", read, id).await? else { return Ok(None) };
    if is_too_old(&event, config.as_ref(), effect.now()) {
        return Ok(Some(Attempt::TooOld));
    }
    let order = Order {
        wanted: FunctionRef { name: event.name, qualifier: event.qualifier },
        payload: event.payload,
        client_context: event.client_context,
        request_id: id.to_string(),
    };
    let functions = effect.state::<Functions>()?;
    match run(effect.kernel(), &functions, effect.caller(), order).await {
        Ok(ran) => Ok(Some(Attempt::Answered(answer(ran)))),
        Err(Error::Fault(fault)) => Ok(Some(failed(fault))),
        Err(error) => Err(error),
    }
}

/// The event with its function's configuration; `None` if it has ended already.
pub(crate) async fn read(tx: &mut Tx, id: Uuid) -> Result<Option<(Event, Option<EventConfig>)>> {
    let Some(event) = tx.get(&EventKey { id }).await? else { return Ok(None) };
    let qualifier = event.qualifier.clone().unwrap_or_else(|| LATEST.to_owned());
    let config = tx.peek(&EventConfigKey { name: event.name.clone(), qualifier }).await?;
    Ok(Some((event, config)))
}

fn is_too_old(event: &Event, config: Option<&EventConfig>, now: Timestamp) -> bool {
    now.since(event.accepted) > age_max(config)
}

fn answer(ran: Ran) -> Answer {
    let detail = ran.detail();
    let invoked = ran.invoked;
    Answer {
        payload: String::from_utf8_lossy(&invoked.payload).into_owned(),
        function_error: invoked.function_error.map(|kind| kind.as_str().to_owned()),
        executed_version: invoked.executed_version,
        arn: ran.arn,
        detail,
    }
}

/// Throttling and our own failures pass; what the caller's side must mend does not.
fn failed(fault: Fault) -> Attempt {
    let passes =
        fault.status == 429 || fault.code == "ServiceException" || fault.code == "ServiceUnavailable";
    let (code, message) = (fault.code.into_owned(), fault.message);
    if passes { Attempt::Refused { code, message } } else { Attempt::Impossible { code, message } }
}
