//! A function or a state machine: it is given all events at once, or as many as its payload holds, and may name messages
//! that failed.

use std::collections::HashSet;

use base::Fault;
use serde_json::{Value, json};

use super::parts::{array_parts, open};
use super::{FUNCTION_BYTES_MAX, Item, MACHINE_BYTES_MAX, Missed, Shot};
use crate::api::PipeTargetInvocationType;
use crate::compiled::Compiled;
use crate::enrich::{blob, invoke, run_machine};
use crate::source::ask;

/// The largest payload of a function that is not waited for, in bytes.
const EVENT_BYTES_MAX: usize = 1_048_576;

/// Whether the pipe waits for what the target answers: it does unless it shall not.
pub(super) fn waits(pipe: &Compiled) -> bool {
    let given = &pipe.settings.target_parameters;
    let function = given.lambda_function_parameters.as_ref().and_then(|given| given.invocation_type);
    let machine =
        given.step_function_state_machine_parameters.as_ref().and_then(|given| given.invocation_type);
    function.or(machine).unwrap_or_default() == PipeTargetInvocationType::RequestResponse
}

pub(super) async fn call(shot: &Shot<'_>, items: &[Item]) -> Result<Missed, Fault> {
    let bytes_max = match (shot.pipe.target.service.as_str(), waits(shot.pipe)) {
        ("lambda", true) => FUNCTION_BYTES_MAX,
        ("lambda", false) => EVENT_BYTES_MAX,
        _ => MACHINE_BYTES_MAX,
    };
    let mut missed = Missed::default();
    for part in array_parts(items, bytes_max) {
        let numbers = open(shot, items, part, &mut missed);
        let payload = |number: &usize| items.get(*number).map(|item| item.payload.clone());
        let batch: Vec<Value> = numbers.iter().filter_map(payload).collect();
        if batch.is_empty() {
            continue;
        }
        match give(shot, batch.into()).await {
            Ok(more) => {
                missed.messages.extend(more.messages);
                missed.fault = missed.fault.or(more.fault);
            }
            Err(fault) => missed.all(&numbers, &fault),
        }
    }
    missed.of(items.len())
}

/// One call.
async fn give(shot: &Shot<'_>, batch: Value) -> Result<Missed, Fault> {
    let Shot { effect, caller, pipe } = shot;
    let target = &pipe.target;
    let answer = match (target.service.as_str(), waits(pipe)) {
        ("lambda", true) => invoke(effect, caller, target, &batch).await?,
        ("lambda", false) => {
            let arn = target.to_string();
            let input = json!({ "FunctionName": arn, "InvocationType": "Event", "Payload": blob(&batch) });
            ask(effect, caller, target, "lambda", "Invoke", &input).await?;
            return Ok(Missed::default());
        }
        (_, true) => run_machine(effect, caller, target, &batch).await?,
        (_, false) => {
            let input = json!({ "stateMachineArn": target.to_string(), "input": batch.to_string() });
            ask(effect, caller, target, "states", "StartExecution", &input).await?;
            return Ok(Missed::default());
        }
    };
    partial(&answer)
}

/// The messages that an answer of the form `{"batchItemFailures": [{"itemIdentifier": …}]}` names.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html>
fn partial(answer: &str) -> Result<Missed, Fault> {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let Some(failures) = answer.get("batchItemFailures").and_then(Value::as_array) else {
        return Ok(Missed::default());
    };
    let named = failures.iter().map(|failure| failure["itemIdentifier"].as_str().filter(|id| !id.is_empty()));
    let messages: Option<HashSet<String>> = named.map(|id| id.map(str::to_owned)).collect();
    let messages = messages.ok_or_else(|| {
        Fault::new("BatchItemFailures", "The target named a failure without an itemIdentifier.")
    })?;
    let why = || Fault::new("BatchItemFailures", "The target named messages that failed.");
    let fault = if messages.is_empty() { None } else { Some(why()) };
    Ok(Missed { messages, fault, items: HashSet::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_name_what_failed() {
        let named = |answer: &str| {
            partial(answer).map(|missed| {
                let mut messages: Vec<String> = missed.messages.into_iter().collect();
                messages.sort();
                messages
            })
        };
        let both = r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"a"}]}"#;
        assert_eq!(named(both).unwrap(), ["a", "b"]);
        for answer in
            ["", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#, "[1]"]
        {
            assert_eq!(named(answer).unwrap(), Vec::<String>::new(), "{answer}");
        }
        for answer in [r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, r#"{"batchItemFailures":[{}]}"#] {
            assert_eq!(named(answer).unwrap_err().code, "BatchItemFailures", "{answer}");
        }
    }
}
