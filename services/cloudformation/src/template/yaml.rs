//! YAML to a document. Short forms become their long forms: `!Ref X` is `{"Ref": "X"}`, `!Sub x` is `{"Fn::Sub": "x"}`.
//!
//! Scalars resolve as YAML 1.1 does in the templates that AWS accepts, with one kindness: a number with a leading zero
//! stays text, so that an account id written without quotes keeps its digits.

use base::Document;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number};

use super::error::TemplateError;
use super::text::DEPTH_MAX;

const CORE: &str = "tag:yaml.org,2002:";

/// The one document in `text`.
pub(super) fn read(text: &str) -> Result<Document, TemplateError> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| malformed(error.marker()))?;
        builder.take(event, &span.start)?;
    }
    builder.root.ok_or_else(|| TemplateError::format("unsupported structure."))
}

fn malformed(at: &Marker) -> TemplateError {
    let (line, column) = (at.line(), at.col() + 1);
    TemplateError::format(format!("YAML not well-formed. (line {line}, column {column})"))
}

/// A collection that is still open.
struct Frame {
    tag: Option<Tag>,
    content: Content,
}

enum Content {
    Sequence(Vec<Document>),
    Mapping { members: Map<String, Document>, key: Option<String> },
}

#[derive(Default)]
struct Builder {
    open: Vec<Frame>,
    root: Option<Document>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: &Marker) -> Result<(), TemplateError> {
        match event {
            Event::Alias(_) => {
                Err(TemplateError::intrinsic("YAML aliases are not allowed in CloudFormation templates"))
            }
            Event::Scalar(text, style, _, tag) => {
                if self.expects_key() {
                    return self.key(&text, at);
                }
                self.place(scalar(&text, style, tag.as_deref(), at)?, at)
            }
            Event::SequenceStart(_, tag) => self.enter(tag.as_deref(), Content::Sequence(Vec::new()), at),
            Event::MappingStart(_, tag) => {
                let content = Content::Mapping { members: Map::new(), key: None };
                self.enter(tag.as_deref(), content, at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(at),
            Event::DocumentStart(_) if self.root.is_some() => Err(malformed(at)),
            _ => Ok(()),
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Frame { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn key(&mut self, text: &str, at: &Marker) -> Result<(), TemplateError> {
        if text == "<<" {
            return Err(TemplateError::intrinsic(
                "YAML hash merges are not allowed in CloudFormation templates",
            ));
        }
        match self.open.last_mut() {
            Some(Frame { content: Content::Mapping { key, .. }, .. }) => {
                *key = Some(text.to_owned());
                Ok(())
            }
            _ => Err(malformed(at)),
        }
    }

    fn enter(&mut self, tag: Option<&Tag>, content: Content, at: &Marker) -> Result<(), TemplateError> {
        if self.expects_key() || self.open.len() >= DEPTH_MAX {
            return Err(malformed(at));
        }
        self.open.push(Frame { tag: tag.cloned(), content });
        Ok(())
    }

    fn leave(&mut self, at: &Marker) -> Result<(), TemplateError> {
        let Some(Frame { tag, content }) = self.open.pop() else { return Err(malformed(at)) };
        let document = match content {
            Content::Sequence(items) => Document::Array(items),
            Content::Mapping { members, .. } => Document::Object(members),
        };
        self.place(collection(document, tag.as_ref(), at)?, at)
    }

    fn place(&mut self, document: Document, at: &Marker) -> Result<(), TemplateError> {
        match self.open.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(document),
            Some(Content::Sequence(items)) => items.push(document),
            Some(Content::Mapping { members, key }) => {
                let key = key.take().ok_or_else(|| malformed(at))?;
                members.insert(key, document);
            }
        }
        Ok(())
    }
}

/// The function that a tag is short for: `!Ref` and `!Condition` stand for themselves, all others for `Fn::…`.
fn function(tag: &Tag) -> Option<String> {
    if tag.handle != "!" || tag.suffix.is_empty() {
        return None;
    }
    Some(match tag.suffix.as_str() {
        bare @ ("Ref" | "Condition") => bare.to_owned(),
        other => format!("Fn::{other}"),
    })
}

fn call(function: String, argument: Document) -> Document {
    Document::Object(Map::from_iter([(function, argument)]))
}

fn collection(document: Document, tag: Option<&Tag>, at: &Marker) -> Result<Document, TemplateError> {
    let Some(tag) = tag else { return Ok(document) };
    if let Some(function) = function(tag) {
        return Ok(call(function, document));
    }
    match (tag.handle.as_str(), tag.suffix.as_str(), &document) {
        (CORE, "map", Document::Object(_)) | (CORE, "seq", Document::Array(_)) => Ok(document),
        _ => Err(malformed(at)),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, at: &Marker) -> Result<Document, TemplateError> {
    let plain = style == ScalarStyle::Plain;
    let Some(tag) = tag else {
        return Ok(if plain { resolve(text) } else { Document::from(text) });
    };
    if let Some(function) = function(tag) {
        return Ok(call(function, Document::from(text)));
    }
    if tag.handle != CORE {
        return if tag.suffix == "!" || tag.suffix.is_empty() { Ok(text.into()) } else { Err(malformed(at)) };
    }
    let resolved = resolve(text);
    match (tag.suffix.as_str(), &resolved) {
        ("str", _) => Ok(Document::from(text)),
        ("int" | "float", Document::Number(_)) | ("bool", Document::Bool(_)) | ("null", Document::Null) => {
            Ok(resolved)
        }
        _ => Err(malformed(at)),
    }
}

/// A plain scalar by its looks.
fn resolve(text: &str) -> Document {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Document::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return true.into(),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return false.into(),
        _ => {}
    }
    number(text).map_or_else(|| Document::from(text), Document::Number)
}

fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = unsigned.split(['.', 'e', 'E']).next().unwrap_or_default();
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if whole.is_empty() || leading_zero || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if whole.len() == unsigned.len() {
        let signed = text.parse::<i64>().map(Number::from);
        return signed.or_else(|_| text.parse::<u64>().map(Number::from)).ok();
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}
