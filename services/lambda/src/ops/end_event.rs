//! Takes in how an attempt of an asynchronous event went: the next attempt, or the event's end with its records.

use base::{Arn, Document};
use kernel::{Call, Delivery, NewTask, Outcome, ReplyInput, Result, RetryPolicy, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::NAME;
use crate::api::DestinationConfig;
use crate::event::{Attempt, Condition, Decision, dead_letter_attributes, decide, record};
use crate::function;
use crate::keys::{Event, EventConfig, EventKey};
use crate::name::FunctionRef;
use crate::ops::accept_event::enqueue;
use crate::ops::run_event::read;

/// The internal operation that gets the outcome of `RunEvent`, in the transaction that removes its task.
pub(crate) async fn end_event(tx: &mut Tx, input: ReplyInput<Uuid>) -> Result<()> {
    let id = input.context;
    let Some(attempt) = attempt_of(input.outcome)? else { return Ok(()) };
    let Some((mut event, config)) = read(tx, id).await? else { return Ok(()) };
    match &attempt {
        Attempt::Answered(answer) => {
            event.failures += u32::from(answer.function_error.is_some());
            event.refusals = 0;
            tx.note("invocation", &id.to_string(), Some(answer.detail.clone()));
        }
        Attempt::Refused { code, message } | Attempt::Impossible { code, message } => {
            event.refusals += 1;
            let detail = json!({ "function": event.name, "code": code, "message": message });
            tx.note("not invoked", &id.to_string(), Some(detail));
        }
        Attempt::TooOld => tx.note(
            "not invoked",
            &id.to_string(),
            Some(json!({ "function": event.name, "code": "EventAgeExceeded" })),
        ),
    }
    let key = EventKey { id };
    let condition = match decide(&event, config.as_ref(), &attempt, tx.now()) {
        Decision::RetryAt(at) => {
            tx.put(&key, &event)?;
            return enqueue(tx, id, &event, at);
        }
        Decision::Succeeded => Condition::Success,
        Decision::Failed(condition) => condition,
    };
    tx.delete(&key);
    report(tx, &id.to_string(), &event, config.as_ref(), condition, &attempt).await
}

/// What the task says; `None` if there was nothing to run any more.
fn attempt_of(outcome: Outcome) -> Result<Option<Attempt>> {
    match outcome {
        Outcome::Succeeded(text) => Ok(serde_json::from_str(&text)?),
        Outcome::Failed(fault) => {
            Ok(Some(Attempt::Refused { code: fault.code.into_owned(), message: fault.message }))
        }
    }
}

/// Sends the record to the destination, and a lost event to the dead-letter queue.
async fn report(
    tx: &mut Tx,
    id: &str,
    event: &Event,
    config: Option<&EventConfig>,
    condition: Condition,
    attempt: &Attempt,
) -> Result<()> {
    let wanted = FunctionRef { name: event.name.clone(), qualifier: event.qualifier.clone() };
    let destination = config.and_then(|config| destination(&config.destinations, condition));
    if let Some(arn) = destination {
        let arn_of_version = match attempt {
            Attempt::Answered(answer) => answer.arn.clone(),
            _ => FunctionRef { qualifier: Some(wanted.qualifier_or_latest().to_owned()), ..wanted.clone() }
                .arn(tx.scope()),
        };
        let record = record(event, id, &arn_of_version, condition, attempt, tx.now());
        send_record(tx, id, &arn, &arn_of_version, condition, record)?;
    }
    if condition == Condition::Success {
        return Ok(());
    }
    // The dead-letter queue of the version as it is now; a function that is gone has none.
    let dead_letter = match function::find(tx, &wanted, u64::MAX).await {
        Ok(found) => found.version.dead_letter,
        Err(kernel::Error::Fault(_)) => None,
        Err(error) => return Err(error),
    };
    let Some(arn) = dead_letter else { return Ok(()) };
    let delivery = Delivery {
        payload: String::from_utf8_lossy(&event.payload).into_owned(),
        attributes: dead_letter_attributes(id, attempt),
        parameters: Document::Null,
        order: None,
        idempotency_key: id.to_owned(),
    };
    deliver(tx, &arn, delivery, "dead letter")
}

fn destination(config: &DestinationConfig, condition: Condition) -> Option<String> {
    match condition {
        Condition::Success => config.on_success.as_ref().and_then(|on| on.destination.clone()),
        _ => config.on_failure.as_ref().and_then(|on| on.destination.clone()),
    }
}

fn send_record(
    tx: &mut Tx,
    id: &str,
    arn: &str,
    function: &str,
    condition: Condition,
    record: Document,
) -> Result<()> {
    if !arn.starts_with("arn:aws:events:") {
        let payload = record.to_string();
        let delivery = Delivery { payload, idempotency_key: id.to_owned(), ..Delivery::default() };
        return deliver(tx, arn, delivery, "destination");
    }
    let outcome = if condition == Condition::Success { "Success" } else { "Failure" };
    let entry = json!({
        "Source": "lambda",
        "DetailType": format!("Lambda Function Invocation Result - {outcome}"),
        "Resources": [arn, function],
        "Detail": record.to_string(),
        "EventBusName": arn,
    });
    let call = Call::new("events", "PutEvents", &json!({ "Entries": [entry] }))?;
    send(tx, arn, call, "destination")
}

/// Sends a record of an event source mapping to its on-failure destination.
pub(crate) fn send_to(tx: &mut Tx, arn: &str, payload: String) -> Result<()> {
    let idempotency_key = tx.id().to_string();
    deliver(tx, arn, Delivery { payload, idempotency_key, ..Delivery::default() }, "destination")
}

/// Delivers by the ARN table. A target that is not served was refused when it was configured.
fn deliver(tx: &mut Tx, arn: &str, delivery: Delivery, note: &str) -> Result<()> {
    let parsed: Arn = arn.parse().map_err(|_| kernel::Error::bug(format!("parse the stored ARN {arn}")))?;
    let Some(kind) = tx.targets().find(&parsed).copied() else {
        tx.note("undeliverable", arn, None);
        return Ok(());
    };
    let call = (kind.call)(&parsed, delivery)?;
    send(tx, arn, call, note)
}

fn send(tx: &mut Tx, arn: &str, call: Call, note: &str) -> Result<()> {
    let scope = tx.scope().clone();
    let caller = tx.caller().as_service(&format!("{NAME}.amazonaws.com"), scope.account, scope.region);
    let task = NewTask {
        retry: RetryPolicy::event_bridge(),
        lane: Some(arn.to_owned()),
        note: Some(note.to_owned()),
        caller: Some(caller),
        ..NewTask::new(call)
    };
    tx.enqueue(tx.now(), task)?;
    Ok(())
}
