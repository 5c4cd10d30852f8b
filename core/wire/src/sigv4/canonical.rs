//! The canonical request: the text that both sides hash.

use std::borrow::Cow;
use std::fmt::Write as _;

use base::Fault;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Signature, incomplete};
use crate::Request;
use crate::text::fields;

/// All but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same for paths, where the slash stays.
const ENCODED_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// The canonical request of what the signature covers.
pub(super) fn canonical_request(
    signature: &Signature<'_>,
    request: &Request<'_>,
    payload_hash: &str,
) -> Result<String, Fault> {
    let mut out = String::with_capacity(512);
    let _ = writeln!(out, "{}", request.method);
    out.push_str(&canonical_path(request.path, signature.service() == "s3"));
    out.push('\n');
    out.push_str(&canonical_query(request.query, signature.expires_seconds.is_some()));
    out.push('\n');
    write_headers(&mut out, signature, request)?;
    let _ = write!(out, "\n{}\n{payload_hash}", signature.signed_headers);
    Ok(out)
}

/// S3 signs the path as it is, encoded once; all others normalise it and encode what came once more.
fn canonical_path(path: &str, s3: bool) -> String {
    if s3 {
        let decoded: Vec<u8> = percent_decode_str(path).collect();
        let encoded = percent_encoding::percent_encode(&decoded, ENCODED_PATH).to_string();
        return if encoded.is_empty() { "/".to_owned() } else { encoded };
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let mut normal = String::from("/");
    normal.push_str(&segments.join("/"));
    if path.ends_with('/') && !segments.is_empty() {
        normal.push('/');
    }
    utf8_percent_encode(&normal, ENCODED_PATH).to_string()
}

/// The fields, encoded anew and sorted; the signature itself is no part of a presigned query.
fn canonical_query(query: &str, presigned: bool) -> String {
    let encode = |text: &str| {
        let decoded: Vec<u8> = percent_decode_str(text).collect();
        percent_encoding::percent_encode(&decoded, ENCODED).to_string()
    };
    let kept = fields(query).filter(|(name, _)| !(presigned && *name == "X-Amz-Signature"));
    let mut encoded: Vec<(String, String)> =
        kept.map(|(name, value)| (encode(name), encode(value))).collect();
    encoded.sort();
    let joined: Vec<String> = encoded.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    joined.join("&")
}

fn write_headers(out: &mut String, signature: &Signature<'_>, request: &Request<'_>) -> Result<(), Fault> {
    let mut has_host = false;
    for name in signature.signed_headers.split(';') {
        has_host |= name == "host" || name == ":authority";
        let mut values = request.headers.get_all(name).iter().peekable();
        if values.peek().is_none() && !name.is_empty() {
            // Some clients sign a length that the server's HTTP library then takes out.
            let length =
                if name == "content-length" { request.body.len().to_string() } else { String::new() };
            let _ = writeln!(out, "{name}:{length}");
            continue;
        }
        let _ = write!(out, "{name}:");
        for (i, value) in values.enumerate() {
            out.push_str(if i == 0 { "" } else { "," });
            let text = std::str::from_utf8(value.as_bytes())
                .map_err(|_| incomplete("A signed header is no UTF-8"))?;
            out.push_str(&collapsed(text));
        }
        out.push('\n');
    }
    if has_host {
        return Ok(());
    }
    Err(incomplete("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."))
}

/// Trims, and makes one blank of many.
fn collapsed(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    if !trimmed.contains("  ") {
        return Cow::Borrowed(trimmed);
    }
    Cow::Owned(trimmed.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}
