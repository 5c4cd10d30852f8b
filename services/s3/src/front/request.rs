//! A request before s3s sees it: who calls is known, signatures and chunks are taken off.

use std::sync::Arc;
use std::time::Duration;

use base::{AccountId, Fault, Region, Timestamp};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};
use kernel::{Caller, TraceCx};
use s3s::HttpRequest;
use uuid::Uuid;
use wire::Signature;
use wire::sigv4::Chunks;

use super::host;

/// What only says how a request is signed.
const SIGNING_HEADERS: [&str; 4] =
    ["x-amz-content-sha256", "x-amz-security-token", "x-amz-decoded-content-length", "x-amz-trailer"];

/// The fields of presigned URLs, of both versions of signatures.
const SIGNING_FIELDS: [&str; 10] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "AWSAccessKeyId",
    "Signature",
    "Expires",
];

/// Who signed a request, where the server verified its signature: goes with the request among its extensions.
#[derive(Clone, Debug)]
pub struct VerifiedCaller(pub Caller);

/// The request for s3s, with its [`Caller`] among the extensions.
///
/// # Errors
/// The signature or the chunks are malformed, or a presigned URL has expired.
pub(super) fn prepare(
    request: http::Request<Bytes>,
    request_id: Uuid,
    now: Timestamp,
) -> Result<HttpRequest, Fault> {
    let (mut parts, body) = request.into_parts();
    let caller = match parts.extensions.remove::<VerifiedCaller>() {
        Some(VerifiedCaller(verified)) => verified,
        None => caller(&parts, request_id, now)?,
    };
    let body = if is_chunked(&parts.headers) { unpack(&mut parts.headers, &body)? } else { body };
    for name in SIGNING_HEADERS {
        parts.headers.remove(name);
    }
    parts.headers.remove(AUTHORIZATION);
    parts.headers.remove(TRANSFER_ENCODING);
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    parts.uri = without_signature(&parts.uri)?;
    parts.extensions.insert(Arc::new(caller));
    Ok(http::Request::from_parts(parts, s3s::Body::from(body)))
}

fn caller(parts: &http::request::Parts, request_id: Uuid, now: Timestamp) -> Result<Caller, Fault> {
    let request = wire::Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: Bytes::new(),
    };
    let malformed = |fault: Fault| Fault::new("AuthorizationHeaderMalformed", fault.message);
    let signature = Signature::parse(&request).map_err(malformed)?;
    let (account, region) = match &signature {
        Some(signature) => {
            refuse_expired(signature, now)?;
            (Caller::account_of_key(&signature.access_key), Region::parse(signature.region()))
        }
        None => (AccountId::default(), None),
    };
    let region = region.or_else(|| request.header("host").and_then(host::region_of)).unwrap_or_default();
    let caller = Caller::root_user(account, region, request_id);
    Ok(match request.header("x-amzn-trace-id").and_then(TraceCx::from_header) {
        Some(trace) => Caller { trace, ..caller },
        None => caller,
    })
}

fn refuse_expired(signature: &Signature<'_>, now: Timestamp) -> Result<(), Fault> {
    let (Some(seconds), Some(signed_at)) = (signature.expires_seconds, signature.signed_at()) else {
        return Ok(());
    };
    if signed_at + Duration::from_secs(seconds.unsigned_abs()) < now {
        return Err(Fault::new("AccessDenied", "Request has expired").with_status(403));
    }
    Ok(())
}

fn is_chunked(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text("x-amz-content-sha256").starts_with("STREAMING-")
        || text("content-encoding").split(',').any(|coding| coding.trim() == "aws-chunked")
}

/// Takes the frames off; what the trailers say becomes headers.
fn unpack(headers: &mut HeaderMap, body: &Bytes) -> Result<Bytes, Fault> {
    let chunks = Chunks::parse(body)?;
    let kept: Vec<String> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(|coding| coding.trim().to_owned()))
        .filter(|coding| !coding.is_empty() && coding != "aws-chunked")
        .collect();
    headers.remove(CONTENT_ENCODING);
    if let (false, Ok(value)) = (kept.is_empty(), HeaderValue::from_str(&kept.join(", "))) {
        headers.insert(CONTENT_ENCODING, value);
    }
    for (name, value) in chunks.trailers {
        let (name, value) = (HeaderName::try_from(name), HeaderValue::try_from(value));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
    Ok(chunks.body)
}

fn without_signature(uri: &Uri) -> Result<Uri, Fault> {
    let Some(query) = uri.query() else { return Ok(uri.clone()) };
    let signs = |field: &&str| {
        let name = field.split_once('=').map_or(*field, |(name, _)| name);
        SIGNING_FIELDS.iter().any(|signing| signing.eq_ignore_ascii_case(name))
    };
    let kept: Vec<&str> = query.split('&').filter(|field| !field.is_empty() && !signs(field)).collect();
    let path = uri.path();
    let target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    let invalid = |_| Fault::new("InvalidURI", "Couldn't parse the specified URI.");
    let target = PathAndQuery::try_from(target).map_err(invalid)?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).map_err(|_| Fault::new("InvalidURI", "Couldn't parse the specified URI."))
}
