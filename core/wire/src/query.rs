//! The query protocol: forms in, XML out.
//!
//! Source: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::borrow::Cow;
use std::collections::BTreeMap;

use base::Fault;
use base::schema::{Kind, Member, Shape};
use bytes::Bytes;

use crate::decode::not_utf8;
use crate::text::{decode_form, fields, json_name, json_next, json_scalar, json_string};
use crate::{Call, Request};

/// No shape nests deeper on the wire; what does is ignored.
const DEPTH_MAX: usize = 32;
/// No operation takes more fields; each costs memory many times its bytes.
const FIELDS_MAX: usize = 10_000;

/// One dotted name's part, with what stands there and below.
#[derive(Debug, Default)]
struct Node<'a> {
    text: Option<Cow<'a, str>>,
    children: BTreeMap<Cow<'a, str>, Node<'a>>,
}

/// Translates a form, and the query string before it, into a document.
pub(crate) fn decode(call: &Call, request: &Request<'_>, body: &Bytes) -> Result<Bytes, Fault> {
    let form = std::str::from_utf8(body).map_err(|_| not_utf8())?;
    let mut root = Node::default();
    for (count, (name, value)) in fields(request.query).chain(fields(form)).enumerate() {
        if count == FIELDS_MAX {
            return Err(Fault::new("SerializationException", "The request has too many parameters"));
        }
        let (name, value) =
            (decode_form(name).ok_or_else(not_utf8)?, decode_form(value).ok_or_else(not_utf8)?);
        root.insert(&name, value);
    }
    address_queue(call, request, &mut root);
    let mut out = Vec::with_capacity(body.len() + 64);
    write_structure(&mut out, call.operation.input.members(), &root)?;
    Ok(out.into())
}

/// SQS lets a request name its queue by being sent to the queue's URL.
fn address_queue(call: &Call, request: &Request<'_>, root: &mut Node<'_>) {
    let named = call.service.signing_name == "sqs"
        && call.operation.input.members().iter().any(|m| m.name == "QueueUrl");
    if !named || root.children.contains_key("QueueUrl") || request.path.len() < 2 {
        return;
    }
    let host = request.header("host").unwrap_or("localhost");
    let url = format!("http://{host}{}", request.path);
    root.children.insert(Cow::Borrowed("QueueUrl"), Node { text: Some(Cow::Owned(url)), ..Node::default() });
}

impl<'a> Node<'a> {
    fn insert(&mut self, name: &str, value: Cow<'a, str>) {
        let mut node = self;
        for (depth, part) in name.split('.').enumerate() {
            if depth == DEPTH_MAX {
                return;
            }
            node = node.children.entry(Cow::Owned(part.to_owned())).or_default();
        }
        node.text = Some(value);
    }

    /// The children called 1, 2, … in that order.
    fn numbered(&self) -> Vec<&Node<'a>> {
        let numbers = self.children.iter().filter_map(|(name, node)| Some((name.parse::<u32>().ok()?, node)));
        let mut numbered: Vec<_> = numbers.collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, node)| node).collect()
    }
}

/// What a list's or map's entries are called when no element is around them.
pub(crate) fn flat_name(member: &Member) -> &'static str {
    let own = match &member.shape.kind {
        Kind::List { element, .. } => *element,
        Kind::Map { entry, .. } => *entry,
        _ => None,
    };
    member.location_name.or(own).unwrap_or(member.name)
}

/// Whether nothing is around a list's or map's entries.
pub(crate) fn is_flat(member: &Member) -> bool {
    let of_shape =
        matches!(member.shape.kind, Kind::List { flattened: true, .. } | Kind::Map { flattened: true, .. });
    member.flattened || of_shape
}

fn write_structure(out: &mut Vec<u8>, members: &[Member], node: &Node<'_>) -> Result<(), Fault> {
    out.push(b'{');
    for member in members {
        let flat = is_flat(member);
        let name = if flat { flat_name(member) } else { member.wire_name() };
        let Some(child) = node.children.get(name) else { continue };
        json_name(out, member.name);
        write_value(out, member.shape, child, flat)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_value(out: &mut Vec<u8>, shape: &'static Shape, node: &Node<'_>, flat: bool) -> Result<(), Fault> {
    match &shape.kind {
        Kind::Structure { members, .. } => write_structure(out, members, node),
        Kind::List { member, element, .. } => {
            // Clients differ on the element's name, so any of the usual ones is taken.
            let named =
                node.children.get(element.unwrap_or("member")).or_else(|| node.children.get("member"));
            let list = if flat { node } else { named.unwrap_or(node) };
            out.push(b'[');
            for element in list.numbered() {
                json_next(out);
                write_value(out, member, element, false)?;
            }
            out.push(b']');
            Ok(())
        }
        Kind::Map { value, entry, key_name, value_name, .. } => {
            let entries =
                if flat { node } else { node.children.get(entry.unwrap_or("entry")).unwrap_or(node) };
            out.push(b'{');
            for entry in entries.numbered() {
                let key =
                    entry.children.get(*key_name).and_then(|node| node.text.as_deref()).unwrap_or_default();
                json_name(out, key);
                match entry.children.get(*value_name) {
                    Some(node) => write_value(out, value, node, false)?,
                    None => out.extend_from_slice(b"null"),
                }
            }
            out.push(b'}');
            Ok(())
        }
        Kind::Document => {
            json_string(out, node.text.as_deref().unwrap_or_default());
            Ok(())
        }
        _ => json_scalar(out, shape, node.text.as_deref().unwrap_or_default()),
    }
}

/// The answer's body.
pub(crate) fn encode(call: &Call, json: &[u8], request_id: &str) -> Result<String, Fault> {
    let document = crate::xml::parse_document(json)?;
    let operation = call.operation;
    let mut out = String::with_capacity(json.len() * 2 + 256);
    let name = operation.name;
    let namespace = call.service.xml_namespace.unwrap_or_default();
    out.push_str(&format!("<?xml version=\"1.0\"?>\n<{name}Response xmlns=\"{namespace}\">"));
    if operation.has_output {
        let own = format!("{name}Result");
        let wrapper = operation.result_wrapper.unwrap_or(&own);
        crate::xml::write_element(&mut out, wrapper, operation.output, &document);
    }
    out.push_str("<ResponseMetadata><RequestId>");
    crate::text::xml_text(&mut out, request_id);
    out.push_str(&format!("</RequestId></ResponseMetadata></{name}Response>"));
    Ok(out)
}
