//! From JSON text to fields, in one pass. Only what some path leads to is taken; everything else is checked and passed
//! over.

use crate::elements::{ElementId, Elements, ROOT};
use crate::error::InvalidEvent;
use crate::json::{self, Cursor, Raw};
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
    let mut scanner = Scanner { text, cursor: Cursor::new(text), paths, fields };
    scanner.cursor.skip_space();
    if scanner.cursor.peek() != Some(b'{') {
        return Err(scanner.cursor.error("object expected"));
    }
    scanner.object(TOP, ROOT, 0)?;
    scanner.cursor.skip_space();
    match scanner.cursor.peek() {
        None => Ok(()),
        Some(_) => Err(scanner.cursor.error("text behind the object")),
    }
}

struct Scanner<'a, P> {
    text: &'a str,
    cursor: Cursor<'a>,
    paths: P,
    fields: &'a mut Fields,
}

impl<P: Paths> Scanner<'_, P> {
    fn object(&mut self, node: NodeId, element: ElementId, depth: usize) -> Result<(), InvalidEvent> {
        let mut more = self.cursor.open(b'}', depth)?;
        while more {
            let key = self.cursor.key()?;
            match self.child(node, key) {
                Some(child) => self.value(child, element, depth + 1)?,
                None => self.cursor.skip_value(depth + 1)?,
            }
            more = self.cursor.separator(b'}')?;
        }
        Ok(())
    }

    #[inline]
    fn child(&mut self, node: NodeId, key: Raw) -> Option<NodeId> {
        let raw = &self.text.as_bytes()[key.start..key.end];
        if !key.escaped {
            return self.paths.child(node, raw);
        }
        self.fields.key.clear();
        json::decode(self.text.get(key.start..key.end).unwrap_or_default(), &mut self.fields.key);
        self.paths.child(node, self.fields.key.as_bytes())
    }

    fn value(&mut self, node: NodeId, element: ElementId, depth: usize) -> Result<(), InvalidEvent> {
        match self.cursor.peek() {
            Some(b'{') if self.paths.leads_on(node) => self.object(node, element, depth),
            Some(b'{') => self.cursor.skip_value(depth),
            Some(b'[') => self.array(node, element, depth),
            _ => match self.paths.path(node) {
                Some(path) => self.scalar(path, element),
                None => self.cursor.skip_value(depth),
            },
        }
    }

    fn array(&mut self, node: NodeId, parent: ElementId, depth: usize) -> Result<(), InvalidEvent> {
        let array = self.fields.elements.open_array();
        let mut more = self.cursor.open(b']', depth)?;
        let mut index = 0;
        while more {
            match self.cursor.peek() {
                Some(b'{' | b'[') => {
                    let element = self.fields.elements.open_element(parent, array, index);
                    self.value(node, element, depth + 1)?;
                    self.fields.elements.close_element(element);
                }
                _ => self.value(node, parent, depth + 1)?,
            }
            index += 1;
            more = self.cursor.separator(b']')?;
        }
        self.fields.elements.close_array(array);
        Ok(())
    }

    fn scalar(&mut self, path: u32, element: ElementId) -> Result<(), InvalidEvent> {
        let mut start = self.cursor.pos;
        let mut end = None;
        let kind = match self.cursor.peek() {
            Some(b'"') => {
                let raw = self.cursor.string()?;
                (start, end) = (raw.start, Some(raw.end));
                if raw.escaped {
                    start = self.fields.decoded.len();
                    json::decode(
                        self.text.get(raw.start..raw.end).unwrap_or_default(),
                        &mut self.fields.decoded,
                    );
                    end = Some(self.fields.decoded.len());
                    Kind::Decoded
                } else {
                    Kind::Str
                }
            }
            Some(first) => {
                self.cursor.skip_value(0)?;
                match first {
                    b't' => Kind::True,
                    b'f' => Kind::False,
                    b'n' => Kind::Null,
                    _ => Kind::Number,
                }
            }
            None => return Err(self.cursor.error("value expected")),
        };
        let end = end.unwrap_or(self.cursor.pos);
        // Both fit: no event is longer than u32, and decoding never makes text longer.
        self.fields.list.push(Field { path, element, kind, start: start as u32, end: end as u32 });
        Ok(())
    }
}
