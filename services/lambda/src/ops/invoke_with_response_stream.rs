//! `InvokeWithResponseStream`: <https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html>

use base::Document;
use base::schema::Blob;
use kernel::{Effect, Result, Scope};
use serde_json::json;

use super::invoke::{client_context, look, payload};
use crate::api::{
    InvocationType, InvokeWithResponseStreamInput, InvokeWithResponseStreamOutput, LogType,
    ResponseStreamingInvocationType,
};
use crate::event_stream::{self, CONTENT_TYPE};
use crate::fault;
use crate::name::FunctionRef;
use crate::run::{Order, run_recorded};
use crate::runtime::ErrorKind;
use crate::state::Functions;

/// Runs a function and answers with its answer as an event stream, once it is complete.
pub(crate) async fn invoke_with_response_stream(
    effect: &Effect,
    input: InvokeWithResponseStreamInput,
) -> Result<InvokeWithResponseStreamOutput> {
    if input.tenant_id.is_some() {
        return Err(fault::unsupported("TenantId").into());
    }
    let given = payload(input.payload, InvocationType::RequestResponse)?;
    if input.invocation_type == Some(ResponseStreamingInvocationType::DryRun) {
        effect.transact("InvokeWithResponseStream", look, (input.function_name, input.qualifier)).await?;
        return Ok(InvokeWithResponseStreamOutput { status_code: Some(204), ..Default::default() });
    }
    let caller = effect.caller();
    let scope = Scope { account: caller.account.clone(), region: caller.region.clone() };
    let order = Order {
        wanted: FunctionRef::parse(&input.function_name, input.qualifier.as_deref(), &scope)?,
        payload: given,
        client_context: client_context(input.client_context.as_deref())?,
        request_id: caller.request_id.to_string(),
    };
    let functions = effect.state::<Functions>()?;
    let invoked = run_recorded(effect.kernel(), &functions, caller, order).await?.invoked;
    let error = invoked.function_error.map(ErrorKind::as_str);
    let log = (input.log_type == Some(LogType::Tail))
        .then(|| Blob::from(invoked.log_tail.clone().into_bytes()).to_base64());
    let text = String::from_utf8_lossy(&invoked.payload);
    let complete = complete(error, &text, log);
    let chunks: &[u8] = if error.is_some() { b"" } else { &invoked.payload };
    Ok(InvokeWithResponseStreamOutput {
        status_code: Some(200),
        executed_version: Some(invoked.executed_version),
        event_stream: Some(Blob::from(event_stream::of_answer(chunks, &complete))),
        response_stream_content_type: Some(CONTENT_TYPE.to_owned()),
    })
}

/// The event that ends the stream.
fn complete(error: Option<&str>, payload: &str, log: Option<String>) -> Document {
    let mut complete = json!({});
    if let Some(code) = error {
        complete["ErrorCode"] = code.into();
        complete["ErrorDetails"] = payload.into();
    }
    if let Some(log) = log {
        complete["LogResult"] = log.into();
    }
    complete
}
