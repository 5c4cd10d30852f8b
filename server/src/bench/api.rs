//! One keep-alive connection to an endpoint, and calls whose bytes are ready before the clock starts.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use kernel::Clock;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;

/// The service does not have the operation. Everything else that goes wrong is a failure.
#[derive(Debug)]
pub(crate) struct NotServed;

impl std::fmt::Display for NotServed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not served")
    }
}

impl std::error::Error for NotServed {}

/// How a service is spoken to.
#[derive(Debug)]
pub(crate) struct Service {
    signing_name: &'static str,
    /// What stands before the operation in `X-Amz-Target`.
    target_prefix: &'static str,
    content_type: &'static str,
}

/// EventBridge.
pub(crate) const EVENTS: Service = Service {
    signing_name: "events",
    target_prefix: "AWSEvents",
    content_type: "application/x-amz-json-1.1",
};
/// SQS.
pub(crate) const SQS: Service =
    Service { signing_name: "sqs", target_prefix: "AmazonSQS", content_type: "application/x-amz-json-1.0" };
/// Step Functions.
pub(crate) const STATES: Service = Service {
    signing_name: "states",
    target_prefix: "AWSStepFunctions",
    content_type: "application/x-amz-json-1.0",
};
/// DynamoDB.
pub(crate) const DYNAMODB: Service = Service {
    signing_name: "dynamodb",
    target_prefix: "DynamoDB_20120810",
    content_type: "application/x-amz-json-1.0",
};
/// Lambda, whose operations are paths.
pub(crate) const LAMBDA: Service =
    Service { signing_name: "lambda", target_prefix: "", content_type: "application/json" };

/// EventBridge's schema registry, whose operations are paths.
pub(crate) const SCHEMAS: Service =
    Service { signing_name: "schemas", target_prefix: "", content_type: "application/json" };

/// A request without its body.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

/// Where an endpoint is.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    host: HeaderValue,
    socket: SocketAddr,
}

/// One keep-alive connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Address {
    /// The address that an `http://` URL names.
    ///
    /// # Errors
    /// The URL is none, or its host is not known.
    pub(crate) async fn of(url: &str) -> anyhow::Result<Address> {
        let uri: Uri = url.trim_end_matches('/').parse().with_context(|| format!("`{url}` is no URL"))?;
        let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            bail!("`{url}` is no http:// URL");
        };
        let port = authority.port_u16().unwrap_or(80);
        let socket = tokio::net::lookup_host((authority.host(), port)).await?.next();
        let socket = socket.with_context(|| format!("the host of `{url}` is not known"))?;
        Ok(Address { host: authority.as_str().parse()?, socket })
    }

    /// The head of the calls of an operation of a service that speaks JSON.
    ///
    /// # Errors
    /// The operation's name is no header value.
    pub(crate) fn head(&self, service: &Service, operation: &str) -> anyhow::Result<Head> {
        let mut head = self.path(service, Method::POST, "/")?;
        let target = format!("{}.{operation}", service.target_prefix);
        head.headers.insert(HeaderName::from_static("x-amz-target"), target.parse()?);
        Ok(head)
    }

    /// The head of the calls of an operation that is a path.
    ///
    /// # Errors
    /// The path is none.
    pub(crate) fn path(&self, service: &Service, method: Method, path: &str) -> anyhow::Result<Head> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(service.content_type));
        headers.insert(HeaderName::from_static("x-amz-date"), HeaderValue::from_static("20260101T000000Z"));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{}/aws4_request, SignedHeaders=host;x-amz-date, \
             Signature=0000000000000000000000000000000000000000000000000000000000000000",
            service.signing_name
        );
        headers.insert(AUTHORIZATION, authorization.parse()?);
        Ok(Head { method, uri: path.parse()?, headers })
    }

    /// A new connection.
    ///
    /// # Errors
    /// Nobody listens there.
    #[expect(
        clippy::disallowed_methods,
        reason = "a connection of a load client is driven beside its requests"
    )]
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(self.socket).await;
        let stream = stream.with_context(|| format!("no server answers at {}", self.socket))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connection { sender })
    }
}

impl Connection {
    /// Sends a call and gives the answer's body.
    ///
    /// # Errors
    /// [`NotServed`], another fault of the server with its body, or a broken connection.
    pub(crate) async fn send(&mut self, head: &Head, body: Bytes) -> anyhow::Result<Bytes> {
        let mut request = http::Request::new(Full::new(body));
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = head.uri.clone();
        *request.headers_mut() = head.headers.clone();
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        if status < 300 {
            return Ok(body);
        }
        let text = String::from_utf8_lossy(&body);
        if is_not_served(status, &text) {
            return Err(NotServed.into());
        }
        bail!("HTTP {status}: {}", text.chars().take(300).collect::<String>());
    }

    /// Sends a document and reads the answer's.
    ///
    /// # Errors
    /// As [`Connection::send`], or the answer is not what was expected.
    pub(crate) async fn ask<T: DeserializeOwned>(&mut self, head: &Head, input: &Value) -> anyhow::Result<T> {
        let body = self.send(head, serde_json::to_vec(input)?.into()).await?;
        let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
        serde_json::from_slice(body).with_context(|| format!("an unexpected answer: {body:?}"))
    }
}

/// How servers, real and imitated, say that they do not have an operation.
fn is_not_served(status: u16, body: &str) -> bool {
    const CODES: [&str; 6] = [
        "UnknownOperation",
        "NotImplemented",
        "InvalidAction",
        "UnsupportedOperation",
        "UnknownService",
        "StateMachineTypeNotSupported",
    ];
    let no_such_path = status == 404 && !body.contains("Exception") && !body.contains("NotFound");
    status == 501 || no_such_path || CODES.iter().any(|code| body.contains(code))
}

/// Waits.
pub(crate) async fn pause(duration: Duration) {
    let clock = Clock::real();
    let until = clock.now() + duration;
    clock.sleep_until(until).await;
}

#[cfg(test)]
mod tests {
    use super::is_not_served;

    #[test]
    fn a_missing_operation_is_told_from_a_missing_resource() {
        assert!(is_not_served(400, r#"{"__type":"UnknownOperationException"}"#));
        assert!(is_not_served(404, "no such path"));
        assert!(!is_not_served(404, r#"{"__type":"ResourceNotFoundException"}"#));
        assert!(!is_not_served(500, r#"{"__type":"InternalFailure"}"#));
    }
}
