//! rpc-v2-cbor: the same documents with CBOR's bytes and time stamps.
//!
//! Source: <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>

use base::schema::{Blob, Kind, Shape};
use base::{Fault, Timestamp};
use bytes::Bytes;
use ciborium::Value;
use serde_json::Value as Json;

use crate::Call;
use crate::text::{json_name, json_next, json_string, json_timestamp};
use crate::xml::{parse_document, unprintable};

/// Epoch seconds.
const TAG_EPOCH: u64 = 1;
/// No AWS shape nests deeper; what does is refused before it is read.
const DEPTH_MAX: usize = 128;
/// A value of one byte takes 32 in memory while it is translated.
const BYTES_MAX: usize = 4 * 1024 * 1024;

fn unreadable() -> Fault {
    Fault::new("SerializationException", "The request body is no valid CBOR of the operation's input")
}

/// Translates a CBOR body into a document.
pub(crate) fn decode(call: &Call, body: &Bytes) -> Result<Bytes, Fault> {
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    if body.len() > BYTES_MAX {
        let message = format!("Request must be smaller than {BYTES_MAX} bytes");
        return Err(Fault::new("RequestEntityTooLargeException", message).with_status(413));
    }
    let value: Value =
        ciborium::de::from_reader_with_recursion_limit(body.as_ref(), DEPTH_MAX).map_err(|_| unreadable())?;
    let mut out = Vec::with_capacity(body.len() * 2);
    write_json(&mut out, call.operation.input, &value)?;
    Ok(out.into())
}

fn write_json(out: &mut Vec<u8>, shape: &'static Shape, value: &Value) -> Result<(), Fault> {
    match (&shape.kind, value) {
        (_, Value::Null) => out.extend_from_slice(b"null"),
        (Kind::Structure { members, .. }, Value::Map(entries)) => {
            out.push(b'{');
            for member in *members {
                let given = entries.iter().find(|(name, _)| name.as_text() == Some(member.name));
                if let Some((_, value)) = given {
                    json_name(out, member.name);
                    write_json(out, member.shape, value)?;
                }
            }
            out.push(b'}');
        }
        (Kind::Map { value: shape, .. }, Value::Map(entries)) => {
            out.push(b'{');
            for (name, value) in entries {
                json_name(out, name.as_text().ok_or_else(unreadable)?);
                write_json(out, shape, value)?;
            }
            out.push(b'}');
        }
        (Kind::List { member, .. }, Value::Array(elements)) => {
            out.push(b'[');
            for element in elements {
                json_next(out);
                write_json(out, member, element)?;
            }
            out.push(b']');
        }
        (Kind::Blob(_), Value::Bytes(bytes)) => json_string(out, &Blob::from(bytes.clone()).to_base64()),
        (Kind::Timestamp(_), Value::Tag(TAG_EPOCH, seconds)) => {
            let seconds = number(seconds).ok_or_else(unreadable)?;
            json_timestamp(out, Timestamp::from_epoch_seconds(seconds).ok_or_else(unreadable)?);
        }
        (Kind::Document, value) => write_any(out, value)?,
        (_, simple @ (Value::Text(_) | Value::Bool(_) | Value::Integer(_) | Value::Float(_))) => {
            write_any(out, simple)?;
        }
        _ => return Err(unreadable()),
    }
    Ok(())
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(float) => Some(*float),
        Value::Integer(integer) => Some(i128::from(*integer) as f64),
        _ => None,
    }
}

/// A value as it is; what a shape makes of it, the schema check decides.
fn write_any(out: &mut Vec<u8>, value: &Value) -> Result<(), Fault> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Text(text) => json_string(out, text),
        Value::Integer(integer) => out.extend_from_slice(i128::from(*integer).to_string().as_bytes()),
        Value::Float(float) => {
            serde_json::to_writer(out, float).map_err(|_| unreadable())?;
        }
        Value::Array(elements) => {
            out.push(b'[');
            for element in elements {
                json_next(out);
                write_any(out, element)?;
            }
            out.push(b']');
        }
        Value::Map(entries) => {
            out.push(b'{');
            for (name, value) in entries {
                json_name(out, name.as_text().ok_or_else(unreadable)?);
                write_any(out, value)?;
            }
            out.push(b'}');
        }
        _ => return Err(unreadable()),
    }
    Ok(())
}

/// The answer's body.
pub(crate) fn encode(shape: &'static Shape, json: &[u8]) -> Result<Vec<u8>, Fault> {
    let document = parse_document(json)?;
    to_bytes(&from_json(shape, &document))
}

/// A CBOR value's bytes.
pub(crate) fn to_bytes(value: &Value) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    ciborium::ser::into_writer(value, &mut out).map_err(|_| unprintable())?;
    Ok(out)
}

fn from_json(shape: &'static Shape, json: &Json) -> Value {
    match (&shape.kind, json) {
        (Kind::Structure { members, .. }, Json::Object(map)) => {
            let present = members.iter().filter_map(|member| Some((member, map.get(member.name)?)));
            let present = present.filter(|(_, json)| !json.is_null());
            Value::Map(
                present.map(|(m, json)| (Value::Text(m.name.to_owned()), from_json(m.shape, json))).collect(),
            )
        }
        (Kind::Map { value, .. }, Json::Object(map)) => {
            let entry = |(name, json): (&String, &Json)| (Value::Text(name.clone()), from_json(value, json));
            Value::Map(map.iter().map(entry).collect())
        }
        (Kind::List { member, .. }, Json::Array(list)) => {
            Value::Array(list.iter().map(|json| from_json(member, json)).collect())
        }
        (Kind::Blob(_), Json::String(text)) => {
            Value::Bytes(Blob::from_base64(text).map(|blob| blob.as_bytes().to_vec()).unwrap_or_default())
        }
        (Kind::Timestamp(_), Json::Number(number)) => {
            Value::Tag(TAG_EPOCH, Box::new(Value::Float(number.as_f64().unwrap_or_default())))
        }
        (Kind::Float(_), Json::Number(number)) => Value::Float(number.as_f64().unwrap_or_default()),
        (_, json) => plain(json),
    }
}

/// JSON as CBOR without a schema.
pub(crate) fn plain(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer.into()),
            None => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(list) => Value::Array(list.iter().map(plain).collect()),
        Json::Object(map) => {
            Value::Map(map.iter().map(|(name, json)| (Value::Text(name.clone()), plain(json))).collect())
        }
    }
}
