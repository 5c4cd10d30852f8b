//! From a request's body to the canonical document.

use std::io::Read as _;

use base::Fault;
use base::schema::{Protocol, ServiceSchema};
use bytes::Bytes;

use crate::{Call, Request, cbor, query, rest, sigv4, xml};

/// The most bytes that a body may have, packed or unpacked.
///
/// Lambda takes function packages in the body; everything else is bounded by DynamoDB's 16 MB.
pub fn body_bytes_max(service: &ServiceSchema) -> usize {
    match service.signing_name {
        "lambda" => 70_167_211,
        _ => 16 * 1024 * 1024,
    }
}

/// The canonical document of the request's input: UTF-8 JSON, not yet held against the schema.
///
/// # Errors
/// `SerializationException` for what cannot be translated, `RequestEntityTooLargeException` (413) for what is too large.
pub fn decode(call: &Call, request: &Request<'_>) -> Result<Bytes, Fault> {
    let body = unpack(call, request)?;
    match call.protocol {
        Protocol::AwsJson if body.is_empty() => Ok(Bytes::from_static(b"{}")),
        Protocol::AwsJson => Ok(body),
        Protocol::Query => query::decode(call, request, &body),
        Protocol::RestJson => rest::decode_json(call, request, &body),
        Protocol::RestXml => xml::decode(call, request, &body),
        Protocol::RpcV2Cbor => cbor::decode(call, &body),
    }
}

/// Takes away `aws-chunked` and `gzip`, each at most once.
fn unpack(call: &Call, request: &Request<'_>) -> Result<Bytes, Fault> {
    let max = body_bytes_max(call.service);
    if request.body.len() > max {
        return Err(too_large(call, max));
    }
    let mut body = request.body.clone();
    if sigv4::is_chunked(request) {
        body = sigv4::Chunks::parse(&body)?.body;
    }
    let Some(encoding) = request.header("content-encoding") else { return Ok(body) };
    if encoding.split(',').any(|coding| coding.trim().eq_ignore_ascii_case("gzip")) {
        let mut plain = Vec::new();
        let bounded =
            flate2::read::MultiGzDecoder::new(body.as_ref()).take(max as u64 + 1).read_to_end(&mut plain);
        bounded.map_err(|_| Fault::new("SerializationException", "The request body is no gzip stream"))?;
        if plain.len() > max {
            return Err(too_large(call, max));
        }
        return Ok(plain.into());
    }
    Ok(body)
}

fn too_large(call: &Call, max: usize) -> Fault {
    let code = match call.service.signing_name {
        "lambda" => "RequestTooLargeException",
        _ => "RequestEntityTooLargeException",
    };
    let message =
        format!("Request must be smaller than {max} bytes for the {} operation", call.operation.name);
    Fault::new(code, message).with_status(413)
}

/// The fault for text that is no UTF-8.
pub(crate) fn not_utf8() -> Fault {
    Fault::new("SerializationException", "Invalid UTF-8 in the request")
}
