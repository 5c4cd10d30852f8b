//! Calls of HTTP endpoints: bounded in time, redirects not followed.

use std::sync::OnceLock;
use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use base::Fault;
use bytes::Bytes;
use futures::future::{Either, select};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kernel::task::RETRY_AFTER_MS;
use kernel::{Effect, Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::keys::{AttemptsKey, Number};
use crate::retry::Healthy;

/// The internal operation that calls an endpoint.
pub(crate) const DELIVER: &str = "DeliverToEndpoint";

/// How long an endpoint has to answer.
/// <https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html>
const WITHIN: Duration = Duration::from_secs(15);
/// The largest answer that is read; what it says is not looked at.
const ANSWER_BYTES_MAX: usize = 65_536;

type Https = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The client, made when the first call goes out.
#[derive(Default)]
pub(crate) struct Outbound(OnceLock<Https>);

/// What is sent where, and how it is tried again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deliver {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub policy: Healthy,
}

/// Sends a message. An answer of 2xx is taken as delivery; 4xx but 429 ends the attempts.
pub(crate) async fn deliver(effect: &Effect, input: Deliver) -> Result<()> {
    let sent = send(effect, &input).await;
    // A delivery is always a task: its id names the row that counts.
    let task = effect.task().unwrap_or_default();
    match sent {
        Ok(()) => effect.transact("ForgetAttempts", forget_attempts, task).await,
        Err(fault) if !is_worth_another(&fault) => {
            effect.transact("ForgetAttempts", forget_attempts, task).await?;
            Err(fault.into())
        }
        Err(fault) => {
            let last = input.policy.num_retries;
            let attempts = effect.transact("CountAttempt", count_attempt, (task, last)).await?;
            let wait_ms = input.policy.wait(attempts).as_millis() as u64;
            Err(fault.with_members(json!({ RETRY_AFTER_MS: wait_ms })).into())
        }
    }
}

/// Whether the runner tries again after it: what [`kernel::RetryWhen::ServiceFault`] says.
fn is_worth_another(fault: &Fault) -> bool {
    fault.status >= 500 || fault.status == 429
}

/// How often the delivery has failed now. The row goes when there is no further attempt.
async fn count_attempt(tx: &mut Tx, (task, last): (Uuid, u32)) -> Result<u32> {
    let key = AttemptsKey { task };
    let attempts = tx.get(&key).await?.map_or(1, |count| count.0 + 1);
    match attempts > u128::from(last) {
        true => tx.delete(&key),
        false => tx.put(&key, &Number(attempts))?,
    }
    Ok(u32::try_from(attempts).unwrap_or(u32::MAX))
}

async fn forget_attempts(tx: &mut Tx, task: Uuid) -> Result<()> {
    let key = AttemptsKey { task };
    if tx.get(&key).await?.is_some() {
        tx.delete(&key);
    }
    Ok(())
}

async fn send(effect: &Effect, input: &Deliver) -> Result<(), Fault> {
    let client = effect.state::<Outbound>().map_err(|error| effect.kernel().to_fault(error))?.client()?;
    let request = build(input)?;
    let exchange = Box::pin(exchange(client, request));
    let deadline = Box::pin(effect.clock().sleep_until(effect.now() + WITHIN));
    let status = match select(exchange, deadline).await {
        Either::Left((status, _)) => status?,
        Either::Right(_) => {
            let message = format!("the endpoint did not answer within {} seconds", WITHIN.as_secs());
            return Err(Fault::new("EndpointTimeout", message).with_status(504));
        }
    };
    if status.is_success() {
        return Ok(());
    }
    // What is neither success nor the client's fault is worth another attempt.
    let seen = if status.is_client_error() { status.as_u16() } else { status.as_u16().max(500) };
    let message = format!("the endpoint answered {}", status.as_u16());
    Err(Fault::new("EndpointRefused", message).with_status(seen))
}

impl Outbound {
    fn client(&self) -> Result<Https, Fault> {
        if let Some(client) = self.0.get() {
            return Ok(client.clone());
        }
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| unreachable(format!("the system's root certificates cannot be read: {error}")))?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(self.0.get_or_init(|| Client::builder(TokioExecutor::new()).build(connector)).clone())
    }
}

fn build(input: &Deliver) -> Result<Request<Full<Bytes>>, Fault> {
    let invalid =
        |what: &str| Fault::new("EndpointInvalid", format!("the {what} of the request is not valid"));
    let uri: Uri = input.url.parse().map_err(|_| invalid("URL"))?;
    let mut request = Request::new(Full::new(Bytes::from(input.body.clone())));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    for (name, value) in &input.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid(name))?;
        let value = HeaderValue::from_str(value).map_err(|_| invalid(name.as_str()))?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

async fn exchange(client: Https, request: Request<Full<Bytes>>) -> Result<StatusCode, Fault> {
    let response = client
        .request(request)
        .await
        .map_err(|error| unreachable(format!("the endpoint cannot be reached: {error}")))?;
    let (parts, body) = response.into_parts();
    // Read to its end, so that the connection can be used again; what it says does not count.
    let _ = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    Ok(parts.status)
}

fn unreachable(message: String) -> Fault {
    Fault::new("EndpointUnreachable", message).with_status(502)
}
