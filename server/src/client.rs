//! A small client of the server's own API, for the command line.

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::cli::Endpoint;

/// The time in the headers that stand for a signature.
const SIGNED_AT: &str = "20260101T000000Z";

/// A client of one server.
pub struct Client {
    http: Http<HttpConnector, Full<Bytes>>,
    endpoint: Endpoint,
}

/// An answer.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// Runs a command's work.
///
/// # Errors
/// The work's own.
pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

impl Client {
    /// A client of the server at `endpoint`.
    pub fn new(endpoint: &Endpoint) -> Client {
        let http = Http::builder(TokioExecutor::new()).build_http();
        let mut endpoint = endpoint.clone();
        endpoint.endpoint = endpoint.endpoint.trim_end_matches('/').to_owned();
        Client { http, endpoint }
    }

    /// Gets a page of the server.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let request = http::Request::get(format!("{}{path}", self.endpoint.endpoint)).body(Full::default())?;
        self.send(request).await
    }

    /// Puts a body at a path, for a service.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn put(
        &self,
        service: &str,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let request = http::Request::put(format!("{}{path}", self.endpoint.endpoint))
            .header("authorization", self.authorization(service))
            .header("x-amz-date", SIGNED_AT)
            .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
            .header("content-type", content_type)
            .body(Full::new(body))?;
        self.send(request).await
    }

    /// Calls an operation of a service by the server's own door for documents.
    ///
    /// # Errors
    /// The server cannot be reached, or it answers a fault: its code and message.
    pub async fn call(&self, service: &str, operation: &str, input: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/_buswork/call/{service}/{operation}", self.endpoint.endpoint);
        let request = http::Request::post(url)
            .header("authorization", self.authorization(service))
            .header("x-amz-date", SIGNED_AT)
            .header("content-type", "application/json")
            .body(Full::new(serde_json::to_vec(input)?.into()))?;
        let answer = self.send(request).await?;
        let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status < 300 {
            return Ok(document);
        }
        let code = document["code"].as_str().unwrap_or("Error");
        let message = document["message"].as_str().map_or_else(|| text(&answer.body), str::to_owned);
        bail!("{code}: {message}");
    }

    async fn send(&self, request: http::Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let unreachable =
            || format!("no server answers at {}; is `buswork start` running there?", self.endpoint.endpoint);
        let response = self.http.request(request).await.with_context(unreachable)?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answer { status, body })
    }

    /// A header that carries the credential scope. The development profile does not check signatures.
    fn authorization(&self, service: &str) -> String {
        let Endpoint { access_key, region, .. } = &self.endpoint;
        format!(
            "AWS4-HMAC-SHA256 Credential={access_key}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, \
             Signature=0000000000000000000000000000000000000000000000000000000000000000"
        )
    }
}

/// A body as text.
pub fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).trim().to_owned()
}
