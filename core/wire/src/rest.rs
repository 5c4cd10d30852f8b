//! What the REST protocols share, and restJson: members in paths, headers, fields and bodies.
//!
//! Source: <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>

use std::borrow::Cow;
use std::collections::BTreeMap;

use base::schema::{Blob, Kind, Location, Member, Shape, TimestampFormat};
use base::{Fault, Timestamp};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::decode::not_utf8;
use crate::text::{decode_form, fields, json_name, json_next, json_scalar, json_string, timestamp_text};
use crate::xml::unprintable;
use crate::{Call, Request};

/// An object's members, each still text. Names may need unescaping, so they are owned when they do.
type Members<'a> = BTreeMap<Name<'a>, &'a RawValue>;

#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::borrow::Borrow<str> for Name<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Translates a restJson request into a document.
pub(crate) fn decode_json(call: &Call, request: &Request<'_>, body: &Bytes) -> Result<Bytes, Fault> {
    let members = call.operation.input.members();
    let mut out = Vec::with_capacity(body.len() + 128);
    out.push(b'{');
    write_bound(&mut out, call, request)?;
    let payload = members.iter().find(|member| member.location == Location::Payload);
    match payload {
        _ if body.is_empty() => {}
        Some(member) if is_json(member.shape) => {
            let raw: &RawValue = serde_json::from_slice(body).map_err(|error| unparseable(call, &error))?;
            json_name(&mut out, member.name);
            transcode(&mut out, member.shape, raw, Direction::In)?;
        }
        Some(member) => write_raw_payload(&mut out, member, body)?,
        None if members.iter().any(|member| member.location == Location::Body) => {
            let given: Members<'_> =
                serde_json::from_slice(body).map_err(|error| unparseable(call, &error))?;
            for member in members.iter().filter(|member| member.location == Location::Body) {
                if let Some(raw) = given.get(member.wire_name()) {
                    json_name(&mut out, member.name);
                    transcode(&mut out, member.shape, raw, Direction::In)?;
                }
            }
        }
        None => {}
    }
    out.push(b'}');
    Ok(out.into())
}

fn unparseable(call: &Call, error: &serde_json::Error) -> Fault {
    let message =
        format!("Could not parse request body into json: line {}, column {}", error.line(), error.column());
    let code = match call.service.error("InvalidRequestContentException") {
        Some(modelled) => modelled.name,
        None => "SerializationException",
    };
    Fault::new(code, message)
}

fn is_json(shape: &Shape) -> bool {
    matches!(shape.kind, Kind::Structure { .. } | Kind::List { .. } | Kind::Map { .. } | Kind::Document)
}

/// Appends the payload member of a body that is its bytes or its text.
pub(crate) fn write_raw_payload(out: &mut Vec<u8>, member: &Member, body: &Bytes) -> Result<(), Fault> {
    json_name(out, member.name);
    match member.shape.kind {
        Kind::Blob(_) => json_string(out, &Blob(body.clone()).to_base64()),
        _ => json_scalar(out, member.shape, std::str::from_utf8(body).map_err(|_| not_utf8())?)?,
    }
    Ok(())
}

/// Appends the members that come in labels, headers and fields of the query string.
pub(crate) fn write_bound(out: &mut Vec<u8>, call: &Call, request: &Request<'_>) -> Result<(), Fault> {
    for member in call.operation.input.members() {
        let name = member.wire_name();
        match member.location {
            Location::Uri => {
                if let Some((_, text)) = call.labels.iter().find(|(label, _)| *label == name) {
                    json_name(out, member.name);
                    json_scalar(out, member.shape, text)?;
                }
            }
            Location::Header => {
                if let Some(text) = request.header(name) {
                    json_name(out, member.name);
                    write_header(out, member.shape, text)?;
                }
            }
            Location::Headers => write_prefixed(out, member, request),
            Location::QueryString => write_fields(out, member, request)?,
            Location::Body | Location::Payload | Location::StatusCode => {}
        }
    }
    Ok(())
}

fn write_header(out: &mut Vec<u8>, shape: &'static Shape, text: &str) -> Result<(), Fault> {
    let Kind::List { member, .. } = &shape.kind else { return json_scalar(out, shape, text) };
    out.push(b'[');
    for part in text.split(',') {
        json_next(out);
        json_scalar(out, member, part.trim())?;
    }
    out.push(b']');
    Ok(())
}

fn write_prefixed(out: &mut Vec<u8>, member: &Member, request: &Request<'_>) {
    let prefix = member.wire_name().to_ascii_lowercase();
    let found = request.headers.iter().filter_map(|(name, value)| {
        let rest = name.as_str().strip_prefix(prefix.as_str())?;
        Some((rest, value.to_str().ok()?))
    });
    json_name(out, member.name);
    out.push(b'{');
    for (name, value) in found {
        json_name(out, name);
        json_string(out, value);
    }
    out.push(b'}');
}

fn write_fields(out: &mut Vec<u8>, member: &Member, request: &Request<'_>) -> Result<(), Fault> {
    let mut values = Vec::new();
    for (name, value) in fields(request.query) {
        if decode_form(name).is_some_and(|name| name == member.wire_name()) {
            values.push(decode_form(value).ok_or_else(not_utf8)?);
        }
    }
    let Some(first) = values.first() else { return Ok(()) };
    json_name(out, member.name);
    let Kind::List { member: shape, .. } = &member.shape.kind else {
        return json_scalar(out, member.shape, first);
    };
    out.push(b'[');
    for value in &values {
        json_next(out);
        json_scalar(out, shape, value)?;
    }
    out.push(b']');
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

/// Copies a value, giving members their canonical or their wire name and time stamps their wire format.
fn transcode(
    out: &mut Vec<u8>,
    shape: &'static Shape,
    raw: &RawValue,
    direction: Direction,
) -> Result<(), Fault> {
    if !differs(shape, &mut Vec::new()) {
        out.extend_from_slice(raw.get().as_bytes());
        return Ok(());
    }
    let text = raw.get();
    match &shape.kind {
        Kind::Structure { members, .. } if text.starts_with('{') => {
            let given: Members<'_> = serde_json::from_str(text).map_err(|_| unprintable())?;
            out.push(b'{');
            for member in *members {
                let (from, to) = match direction {
                    Direction::In => (member.wire_name(), member.name),
                    Direction::Out => (member.name, member.wire_name()),
                };
                if let Some(raw) = given.get(from) {
                    json_name(out, to);
                    transcode(out, member.shape, raw, direction)?;
                }
            }
            out.push(b'}');
        }
        Kind::List { member, .. } if text.starts_with('[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| unprintable())?;
            out.push(b'[');
            for raw in elements {
                json_next(out);
                transcode(out, member, raw, direction)?;
            }
            out.push(b']');
        }
        Kind::Map { value, .. } if text.starts_with('{') => {
            let entries: Members<'_> = serde_json::from_str(text).map_err(|_| unprintable())?;
            out.push(b'{');
            for (name, raw) in entries {
                json_name(out, &name.0);
                transcode(out, value, raw, direction)?;
            }
            out.push(b'}');
        }
        Kind::Timestamp(Some(format)) if direction == Direction::Out => {
            let seconds: f64 = serde_json::from_str(text).map_err(|_| unprintable())?;
            let moment = Timestamp::from_epoch_seconds(seconds).ok_or_else(unprintable)?;
            json_string(out, &timestamp_text(moment, *format));
        }
        Kind::Timestamp(Some(_)) if text.starts_with('"') => {
            let text: Cow<'_, str> = serde_json::from_str(text).map_err(|_| unprintable())?;
            json_scalar(out, shape, &text)?;
        }
        _ => out.extend_from_slice(text.as_bytes()),
    }
    Ok(())
}

/// Whether anything below a shape is written otherwise on the wire than in a document.
fn differs(shape: &'static Shape, seen: &mut Vec<*const Shape>) -> bool {
    match &shape.kind {
        Kind::Structure { members, .. } => {
            if seen.contains(&std::ptr::from_ref(shape)) {
                return false;
            }
            seen.push(shape);
            members.iter().any(|member| member.wire_name() != member.name || differs(member.shape, seen))
        }
        Kind::List { member, .. } => differs(member, seen),
        Kind::Map { value, .. } => differs(value, seen),
        Kind::Timestamp(format) => format.is_some_and(|format| format != TimestampFormat::EpochSeconds),
        _ => false,
    }
}

/// An answer taken apart: what goes into the status, the headers and the body.
pub(crate) struct Parts {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The members of the body under their modelled names, or the payload.
    pub(crate) body: Body,
}

/// A REST answer's body.
pub(crate) enum Body {
    /// An object of the body's members, already in wire form.
    Json(Vec<u8>),
    /// The bytes of a payload member.
    Raw(Bytes),
}

/// Takes an output document apart.
pub(crate) fn encode_parts(call: &Call, json: &[u8]) -> Result<Parts, Fault> {
    let operation = call.operation;
    let given: Members<'_> = if json.is_empty() {
        BTreeMap::new()
    } else {
        serde_json::from_slice(json).map_err(|_| unprintable())?
    };
    let mut parts =
        Parts { status: operation.success_status, headers: HeaderMap::new(), body: Body::Json(vec![b'{']) };
    let mut object = vec![b'{'];
    let mut raw_body = None;
    for member in operation.output.members() {
        let Some(raw) = given.get(member.name).filter(|raw| raw.get() != "null") else { continue };
        match member.location {
            Location::StatusCode => parts.status = raw.get().parse().unwrap_or(parts.status),
            Location::Header => {
                add_header(&mut parts.headers, member.wire_name(), header_text(member.shape, raw)?)
            }
            Location::Headers => {
                let map: BTreeMap<String, String> =
                    serde_json::from_str(raw.get()).map_err(|_| unprintable())?;
                for (name, value) in map {
                    add_header(&mut parts.headers, &format!("{}{name}", member.wire_name()), value);
                }
            }
            Location::Payload => raw_body = Some(payload_bytes(member, raw)?),
            Location::Body | Location::Uri | Location::QueryString => {
                json_name(&mut object, member.wire_name());
                transcode(&mut object, member.shape, raw, Direction::Out)?;
            }
        }
    }
    object.push(b'}');
    let has_payload = operation.output.members().iter().any(|member| member.location == Location::Payload);
    parts.body = if has_payload { Body::Raw(raw_body.unwrap_or_default()) } else { Body::Json(object) };
    Ok(parts)
}

fn payload_bytes(member: &Member, raw: &RawValue) -> Result<Bytes, Fault> {
    if is_json(member.shape) {
        let mut out = Vec::new();
        transcode(&mut out, member.shape, raw, Direction::Out)?;
        return Ok(out.into());
    }
    let text: Cow<'_, str> = serde_json::from_str(raw.get()).map_err(|_| unprintable())?;
    match member.shape.kind {
        Kind::Blob(_) => Ok(Blob::from_base64(&text).ok_or_else(unprintable)?.0),
        _ => Ok(Bytes::from(text.into_owned())),
    }
}

fn header_text(shape: &'static Shape, raw: &RawValue) -> Result<String, Fault> {
    let text = raw.get();
    match &shape.kind {
        Kind::Timestamp(format) => {
            let seconds: f64 = serde_json::from_str(text).map_err(|_| unprintable())?;
            let moment = Timestamp::from_epoch_seconds(seconds).ok_or_else(unprintable)?;
            Ok(timestamp_text(moment, format.unwrap_or(TimestampFormat::HttpDate)))
        }
        _ if text.starts_with('"') => serde_json::from_str(text).map_err(|_| unprintable()),
        _ => Ok(text.to_owned()),
    }
}

/// Adds a header; a value that HTTP cannot carry is left out.
pub(crate) fn add_header(headers: &mut HeaderMap, name: &str, value: impl AsRef<[u8]>) {
    if let (Ok(name), Ok(value)) =
        (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_ref()))
    {
        headers.append(name, value);
    }
}
