//! From JSON text to fields, in one pass. Only what some path leads to is taken; everything else is checked and passed
//! over.

use crate::decode::decode;
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

/// An object or array that is being read.
#[derive(Debug, Clone, Copy)]
struct Level {
    node: NodeId,
    /// The element that its scalars sit in.
    element: ElementId,
    /// The element that it is itself, if it stands directly in an array.
    own: ElementId,
    /// Its number if it is an array.
    array: u32,
    /// The position in it.
    index: u32,
}

const NO_ARRAY: u32 = u32::MAX;

/// The fields of one event.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) list: Vec<Field>,
    pub(crate) elements: Elements,
    decoded: String,
    key: String,
    /// The objects and arrays around the one that is being read.
    levels: Vec<Level>,
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
        let pos = self.object(pos)?;
        let pos = space(self.bytes, pos);
        if pos == self.bytes.len() { Ok(()) } else { Malformed::at(pos, Reason::Behind) }
    }

    /// Scans the outermost object and what is wanted inside, keeping its own stack: events may be nested deeply.
    fn object(&mut self, pos: usize) -> Step {
        self.fields.levels.clear();
        let mut level = Level { node: TOP, element: ROOT, own: ROOT, array: NO_ARRAY, index: 0 };
        let mut pos = space(self.bytes, pos + 1);
        let mut entered = true;
        loop {
            let close = if level.array == NO_ARRAY { b'}' } else { b']' };
            let next = at(self.bytes, pos);
            if next == close {
                self.leave(&level);
                match self.fields.levels.pop() {
                    Some(outer) => level = outer,
                    None => return Ok(pos + 1),
                }
                entered = false;
                pos = space(self.bytes, pos + 1);
                continue;
            }
            if !entered {
                if next != b',' {
                    return Malformed::at(pos, Reason::Separator);
                }
                pos = space(self.bytes, pos + 1);
                level.index += 1;
            }
            let mut node = Some(level.node);
            if level.array == NO_ARRAY {
                let (key, value) = json::key(self.bytes, pos)?;
                node = self.child(level.node, key);
                pos = value;
            }
            (pos, entered) = match node {
                Some(node) => self.value(pos, node, &mut level)?,
                None => (json::skip_value(self.bytes, pos, self.depth())?, false),
            };
            pos = space(self.bytes, pos);
        }
    }

    /// How many objects and arrays are around a member of the current one.
    #[inline]
    fn depth(&self) -> usize {
        self.fields.levels.len() + 1
    }

    #[inline]
    fn child(&mut self, node: NodeId, key: Raw) -> Option<NodeId> {
        if !key.escaped {
            return self.paths.child(node, &self.bytes[key.start..key.end]);
        }
        self.fields.key.clear();
        decode(self.text.get(key.start..key.end).unwrap_or_default(), &mut self.fields.key);
        self.paths.child(node, self.fields.key.as_bytes())
    }

    /// Reads a wanted value, or steps into it if it is an object or array; then `level` is that, and the answer `true`.
    fn value(&mut self, pos: usize, node: NodeId, level: &mut Level) -> Step<(usize, bool)> {
        let first = at(self.bytes, pos);
        if first == b'[' || (first == b'{' && self.paths.leads_on(node)) {
            if self.depth() >= DEPTH_MAX {
                return Malformed::at(pos, Reason::Depth);
            }
            self.enter(node, first == b'[', level);
            return Ok((pos + 1, true));
        }
        let end = match self.paths.path(node) {
            Some(path) if first != b'{' => self.scalar(pos, path, level.element)?,
            _ => json::skip_value(self.bytes, pos, self.depth())?,
        };
        Ok((end, false))
    }

    fn enter(&mut self, node: NodeId, array: bool, level: &mut Level) {
        let elements = &mut self.fields.elements;
        let own = if level.array == NO_ARRAY {
            ROOT
        } else {
            elements.open_element(level.element, level.array, level.index)
        };
        let element = if own == ROOT { level.element } else { own };
        let array = if array { elements.open_array() } else { NO_ARRAY };
        self.fields.levels.push(*level);
        *level = Level { node, element, own, array, index: 0 };
    }

    fn leave(&mut self, level: &Level) {
        if level.array != NO_ARRAY {
            self.fields.elements.close_array(level.array);
        }
        if level.own != ROOT {
            self.fields.elements.close_element(level.own);
        }
    }

    fn scalar(&mut self, pos: usize, path: u32, element: ElementId) -> Step {
        let first = at(self.bytes, pos);
        let (kind, start, end, next) = if first == b'"' {
            let start = pos + 1;
            let (end, escaped) = json::string(self.bytes, start)?;
            if escaped {
                let decoded = self.fields.decoded.len();
                decode(self.text.get(start..end).unwrap_or_default(), &mut self.fields.decoded);
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
