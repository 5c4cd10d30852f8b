//! The enrichment of a batch: what a function, an EXPRESS state machine or an API destination makes of it.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-enrichment.html>

use base::schema::Blob;
use base::{Arn, Document, Fault};
use kernel::{Caller, Effect};
use serde_json::{Value, json};

use crate::source::ask;
use crate::targets::{FUNCTION_BYTES_MAX, Item, MACHINE_BYTES_MAX, Shot, array_parts, post};

/// The largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 6 * 1_048_576;

/// The events that the enrichment answers with. A function or a state machine is given all at once, or as many as its
/// payload holds, an API destination one after the other.
pub(crate) async fn enrich(shot: &Shot<'_>, arn: &Arn, items: &[Item]) -> Result<Vec<Value>, Fault> {
    let Shot { effect, caller, pipe } = shot;
    match arn.service.as_str() {
        service @ ("lambda" | "states") => {
            let is_function = service == "lambda";
            let bytes_max = if is_function { FUNCTION_BYTES_MAX } else { MACHINE_BYTES_MAX };
            let mut all = Vec::new();
            for part in array_parts(items, bytes_max) {
                let items = items.get(part).unwrap_or_default();
                let batch: Value = items.iter().map(|item| item.payload.clone()).collect();
                let answer = match is_function {
                    true => invoke(effect, caller, arn, &batch).await?,
                    false => run_machine(effect, caller, arn, &batch).await?,
                };
                all.extend(events(answer)?);
            }
            Ok(all)
        }
        _ => {
            let parameters = pipe.settings.enrichment_parameters.as_ref();
            let parameters = parameters.and_then(|parameters| parameters.http_parameters.as_ref());
            let parameters = parameters.map_or(Document::Null, |parameters| json!(parameters));
            let mut all = Vec::new();
            for (number, item) in items.iter().enumerate() {
                let answer = post(shot, arn, &parameters, number, item).await?;
                all.extend(events(answer["ResponseBody"].as_str().unwrap_or_default().to_owned())?);
            }
            Ok(all)
        }
    }
}

/// An array's elements, or the one event that an answer is. Nothing is no event.
fn events(answer: String) -> Result<Vec<Value>, Fault> {
    if answer.len() > ANSWER_BYTES_MAX {
        return Err(Fault::new("EnrichmentTooLarge", "The enrichment's response is larger than 6 MB."));
    }
    if answer.trim().is_empty() {
        return Ok(Vec::new());
    }
    Ok(match serde_json::from_str(&answer) {
        Ok(Value::Array(events)) => events,
        Ok(Value::Null) => Vec::new(),
        Ok(Value::Object(members)) if members.is_empty() => Vec::new(),
        Ok(event) => vec![event],
        Err(_) => vec![Value::String(answer)],
    })
}

/// Invokes a function and waits for its answer.
///
/// # Errors
/// Lambda's, or the function's own error under the code `FunctionError`.
pub(crate) async fn invoke(
    effect: &Effect,
    caller: &Caller,
    arn: &Arn,
    payload: &Value,
) -> Result<String, Fault> {
    let input = json!({ "FunctionName": arn.to_string(), "Payload": blob(payload) });
    let output = ask(effect, caller, arn, "lambda", "Invoke", &input).await?;
    let answer = output["Payload"].as_str().and_then(Blob::from_base64).unwrap_or_default();
    let answer = String::from_utf8_lossy(answer.as_bytes()).into_owned();
    match output["FunctionError"].as_str() {
        Some(_) => Err(Fault::new("FunctionError", answer)),
        None => Ok(answer),
    }
}

/// A document as a payload travels.
pub(crate) fn blob(payload: &Value) -> Document {
    Blob::from(payload.to_string().into_bytes()).to_base64().into()
}

/// Runs an EXPRESS state machine and waits for its output.
///
/// # Errors
/// Step Functions', or the execution's own error.
pub(crate) async fn run_machine(
    effect: &Effect,
    caller: &Caller,
    arn: &Arn,
    input: &Value,
) -> Result<String, Fault> {
    let input = json!({ "stateMachineArn": arn.to_string(), "input": input.to_string() });
    let answer = ask(effect, caller, arn, "states", "StartSyncExecution", &input).await?;
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    match answer["status"].as_str() {
        Some("SUCCEEDED") => Ok(text("output")),
        status => {
            let code = answer["error"].as_str().or(status).unwrap_or("ExecutionFailed").to_owned();
            Err(Fault::new(code, text("cause")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_events() {
        for (answer, expected) in [
            ("[1,{\"a\":2}]", vec![json!(1), json!({ "a": 2 })]),
            ("{\"a\":2}", vec![json!({ "a": 2 })]),
            ("text", vec![json!("text")]),
            ("[]", vec![]),
            ("{}", vec![]),
            ("null", vec![]),
            (" ", vec![]),
        ] {
            assert_eq!(events(answer.to_owned()).unwrap(), expected, "{answer}");
        }
        assert_eq!(events("x".repeat(ANSWER_BYTES_MAX + 1)).unwrap_err().code, "EnrichmentTooLarge");
    }
}
