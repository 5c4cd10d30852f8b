//! The target of a pipe: how it is given a batch, and which events of it were not taken.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html>

mod bus;
mod function;
mod logs;
mod parts;
mod queue;
mod topic;

use std::collections::HashSet;

use asl::jsonpath::Path;
use base::{Arn, Document, Fault};
use kernel::{Caller, Delivery, Effect, Kernel};
use serde_json::{Value, json};

use crate::compiled::Compiled;
use crate::{PRINCIPAL, fault};

pub(crate) use logs::{calls as log_calls, put as put_lines};
pub(crate) use parts::array_parts;

/// The largest payload of a function that is waited for, in bytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(crate) const FUNCTION_BYTES_MAX: usize = 6_291_456;
/// The largest input of an execution, in bytes.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
pub(crate) const MACHINE_BYTES_MAX: usize = 262_144;

/// An event for the target.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// What the target gets.
    pub payload: Value,
    /// Where dynamic parameters look: the event before its transformation, its JSON texts parsed.
    pub view: Value,
}

/// What a call of the target needs.
pub(crate) struct Shot<'a> {
    pub effect: &'a Effect,
    /// The batch's caller, in its chain of causes.
    pub caller: &'a Caller,
    pub pipe: &'a Compiled,
}

/// What the target did not take.
#[derive(Debug, Default)]
pub(crate) struct Missed {
    /// Numbers of events.
    pub items: HashSet<usize>,
    /// Messages that the target itself named, by id.
    pub messages: HashSet<String>,
    /// Why the first one was not taken.
    pub fault: Option<Fault>,
}

impl Missed {
    fn add(&mut self, item: usize, fault: Fault) {
        self.items.insert(item);
        self.fault.get_or_insert(fault);
    }

    fn all(&mut self, items: &[usize], fault: &Fault) {
        items.iter().for_each(|item| self.add(*item, fault.clone()));
    }

    /// What was missed of `count` events: if it is all of them, the call has failed as a whole.
    fn of(self, count: usize) -> Result<Missed, Fault> {
        match self.fault {
            Some(fault) if self.items.len() == count => Err(fault),
            fault => Ok(Missed { fault, ..self }),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.messages.is_empty()
    }
}

/// The operation by which a target is called; `None` if the ARN table does.
fn operation(pipe: &Compiled) -> Option<(&'static str, &'static str)> {
    let waits = function::waits(pipe);
    match pipe.target.service.as_str() {
        "lambda" => Some(("lambda", "Invoke")),
        "states" => Some(("states", if waits { "StartSyncExecution" } else { "StartExecution" })),
        "sqs" => Some(("sqs", "SendMessageBatch")),
        "sns" => Some(("sns", "PublishBatch")),
        "logs" => Some(("logs", "PutLogEvents")),
        "events" if pipe.target.resource.starts_with("event-bus/") => Some(("events", "PutEvents")),
        _ => None,
    }
}

/// Refuses a target that cannot be called.
pub(crate) fn check(kernel: &Kernel, pipe: &Compiled) -> Result<(), Fault> {
    let arn = &pipe.target;
    let destination = arn.service == "events" && arn.resource.starts_with("api-destination/");
    let served = match operation(pipe) {
        Some((service, operation)) => kernel.serves(service, operation),
        None => destination && kernel.targets().find(arn).is_some(),
    };
    if !served {
        return Err(fault::not_honoured(&format!("{arn} as a target")));
    }
    let group = pipe.settings.target_parameters.sqs_queue_parameters.as_ref();
    if arn.service == "sqs"
        && arn.resource.ends_with(".fifo")
        && group.is_none_or(|parameters| parameters.message_group_id.is_none())
    {
        return Err(fault::invalid("MessageGroupId is required for FIFO queues."));
    }
    Ok(())
}

/// Gives the target a batch.
///
/// # Errors
/// Why it has taken nothing.
pub(crate) async fn call(shot: &Shot<'_>, items: &[Item]) -> Result<Missed, Fault> {
    match shot.pipe.target.service.as_str() {
        "lambda" | "states" => function::call(shot, items).await,
        "sqs" => queue::call(shot, items).await,
        "sns" => topic::call(shot, items).await,
        "logs" => logs::call(shot, items).await,
        _ if shot.pipe.target.resource.starts_with("event-bus/") => bus::call(shot, items).await,
        _ => deliver(shot, items).await,
    }
}

/// One delivery for each event: an API destination.
async fn deliver(shot: &Shot<'_>, items: &[Item]) -> Result<Missed, Fault> {
    let parameters = shot.pipe.settings.target_parameters.http_parameters.as_ref();
    let parameters = parameters.map_or(Document::Null, |parameters| json!(parameters));
    let mut missed = Missed::default();
    for (number, item) in items.iter().enumerate() {
        if let Err(fault) = post(shot, &shot.pipe.target, &parameters, number, item).await {
            missed.add(number, fault);
        }
    }
    Ok(missed)
}

/// Gives one event to what the ARN table knows as `arn`, and returns what that answers.
pub(crate) async fn post(
    shot: &Shot<'_>,
    arn: &Arn,
    parameters: &Document,
    number: usize,
    item: &Item,
) -> Result<Document, Fault> {
    let Shot { effect, caller, .. } = shot;
    let kernel = effect.kernel();
    let kind = kernel.targets().find(arn).copied();
    let kind = kind.ok_or_else(|| Fault::not_implemented(&arn.service, "Deliver"))?;
    let delivery = Delivery {
        payload: crate::record::text(&item.payload),
        parameters: resolved(parameters, &item.view),
        idempotency_key: format!("{}_{number}", caller.request_id),
        ..Delivery::default()
    };
    let call = (kind.call)(arn, delivery)?;
    let input: Document =
        serde_json::from_slice(&call.input).map_err(|error| Fault::validation(error.to_string()))?;
    let account = arn.account_id().unwrap_or_else(|| caller.account.clone());
    let region = arn.region_name().unwrap_or_else(|| caller.region.clone());
    let caller = Caller { request_id: effect.id(), ..caller.as_service(PRINCIPAL, account, region) };
    kernel.ask(caller, &call.service, &call.operation, &input).await
}

/// Gives a dead letter to a queue or a topic.
pub(crate) async fn bury(effect: &Effect, pipe: &Compiled, arn: &Arn, item: &Item) -> Result<(), Fault> {
    let shot = Shot { effect, caller: effect.caller(), pipe };
    post(&shot, arn, &Document::Null, 0, item).await.map(drop)
}

/// Parameters with what their JSON paths select.
fn resolved(parameters: &Document, view: &Value) -> Document {
    match parameters {
        Value::String(text) => dynamic(text, view).unwrap_or_default().into(),
        Value::Array(items) => items.iter().map(|item| resolved(item, view)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), resolved(value, view))).collect()
        }
        other => other.clone(),
    }
}

/// A parameter that is a JSON path (`$.…`) is what it selects in the event, every other one is itself.
fn dynamic(parameter: &str, view: &Value) -> Option<String> {
    if !parameter.starts_with('$') {
        return Some(parameter.to_owned());
    }
    let path = Path::parse(parameter).ok()?;
    path.select(view).value().map(|value| crate::record::text(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_look_into_events() {
        let view = json!({ "body": { "customer": "c1", "n": 7 } });
        assert_eq!(dynamic("fixed", &view).as_deref(), Some("fixed"));
        assert_eq!(dynamic("$.body.customer", &view).as_deref(), Some("c1"));
        assert_eq!(dynamic("$.body.n", &view).as_deref(), Some("7"));
        assert_eq!(dynamic("$.body.none", &view), None);
        let parameters = json!({ "PathParameterValues": ["$.body.customer", "x"], "HeaderParameters": { "n": "$.body.n" } });
        let expected = json!({ "PathParameterValues": ["c1", "x"], "HeaderParameters": { "n": "7" } });
        assert_eq!(resolved(&parameters, &view), expected);
    }
}
