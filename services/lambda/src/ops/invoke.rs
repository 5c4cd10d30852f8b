//! `Invoke`: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use base::Fault;
use base::schema::Blob;
use bytes::Bytes;
use kernel::{Effect, Result, Scope, Tx};

use crate::api::{InvocationType, InvokeInput, InvokeOutput, LogType, error};
use crate::fault;
use crate::function;
use crate::name::FunctionRef;
use crate::ops::accept_event::accept_event;
use crate::run::{Order, run_recorded};
use crate::state::Functions;
use crate::target::AcceptEvent;

/// The largest payload of a synchronous invocation, in bytes.
const SYNC_LIMIT: usize = 6_291_456;

/// The largest payload of an asynchronous invocation, in bytes.
const ASYNC_LIMIT: usize = 1_048_576;

/// Runs a function and answers with its answer; or accepts an event; or only looks whether it could.
pub(crate) async fn invoke(effect: &Effect, mut input: InvokeInput) -> Result<InvokeOutput> {
    if input.durable_execution_name.is_some() {
        return Err(fault::unsupported("DurableExecutionName").into());
    }
    if input.tenant_id.is_some() {
        return Err(fault::unsupported("TenantId").into());
    }
    let kind = input.invocation_type.unwrap_or(InvocationType::RequestResponse);
    let payload = payload(input.payload.take(), kind)?;
    match kind {
        InvocationType::RequestResponse => wait_for(effect, input, payload).await,
        InvocationType::Event => {
            // A function of another account or region is not found, as with the other types.
            let scope =
                Scope { account: effect.caller().account.clone(), region: effect.caller().region.clone() };
            FunctionRef::parse(&input.function_name, input.qualifier.as_deref(), &scope)?;
            let event = AcceptEvent {
                function: input.function_name,
                qualifier: input.qualifier,
                payload,
                client_context: client_context(input.client_context.as_deref())?,
                order: None,
            };
            effect.transact("Invoke", accept_event, event).await?;
            Ok(InvokeOutput { status_code: Some(202), ..InvokeOutput::default() })
        }
        InvocationType::DryRun => {
            effect.transact("Invoke", look, (input.function_name, input.qualifier)).await?;
            Ok(InvokeOutput { status_code: Some(204), ..InvokeOutput::default() })
        }
    }
}

async fn wait_for(effect: &Effect, input: InvokeInput, payload: Bytes) -> Result<InvokeOutput> {
    let caller = effect.caller();
    let scope = Scope { account: caller.account.clone(), region: caller.region.clone() };
    let order = Order {
        wanted: FunctionRef::parse(&input.function_name, input.qualifier.as_deref(), &scope)?,
        payload,
        client_context: client_context(input.client_context.as_deref())?,
        request_id: caller.request_id.to_string(),
    };
    let functions = effect.state::<Functions>()?;
    let invoked = run_recorded(effect.kernel(), &functions, caller, order).await?.invoked;
    let log = || Blob::from(invoked.log_tail.clone().into_bytes()).to_base64();
    Ok(InvokeOutput {
        status_code: Some(200),
        function_error: invoked.function_error.map(|kind| kind.as_str().to_owned()),
        log_result: (input.log_type == Some(LogType::Tail)).then(log),
        payload: Some(Blob(invoked.payload)),
        executed_version: Some(invoked.executed_version),
        durable_execution_arn: None,
    })
}

pub(super) async fn look(tx: &mut Tx, (name, qualifier): (String, Option<String>)) -> Result<()> {
    let wanted = FunctionRef::parse(&name, qualifier.as_deref(), tx.scope())?;
    function::find(tx, &wanted, 0).await.map(drop)
}

/// The event: JSON within the limits; an absent one is an empty object.
pub(super) fn payload(payload: Option<Blob>, kind: InvocationType) -> Result<Bytes, Fault> {
    let payload = payload.map(|blob| blob.0).filter(|bytes| !bytes.is_empty());
    let Some(payload) = payload else { return Ok(Bytes::from_static(b"{}")) };
    let limit = if kind == InvocationType::Event { ASYNC_LIMIT } else { SYNC_LIMIT };
    if payload.len() > limit {
        let message = format!(
            "{} byte payload is too large for the {} invocation type (limit {limit} bytes)",
            payload.len(),
            kind.as_str()
        );
        return Err(error::request_too_large_exception(message).with_status(413));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        Ok(_) => Ok(payload),
        Err(why) => {
            let message = format!("Could not parse request body into json: {why}");
            Err(error::invalid_request_content_exception(message))
        }
    }
}

/// The client context as JSON text; it travels in base64.
pub(super) fn client_context(text: Option<&str>) -> Result<Option<String>, Fault> {
    let invalid = || {
        error::invalid_request_content_exception("Client context must be a valid Base64-encoded JSON object.")
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let bytes = Blob::from_base64(text).ok_or_else(invalid)?;
    let text = String::from_utf8(bytes.0.to_vec()).map_err(|_| invalid())?;
    serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|_| invalid())?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_json_within_limits() {
        let blob = |text: &str| Some(Blob::from(text.as_bytes().to_vec()));
        let kind = InvocationType::Event;
        assert_eq!(payload(None, kind).unwrap(), "{}");
        assert_eq!(payload(blob(""), kind).unwrap(), "{}");
        assert_eq!(payload(blob("[1]"), kind).unwrap(), "[1]");
        assert_eq!(payload(blob("nope"), kind).unwrap_err().code, "InvalidRequestContentException");
        let large = format!("\"{}\"", "x".repeat(ASYNC_LIMIT));
        let fault = payload(blob(&large), kind).unwrap_err();
        let expected =
            "1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)";
        assert_eq!((fault.message.as_str(), fault.status), (expected, 413));
        assert!(payload(blob(&large), InvocationType::RequestResponse).is_ok());
    }
}
