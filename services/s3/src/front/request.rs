//! A request before s3s sees it: who calls is known, signatures and chunks are taken off.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::{AccountId, Fault, Region, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt as _};
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};
use http_body::{Body as _, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use kernel::{Caller, TraceCx};
use s3s::HttpRequest;
use uuid::Uuid;
use wire::Signature;
use wire::sigv4::{BodyProof, BodyReader};

use super::{BoxError, host};
use crate::checksum::Algorithm;
use crate::fault;

/// The largest body of an object that is collected: it fits one transaction.
const COLLECTED_BYTES_MAX: u64 = 1 << 20;
/// The largest body that is a document.
const DOCUMENT_BYTES_MAX: u64 = 20 << 20;

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

/// Who says that it sent a request, where the server verifies nothing but knows whose the access key is: goes with the request
/// among its extensions.
#[derive(Clone, Debug)]
pub struct ClaimedCaller {
    /// The account that is acted in.
    pub account: AccountId,
    /// The ARN of who acts.
    pub principal: String,
}

/// What must hold of a request's body, where the server proved its head before the body came: goes with the request among
/// its extensions.
#[derive(Clone, Debug)]
pub struct UnprovenBody(pub BodyProof);

/// The body of a request.
pub(super) type Incoming = UnsyncBoxBody<Bytes, BoxError>;

/// What is known of an upload whose body streams: goes with the request to its handler.
#[derive(Clone, Debug, Default)]
pub(super) struct Streaming {
    /// What the trailers will tell a checksum of.
    pub announced: Option<Algorithm>,
    /// The trailers, once the body has come and holds.
    pub trailers: Arc<Mutex<Vec<(String, String)>>>,
}

/// Why a body that streams is refused.
#[derive(Debug)]
pub(super) struct Refused(pub Fault);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "take in a body: {}", self.0.message)
    }
}

impl std::error::Error for Refused {}

/// The request for s3s, with its [`Caller`] among the extensions. A large body of an object or a part streams; every other
/// is collected and holds.
///
/// # Errors
/// The signature or the chunks are malformed, the body is too large, or a presigned URL has expired.
pub(super) async fn prepare(
    request: http::Request<Incoming>,
    request_id: Uuid,
    now: Timestamp,
) -> Result<HttpRequest, Fault> {
    let (mut parts, body) = request.into_parts();
    check_digest(&parts.headers)?;
    let proof = parts.extensions.remove::<UnprovenBody>().map(|UnprovenBody(proof)| proof);
    let (caller, proof) = match parts.extensions.remove::<VerifiedCaller>() {
        Some(VerifiedCaller(verified)) => (verified, proof),
        // Nobody has verified anything; that the body is the one that is meant is held all the same.
        None => (claiming(&mut parts, request_id, now)?, proof.or_else(|| claimed(&parts.headers))),
    };
    let reader = BodyReader::new(&parts.headers, proof.unwrap_or_default());
    let streams = streams(&parts) && body.size_hint().upper().is_none_or(|bytes| bytes > COLLECTED_BYTES_MAX);
    let body = if streams {
        let streaming = Streaming { announced: announced(&parts.headers)?, ..Streaming::default() };
        let trailers = Arc::clone(&streaming.trailers);
        parts.extensions.insert(streaming);
        tell_length(&mut parts.headers);
        s3s::Body::http_body_unsync(StreamBody::new(unpack(body, reader, trailers).map_ok(Frame::data)))
    } else {
        let (bytes, trailers) = collect(body, reader).await?;
        for (name, value) in trailers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                parts.headers.insert(name, value);
            }
        }
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        s3s::Body::from(bytes)
    };
    strip(&mut parts.headers);
    parts.uri = without_signature(&parts.uri)?;
    parts.extensions.insert(Arc::new(caller));
    Ok(http::Request::from_parts(parts, body))
}

/// What `x-amz-content-sha256` says of a body that comes as it is; nothing, if it holds no hash.
fn claimed(headers: &HeaderMap) -> Option<BodyProof> {
    let hash = headers.get("x-amz-content-sha256")?.to_str().ok()?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| BodyProof::of_hash(hash))
}

/// Refuses a `Content-MD5` that is none.
fn check_digest(headers: &HeaderMap) -> Result<(), Fault> {
    let Some(claimed) = headers.get("content-md5") else { return Ok(()) };
    let digest = claimed.to_str().ok().and_then(|text| STANDARD.decode(text).ok());
    if digest.is_some_and(|digest| digest.len() == 16) { Ok(()) } else { Err(fault::invalid_digest()) }
}

/// Whether the body is an object's or a part's.
fn streams(parts: &http::request::Parts) -> bool {
    let of_an_upload = |field: &str| {
        let name = field.split_once('=').map_or(field, |(name, _)| name);
        ["x-id", "partNumber", "uploadId"].contains(&name) || is_signing(name)
    };
    let fields = parts.uri.query().unwrap_or_default().split('&').filter(|field| !field.is_empty());
    parts.method == http::Method::PUT
        && !parts.headers.contains_key("x-amz-copy-source")
        && fields.into_iter().all(of_an_upload)
}

/// The algorithm of the checksum that comes behind the body.
fn announced(headers: &HeaderMap) -> Result<Option<Algorithm>, Fault> {
    let names = headers.get("x-amz-trailer").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut checksums =
        names.split(',').filter_map(|name| name.trim().strip_prefix("x-amz-checksum-").map(str::to_owned));
    checksums.next().map(|name| Algorithm::parse(&name)).transpose()
}

/// The length of what is in the frames, as far as it is told.
fn tell_length(headers: &mut HeaderMap) {
    if let Some(decoded) = headers.get("x-amz-decoded-content-length").cloned() {
        headers.insert(CONTENT_LENGTH, decoded);
    } else if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
}

/// Takes off what only says how the request came.
fn strip(headers: &mut HeaderMap) {
    for name in SIGNING_HEADERS {
        headers.remove(name);
    }
    headers.remove(AUTHORIZATION);
    headers.remove(TRANSFER_ENCODING);
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
}

async fn collect(
    mut body: Incoming,
    mut reader: BodyReader,
) -> Result<(Bytes, Vec<(String, String)>), Fault> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|_| incomplete())?.into_data() else { continue };
        for piece in reader.push(bytes).map_err(worded)? {
            collected.extend_from_slice(&piece);
        }
        if collected.len() as u64 > DOCUMENT_BYTES_MAX {
            return Err(fault::entity_too_large());
        }
    }
    let trailers = reader.finish().map_err(worded)?;
    Ok((collected.freeze(), trailers))
}

/// The bytes of a body as they come. They hold when the stream has ended well.
fn unpack(
    body: Incoming,
    reader: BodyReader,
    trailers: Arc<Mutex<Vec<(String, String)>>>,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
    let refused = |fault: Fault| BoxError::from(Refused(worded(fault)));
    let state = (body, Some(reader), std::collections::VecDeque::new());
    futures::stream::try_unfold(state, move |(mut body, mut reader, mut ready)| {
        let trailers = Arc::clone(&trailers);
        async move {
            loop {
                if let Some(piece) = ready.pop_front() {
                    return Ok(Some((piece, (body, reader, ready))));
                }
                let Some(open) = &mut reader else { return Ok(None) };
                match body.frame().await {
                    Some(Ok(frame)) => {
                        if let Ok(bytes) = frame.into_data() {
                            ready.extend(open.push(bytes).map_err(refused)?);
                        }
                    }
                    Some(Err(_)) => return Err(refused(incomplete())),
                    None => {
                        let found = reader.take().map(BodyReader::finish).transpose().map_err(refused)?;
                        if let Ok(mut trailers) = trailers.lock() {
                            *trailers = found.unwrap_or_default();
                        }
                    }
                }
            }
        }
    })
}

fn incomplete() -> Fault {
    Fault::new("IncompleteBody", "The request body terminated unexpectedly")
}

/// What is wrong with a body, as S3 words it.
fn worded(fault: Fault) -> Fault {
    match fault.code.as_ref() {
        "InvalidSignatureException" => {
            let message = "The request signature we calculated does not match the signature you provided. Check your \
                           key and signing method.";
            Fault::new("SignatureDoesNotMatch", message).with_status(403)
        }
        _ => fault,
    }
}

fn claiming(parts: &mut http::request::Parts, request_id: Uuid, now: Timestamp) -> Result<Caller, Fault> {
    let caller = caller(parts, request_id, now)?;
    Ok(match parts.extensions.remove::<ClaimedCaller>() {
        Some(ClaimedCaller { account, principal }) => Caller { account, principal, ..caller },
        None => caller,
    })
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

/// Whether a field of the query is part of a presigned URL's signature.
fn is_signing(name: &str) -> bool {
    SIGNING_FIELDS.iter().any(|signing| signing.eq_ignore_ascii_case(name))
}

fn without_signature(uri: &Uri) -> Result<Uri, Fault> {
    let Some(query) = uri.query() else { return Ok(uri.clone()) };
    let signs = |field: &&str| is_signing(field.split_once('=').map_or(*field, |(name, _)| name));
    let kept: Vec<&str> = query.split('&').filter(|field| !field.is_empty() && !signs(field)).collect();
    let path = uri.path();
    let target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    let invalid = |_| Fault::new("InvalidURI", "Couldn't parse the specified URI.");
    let target = PathAndQuery::try_from(target).map_err(invalid)?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).map_err(|_| Fault::new("InvalidURI", "Couldn't parse the specified URI."))
}
