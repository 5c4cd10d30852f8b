//! API destinations: HTTP endpoints as targets, and the call of any endpoint through a connection.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html>

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Arn, Document, Fault, Timestamp};
use bytes::Bytes;
use kernel::task::RETRY_AFTER_MS;
use kernel::{Call, Delivery, Effect, Result, TargetKind, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::ConnectionState;
use crate::connection::{self, Credentials, Read};
use crate::fault;
use crate::keys::{Destination, DestinationKey};
use crate::limiter::Limiter;
use crate::outbound::{Answer, Outbound, Outgoing};

/// The operation that calls an API destination.
pub(crate) const INVOKE: &str = "InvokeApiDestination";
/// The internal operation that calls an HTTP endpoint through a connection.
pub const INVOKE_HTTP_ENDPOINT: &str = "InvokeHttpEndpoint";

/// How long an API destination may take.
const WITHIN: Duration = Duration::from_secs(5);
/// How long an endpoint that a workflow calls may take.
const ENDPOINT_WITHIN: Duration = Duration::from_secs(60);

/// API destinations by their ARN.
pub(crate) const DESTINATION: TargetKind = TargetKind {
    service: "events",
    name: "API destination",
    serves: is_destination,
    call: deliver,
    at_once: |_| false,
};

pub(crate) fn is_destination(arn: &Arn) -> bool {
    arn.service == "events" && arn.resource.starts_with("api-destination/")
}

/// The destination's ARN in the transaction's scope.
pub(crate) fn arn(tx: &Tx, name: &str, id: Uuid) -> String {
    let resource = format!("api-destination/{name}/{id}");
    Arn::new("events", &tx.scope().region, &tx.scope().account, resource).to_string()
}

fn deliver(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let input = json!({ "Arn": arn, "Payload": delivery.payload, "Parameters": delivery.parameters });
    Call::new("events", INVOKE, &input).map_err(|error| Fault::validation(error.to_string()))
}

/// What goes to an API destination.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InvokeApiDestination {
    arn: String,
    payload: String,
    #[serde(default)]
    parameters: Document,
}

/// A request to an HTTP endpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvokeHttpEndpointInput {
    /// The connection that authorises the call.
    pub connection_arn: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// The URL.
    pub api_endpoint: String,
    /// Headers by their names. Those of the connection take the place of the same here.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Added to the URL's query.
    #[serde(default)]
    pub query_parameters: BTreeMap<String, String>,
    /// The body as text. The connection's body parameters are added to it if it is a JSON object.
    #[serde(default)]
    pub request_body: Option<String>,
    /// Whether the answer shows the request, too.
    #[serde(default)]
    pub show_request: Option<ShowRequest>,
}

/// How a request is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShowRequest {
    /// Without what the connection adds.
    Redacted,
    /// As it is sent.
    Revealed,
}

/// A request as it is sent, or without what a connection adds to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// The URL with its query.
    pub url: String,
    /// Headers by their names.
    pub headers: BTreeMap<String, String>,
    /// The body as text, if there is one.
    pub body: Option<String>,
}

/// What an HTTP endpoint answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HttpAnswer {
    /// The status.
    pub status_code: u16,
    /// The status in words.
    pub status_text: String,
    /// Headers by their names, which are in small letters.
    pub headers: BTreeMap<String, Vec<String>>,
    /// The body as text.
    pub response_body: String,
    /// The request, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpRequest>,
}

impl HttpAnswer {
    fn of(answer: &Answer, request: Option<HttpRequest>) -> HttpAnswer {
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &answer.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.entry(name.to_string()).or_default().push(value);
        }
        let known = http::StatusCode::from_u16(answer.status).ok();
        HttpAnswer {
            status_code: answer.status,
            status_text: known.and_then(|status| status.canonical_reason()).unwrap_or_default().to_owned(),
            headers,
            response_body: String::from_utf8_lossy(&answer.body).into_owned(),
            request,
        }
    }
}

/// A destination and its connection as an effect reads them.
async fn read(tx: &mut Tx, text: String) -> Result<(Destination, Read)> {
    let parsed: Arn = text.parse().map_err(|_| fault::no_such("ApiDestination", &text))?;
    let name = name_of(&parsed).unwrap_or_default().to_owned();
    if let Some((account, region)) = parsed.account_id().zip(parsed.region_name()) {
        tx.enter(kernel::Scope { account, region });
    }
    let found = tx.peek(&DestinationKey { name: name.clone() }).await?;
    let Some(found) = found.filter(|found| arn(tx, &name, found.id) == text) else {
        return Err(fault::no_such("ApiDestination", &text).into());
    };
    let read = connection::read(tx, found.connection.clone()).await?;
    Ok((found, read))
}

/// The name in an API destination's ARN.
pub(crate) fn name_of(arn: &Arn) -> Option<&str> {
    let path = arn.resource.strip_prefix("api-destination/")?;
    Some(path.split_once('/').map_or(path, |(name, _)| name))
}

/// Calls an API destination. Faults say by their code whether another attempt is worth it.
pub(crate) async fn invoke(effect: &Effect, input: InvokeApiDestination) -> Result<HttpAnswer> {
    let (destination, read) = effect.transact("ReadApiDestination", read, input.arn.clone()).await?;
    check_state(&read)?;
    let now = effect.now();
    if let Err(wait) = effect.state::<Limiter>()?.admit(&input.arn, destination.rate, effect.task(), now) {
        return Err(busy("The invocation rate of the API destination is reached.", wait).into());
    }
    let credentials = connection::credentials(effect, &read).await?;
    let call = request(&destination, &input, credentials)?;
    let answer = effect.state::<Outbound>()?.send(effect.clock(), WITHIN, call).await?;
    let is_o_auth = read.secret.parameters.o_auth_parameters.is_some();
    if is_o_auth && matches!(answer.status, 401 | 407) {
        connection::forget_token(effect, &read).await?;
        return Err(retried(&answer, now).into());
    }
    match answer.status {
        200..300 => Ok(HttpAnswer::of(&answer, None)),
        409 | 429 | 500.. => Err(retried(&answer, now).into()),
        status => {
            let message = format!("The API destination answered with status {status}.");
            Err(Fault::new("SDK_CLIENT_ERROR", message).into())
        }
    }
}

fn check_state(read: &Read) -> Result<(), Fault> {
    match read.connection.state {
        ConnectionState::Authorized => Ok(()),
        ConnectionState::Authorizing | ConnectionState::Updating | ConnectionState::Creating => {
            Err(busy("The connection of the API destination is not authorized yet.", Duration::ZERO))
        }
        _ => Err(Fault::access_denied(format!("Connection {} is not authorized.", read.name))),
    }
}

fn busy(message: &str, wait: Duration) -> Fault {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Fault::new("THROTTLING", message).with_status(429).with_members(json!({ RETRY_AFTER_MS: wait_ms }))
}

/// A fault that is worth another attempt, not before the endpoint wants it.
fn retried(answer: &Answer, now: Timestamp) -> Fault {
    let code = if answer.status == 429 { "THROTTLING" } else { "ERROR_FROM_TARGET" };
    let message = format!("The API destination answered with status {}.", answer.status);
    let fault = Fault::new(code, message).with_status(answer.status.max(500));
    match retry_after(answer, now) {
        Some(wait) => {
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            fault.with_members(json!({ RETRY_AFTER_MS: wait_ms }))
        }
        None => fault,
    }
}

/// `Retry-After`: seconds, or a date.
fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let text = answer.headers.get("retry-after")?.to_str().ok()?;
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_millisecond();
    Some(Timestamp::from_millis(at).since(now))
}

/// The request that an API destination gets.
fn request(
    destination: &Destination,
    input: &InvokeApiDestination,
    credentials: Credentials,
) -> Result<Outgoing, Fault> {
    let parameters: Parameters = match &input.parameters {
        Value::Null => Parameters::default(),
        given => {
            serde_json::from_value(given.clone()).map_err(|_| invalid("HttpParameters are not valid."))?
        }
    };
    let url = fill(&destination.endpoint, &parameters.path)?;
    let mut headers: Vec<(String, String)> = [
        ("User-Agent", "Amazon/EventBridge/ApiDestinations"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Range", "bytes=0-1048575"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    headers.extend(parameters.headers);
    headers.extend(credentials.headers);
    let has_body = !matches!(destination.method.as_str(), "GET" | "HEAD");
    Ok(Outgoing {
        method: destination.method.as_str().to_owned(),
        url: connection::with_query(&url, &merged(parameters.query, credentials.query)),
        headers,
        body: has_body.then(|| with_fields(&input.payload, &credentials.body)).transpose()?,
    })
}

/// `HttpParameters` with their paths into the event filled.
#[derive(Default, Deserialize)]
struct Parameters {
    #[serde(rename = "PathParameterValues", default)]
    path: Vec<String>,
    #[serde(rename = "HeaderParameters", default)]
    headers: BTreeMap<String, String>,
    #[serde(rename = "QueryStringParameters", default)]
    query: BTreeMap<String, String>,
}

/// Of the same name, the connection's goes.
fn merged(mut ours: BTreeMap<String, String>, theirs: Vec<(String, String)>) -> Vec<(String, String)> {
    for (name, _) in &theirs {
        ours.remove(name);
    }
    ours.into_iter().chain(theirs).collect()
}

/// The endpoint with a value in the place of each `*`.
fn fill(endpoint: &str, values: &[String]) -> Result<String, Fault> {
    let mut parts = endpoint.split('*');
    let mut url = parts.next().unwrap_or_default().to_owned();
    let mut values = values.iter();
    for part in parts {
        let value = values.next().ok_or_else(|| invalid("PathParameterValues has too few values."))?;
        let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        url.push_str(&encoded.replace('+', "%20"));
        url.push_str(part);
    }
    match values.next() {
        None => Ok(url),
        Some(_) => Err(invalid("PathParameterValues has more values than the endpoint has wildcards.")),
    }
}

fn invalid(message: &str) -> Fault {
    // In capitals, as in dead letters; not worth another attempt.
    Fault::new("SDK_CLIENT_ERROR", message)
}

/// A body with more fields, if it is a JSON object; what the endpoint gets is JSON then.
fn with_fields(body: &str, fields: &[(String, String)]) -> Result<Bytes, Fault> {
    if fields.is_empty() {
        return Ok(Bytes::from(body.to_owned()));
    }
    let mut object: serde_json::Map<String, Value> = serde_json::from_str(body).map_err(|_| {
        invalid("The connection has body parameters, and the body is no JSON object to add them to.")
    })?;
    for (name, value) in fields {
        object.insert(name.clone(), Value::from(value.clone()));
    }
    serde_json::to_vec(&object).map(Bytes::from).map_err(|_| invalid("The body is not valid."))
}

/// Calls any endpoint through a connection: for workflows. Whatever the answer's status is, it is no fault.
pub(crate) async fn invoke_http_endpoint(
    effect: &Effect,
    input: InvokeHttpEndpointInput,
) -> Result<HttpAnswer> {
    let read = effect.transact("ReadConnection", connection::read, input.connection_arn.clone()).await?;
    check_state(&read)?;
    let credentials = connection::credentials(effect, &read).await?;
    let mut headers: Vec<(String, String)> = Vec::new();
    if input.request_body.is_some() {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    headers.extend(input.headers);
    let redacted = Outgoing {
        method: input.method.clone(),
        url: connection::with_query(&input.api_endpoint, &merged(input.query_parameters.clone(), Vec::new())),
        headers: headers.clone(),
        body: input.request_body.clone().map(Bytes::from),
    };
    headers.extend(credentials.headers);
    let body = match (&input.request_body, credentials.body.is_empty()) {
        (None, true) => None,
        (body, _) => Some(with_fields(body.as_deref().unwrap_or("{}"), &credentials.body)?),
    };
    let call = Outgoing {
        method: input.method,
        url: connection::with_query(&input.api_endpoint, &merged(input.query_parameters, credentials.query)),
        headers,
        body,
    };
    let request = input.show_request.map(|show| match show {
        ShowRequest::Redacted => shown(&redacted),
        ShowRequest::Revealed => shown(&call),
    });
    let answer = effect.state::<Outbound>()?.send(effect.clock(), ENDPOINT_WITHIN, call).await?;
    if read.secret.parameters.o_auth_parameters.is_some() && matches!(answer.status, 401 | 407) {
        connection::forget_token(effect, &read).await?;
    }
    Ok(HttpAnswer::of(&answer, request))
}

fn shown(call: &Outgoing) -> HttpRequest {
    HttpRequest {
        method: call.method.clone(),
        url: call.url.clone(),
        headers: call.headers.iter().cloned().collect(),
        body: call.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_of_an_endpoint_are_filled_in_order() {
        let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        assert_eq!(fill("https://a/b", &[]).unwrap(), "https://a/b");
        assert_eq!(fill("https://a/*/c/*", &values(&["x y", "1/2"])).unwrap(), "https://a/x%20y/c/1%2F2");
        assert!(fill("https://a/*", &[]).is_err() && fill("https://a", &values(&["x"])).is_err());
    }

    #[test]
    fn the_time_to_come_again_is_read_as_seconds_or_date() {
        let answer = |value: &str| {
            let mut headers = http::HeaderMap::new();
            headers.insert("retry-after", value.parse().unwrap());
            Answer { status: 503, headers, body: Bytes::new() }
        };
        let now = Timestamp::from_iso("2026-01-01T00:00:00Z").unwrap();
        assert_eq!(retry_after(&answer("120"), now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after(&answer("Thu, 01 Jan 2026 00:01:00 GMT"), now), Some(Duration::from_secs(60)));
        assert_eq!(retry_after(&answer("soon"), now), None);
    }
}
