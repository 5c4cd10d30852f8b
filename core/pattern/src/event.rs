//! An event with all its fields.

use crate::consistency::Key;
use crate::elements::Elements;
use crate::error::InvalidEvent;
use crate::leaf::Leaf;
use crate::scan::{Everything, Field, Fields, scan, text_of};
use crate::trie::Trie;
use crate::value::Value;

/// An event, scanned once, that many patterns can be asked about.
///
/// It borrows the JSON text and knows each scalar by its path: the keys joined by dots, arrays left out.
pub struct Event<'a> {
    text: &'a str,
    trie: Trie,
    fields: Fields,
    /// The fields' numbers, by path and then by their order in the text.
    by_path: Vec<u32>,
}

impl<'a> Event<'a> {
    /// Scans an event. Every key counts, also one that is repeated in its object.
    ///
    /// # Errors
    ///
    /// [`InvalidEvent`] if `bytes` are not the UTF-8 text of one JSON object, or nested deeper than
    /// [`crate::DEPTH_MAX`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, InvalidEvent> {
        let text = text_of(bytes)?;
        let mut trie = Trie::default();
        let mut fields = Fields::default();
        scan(text, Everything(&mut trie), &mut fields)?;
        let mut by_path: Vec<u32> = (0u32..).take(fields.list.len()).collect();
        by_path.sort_by_key(|&number| fields.list[number as usize].path);
        Ok(Self { text, trie, fields, by_path })
    }

    /// The event's JSON text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    pub(crate) fn elements(&self) -> &Elements {
        &self.fields.elements
    }

    /// The fields at a path, in the order of the text.
    pub(crate) fn fields_at(&self, path: &str) -> impl Iterator<Item = &Field> {
        let number = self.trie.find(path).unwrap_or(u32::MAX);
        let path_of = |field: &u32| self.fields.list[*field as usize].path;
        let start = self.by_path.partition_point(|field| path_of(field) < number);
        let same = self.by_path[start..].iter().take_while(move |field| path_of(field) == number);
        same.map(|&field| &self.fields.list[field as usize])
    }

    pub(crate) fn value(&self, field: &Field) -> Value<'_> {
        self.fields.value(self.text, field)
    }

    /// What the event has for a leaf.
    pub(crate) fn key(&self, leaf: &Leaf) -> Key {
        let mut key = Key { absent_allowed: leaf.absent_allowed, ..Key::default() };
        for field in self.fields_at(&leaf.path) {
            key.found.push(field.element);
            if leaf.matches(self.value(field)) {
                key.satisfied.push(field.element);
            }
        }
        key.settle();
        key
    }
}

impl std::fmt::Debug for Event<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Event").field(&self.text).finish()
    }
}
