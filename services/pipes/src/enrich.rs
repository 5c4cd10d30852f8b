//! The enrichment of a batch: what a function or an EXPRESS state machine makes of it.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-enrichment.html>

use base::schema::Blob;
use base::{Arn, Document, Fault};
use kernel::{Caller, Effect};
use serde_json::{Value, json};

use crate::source::ask;

/// The largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 6 * 1_048_576;

/// The events that the enrichment answers with: an array's elements, or the one that it is. Nothing is no event.
pub(crate) async fn enrich(
    effect: &Effect,
    caller: &Caller,
    arn: &Arn,
    events: Vec<Value>,
) -> Result<Vec<Value>, Fault> {
    let answer = match arn.service.as_str() {
        "lambda" => invoke(effect, caller, arn, &Value::Array(events)).await?,
        _ => run_machine(effect, caller, arn, &Value::Array(events)).await?,
    };
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
