//! From an output document or a fault to the answer.

use base::Fault;
use base::schema::{Kind, Location, Member, Protocol, ServiceSchema};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::rest::{self, Body, add_header};
use crate::{Call, Refusal, Response, cbor, fault, query, xml};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const CRC32: HeaderName = HeaderName::from_static("x-amz-crc32");
const SMITHY: HeaderName = HeaderName::from_static("smithy-protocol");

/// The answer to a call. An output that its protocol cannot carry becomes `InternalFailure`.
pub fn encode(call: &Call, result: Result<&[u8], &Fault>, request_id: &str) -> Response {
    let written = match result {
        Ok(json) => output(call, json, request_id),
        Err(fault) => Ok(fault::encode(Some(call.service), call.protocol, fault, request_id)),
    };
    let response =
        written.unwrap_or_else(|own| fault::encode(Some(call.service), call.protocol, &own, request_id));
    dress(response, Some(call.service), call.protocol, request_id)
}

/// The answer to a request that names no served operation.
pub fn refuse(refusal: &Refusal, request_id: &str) -> Response {
    let response = fault::encode(refusal.service, refusal.protocol, &refusal.fault, request_id);
    dress(response, refusal.service, refusal.protocol, request_id)
}

fn output(call: &Call, json: &[u8], request_id: &str) -> Result<Response, Fault> {
    let status = 200;
    let headers = HeaderMap::with_capacity(8);
    Ok(match call.protocol {
        Protocol::AwsJson => {
            let body = if call.operation.has_output { Bytes::copy_from_slice(json) } else { Bytes::new() };
            Response { status, headers, body }
        }
        Protocol::Query => Response { status, headers, body: query::encode(call, json, request_id)?.into() },
        Protocol::RpcV2Cbor => {
            let body = cbor::encode(call.operation.output, json)?.into();
            Response { status, headers, body }
        }
        Protocol::RestJson | Protocol::RestXml => rest_output(call, json)?,
    })
}

fn rest_output(call: &Call, json: &[u8]) -> Result<Response, Fault> {
    let parts = rest::encode_parts(call, json)?;
    let bodiless = matches!(parts.status, 204 | 205 | 304) || !call.operation.has_output;
    let body = match parts.body {
        _ if bodiless => Bytes::new(),
        Body::Raw(_) if call.protocol == Protocol::RestXml && xml_payload(call).is_some() => {
            xml_body(call, json, xml_payload(call))?
        }
        Body::Raw(bytes) => bytes,
        Body::Json(object) if call.protocol == Protocol::RestJson => object.into(),
        Body::Json(_) => xml_body(call, json, None)?,
    };
    Ok(Response { status: parts.status, headers: parts.headers, body })
}

/// The structure that is a restXml answer's payload, if one is.
fn xml_payload(call: &Call) -> Option<&'static Member> {
    let payload = call.operation.output.members().iter().find(|member| member.location == Location::Payload);
    payload.filter(|member| matches!(member.shape.kind, Kind::Structure { .. }))
}

/// A restXml body: the output's members in an element of its name, or the payload in one of its own.
fn xml_body(call: &Call, json: &[u8], payload: Option<&'static Member>) -> Result<Bytes, Fault> {
    let document = xml::parse_document(json)?;
    let output = call.operation.output;
    let (name, shape) = payload.map_or((output.name, output), |member| (member.wire_name(), member.shape));
    let value = payload.map_or(&document, |member| &document[member.name]);
    let root = match call.service.xml_namespace {
        Some(namespace) => format!("{name} xmlns=\"{namespace}\""),
        None => name.to_owned(),
    };
    let mut out = String::from("<?xml version=\"1.0\"?>\n");
    xml::write_element(&mut out, &root, shape, value);
    Ok(out.into())
}

/// The body's type, unless the output says it.
fn content_type(service: Option<&ServiceSchema>, protocol: Protocol) -> HeaderValue {
    HeaderValue::from_static(match protocol {
        Protocol::AwsJson if service.is_some_and(|service| service.json_version == "1.0") => {
            "application/x-amz-json-1.0"
        }
        Protocol::AwsJson => "application/x-amz-json-1.1",
        Protocol::Query => "text/xml",
        Protocol::RestJson => "application/json",
        Protocol::RestXml => "application/xml",
        Protocol::RpcV2Cbor => "application/cbor",
    })
}

/// Adds the headers that every answer of a protocol has.
fn dress(
    mut response: Response,
    service: Option<&'static ServiceSchema>,
    protocol: Protocol,
    request_id: &str,
) -> Response {
    let headers = &mut response.headers;
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, content_type(service, protocol));
    }
    add_header(headers, REQUEST_ID.as_str(), request_id);
    if protocol == Protocol::RpcV2Cbor {
        headers.insert(SMITHY, HeaderValue::from_static("rpc-v2-cbor"));
    }
    // DynamoDB's clients compare it where it is present.
    if service.is_some_and(|service| service.signing_name == "dynamodb") {
        headers.insert(CRC32, HeaderValue::from(crc32fast::hash(&response.body)));
    }
    response
}
