//! The proof of a claim.

use std::time::Duration;

use base::{Fault, Timestamp};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::body::BodyProof;
use super::canonical::canonical_request;
use super::chunked::{Chunks, canonical_trailers, is_chunked};
use super::{ALGORITHM, Signature, incomplete};
use crate::Request;

/// How far the signer's clock may be off.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// S3 allows more.
const SKEW_S3: Duration = Duration::from_secs(15 * 60);

pub(super) const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
     Secret Access Key and signing method. Consult the service documentation for details.";

/// Proves that the holder of `secret` signed this request not long before `now`, body and chunks included.
///
/// # Errors
/// `InvalidSignatureException` (in the query protocol `SignatureDoesNotMatch`) if not or too long ago,
/// `IncompleteSignatureException` if that cannot be decided; S3's `RequestTimeTooSkewed`, `AccessDenied` and
/// `XAmzContentSHA256Mismatch`.
pub fn verify(
    signature: &Signature<'_>,
    request: &Request<'_>,
    secret: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    check_time(signature, now)?;
    let payload_hash = payload_hash(signature, request)?;
    let key = verify_with(signature, request, secret, &payload_hash)?;
    if payload_hash.starts_with("STREAMING-") && is_chunked(request) {
        return verify_chunks(signature, request, &key, &payload_hash);
    }
    Ok(())
}

/// Proves the head of a request whose body has not come yet, by what the head says of the body's hash; what it gives is
/// what must hold of the body.
///
/// # Errors
/// As [`verify`], and S3's `InvalidRequest` if the head does not say how the body is signed.
pub fn verify_head(
    signature: &Signature<'_>,
    head: &Request<'_>,
    secret: &str,
    now: Timestamp,
) -> Result<BodyProof, Fault> {
    check_time(signature, now)?;
    let presigned = signature.service() == "s3" && signature.expires_seconds.is_some();
    let claimed = head.header("x-amz-content-sha256").or_else(|| presigned.then_some("UNSIGNED-PAYLOAD"));
    let Some(claimed) = claimed else {
        let message = "Missing required header for this request: x-amz-content-sha256";
        return Err(Fault::new("InvalidRequest", message));
    };
    let key = verify_with(signature, head, secret, claimed)?;
    Ok(match claimed {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
            let trailers = claimed.ends_with("-TRAILER");
            BodyProof::of_chunks(key, &signature.date, &signature.scope, &signature.signature, trailers)
        }
        "UNSIGNED-PAYLOAD" | "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => BodyProof::default(),
        // What is neither a hash nor one of these markers matches no body.
        hash => BodyProof::of_hash(hash),
    })
}

/// Proves everything but the body; the key for its chunks.
fn verify_with(
    signature: &Signature<'_>,
    request: &Request<'_>,
    secret: &str,
    payload_hash: &str,
) -> Result<[u8; 32], Fault> {
    let canonical = canonical_request(signature, request, payload_hash)?;
    check_all_is_signed(signature, request)?;
    let to_sign = to_sign(signature, &canonical);
    let key = signing_key(secret, &signature.scope);
    if !signed(&key, &to_sign, &signature.signature) {
        return Err(mismatch(&format!(
            "{MISMATCH}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\nThe String-to-Sign \
             should have been\n'{to_sign}'\n"
        )));
    }
    Ok(key)
}

/// The text whose code is the signature.
fn to_sign(signature: &Signature<'_>, canonical: &str) -> String {
    let hashed = hex::encode(Sha256::digest(canonical.as_bytes()));
    format!("{ALGORITHM}\n{}\n{}\n{hashed}", signature.date, signature.scope)
}

/// The signature itself, in hexadecimal digits.
pub(super) fn signature_of(key: &[u8; 32], signature: &Signature<'_>, canonical: &str) -> String {
    hex::encode(hmac(key, to_sign(signature, canonical).as_bytes()))
}

/// Headers that change what a request does must be signed, or whoever stands between could add them: the operation's name,
/// and for S3 everything that begins with `x-amz-`.
fn check_all_is_signed(signature: &Signature<'_>, request: &Request<'_>) -> Result<(), Fault> {
    let s3 = signature.service() == "s3";
    let binds =
        |name: &str| name == "x-amz-target" || s3 && name.starts_with("x-amz-") && name != "x-amz-user-agent";
    let signed = |name: &str| signature.signed_headers.split(';').any(|signed| signed == name);
    let unsigned = request.headers.keys().map(|name| name.as_str()).find(|name| binds(name) && !signed(name));
    match unsigned {
        None => Ok(()),
        Some(_) if s3 => {
            let message = "There were headers present in the request which were not signed";
            Err(Fault::new("AccessDenied", message).with_status(403))
        }
        Some(name) => Err(mismatch(&format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."))),
    }
}

pub(super) fn mismatch(message: &str) -> Fault {
    Fault::new("InvalidSignatureException", message).with_status(403)
}

/// The key for a scope (`20261122/eu-central-1/sqs/aws4_request`). Good for the scope's day.
pub fn signing_key(secret: &str, scope: &str) -> [u8; 32] {
    let mut parts = scope.split('/');
    let first = hmac(format!("AWS4{secret}").as_bytes(), parts.next().unwrap_or_default().as_bytes());
    parts.fold(first, |key, part| hmac(&key, part.as_bytes()))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    keyed(key).chain_update(message).finalize().into_bytes().into()
}

/// HMAC takes keys of any length, so the other branch is never taken; it yields a code that matches nothing signed.
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as Mac>::new_from_slice(key).unwrap_or_else(|_| Mac::new(&Default::default()))
}

/// Whether `signature` is the text's, compared in constant time.
pub(super) fn signed(key: &[u8; 32], text: &str, signature: &str) -> bool {
    let Ok(given) = hex::decode(signature) else { return false };
    keyed(key).chain_update(text.as_bytes()).verify_slice(&given).is_ok()
}

fn check_time(signature: &Signature<'_>, now: Timestamp) -> Result<(), Fault> {
    let Some(signed_at) = signature.signed_at() else {
        return Err(incomplete(format!(
            "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
            signature.date
        )));
    };
    let day = signature.scope.split('/').next().unwrap_or_default();
    if !signature.date.starts_with(day) || day.len() != 8 {
        return Err(mismatch(&format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{day}' != '{}', \
             from '{}'.",
            &signature.date.get(..8).unwrap_or_default(),
            signature.date
        )));
    }
    let s3 = signature.service() == "s3";
    let skew = if s3 { SKEW_S3 } else { SKEW };
    let lifetime =
        signature.expires_seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
    let (minutes, shown_now) = (skew.as_secs() / 60, basic(now));
    if now > signed_at + lifetime.unwrap_or(skew) {
        return Err(match (s3, lifetime) {
            (true, Some(_)) => Fault::new("AccessDenied", "Request has expired").with_status(403),
            (true, None) => too_skewed(),
            (false, _) => {
                let limit = lifetime.unwrap_or(skew);
                let (earliest, span) = (basic(now - limit), span(limit));
                mismatch(&format!(
                    "Signature expired: {} is now earlier than {earliest} ({shown_now} - {span}.)",
                    signature.date
                ))
            }
        });
    }
    if signed_at > now + skew {
        let latest = basic(now + skew);
        return Err(if s3 {
            too_skewed()
        } else {
            mismatch(&format!(
                "Signature not yet current: {} is still later than {latest} ({shown_now} + {minutes} min.)",
                signature.date
            ))
        });
    }
    Ok(())
}

fn too_skewed() -> Fault {
    let message = "The difference between the request time and the current time is too large.";
    Fault::new("RequestTimeTooSkewed", message).with_status(403)
}

fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds.is_multiple_of(60) { format!("{} min", seconds / 60) } else { format!("{seconds} s") }
}

/// `20261122T102019Z`
pub(super) fn basic(moment: Timestamp) -> String {
    moment.to_iso_seconds().replace(['-', ':'], "")
}

/// The hash that the signer put into the canonical request. A plain hash must be the body's.
fn payload_hash(signature: &Signature<'_>, request: &Request<'_>) -> Result<String, Fault> {
    let actual = || hex::encode(Sha256::digest(&request.body));
    match request.header("x-amz-content-sha256") {
        Some(marker) if marker == "UNSIGNED-PAYLOAD" || marker.starts_with("STREAMING-") => {
            Ok(marker.to_owned())
        }
        Some(given) => {
            if given.eq_ignore_ascii_case(&actual()) {
                return Ok(given.to_owned());
            }
            Err(match signature.service() {
                "s3" => wrong_hash(),
                _ => mismatch(MISMATCH),
            })
        }
        None if signature.service() == "s3" && signature.expires_seconds.is_some() => {
            Ok("UNSIGNED-PAYLOAD".to_owned())
        }
        None => Ok(actual()),
    }
}

/// As S3 words it.
pub(super) fn wrong_hash() -> Fault {
    let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    Fault::new("XAmzContentSHA256Mismatch", message)
}

/// Each chunk's signature covers the one before it, the first the request's own.
fn verify_chunks(
    signature: &Signature<'_>,
    request: &Request<'_>,
    key: &[u8; 32],
    payload_hash: &str,
) -> Result<(), Fault> {
    if payload_hash.starts_with("STREAMING-UNSIGNED") {
        return Ok(());
    }
    let chunks = Chunks::parse(&request.body)?;
    let (date, scope) = (&signature.date, &signature.scope);
    let empty = hex::encode(Sha256::digest(b""));
    let mut previous = signature.signature.to_string();
    for (range, given) in &chunks.signatures {
        let given = given.as_deref().unwrap_or_default();
        let hash = hex::encode(Sha256::digest(&chunks.body[range.clone()]));
        let text = format!("{ALGORITHM}-PAYLOAD\n{date}\n{scope}\n{previous}\n{empty}\n{hash}");
        if !signed(key, &text, given) {
            return Err(mismatch(MISMATCH));
        }
        given.clone_into(&mut previous);
    }
    if payload_hash.ends_with("-TRAILER") {
        let given = chunks.trailer_signature.as_deref().unwrap_or_default();
        let hash = hex::encode(Sha256::digest(canonical_trailers(&chunks.trailers).as_bytes()));
        let text = format!("AWS4-HMAC-SHA256-TRAILER\n{date}\n{scope}\n{previous}\n{hash}");
        if !signed(key, &text, given) {
            return Err(mismatch(MISMATCH));
        }
    }
    Ok(())
}
