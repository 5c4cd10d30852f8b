//! A small client of the server's own API, for the command line.

use std::error::Error;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kernel::{Caller, Clock};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio_rustls::rustls;
use wire::sigv4::{Signer, Unsigned, sign};

use crate::cli::Endpoint;
use crate::tls;

/// A client of one server.
pub struct Client {
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoint: Endpoint,
    account: OnceCell<String>,
}

/// An answer.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// The server could not be asked, or did not answer.
#[derive(Debug)]
pub struct Unreachable {
    endpoint: String,
    /// It showed a certificate that is not trusted here.
    is_distrusted: bool,
}

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let endpoint = &self.endpoint;
        match self.is_distrusted {
            true => write!(
                f,
                "the certificate of {endpoint} is not trusted here; if the server's local authority made it, set \
                 AWS_CA_BUNDLE=$(buswork trust --data-dir DIRECTORY) or install it: buswork trust --install"
            ),
            false => write!(f, "no server answers at {endpoint}; is `buswork start` running there?"),
        }
    }
}

/// Whether the certificate was the reason: it is some layers down.
fn is_distrusted<'e>(error: &'e (dyn Error + 'static)) -> bool {
    // What an I/O error wraps is not among its sources, and it may wrap another one.
    let inner = |error: &'e (dyn Error + 'static)| match error.downcast_ref::<std::io::Error>() {
        Some(wrapping) => wrapping.get_ref().map(|inner| inner as &'e (dyn Error + 'static)),
        None => error.source(),
    };
    let mut layers = std::iter::successors(Some(error), |error| inner(*error));
    layers.any(|layer| matches!(layer.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))))
}

/// Runs a command's work.
///
/// # Errors
/// The work's own.
pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Refuses what is no address of a server.
fn check_address(endpoint: &str) -> anyhow::Result<()> {
    let uri = endpoint.parse::<http::Uri>().ok();
    let fits = |uri: &http::Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    match uri.is_some_and(|uri| fits(&uri)) {
        true => Ok(()),
        false => bail!(
            "--endpoint (or AWS_ENDPOINT_URL) is `{endpoint}`, which is no address of a server; one is http://127.0.0.1:4566"
        ),
    }
}

impl Client {
    /// A client of the server at `endpoint`.
    ///
    /// # Errors
    /// An endpoint that is no address, a bundle of authorities that cannot be read.
    pub fn new(endpoint: &Endpoint) -> anyhow::Result<Client> {
        check_address(&endpoint.endpoint)?;
        let tls = tls::client(endpoint.endpoint.starts_with("https:"))?;
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let http = Http::builder(TokioExecutor::new()).build(connector);
        let mut endpoint = endpoint.clone();
        endpoint.endpoint = endpoint.endpoint.trim_end_matches('/').to_owned();
        Ok(Client { http, endpoint, account: OnceCell::new() })
    }

    /// Gets one of the server's own pages, as an operator.
    ///
    /// # Errors
    /// The server cannot be reached, or it is closed to who has no token.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let request = Request::get(format!("{}{path}", self.endpoint.endpoint)).body(Bytes::new())?;
        self.send(self.as_operator(request)?).await
    }

    /// Asks an internal operation, as an operator.
    ///
    /// # Errors
    /// The server cannot be reached, or it answers a fault: its code and message.
    pub async fn ask(&self, service: &str, operation: &str, input: &Value) -> anyhow::Result<Value> {
        let url =
            format!("{}/_buswork/ask/{service}/{operation}?{}", self.endpoint.endpoint, self.place().await?);
        let request = Request::post(url)
            .header("content-type", "application/json")
            .body(serde_json::to_vec(input)?.into())?;
        document(&self.send(self.as_operator(request)?).await?)
    }

    /// The region and the account, as the server's own paths take them.
    ///
    /// # Errors
    /// The server verifies keys and does not know this one.
    pub async fn place(&self) -> anyhow::Result<String> {
        let account = self.account.get_or_try_init(|| self.find_account()).await?;
        Ok(format!("region={}&account={account}", self.endpoint.region))
    }

    /// The account of the access key. Where keys are verified, only the server knows it.
    async fn find_account(&self) -> anyhow::Result<String> {
        let Endpoint { access_key, operator_token, .. } = &self.endpoint;
        if operator_token.is_none() {
            return Ok(Caller::account_of_key(access_key).to_string());
        }
        let identity = self.call("sts", "GetCallerIdentity", &Value::Object(Default::default())).await?;
        Ok(identity["Account"].as_str().unwrap_or_default().to_owned())
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
        let request = Request::put(format!("{}{path}", self.endpoint.endpoint))
            .header("content-type", content_type)
            .body(body)?;
        self.send(self.signed(service, request)?).await
    }

    /// Calls an operation of a service by the server's own door for documents.
    ///
    /// # Errors
    /// The server cannot be reached, or it answers a fault: its code and message.
    pub async fn call(&self, service: &str, operation: &str, input: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/_buswork/call/{service}/{operation}", self.endpoint.endpoint);
        let request = Request::post(url)
            .header("content-type", "application/json")
            .body(serde_json::to_vec(input)?.into())?;
        document(&self.send(self.signed(service, request)?).await?)
    }

    async fn send(&self, request: Request<Bytes>) -> anyhow::Result<Answer> {
        let response = match self.http.request(request.map(Full::new)).await {
            Ok(response) => response,
            Err(error) => {
                let endpoint = self.endpoint.endpoint.clone();
                let unreachable = Unreachable { endpoint, is_distrusted: is_distrusted(&error) };
                return Err(anyhow::Error::new(error).context(unreachable));
            }
        };
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.with_context(|| Unreachable {
            endpoint: self.endpoint.endpoint.clone(),
            is_distrusted: false,
        })?;
        Ok(Answer { status, body: body.to_bytes() })
    }

    /// With the token that opens a strict server's own pages, if there is one.
    fn as_operator(&self, mut request: Request<Bytes>) -> anyhow::Result<Request<Bytes>> {
        if let Some(token) = &self.endpoint.operator_token {
            let value = HeaderValue::from_str(&format!("Bearer {token}"))
                .context("the operator token holds what no header may hold")?;
            request.headers_mut().insert("authorization", value);
        }
        Ok(request)
    }

    /// With a signature of the access key.
    fn signed(&self, service: &str, mut request: Request<Bytes>) -> anyhow::Result<Request<Bytes>> {
        let Endpoint { access_key, secret_key, session_token, region, .. } = &self.endpoint;
        let uri = request.uri().clone();
        let host = uri.authority().context("the endpoint has no host")?.as_str().to_owned();
        let (method, body) = (request.method().as_str().to_owned(), request.body().clone());
        request.headers_mut().insert("host", HeaderValue::from_str(&host)?);
        let unsigned = Unsigned {
            method: &method,
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            headers: request.headers_mut(),
            body: &body,
        };
        let session_token = session_token.as_deref();
        let signer = Signer { access_key, secret: secret_key, session_token, region, service };
        sign(unsigned, &signer, Clock::real().now()).map_err(|fault| anyhow!("cannot sign: {fault}"))?;
        Ok(request)
    }
}

/// The document of an answer, or the fault that it tells.
fn document(answer: &Answer) -> anyhow::Result<Value> {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.status < 300 {
        return Ok(document);
    }
    match document["code"].as_str() {
        Some(code) => bail!("{code}: {}", document["message"].as_str().unwrap_or_default()),
        None => bail!("{} (status {})", text(&answer.body), answer.status),
    }
}

/// A body as text.
pub fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).trim().to_owned()
}
