//! XML: request bodies of restXml in, elements of query and restXml answers out.
//!
//! Source: <https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html>

use base::schema::{Kind, Location, Member, Shape, TimestampFormat};
use base::{Document, Fault, Timestamp};
use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

use crate::query::{flat_name, is_flat};
use crate::text::{json_name, json_next, json_scalar, json_string, timestamp_text, xml_text};
use crate::{Call, Request, rest};

/// Deeper documents are refused.
const DEPTH_MAX: usize = 64;
/// So are those with more tags, texts and references; each costs memory many times its bytes.
const EVENTS_MAX: usize = 400_000;

#[derive(Debug, Default)]
struct Element {
    /// Without its prefix.
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    fn called<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Translates a request into a document: labels, headers and fields, then the body.
pub(crate) fn decode(call: &Call, request: &Request<'_>, body: &Bytes) -> Result<Bytes, Fault> {
    let members = call.operation.input.members();
    let mut out = vec![b'{'];
    rest::write_bound(&mut out, call, request)?;
    let payload = members.iter().find(|member| member.location == Location::Payload);
    let in_body = members.iter().any(|member| member.location == Location::Body);
    match payload {
        _ if body.is_empty() => {}
        Some(member) if matches!(member.shape.kind, Kind::Structure { .. }) => {
            let root = parse(body)?;
            json_name(&mut out, member.name);
            write_value(&mut out, member.shape, &root)?;
        }
        Some(member) => rest::write_raw_payload(&mut out, member, body)?,
        None if in_body => {
            let root = parse(body)?;
            write_members(&mut out, members, &root)?;
        }
        None => {}
    }
    out.push(b'}');
    Ok(out.into())
}

fn malformed() -> Fault {
    Fault::new(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// Reads the whole document; anything but one well-formed element without a DTD is refused.
fn parse(body: &[u8]) -> Result<Element, Fault> {
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    for _ in 0..EVENTS_MAX {
        match reader.read_event().map_err(|_| malformed())? {
            Event::Start(start) if open.len() < DEPTH_MAX && root.is_none() => open.push(element(&start)?),
            Event::Empty(start) if open.len() < DEPTH_MAX && root.is_none() => {
                let empty = element(&start)?;
                close(&mut open, &mut root, empty);
            }
            Event::End(_) => {
                let done = open.pop().ok_or_else(malformed)?;
                close(&mut open, &mut root, done);
            }
            Event::Text(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text);
                }
            }
            Event::CData(data) => {
                let element = open.last_mut().ok_or_else(malformed)?;
                element.text.push_str(&data);
            }
            Event::GeneralRef(reference) => {
                let element = open.last_mut().ok_or_else(malformed)?;
                element.text.push(entity(&reference).ok_or_else(malformed)?);
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return if open.is_empty() { root.ok_or_else(malformed) } else { Err(malformed()) },
            Event::Start(_) | Event::Empty(_) | Event::DocType(_) => return Err(malformed()),
        }
    }
    Err(malformed())
}

fn close(open: &mut [Element], root: &mut Option<Element>, done: Element) {
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None => *root = Some(done),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, Fault> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| malformed())?;
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|_| malformed())?.into_owned();
        attributes.push((attribute.key.as_ref().to_owned(), value));
    }
    Ok(Element { name: start.local_name().as_ref().to_owned(), attributes, ..Element::default() })
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn write_value(out: &mut Vec<u8>, shape: &'static Shape, element: &Element) -> Result<(), Fault> {
    match &shape.kind {
        Kind::Structure { members, .. } => {
            out.push(b'{');
            write_members(out, members, element)?;
            out.push(b'}');
            Ok(())
        }
        Kind::List { member, element: name, .. } => {
            write_list(out, member, element.called(name.unwrap_or("member")))
        }
        Kind::Map { entry, .. } => write_map(out, shape, element.called(entry.unwrap_or("entry"))),
        Kind::Document => {
            json_string(out, &element.text);
            Ok(())
        }
        Kind::String { .. } => json_scalar(out, shape, &element.text),
        _ => json_scalar(out, shape, element.text.trim()),
    }
}

fn write_members(out: &mut Vec<u8>, members: &'static [Member], element: &Element) -> Result<(), Fault> {
    for member in members.iter().filter(|member| member.location == Location::Body) {
        let name = member.wire_name();
        if member.xml_attribute {
            if let Some((_, value)) = element.attributes.iter().find(|(key, _)| key == name) {
                json_name(out, member.name);
                json_scalar(out, member.shape, value)?;
            }
            continue;
        }
        if is_flat(member) {
            let name = flat_name(member);
            if element.child(name).is_some() {
                json_name(out, member.name);
                match &member.shape.kind {
                    Kind::List { member, .. } => write_list(out, member, element.called(name))?,
                    _ => write_map(out, member.shape, element.called(name))?,
                }
            }
            continue;
        }
        if let Some(child) = element.child(name) {
            json_name(out, member.name);
            write_value(out, member.shape, child)?;
        }
    }
    Ok(())
}

fn write_list<'e>(
    out: &mut Vec<u8>,
    shape: &'static Shape,
    elements: impl Iterator<Item = &'e Element>,
) -> Result<(), Fault> {
    out.push(b'[');
    for element in elements {
        json_next(out);
        write_value(out, shape, element)?;
    }
    out.push(b']');
    Ok(())
}

fn write_map<'e>(
    out: &mut Vec<u8>,
    shape: &'static Shape,
    entries: impl Iterator<Item = &'e Element>,
) -> Result<(), Fault> {
    let Kind::Map { value, key_name, value_name, .. } = &shape.kind else { return Err(malformed()) };
    out.push(b'{');
    for entry in entries {
        json_name(out, entry.child(key_name).map_or("", |key| &key.text));
        match entry.child(value_name) {
            Some(element) => write_value(out, value, element)?,
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
    Ok(())
}

/// Parses an output document. Services make them, so a failure is ours.
pub(crate) fn parse_document(json: &[u8]) -> Result<Document, Fault> {
    if json.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(json).map_err(|_| unprintable())
}

/// The fault for an output that its protocol cannot carry.
pub(crate) fn unprintable() -> Fault {
    Fault::new("InternalFailure", "the answer could not be written").with_status(500)
}

/// Appends an element with a value's text, members or elements.
pub(crate) fn write_element(out: &mut String, name: &str, shape: &'static Shape, value: &Value) {
    out.push('<');
    out.push_str(name);
    if let (Kind::Structure { members, .. }, Value::Object(map)) = (&shape.kind, value) {
        for member in members.iter().filter(|member| member.xml_attribute) {
            if let Some(Value::String(text)) = map.get(member.name) {
                out.push(' ');
                out.push_str(member.wire_name());
                out.push_str("=\"");
                xml_text(out, text);
                out.push('"');
            }
        }
    }
    out.push('>');
    write_content(out, shape, value);
    out.push_str("</");
    // An attribute of the name (`xsi:type`) is no part of it.
    out.push_str(name.split(' ').next().unwrap_or(name));
    out.push('>');
}

fn write_content(out: &mut String, shape: &'static Shape, value: &Value) {
    match (&shape.kind, value) {
        (_, Value::Null) => {}
        (Kind::Structure { members, .. }, Value::Object(map)) => {
            for member in
                members.iter().filter(|member| member.location == Location::Body && !member.xml_attribute)
            {
                if let Some(value) = map.get(member.name).filter(|value| !value.is_null()) {
                    write_member(out, member, value);
                }
            }
        }
        (Kind::List { member, element, .. }, Value::Array(list)) => {
            for value in list {
                write_element(out, element.unwrap_or("member"), member, value);
            }
        }
        (Kind::Map { entry, .. }, Value::Object(map)) => {
            write_entries(out, entry.unwrap_or("entry"), shape, map);
        }
        (Kind::Timestamp(format), Value::Number(number)) => {
            let moment = number.as_f64().and_then(Timestamp::from_epoch_seconds).unwrap_or_default();
            out.push_str(&timestamp_text(moment, format.unwrap_or(TimestampFormat::Iso8601)));
        }
        (_, Value::String(text)) => xml_text(out, text),
        (_, other) => xml_text(out, &other.to_string()),
    }
}

fn write_member(out: &mut String, member: &Member, value: &Value) {
    if !is_flat(member) {
        write_element(out, member.wire_name(), member.shape, value);
        return;
    }
    let name = flat_name(member);
    match (&member.shape.kind, value) {
        (Kind::List { member, .. }, Value::Array(list)) => {
            for value in list {
                write_element(out, name, member, value);
            }
        }
        (_, Value::Object(map)) => write_entries(out, name, member.shape, map),
        _ => {}
    }
}

fn write_entries(out: &mut String, name: &str, shape: &'static Shape, map: &serde_json::Map<String, Value>) {
    let Kind::Map { key, value: value_shape, key_name, value_name, .. } = &shape.kind else { return };
    for (entry_key, entry_value) in map {
        out.push_str(&format!("<{name}>"));
        write_element(out, key_name, key, &Value::String(entry_key.clone()));
        write_element(out, value_name, value_shape, entry_value);
        out.push_str(&format!("</{name}>"));
    }
}
