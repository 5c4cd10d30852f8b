//! Cross-origin requests: browsers with Amplify or an SDK call the API from another origin.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderMap, HeaderName, HeaderValue, VARY,
};

use crate::{Request, Response};

/// What the SDKs send from browsers.
const ALLOWED_HEADERS: &str = "authorization, cache-control, content-type, content-length, content-md5, \
     x-amz-content-sha256, x-amz-date, x-amz-security-token, x-amz-target, x-amz-user-agent, x-amz-invocation-type, \
     x-amz-log-type, x-amz-client-context, x-amzn-trace-id, x-api-key, amz-sdk-invocation-id, amz-sdk-request, \
     smithy-protocol";

const ALLOWED_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// What the SDKs read in browsers.
const EXPOSED_HEADERS: &str = "x-amzn-requestid, x-amzn-errortype, x-amzn-errormessage, x-amzn-query-error, \
     x-amz-request-id, x-amz-id-2, x-amz-crc32, x-amz-function-error, x-amz-log-result, x-amz-executed-version, \
     x-amzn-trace-id, etag, date";

/// The header by which a page on a public address asks to reach a private one.
const PRIVATE_NETWORK: (HeaderName, HeaderName) = (
    HeaderName::from_static("access-control-request-private-network"),
    HeaderName::from_static("access-control-allow-private-network"),
);

/// The answer to a preflight; `None` if the request is none.
pub fn preflight(request: &Request<'_>) -> Option<Response> {
    let asked = request.header("access-control-request-method");
    if request.method != "OPTIONS" || asked.is_none() || request.header("origin").is_none() {
        return None;
    }
    let mut headers = HeaderMap::with_capacity(8);
    dress(&mut headers);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(ALLOWED_METHODS));
    let wanted = request.headers.get("access-control-request-headers").cloned();
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(HeaderValue::from_static(ALLOWED_HEADERS)));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("172800"));
    headers.insert(VARY, HeaderValue::from_static("access-control-request-headers"));
    if request.headers.contains_key(&PRIVATE_NETWORK.0) {
        headers.insert(PRIVATE_NETWORK.1, HeaderValue::from_static("true"));
    }
    Some(Response { status: 204, headers, body: Bytes::new() })
}

/// Adds the headers that every answer has. Credentials travel in headers and not in cookies, so any origin may read.
pub fn dress(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
}
