//! Calls of HTTP endpoints outside: bounded in time and size, redirects not followed.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base::Fault;
use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kernel::Clock;

/// The largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 6 * 1_048_576;

type Https = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The client, made when the first call goes out. Clones share its connections.
#[derive(Clone, Default)]
pub(crate) struct Outbound(Arc<OnceLock<Https>>);

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub method: String,
    pub url: String,
    /// A later header of the same name takes the place of an earlier one.
    pub headers: Vec<(String, String)>,
    pub body: Option<Bytes>,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Outbound {
    /// Sends the request. A fault says that there was no answer.
    pub(crate) async fn send(
        &self,
        clock: &Clock,
        within: Duration,
        call: Outgoing,
    ) -> Result<Answer, Fault> {
        let client = self.client()?;
        let request = build(call)?;
        let exchange = Box::pin(exchange(client, request));
        let deadline = Box::pin(clock.sleep_until(clock.now() + within));
        match select(exchange, deadline).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => {
                let message = format!("The endpoint did not answer within {} seconds.", within.as_secs());
                Err(Fault::new("TIMEOUT", message).with_status(504))
            }
        }
    }

    fn client(&self) -> Result<Https, Fault> {
        if let Some(client) = self.0.get() {
            return Ok(client.clone());
        }
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| unreachable(format!("The system's root certificates cannot be read: {error}")))?
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .build();
        Ok(self.0.get_or_init(|| Client::builder(TokioExecutor::new()).build(connector)).clone())
    }
}

fn build(call: Outgoing) -> Result<Request<Full<Bytes>>, Fault> {
    let invalid =
        |what: &str| Fault::new("INVALID_PARAMETER", format!("The {what} of the request is not valid."));
    let method = Method::from_bytes(call.method.as_bytes()).map_err(|_| invalid("method"))?;
    let uri: Uri = call.url.parse().map_err(|_| invalid("URL"))?;
    let mut request = Request::new(Full::new(call.body.unwrap_or_default()));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    for (name, value) in call.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid(&format!("header {name}")))?;
        let value = HeaderValue::from_str(&value).map_err(|_| invalid(&format!("header {name}")))?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

async fn exchange(client: Https, request: Request<Full<Bytes>>) -> Result<Answer, Fault> {
    let response = client.request(request).await.map_err(|error| {
        use std::error::Error as _;
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        unreachable(format!("The endpoint cannot be reached: {error}{cause}"))
    })?;
    let (parts, body) = response.into_parts();
    let collected = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = collected.map_err(|error| unreachable(format!("The answer cannot be read: {error}")))?;
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body: body.to_bytes() })
}

fn unreachable(message: String) -> Fault {
    Fault::new("CONNECTION_FAILURE", message).with_status(502)
}
