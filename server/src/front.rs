//! The front door: one HTTP request in, one answer out, whatever service it is for.

use std::net::IpAddr;
use std::sync::Arc;

use base::Fault;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Collected, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use kernel::{Caller, TraceCx};
use s3::{ClaimedCaller, S3Http, UnprovenBody, VerifiedCaller};
use uuid::Uuid;
use wire::{Call, Refusal, RefusalKind, Registry, Request, Signature};

use crate::access::{Access, Identity};
use crate::assemble::SharedHouse;
use crate::{console, operator};

/// The body of an answer.
pub type Body = s3::Body;

/// The largest body that is collected; each service's own limit is checked when the service is known.
const BODY_BYTES_MAX: usize = 80 * 1024 * 1024;

/// What may be an object and is larger is taken in by S3 while it comes.
const COLLECTED_BYTES_MAX: u64 = 1 << 20;

/// What every connection shares.
pub struct Front {
    house: SharedHouse,
    registry: Registry,
    s3: S3Http,
}

impl Front {
    /// A front door to `house`. Objects of S3 have at most so many bytes.
    pub fn new(house: SharedHouse, s3_body_bytes_max: usize) -> Arc<Front> {
        let schemas: Vec<_> = house.kernel.schemas().collect();
        let s3 = s3::http(house.kernel.clone(), s3_body_bytes_max as u64);
        Arc::new(Front { registry: Registry::new(&schemas), s3, house })
    }

    fn access(&self) -> &Access {
        &self.house.access
    }

    /// Answers a request. Never fails: what goes wrong is an answer, too.
    pub async fn answer(&self, request: http::Request<Incoming>, peer: IpAddr) -> http::Response<Body> {
        let (mut parts, body) = request.into_parts();
        let request_id = self.house.kernel.new_id();
        if let (None, Some(authority)) = (parts.headers.get("host"), parts.uri.authority())
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            parts.headers.insert("host", host);
        }
        if self.is_upload(&parts, &body) {
            // What is seldom asked is boxed: every request's future would be as large as the largest of them.
            return Box::pin(self.upload(parts, body, request_id)).await;
        }
        let body = match Limited::new(body, BODY_BYTES_MAX).collect().await.map(Collected::to_bytes) {
            Ok(body) => body,
            Err(error) => return self.bodiless(&parts, error.is::<LengthLimitError>(), request_id),
        };
        if parts.uri.path().starts_with(operator::OWN)
            && let Some(answer) = Box::pin(operator::answer(&self.house, &parts, &body)).await
        {
            return answer;
        }
        if console::is_for(&parts) {
            let request = http::Request::from_parts(parts, body);
            return Box::pin(console::answer(&self.house.kernel, self.access().operators(), &request)).await;
        }
        let request = Request {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body,
        };
        if request.header("host").and_then(lambda::url::parse_host).is_some()
            && let Some(answer) = Box::pin(self.function_url(&request, peer)).await
        {
            return answer;
        }
        match request.path.strip_prefix(operator::CALL) {
            Some(named) => Box::pin(self.document(named, &request, request_id)).await,
            None => self.aws(&request, request_id).await,
        }
    }

    /// The answer to a request whose body is larger than any service takes, or was cut off, in the protocol that its head tells.
    fn bodiless(
        &self,
        parts: &http::request::Parts,
        is_too_large: bool,
        request_id: Uuid,
    ) -> http::Response<Body> {
        let fault = match is_too_large {
            true => Fault::new(
                "RequestEntityTooLargeException",
                format!("The request's body is larger than {BODY_BYTES_MAX} bytes."),
            )
            .with_status(413),
            false => Fault::new("IncompleteBody", "The request's body ended before it was complete."),
        };
        let refusal = match wire::identify(&head_of(parts), &self.registry) {
            Ok(call) => Refusal {
                kind: RefusalKind::Unaddressed,
                service: Some(call.service),
                protocol: call.protocol,
                region: call.region,
                access_key: call.access_key,
                fault,
            },
            Err(refusal) => Refusal { fault, ..*refusal },
        };
        respond(wire::refuse(&refusal, &request_id.to_string()))
    }

    /// Whether a body is not to be collected: it may be a large object of S3.
    fn is_upload(&self, parts: &http::request::Parts, body: &Incoming) -> bool {
        let head = head_of(parts);
        let large = body.size_hint().upper().is_none_or(|bytes| bytes > COLLECTED_BYTES_MAX);
        let host = head.header("host").unwrap_or_default();
        large
            && parts.method == http::Method::PUT
            && !head.path.starts_with(operator::OWN)
            && lambda::url::parse_host(host).is_none()
            && self.is_object(&head)
    }

    /// A large body for S3, which takes it in while it comes; it is proven on the way.
    async fn upload(
        &self,
        parts: http::request::Parts,
        body: Incoming,
        request_id: Uuid,
    ) -> http::Response<Body> {
        let head = head_of(&parts);
        if !self.access().is_strict() {
            return match self.claimant(&head).await {
                Ok(claimed) => {
                    let mut request = http::Request::from_parts(parts, body);
                    claim(request.extensions_mut(), claimed);
                    self.s3.answer(request).await
                }
                Err(fault) => self.s3.refuse(fault, request_id),
            };
        }
        match self.access().prove_head(&self.house.kernel, &head).await {
            Ok((identity, proof)) => {
                let caller = signer(&head, identity, request_id);
                let mut request = http::Request::from_parts(parts, body);
                request.extensions_mut().insert(VerifiedCaller(caller));
                request.extensions_mut().insert(UnprovenBody(proof));
                self.s3.answer(request).await
            }
            Err(refused) => self.s3.refuse(refused.s3_fault(), request_id),
        }
    }

    /// Whether a request is for S3, by its head.
    fn is_object(&self, head: &Request<'_>) -> bool {
        wire::identify(head, &self.registry).is_err_and(|refusal| is_for_s3(head, &refusal.kind))
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
            signer: self.url_signer(request).await,
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

    /// Who signed a request for a function's host; its authorisation decides whether somebody must.
    async fn url_signer(&self, request: &Request<'_>) -> Option<Caller> {
        let signature = Signature::parse(request).ok().flatten().filter(|it| it.service() == "lambda")?;
        let region = base::Region::parse(signature.region()).unwrap_or_default();
        let account = Caller::account_of_key(&signature.access_key);
        let caller = Caller::root_user(account, region, self.house.kernel.new_id());
        if !self.access().is_strict() {
            let claimed = self.claimant(request).await.ok()?;
            return Some(
                claimed.map_or_else(|| caller.clone(), |identity| acting_as(caller.clone(), identity)),
            );
        }
        let identity = self.access().prove(&self.house.kernel, request).await;
        identity.ok().map(|identity| acting_as(caller, identity))
    }

    /// The router's door for the command line: `POST /_buswork/call/<service>/<operation>` with a document.
    async fn document(&self, named: &str, request: &Request<'_>, request_id: Uuid) -> http::Response<Body> {
        let Some((service, operation)) = named.split_once('/').filter(|_| request.method == "POST") else {
            return plain(StatusCode::NOT_FOUND, "POST /_buswork/call/<service>/<operation>\n");
        };
        let result = match self.document_caller(service, request, request_id).await {
            Ok(caller) => self.house.kernel.call(caller, service, operation, request.body.clone()).await,
            Err(fault) => Err(fault),
        };
        match result {
            Ok(document) => operator::json_text(StatusCode::OK, document),
            Err(fault) => {
                let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                operator::json(status, &fault)
            }
        }
    }

    /// Who sends a document. It need not be signed in the development profile, but what cannot be read is refused.
    async fn document_caller(
        &self,
        service: &str,
        request: &Request<'_>,
        request_id: Uuid,
    ) -> Result<Caller, Fault> {
        let signature = Signature::parse(request)?;
        let region = signature.as_ref().and_then(|signature| base::Region::parse(signature.region()));
        let account = signature
            .as_ref()
            .map_or_else(base::AccountId::default, |signature| Caller::account_of_key(&signature.access_key));
        let caller = Caller::root_user(account, region.unwrap_or_default(), request_id);
        if !self.access().is_strict() {
            let claimed = self.claimant(request).await?;
            return Ok(claimed.map_or_else(|| caller.clone(), |identity| acting_as(caller.clone(), identity)));
        }
        let identity = self.access().prove(&self.house.kernel, request).await.map_err(|why| why.fault())?;
        check_scope(signature.as_ref(), service)?;
        Ok(acting_as(caller, identity))
    }

    async fn aws(&self, request: &Request<'_>, request_id: Uuid) -> http::Response<Body> {
        if request.header("host").is_some_and(|host| s3::is_website_host(host).is_some()) {
            return Box::pin(self.s3(request, request_id)).await;
        }
        if request.method == "OPTIONS"
            && let Some(answer) = Box::pin(self.s3_preflight(request)).await
        {
            return answer;
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
            Err(refusal) if is_for_s3(request, &refusal.kind) => {
                return Box::pin(self.s3(request, request_id)).await;
            }
            Err(refusal) => refused(&refusal, &id),
        };
        wire::cors::dress(&mut answer.headers);
        respond(answer)
    }

    /// What a browser learns of a bucket's rules before it asks.
    async fn s3_preflight(&self, request: &Request<'_>) -> Option<http::Response<Body>> {
        self.s3.preflight(&rebuilt(request)?).await
    }

    /// A request to a bucket or an object. Websites are for everybody, as their owner wants them to be.
    async fn s3(&self, request: &Request<'_>, request_id: Uuid) -> http::Response<Body> {
        let Some(mut built) = rebuilt(request) else {
            return plain(StatusCode::BAD_REQUEST, "the request's target is malformed");
        };
        let is_website = request.header("host").is_some_and(|host| s3::is_website_host(host).is_some());
        if is_website {
            return self.s3.answer(built).await;
        }
        if self.access().is_strict() {
            match self.access().prove(&self.house.kernel, request).await {
                Ok(identity) => {
                    let caller = signer(request, identity, request_id);
                    built.extensions_mut().insert(VerifiedCaller(caller));
                }
                Err(refused) => return self.s3.refuse(refused.s3_fault(), request_id),
            }
        } else {
            match self.claimant(request).await {
                Ok(claimed) => claim(built.extensions_mut(), claimed),
                Err(fault) => return self.s3.refuse(fault, request_id),
            }
        }
        self.s3.answer(built).await
    }

    async fn call(&self, call: &Call, request: &Request<'_>, request_id: Uuid) -> Result<Bytes, Fault> {
        if request.body.len() > wire::body_bytes_max(call.service) {
            return Err(
                Fault::new("RequestEntityTooLargeException", "the request is too large").with_status(413)
            );
        }
        // The signature is read always: one that is malformed is refused in every profile.
        let signature = Signature::parse(request)?;
        let caller = if self.access().is_strict() && signature.is_none() && is_open(call) {
            let nobody = self.caller_of(call, base::AccountId::default(), request_id);
            Caller { principal: sns::ANONYMOUS.to_owned(), ..nobody }
        } else if self.access().is_strict() {
            let identity =
                self.access().prove(&self.house.kernel, request).await.map_err(|why| why.fault())?;
            check_scope(signature.as_ref(), call.service.credential_scope())?;
            acting_as(self.caller_of(call, identity.account.clone(), request_id), identity)
        } else {
            self.claimed_caller(call, signature.as_ref(), request_id).await?
        };
        let document = wire::decode(call, request)?;
        self.house.kernel.call(caller, call.service.signing_name, call.operation.name, document).await
    }

    /// Who claims to call: whose temporary credentials or access key they are, or else the account that the key names.
    async fn claimed_caller(
        &self,
        call: &Call,
        signature: Option<&Signature<'_>>,
        request_id: Uuid,
    ) -> Result<Caller, Fault> {
        let key = call.access_key.as_deref().unwrap_or_default();
        let account = call.account.clone().unwrap_or_else(|| Caller::account_of_key(key));
        let caller = self.caller_of(call, account, request_id);
        let Some(signature) = signature else { return Ok(caller) };
        let claimed = self.access().claimed(&self.house.kernel, signature).await?;
        Ok(match claimed {
            Some(identity) => acting_as(caller, identity),
            None => caller,
        })
    }

    /// Who claims to have signed a request, if it is signed with a key that was given to somebody.
    async fn claimant(&self, request: &Request<'_>) -> Result<Option<Identity>, Fault> {
        // Whoever takes the request says what is wrong with a signature that cannot be read.
        match Signature::parse(request).ok().flatten() {
            Some(signature) => self.access().claimed(&self.house.kernel, &signature).await,
            None => Ok(None),
        }
    }

    /// The root user of an account, on the chain of causes that the request names.
    fn caller_of(&self, call: &Call, account: base::AccountId, request_id: Uuid) -> Caller {
        let mut caller = Caller::root_user(account, call.region.clone(), request_id);
        if let Some(trace) = call.trace.as_deref().and_then(TraceCx::from_header) {
            caller.trace = trace;
        }
        caller
    }
}

/// A request without its body.
fn head_of(parts: &http::request::Parts) -> Request<'_> {
    Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: Bytes::new(),
    }
}

/// A request as it came; none if its target is malformed.
fn rebuilt(request: &Request<'_>) -> Option<http::Request<Full<Bytes>>> {
    let target = match request.query {
        "" => request.path.to_owned(),
        query => format!("{}?{query}", request.path),
    };
    let built = http::Request::builder().method(request.method).uri(target);
    let mut built = built.body(Full::new(request.body.clone())).ok()?;
    *built.headers_mut() = request.headers.clone();
    Some(built)
}

/// Who signed a request, in the region of the signature.
fn signer(request: &Request<'_>, identity: Identity, request_id: Uuid) -> Caller {
    let signature = Signature::parse(request).ok().flatten();
    let region = signature.and_then(|signature| base::Region::parse(signature.region()));
    let caller = Caller::root_user(identity.account.clone(), region.unwrap_or_default(), request_id);
    acting_as(caller, identity)
}

/// Tells S3 who claims to have sent a request, if that is known.
fn claim(extensions: &mut http::Extensions, claimed: Option<Identity>) {
    if let Some(Identity { account, principal }) = claimed {
        extensions.insert(ClaimedCaller { account, principal });
    }
}

fn acting_as(caller: Caller, identity: Identity) -> Caller {
    Caller { account: identity.account, principal: identity.principal, ..caller }
}

/// The links that SNS sends to endpoints are followed by whoever got them: nobody signs them.
fn is_open(call: &Call) -> bool {
    call.service.signing_name == "sns" && sns::is_open(call.operation.name)
}

/// A signature holds for the service that its scope names, and for no other.
fn check_scope(signature: Option<&Signature<'_>>, service: &str) -> Result<(), Fault> {
    if signature.is_none_or(|signature| signature.service() == service) {
        return Ok(());
    }
    let message = format!("Credential should be scoped to correct service: '{service}'. ");
    Err(Fault::new("InvalidSignatureException", message).with_status(403))
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
