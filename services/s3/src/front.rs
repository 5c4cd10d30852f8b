//! S3 over HTTP: the protocol is s3s's, what is behind it is ours.
//!
//! Signatures are read for whose they are and not verified here: a server that verifies them says by a
//! [`VerifiedCaller`] who calls. What a request signs is taken off before s3s sees it.

mod buckets;
mod convert;
mod door;
mod host;
mod lists;
mod objects;
mod request;

use std::sync::Arc;

use base::Fault;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use kernel::{Caller, Kernel};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode};

use crate::website;

pub use request::VerifiedCaller;

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

/// S3 over HTTP, in front of the `s3` service of `kernel`.
pub fn http(kernel: Kernel) -> S3Http {
    let mut builder = S3ServiceBuilder::new(door::Door { kernel: kernel.clone() });
    builder.set_host(host::Hosts);
    S3Http { kernel, service: builder.build() }
}

impl S3Http {
    /// Answers a request whose body has been collected. Never fails: what goes wrong is an answer, too.
    ///
    /// The request needs its `host` header; the body is as it came, `aws-chunked` or not. Requests to website hosts
    /// (see [`crate::is_website_host`]) get the website's answer, all others the API's.
    pub async fn answer(&self, request: http::Request<Bytes>) -> http::Response<Body> {
        let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let method = request.method().clone();
        let request_id = self.kernel.new_id();
        let mut response = match website::is_website_host(host) {
            Some(bucket) => website::answer(&self.kernel, request_id, &bucket, &request).await,
            None => self.api(request, request_id).await,
        };
        let id = request_id.simple().to_string();
        for name in ["x-amz-request-id", "x-amz-id-2"] {
            if let Ok(value) = HeaderValue::from_str(&id) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        if method == Method::HEAD || response.status() == StatusCode::NOT_MODIFIED {
            *response.body_mut() = empty();
        }
        response
    }

    /// The answer to a request that is refused before it comes here, e.g. for its signature.
    pub fn refuse(&self, fault: Fault, request_id: uuid::Uuid) -> http::Response<Body> {
        error(to_error(fault, request_id))
    }

    async fn api(&self, request: http::Request<Bytes>, request_id: uuid::Uuid) -> http::Response<Body> {
        let prepared = match request::prepare(request, request_id, self.kernel.clock().now()) {
            Ok(prepared) => prepared,
            Err(fault) => return error(to_error(fault, request_id)),
        };
        match self.service.call(prepared).await {
            Ok(response) => response.map(|body| body.boxed()),
            Err(failure) => {
                let why = format!("answer a request to S3: {}", BoxError::from(failure));
                let fault = self.kernel.to_fault(kernel::Error::bug(why));
                error(to_error(fault, request_id))
            }
        }
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
    error
}

/// Who calls, as the request was prepared.
fn caller(extensions: &http::Extensions, kernel: &Kernel) -> Caller {
    let caller = extensions.get::<Arc<Caller>>();
    caller.map_or_else(|| kernel.house_caller(), |caller| Caller::clone(caller))
}
