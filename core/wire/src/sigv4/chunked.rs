//! `aws-chunked` bodies: `size;chunk-signature=…` lines around the bytes, and trailers behind them.

use std::ops::Range;

use base::Fault;
use bytes::Bytes;
use http::HeaderMap;

use crate::Request;

pub(super) const SIGNATURE: &str = "chunk-signature=";
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";
/// A size line holds a hexadecimal size and one signature.
pub(super) const LINE_BYTES_MAX: usize = 4096;

/// Whether a body is `aws-chunked`.
pub(crate) fn is_chunked(request: &Request<'_>) -> bool {
    is_framed(request.headers)
}

/// Whether the body behind these headers is `aws-chunked`.
pub(super) fn is_framed(headers: &HeaderMap) -> bool {
    let text = |value: &'_ http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let marker = headers.get("x-amz-content-sha256").map(text);
    marker.is_some_and(|text| text.starts_with("STREAMING-"))
        || headers
            .get_all("content-encoding")
            .iter()
            .any(|value| text(value).split(',').any(|coding| coding.trim() == "aws-chunked"))
}

/// An `aws-chunked` body taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunks {
    /// The bytes without the framing.
    pub body: Bytes,
    /// Where each chunk lies in `body`, the empty last one included, and its signature.
    pub signatures: Vec<(Range<usize>, Option<String>)>,
    /// The trailers in their order, without their signature.
    pub trailers: Vec<(String, String)>,
    /// The trailers' signature.
    pub trailer_signature: Option<String>,
}

pub(super) fn malformed() -> Fault {
    Fault::new("IncompleteBody", "The request body terminated unexpectedly")
}

impl Chunks {
    /// Takes a body apart. It must end with an empty chunk.
    ///
    /// # Errors
    /// `IncompleteBody` if the framing is broken.
    pub fn parse(framed: &Bytes) -> Result<Chunks, Fault> {
        let mut chunks = Chunks::default();
        let mut body = Vec::with_capacity(framed.len());
        let mut rest: &[u8] = framed;
        loop {
            let head = take_line(&mut rest)?;
            let (size, extension) = head.split_once(';').unwrap_or((head, ""));
            let size = usize::from_str_radix(size.trim(), 16).map_err(|_| malformed())?;
            let signature = extension.trim().strip_prefix(SIGNATURE).map(str::to_owned);
            if size == 0 {
                chunks.signatures.push((body.len()..body.len(), signature));
                break;
            }
            let bytes = rest.get(..size).ok_or_else(malformed)?;
            let start = body.len();
            body.extend_from_slice(bytes);
            chunks.signatures.push((start..body.len(), signature));
            rest = rest[size..].strip_prefix(b"\r\n").ok_or_else(malformed)?;
        }
        chunks.body = body.into();
        (chunks.trailers, chunks.trailer_signature) = read_trailers(rest)?;
        Ok(chunks)
    }
}

/// Trailers in their order.
pub(super) type Trailers = Vec<(String, String)>;

/// The trailers, and their signature.
pub(super) fn read_trailers(mut rest: &[u8]) -> Result<(Trailers, Option<String>), Fault> {
    let (mut trailers, mut signature) = (Trailers::new(), None);
    while !rest.is_empty() {
        let line = take_line(&mut rest)?.trim();
        if line.is_empty() {
            continue;
        }
        let (name, value) = line.split_once(':').ok_or_else(malformed)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        if name == TRAILER_SIGNATURE {
            signature = Some(value);
        } else {
            trailers.push((name, value));
        }
    }
    Ok((trailers, signature))
}

/// The trailers as they are signed.
pub(super) fn canonical_trailers(trailers: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = trailers.iter().collect();
    sorted.sort();
    sorted.into_iter().map(|(name, value)| format!("{name}:{value}\n")).collect()
}

/// Takes the text up to the end of the line, which may be missing at the end of the body.
fn take_line<'a>(rest: &mut &'a [u8]) -> Result<&'a str, Fault> {
    let bytes: &'a [u8] = rest;
    if bytes.is_empty() {
        return Err(malformed());
    }
    let end = bytes.iter().take(LINE_BYTES_MAX).position(|&byte| byte == b'\n');
    let (line, tail) = match end {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None if bytes.len() < LINE_BYTES_MAX => (bytes, &bytes[bytes.len()..]),
        None => return Err(malformed()),
    };
    *rest = tail;
    std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).map_err(|_| malformed())
}
