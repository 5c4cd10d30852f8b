//! The front door: one HTTP request in, one answer out, whatever service it is for.

use std::net::IpAddr;
use std::sync::Arc;

use base::Fault;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use kernel::{Caller, TraceCx};
use s3::S3Http;
use uuid::Uuid;
use wire::{Call, Refusal, RefusalKind, Registry, Request};

use crate::assemble::SharedHouse;
use crate::{console, status};

/// The body of an answer.
pub type Body = s3::Body;

/// The largest body that any service takes; each service's own limit is checked when the service is known.
const BODY_BYTES_MAX: usize = 80 * 1024 * 1024;

/// How access keys of temporary credentials begin.
const TEMPORARY: &str = "ASIA";

/// What every connection shares.
pub struct Front {
    house: SharedHouse,
    registry: Registry,
    s3: S3Http,
}

impl Front {
    /// A front door to `house`.
    pub fn new(house: SharedHouse) -> Arc<Front> {
        let schemas: Vec<_> = house.kernel.schemas().collect();
        let s3 = s3::http(house.kernel.clone());
        Arc::new(Front { registry: Registry::new(&schemas), s3, house })
    }

    /// Answers a request. Never fails: what goes wrong is an answer, too.
    pub async fn answer(&self, request: http::Request<Incoming>, peer: IpAddr) -> http::Response<Body> {
        let (mut parts, body) = request.into_parts();
        if let Some(answer) = status::answer(&self.house, parts.uri.path()).await {
            return answer;
        }
        let request_id = self.house.kernel.new_id();
        if let (None, Some(authority)) = (parts.headers.get("host"), parts.uri.authority())
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            parts.headers.insert("host", host);
        }
        let body = match Limited::new(body, BODY_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => {
                return plain(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "the request's body is too large or was cut off",
                );
            }
        };
        if console::is_for(&parts) {
            return console::answer(&self.house.kernel, &http::Request::from_parts(parts, body)).await;
        }
        let request = Request {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body,
        };
        if let Some(answer) = self.function_url(&request, peer).await {
            return answer;
        }
        match request.path.strip_prefix(status::CALL) {
            Some(named) => self.document(named, &request, request_id).await,
            None => self.aws(&request, request_id).await,
        }
    }

    /// A request for a function's own host.
    async fn function_url(&self, request: &Request<'_>, peer: IpAddr) -> Option<http::Response<Body>> {
        let host = request.header("host")?;
        lambda::url::parse_host(host)?;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers =
            request.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let url_request = lambda::url::UrlRequest {
            method: request.method.to_owned(),
            host: host.to_owned(),
            path: request.path.to_owned(),
            query: request.query.to_owned(),
            protocol: "HTTP/1.1".to_owned(),
            headers,
            body: request.body.clone(),
            source_ip: peer.to_string(),
            signer: None,
        };
        let answer = lambda::url::handle(&self.house.kernel, &self.house.functions, url_request).await;
        let mut response = http::Response::new(full(answer.body));
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
        for (name, value) in answer.headers {
            // A function may give any text; what is no header is left out.
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        Some(response)
    }

    /// The router's door for the command line: `POST /_buswork/call/<service>/<operation>` with a document.
    async fn document(&self, named: &str, request: &Request<'_>, request_id: Uuid) -> http::Response<Body> {
        let Some((service, operation)) = named.split_once('/').filter(|_| request.method == "POST") else {
            return plain(StatusCode::NOT_FOUND, "POST /_buswork/call/<service>/<operation>\n");
        };
        let scope = wire::sigv4::Signature::parse(request).ok().flatten();
        let region = scope.as_ref().and_then(|scope| base::Region::parse(scope.region())).unwrap_or_default();
        let account =
            scope.map_or_else(base::AccountId::default, |scope| Caller::account_of_key(&scope.access_key));
        let caller = Caller::root_user(account, region, request_id);
        let result = self.house.kernel.call(caller, service, operation, request.body.clone()).await;
        match result {
            Ok(document) => status::json_text(StatusCode::OK, document),
            Err(fault) => {
                let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                status::json(status, &fault)
            }
        }
    }

    async fn aws(&self, request: &Request<'_>, request_id: Uuid) -> http::Response<Body> {
        if request.header("host").is_some_and(|host| s3::is_website_host(host).is_some()) {
            return self.s3(request).await;
        }
        if let Some(answer) = wire::cors::preflight(request) {
            return respond(answer);
        }
        let id = request_id.to_string();
        let mut answer = match wire::identify(request, &self.registry) {
            Ok(call) => {
                let result = self.call(&call, request, request_id).await;
                if let Err(fault) = &result {
                    tracing::debug!(service = call.service.signing_name, operation = call.operation.name, %fault);
                }
                wire::encode(&call, result.as_deref(), &id)
            }
            Err(refusal) if is_for_s3(request, &refusal.kind) => return self.s3(request).await,
            Err(refusal) => refused(&refusal, &id),
        };
        wire::cors::dress(&mut answer.headers);
        respond(answer)
    }

    /// A request to a bucket or an object.
    async fn s3(&self, request: &Request<'_>) -> http::Response<Body> {
        let target = match request.query {
            "" => request.path.to_owned(),
            query => format!("{}?{query}", request.path),
        };
        let built = http::Request::builder().method(request.method).uri(target).body(request.body.clone());
        let Ok(mut built) = built else {
            return plain(StatusCode::BAD_REQUEST, "the request's target is malformed");
        };
        *built.headers_mut() = request.headers.clone();
        let mut answer = self.s3.answer(built).await;
        wire::cors::dress(answer.headers_mut());
        answer
    }

    async fn call(&self, call: &Call, request: &Request<'_>, request_id: Uuid) -> Result<Bytes, Fault> {
        if request.body.len() > wire::body_bytes_max(call.service) {
            return Err(
                Fault::new("RequestEntityTooLargeException", "the request is too large").with_status(413)
            );
        }
        // The signature is read always: one that is malformed is refused in every profile.
        wire::Signature::parse(request)?;
        let document = wire::decode(call, request)?;
        let caller = self.caller(call, request_id).await?;
        self.house.kernel.call(caller, call.service.signing_name, call.operation.name, document).await
    }

    /// Who calls: the account that the access key names, or whose temporary credentials it is of.
    async fn caller(&self, call: &Call, request_id: Uuid) -> Result<Caller, Fault> {
        let key = call.access_key.as_deref().unwrap_or_default();
        let account = call.account.clone().unwrap_or_else(|| Caller::account_of_key(key));
        let mut caller = Caller::root_user(account, call.region.clone(), request_id);
        if let Some(trace) = call.trace.as_deref().and_then(TraceCx::from_header) {
            caller.trace = trace;
        }
        if !key.starts_with(TEMPORARY) {
            return Ok(caller);
        }
        let house = self.house.kernel.house_caller();
        let answer = self.house.kernel.ask(house, "sts", sts::IDENTIFY, &key.into()).await?;
        let identified: sts::Identified =
            serde_json::from_value(answer).map_err(|error| self.house.kernel.to_fault(error.into()))?;
        if let Some(session) = identified.session {
            caller.account = session.account;
            caller.principal = session.principal;
        }
        Ok(caller)
    }
}

/// What is signed for S3, and what names no service at all: an object's path is any path.
fn is_for_s3(request: &Request<'_>, kind: &RefusalKind) -> bool {
    match kind {
        RefusalKind::ForeignService(service) => service == "s3",
        RefusalKind::Unaddressed => {
            matches!(request.method, "GET" | "HEAD" | "PUT" | "DELETE") && request.path != "/"
        }
        _ => false,
    }
}

fn refused(refusal: &Refusal, request_id: &str) -> wire::Response {
    if let RefusalKind::NotImplemented(operation) = &refusal.kind {
        let service = refusal.service.map_or("unknown", |service| service.signing_name);
        tracing::warn!(service, operation, "an operation that is not implemented was called");
    }
    wire::refuse(refusal, request_id)
}

fn respond(answer: wire::Response) -> http::Response<Body> {
    let mut response = http::Response::new(full(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    response
}

/// An answer in plain text.
pub(crate) fn plain(status: StatusCode, text: &str) -> http::Response<Body> {
    let mut response = http::Response::new(full(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// A body that is there at once.
pub(crate) fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}
