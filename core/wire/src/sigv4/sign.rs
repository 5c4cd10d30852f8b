//! Signing, for clients of our own.

use base::{Fault, Timestamp};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use super::canonical::canonical_request;
use super::verify::{basic, signature_of, signing_key};
use super::{ALGORITHM, Signature, incomplete};
use crate::Request;

/// With what a request is signed.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The access key's id.
    pub access_key: &'a str,
    /// Its secret.
    pub secret: &'a str,
    /// The token of temporary credentials.
    pub session_token: Option<&'a str>,
    /// The region.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
}

/// The parts of a request that are signed. `headers` need `host`, and get what a signature adds.
pub struct Unsigned<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path, percent-encoded.
    pub path: &'a str,
    /// What follows `?`, percent-encoded; empty if there is none.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a mut HeaderMap,
    /// The body.
    pub body: &'a Bytes,
}

/// Adds `x-amz-date`, `x-amz-content-sha256`, the token and `authorization`. What the headers say already of the body's hash
/// stays, e.g. `UNSIGNED-PAYLOAD`. `host`, `content-type` and everything that begins with `x-amz-` is signed.
///
/// # Errors
/// `IncompleteSignatureException` if there is no host, or a key or token holds what no header may hold.
pub fn sign(request: Unsigned<'_>, signer: &Signer<'_>, now: Timestamp) -> Result<(), Fault> {
    let Unsigned { method, path, query, headers, body } = request;
    let date = basic(now);
    set(headers, "x-amz-date", &date)?;
    if !headers.contains_key("x-amz-content-sha256") {
        set(headers, "x-amz-content-sha256", &hex::encode(Sha256::digest(body)))?;
    }
    if let Some(token) = signer.session_token {
        set(headers, "x-amz-security-token", token)?;
    }
    let signs = |name: &&str| matches!(*name, "host" | "content-type") || name.starts_with("x-amz-");
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).filter(signs).collect();
    names.sort_unstable();
    let scope =
        format!("{}/{}/{}/aws4_request", date.get(..8).unwrap_or_default(), signer.region, signer.service);
    let signature = Signature {
        access_key: signer.access_key.into(),
        scope: scope.into(),
        date: date.into(),
        signed_headers: names.join(";").into(),
        signature: String::new().into(),
        session_token: None,
        expires_seconds: None,
    };
    let signed = Request { method, path, query, headers, body: body.clone() };
    let payload_hash = signed.header("x-amz-content-sha256").unwrap_or_default();
    let canonical = canonical_request(&signature, &signed, payload_hash)?;
    let key = signing_key(signer.secret, &signature.scope);
    let proof = signature_of(&key, &signature, &canonical);
    let authorization = format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={proof}",
        signature.access_key, signature.scope, signature.signed_headers
    );
    set(headers, "authorization", &authorization)
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) -> Result<(), Fault> {
    let value = HeaderValue::from_str(value)
        .map_err(|_| incomplete(format!("the value of {name} cannot stand in a header")))?;
    headers.insert(name, value);
    Ok(())
}
