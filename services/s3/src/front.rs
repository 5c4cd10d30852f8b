//! S3 over HTTP: the protocol is s3s's, what is behind it is ours.
//!
//! Signatures are read for whose they are and not verified here: a server that verifies them says by a
//! [`VerifiedCaller`] who calls, and by an [`UnprovenBody`] what must hold of a body that it has not seen. What a request
//! signs is taken off before s3s sees it.

mod buckets;
mod configurations;
mod convert;
mod cors;
mod documents;
mod door;
mod host;
mod lists;
mod objects;
mod parts;
mod request;
mod uploads;

use std::sync::Arc;

use base::Fault;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use kernel::{Caller, Kernel};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode};

use crate::bucket::Bucket;
use crate::website;

pub use request::{ClaimedCaller, UnprovenBody, VerifiedCaller};

pub(crate) use convert::{from_time, to_http_date};

/// Why the rest of a body does not come: the connection is to be cut.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer. It comes a mebibyte at a time.
pub type Body = http_body_util::combinators::BoxBody<Bytes, BoxError>;

/// Answers requests to S3, to buckets and to websites. Clones share everything.
#[derive(Clone)]
pub struct S3Http {
    kernel: Kernel,
    service: S3Service,
}

/// S3 over HTTP, in front of the `s3` service of `kernel`. The body of one request has at most so many bytes, and never more
/// than AWS's 5 GiB.
pub fn http(kernel: Kernel, body_bytes_max: u64) -> S3Http {
    let body_bytes_max = body_bytes_max.min(crate::body::BODY_BYTES_MAX);
    let mut builder = S3ServiceBuilder::new(door::Door { kernel: kernel.clone(), body_bytes_max });
    builder.set_host(host::Hosts);
    S3Http { kernel, service: builder.build() }
}

impl S3Http {
    /// Answers a request. Never fails: what goes wrong is an answer, too.
    ///
    /// The request needs its `host` header; the body is as it comes, `aws-chunked` or not, and is read as far as it is
    /// written. Requests to website hosts (see [`crate::is_website_host`]) get the website's answer, all others the API's.
    pub async fn answer<B>(&self, request: http::Request<B>) -> http::Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let method = request.method().clone();
        let expects = request.version() < http::Version::HTTP_2 && request.headers().contains_key("expect");
        let request_id = self.kernel.new_id();
        let mut response = match website::is_website_host(host) {
            Some(bucket) => {
                let request = request.map(drop);
                website::answer(&self.kernel, request_id, &bucket, &request).await
            }
            None => {
                let asked = cors::Asked::of(&request);
                let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
                let mut response = self.api(request, request_id).await;
                if let Some(asked) = asked {
                    cors::dress(&self.kernel, &asked, response.headers_mut()).await;
                }
                response
            }
        };
        let id = request_id.simple().to_string();
        for name in ["x-amz-request-id", "x-amz-id-2"] {
            if let Ok(value) = HeaderValue::from_str(&id) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        // A client that waits for "100 Continue" and gets an error instead may read what comes next on the connection wrongly:
        // as on AWS, nothing comes next.
        if expects && !response.status().is_success() {
            response.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
        }
        if method == Method::HEAD || response.status() == StatusCode::NOT_MODIFIED {
            *response.body_mut() = empty();
        }
        response
    }

    /// The answer to a browser that asks what it may do with a bucket; none if the request does not ask that, or of no
    /// bucket that is here.
    pub async fn preflight<B>(&self, request: &http::Request<B>) -> Option<http::Response<Body>> {
        cors::preflight(&self.kernel, request).await
    }

    /// The answer to a request that is refused before it comes here, e.g. for its signature.
    pub fn refuse(&self, fault: Fault, request_id: uuid::Uuid) -> http::Response<Body> {
        error(to_error(fault, request_id))
    }

    async fn api(
        &self,
        request: http::Request<request::Incoming>,
        request_id: uuid::Uuid,
    ) -> http::Response<Body> {
        if let Err(fault) = check_path(&request) {
            return error(to_error(fault, request_id));
        }
        if let Err(fault) = check_owners(&self.kernel, owners(&request)).await {
            return error(to_error(fault, request_id));
        }
        let prepared = match request::prepare(request, request_id, self.kernel.clock().now()).await {
            Ok(prepared) => prepared,
            Err(fault) => return error(to_error(fault, request_id)),
        };
        match self.service.call(prepared).await {
            Ok(response) => completed(response.map(|body| body.boxed()), request_id).await,
            Err(failure) => {
                let why = format!("answer a request to S3: {}", BoxError::from(failure));
                let fault = self.kernel.to_fault(kernel::Error::bug(why));
                error(to_error(fault, request_id))
            }
        }
    }
}

/// Refuses names that no bucket and no key can have, in S3's words.
fn check_path<B>(request: &http::Request<B>) -> Result<(), Fault> {
    let named = host::bucket_of_request(request);
    if named.is_some_and(|name| !s3s::path::check_bucket_name(&name)) {
        return Err(crate::fault::invalid_bucket_name());
    }
    let key = host::key_of_request(request);
    if key.is_some_and(|key| !s3s::path::check_key(&key)) {
        return Err(crate::fault::key_too_long());
    }
    Ok(())
}

/// The buckets that a request names, with whose it says they are.
fn owners<B>(request: &http::Request<B>) -> Vec<(String, String)> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let source = text("x-amz-copy-source").map(|source| source.trim_start_matches('/'));
    let source = source.and_then(|source| source.split('/').next()).map(str::to_owned);
    let named = [
        (host::bucket_of_request(request), text("x-amz-expected-bucket-owner")),
        (source, text("x-amz-source-expected-bucket-owner")),
    ];
    named.into_iter().filter_map(|(bucket, owner)| Some((bucket?, owner?.to_owned()))).collect()
}

/// Who says whose bucket it has in mind is refused if it is another's.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>
async fn check_owners(kernel: &Kernel, named: Vec<(String, String)>) -> Result<(), Fault> {
    for (bucket, expected) in named {
        let owner = bucket_named(kernel, bucket).await?.map(|bucket| bucket.owner);
        if owner.is_some_and(|owner| owner.as_str() != expected) {
            return Err(crate::fault::access_denied());
        }
    }
    Ok(())
}

/// The bucket of that name, if it is here.
async fn bucket_named(kernel: &Kernel, name: String) -> Result<Option<Bucket>, Fault> {
    async fn look(tx: &mut kernel::Tx, name: String) -> kernel::Result<Bucket> {
        crate::bucket::look_at(tx, &name).await
    }
    match kernel.transact(crate::NAME, kernel.house_caller(), "HeadBucket", look, name).await {
        Ok(bucket) => Ok(Some(bucket)),
        Err(kernel::Error::Fault(_)) => Ok(None),
        Err(error) => Err(kernel.to_fault(error)),
    }
}

/// A body without bytes.
pub(crate) fn empty() -> Body {
    http_body_util::Empty::new().map_err(|never| match never {}).boxed()
}

/// A body that is there at once.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    http_body_util::Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

fn error(error: S3Error) -> http::Response<Body> {
    match error.to_http_response() {
        Ok(response) => response.map(|body| body.boxed()),
        Err(_) => {
            let mut response = http::Response::new(empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// The answer with what S3's errors say besides their code, where the protocol's own have left it out.
async fn completed(response: http::Response<Body>, request_id: uuid::Uuid) -> http::Response<Body> {
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    if !is_error {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return http::Response::from_parts(parts, empty());
    };
    let known = std::str::from_utf8(&bytes).ok().and_then(|text| text.strip_suffix("</Error>"));
    let Some(told) = known.filter(|told| !told.contains("<RequestId>")) else {
        return http::Response::from_parts(parts, full(bytes));
    };
    let mut text = told.to_owned();
    if !told.contains("<Message>") && told.contains("<Code>MalformedXML</Code>") {
        text += &format!("<Message>{}</Message>", crate::fault::malformed_xml().message);
    }
    text += &format!("<RequestId>{}</RequestId></Error>", request_id.simple());
    parts.headers.remove(http::header::CONTENT_LENGTH);
    http::Response::from_parts(parts, full(text))
}

/// A fault as S3's XML tells it, in S3's names of what every service has.
fn to_error(fault: Fault, request_id: uuid::Uuid) -> S3Error {
    let (code, status) = match fault.code.as_ref() {
        "InternalFailure" => ("InternalError", 500),
        "ThrottlingException" => ("SlowDown", 503),
        "NotImplementedException" => ("NotImplemented", 501),
        code => (code, fault.status),
    };
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, fault.message);
    if let Ok(status) = StatusCode::from_u16(status) {
        error.set_status_code(status);
    }
    error.set_request_id(request_id.simple().to_string());
    if let Some(headers) = marker(fault.members.as_deref()) {
        error.set_headers(headers);
    }
    error
}

/// What tells that a delete marker is why.
fn marker(members: Option<&base::Document>) -> Option<http::HeaderMap> {
    let version = members?.get("DeleteMarker")?.as_str()?;
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    headers.insert("x-amz-version-id", HeaderValue::from_str(version).ok()?);
    Some(headers)
}

/// Who calls, as the request was prepared.
fn caller(extensions: &http::Extensions, kernel: &Kernel) -> Caller {
    let caller = extensions.get::<Arc<Caller>>();
    caller.map_or_else(|| kernel.house_caller(), |caller| Caller::clone(caller))
}
