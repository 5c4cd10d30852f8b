use base::{Document, Fault};
use bytes::Bytes;
use kernel::{Effect, Result};
use serde::{Deserialize, Serialize};

use crate::universal::canonical;

/// The internal operation that calls any operation through the router, which checks its input.
pub(crate) const CALL_API: &str = "CallApi";

/// Which operation, and its input as the schedule has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CallApi {
    pub service: String,
    pub operation: String,
    pub input: Document,
}

/// Calls the operation in the name of the schedule. Events that were not taken are a failure, too.
pub(crate) async fn call_api(effect: &Effect, call: CallApi) -> Result<()> {
    let CallApi { service, operation, input } = call;
    let schema = effect.kernel().schemas().find(|schema| schema.signing_name == service);
    let input = match schema.and_then(|schema| schema.operation(&operation)) {
        Some(schema) => canonical(schema.input, input),
        None => input,
    };
    let input: Bytes = serde_json::to_vec(&input)?.into();
    let output = effect.call(&service, &operation, input).await?;
    if service == "events" && operation == "PutEvents" {
        check_entries(&output)?;
    }
    Ok(())
}

/// `PutEvents` answers well where entries were refused.
fn check_entries(output: &Bytes) -> Result<(), Fault> {
    let answer: Document = serde_json::from_slice(output).unwrap_or_default();
    let entries = answer["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    match entries.iter().find(|entry| entry["ErrorCode"].is_string()) {
        Some(entry) => {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            Err(Fault::new(text("ErrorCode"), text("ErrorMessage")))
        }
        None => Ok(()),
    }
}
