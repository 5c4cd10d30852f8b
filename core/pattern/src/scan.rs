//! From JSON text to fields, in one pass. Only what some path leads to is taken; everything else is checked and passed
//! over.

use crate::elements::{ElementId, Elements, ROOT};
use crate::error::InvalidEvent;
use crate::json::{self, Malformed, Raw, Reason, Step, at, space};
use crate::limits::DEPTH_MAX;
use crate::trie::{NodeId, TOP, Trie};
use crate::value::Value;

/// The paths that a scan looks for.
pub(crate) trait Paths {
    /// The node for a key of the object at `node`, if anything is wanted there.
    fn child(&mut self, node: NodeId, key: &[u8]) -> Option<NodeId>;
    /// The number of the wanted path that ends at `node`.
    fn path(&self, node: NodeId) -> Option<u32>;
    /// Whether wanted paths lead on from `node`.
    fn leads_on(&self, node: NodeId) -> bool;
}

impl Paths for &Trie {
    #[inline]
    fn child(&mut self, node: NodeId, key: &[u8]) -> Option<NodeId> {
        Trie::child(self, node, key)
    }

    #[inline]
    fn path(&self, node: NodeId) -> Option<u32> {
        Trie::path(self, node)
    }

    #[inline]
    fn leads_on(&self, node: NodeId) -> bool {
        self.has_children(node)
    }
}

/// Takes every field, and writes down the paths as they come. A path's number is its node's.
pub(crate) struct Everything<'t>(pub(crate) &'t mut Trie);

impl Paths for Everything<'_> {
    fn child(&mut self, node: NodeId, key: &[u8]) -> Option<NodeId> {
        Some(self.0.insert_below(node, key))
    }

    fn path(&self, node: NodeId) -> Option<u32> {
        Some(node)
    }

    fn leads_on(&self, _: NodeId) -> bool {
        true
    }
}

/// What sort of scalar a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Str,
    /// Its text stands in the list of decoded strings.
    Decoded,
    Number,
    True,
    False,
    Null,
}

/// A scalar that was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) path: u32,
    pub(crate) element: ElementId,
    kind: Kind,
    start: u32,
    end: u32,
}

/// The fields of one event.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) list: Vec<Field>,
    pub(crate) elements: Elements,
    decoded: String,
    key: String,
}

impl Fields {
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.elements.clear();
        self.decoded.clear();
    }

    /// The value of a field of the event that was scanned from `text`.
    #[inline]
    pub(crate) fn value<'a>(&'a self, text: &'a str, field: &Field) -> Value<'a> {
        let range = field.start as usize..field.end as usize;
        match field.kind {
            Kind::Str => Value::Str(text.get(range).unwrap_or_default()),
            Kind::Decoded => Value::Str(self.decoded.get(range).unwrap_or_default()),
            Kind::Number => Value::Number(text.get(range).unwrap_or_default()),
            Kind::True => Value::True,
            Kind::False => Value::False,
            Kind::Null => Value::Null,
        }
    }
}

/// The text of an event's bytes.
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, InvalidEvent> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| InvalidEvent { reason: "text that is not UTF-8", offset: error.valid_up_to() })?;
    if u32::try_from(text.len()).is_err() {
        return Err(InvalidEvent { reason: "too large", offset: 0 });
    }
    Ok(text)
}

/// Scans an event, which must be a JSON object with nothing behind it, into `fields`.
pub(crate) fn scan(text: &str, paths: impl Paths, fields: &mut Fields) -> Result<(), InvalidEvent> {
    fields.clear();
    Scanner { text, bytes: text.as_bytes(), paths, fields }.event().map_err(InvalidEvent::from)
}

struct Scanner<'a, P> {
    text: &'a str,
    bytes: &'a [u8],
    paths: P,
    fields: &'a mut Fields,
}

impl<P: Paths> Scanner<'_, P> {
    fn event(&mut self) -> Step<()> {
        let pos = space(self.bytes, 0);
        if at(self.bytes, pos) != b'{' {
            return Malformed::at(pos, Reason::Object);
        }
        let pos = self.object(pos, TOP, ROOT, 0)?;
        let pos = space(self.bytes, pos);
        if pos == self.bytes.len() { Ok(()) } else { Malformed::at(pos, Reason::Behind) }
    }

    fn object(&mut self, pos: usize, node: NodeId, element: ElementId, depth: usize) -> Step {
        if depth >= DEPTH_MAX {
            return Malformed::at(pos, Reason::Depth);
        }
        let mut pos = space(self.bytes, pos + 1);
        if at(self.bytes, pos) == b'}' {
            return Ok(pos + 1);
        }
        loop {
            let (key, value) = json::key(self.bytes, pos)?;
            pos = match self.child(node, key) {
                Some(child) => self.value(value, child, element, depth + 1)?,
                None => json::skip_value(self.bytes, value, depth + 1)?,
            };
            pos = space(self.bytes, pos);
            match at(self.bytes, pos) {
                b',' => pos = space(self.bytes, pos + 1),
                b'}' => return Ok(pos + 1),
                _ => return Malformed::at(pos, Reason::Separator),
            }
        }
    }

    #[inline]
    fn child(&mut self, node: NodeId, key: Raw) -> Option<NodeId> {
        if !key.escaped {
            return self.paths.child(node, &self.bytes[key.start..key.end]);
        }
        self.fields.key.clear();
        json::decode(self.text.get(key.start..key.end).unwrap_or_default(), &mut self.fields.key);
        self.paths.child(node, self.fields.key.as_bytes())
    }

    fn value(&mut self, pos: usize, node: NodeId, element: ElementId, depth: usize) -> Step {
        match at(self.bytes, pos) {
            b'{' if self.paths.leads_on(node) => self.object(pos, node, element, depth),
            b'{' => json::skip_value(self.bytes, pos, depth),
            b'[' => self.array(pos, node, element, depth),
            _ => match self.paths.path(node) {
                Some(path) => self.scalar(pos, path, element),
                None => json::skip_value(self.bytes, pos, depth),
            },
        }
    }

    fn array(&mut self, pos: usize, node: NodeId, parent: ElementId, depth: usize) -> Step {
        if depth >= DEPTH_MAX {
            return Malformed::at(pos, Reason::Depth);
        }
        let mut pos = space(self.bytes, pos + 1);
        if at(self.bytes, pos) == b']' {
            return Ok(pos + 1);
        }
        let array = self.fields.elements.open_array();
        for index in 0u32.. {
            pos = match at(self.bytes, pos) {
                b'{' | b'[' => {
                    let element = self.fields.elements.open_element(parent, array, index);
                    let pos = self.value(pos, node, element, depth + 1)?;
                    self.fields.elements.close_element(element);
                    pos
                }
                _ => self.value(pos, node, parent, depth + 1)?,
            };
            pos = space(self.bytes, pos);
            match at(self.bytes, pos) {
                b',' => pos = space(self.bytes, pos + 1),
                b']' => break,
                _ => return Malformed::at(pos, Reason::Separator),
            }
        }
        self.fields.elements.close_array(array);
        Ok(pos + 1)
    }

    fn scalar(&mut self, pos: usize, path: u32, element: ElementId) -> Step {
        let first = at(self.bytes, pos);
        let (kind, start, end, next) = if first == b'"' {
            let start = pos + 1;
            let (end, escaped) = json::string(self.bytes, start)?;
            if escaped {
                let decoded = self.fields.decoded.len();
                json::decode(self.text.get(start..end).unwrap_or_default(), &mut self.fields.decoded);
                (Kind::Decoded, decoded, self.fields.decoded.len(), end + 1)
            } else {
                (Kind::Str, start, end, end + 1)
            }
        } else {
            let end = json::skip_value(self.bytes, pos, 0)?;
            let kind = match first {
                b't' => Kind::True,
                b'f' => Kind::False,
                b'n' => Kind::Null,
                _ => Kind::Number,
            };
            (kind, pos, end, end)
        };
        // Both fit: no event is longer than u32, and decoding never makes text longer.
        self.fields.list.push(Field { path, element, kind, start: start as u32, end: end as u32 });
        Ok(next)
    }
}
