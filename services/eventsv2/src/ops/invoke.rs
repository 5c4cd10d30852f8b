//! Targets whose answer is waited for.

use base::schema::Blob;
use base::{Document, Fault};
use bytes::Bytes;
use kernel::{Effect, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The internal operation that invokes a function and waits for its answer.
pub(crate) const INVOKE: &str = "InvokeFunction";
/// The internal operation that runs an execution to its end.
pub(crate) const START_SYNC: &str = "RunExecution";

/// A function and what it gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Invoke {
    pub function: String,
    pub qualifier: Option<String>,
    pub payload: String,
}

/// A state machine and what it gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StartSync {
    pub machine: String,
    pub name: Option<String>,
    pub trace_header: Option<String>,
    pub input: String,
}

/// A function that fails, or that names the one event of its batch as failed, is a delivery that failed.
pub(crate) async fn invoke(effect: &Effect, input: Invoke) -> Result<()> {
    let mut request = json!({
        "FunctionName": input.function, "InvocationType": "RequestResponse",
        "Payload": Blob::from(input.payload.into_bytes()),
    });
    if let Some(qualifier) = input.qualifier {
        request["Qualifier"] = qualifier.into();
    }
    let answer = call(effect, "lambda", "Invoke", &request).await?;
    let payload = answer["Payload"].as_str().and_then(Blob::from_base64);
    let payload: Document =
        payload.and_then(|payload| serde_json::from_slice(payload.as_bytes()).ok()).unwrap_or(Document::Null);
    if let Some(kind) = answer["FunctionError"].as_str() {
        let message = payload["errorMessage"].as_str().unwrap_or("The function failed.").to_owned();
        return Err(Fault::new(format!("FunctionError.{kind}"), message).into());
    }
    if payload["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty()) {
        let message = "The function reports the event in batchItemFailures.";
        return Err(Fault::new("BatchItemFailure", message).into());
    }
    Ok(())
}

/// An execution that does not succeed is a delivery that failed.
pub(crate) async fn start_sync(effect: &Effect, input: StartSync) -> Result<()> {
    let mut request = json!({ "stateMachineArn": input.machine, "input": input.input });
    for (name, value) in [("name", input.name), ("traceHeader", input.trace_header)] {
        if let Some(value) = value {
            request[name] = value.into();
        }
    }
    let answer = call(effect, "states", "StartSyncExecution", &request).await?;
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    match answer["status"].as_str() {
        Some("SUCCEEDED") => Ok(()),
        status => {
            let message = format!("The execution ended {}: {}", status.unwrap_or("unknown"), text("cause"));
            Err(Fault::new(format!("ExecutionFailed.{}", text("error")), message).into())
        }
    }
}

async fn call(effect: &Effect, service: &str, operation: &str, input: &Document) -> Result<Document> {
    let input: Bytes = serde_json::to_vec(input)?.into();
    let output = effect.call(service, operation, input).await?;
    Ok(serde_json::from_slice(&output)?)
}
