//! The quick answer: does a document keep to its shape? One pass over the text, nothing allocated, no reasons given.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Blob, Bounds, Kind, Member, Shape};
use crate::Timestamp;

/// What members that the model does not know are held against: they need not be of use, but JSON.
static ANYTHING: Shape = Shape::new("Document", Kind::Document);

/// Whether the text is UTF-8 and JSON and keeps to the shape.
pub(super) fn passes(shape: &'static Shape, json: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(json) else { return false };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let present = Check(shape).deserialize(&mut deserializer);
    matches!(present, Ok(true)) && deserializer.end().is_ok()
}

/// The text's length as Java counts it, in UTF-16 units.
pub(super) fn text_length(text: &str) -> u64 {
    if text.is_ascii() { text.len() as u64 } else { text.encode_utf16().count() as u64 }
}

/// Whether text keeps to a string's constraints.
pub(super) fn string_holds(kind: &Kind, text: &str) -> bool {
    let Kind::String { length, pattern, values } = kind else { return false };
    let unbounded = length.min.is_none() && length.max.is_none();
    (unbounded || length.hold(text_length(text)))
        && (values.is_empty() || values.contains(&text))
        && pattern.is_none_or(|pattern| pattern.matches(text))
}

/// Whether a number keeps to an integer's size and bounds.
fn integer_holds(kind: &Kind, value: i64) -> bool {
    match kind {
        Kind::Integer(bounds) => i32::try_from(value).is_ok() && bounds.hold(value),
        Kind::Long(bounds) => bounds.hold(value),
        Kind::Float(bounds) => bounds.hold(value as f64),
        Kind::Timestamp(_) => Timestamp::from_epoch_seconds(value as f64).is_some(),
        Kind::Document => true,
        _ => false,
    }
}

/// Yields whether a value was there (`false` for null), or any error if it breaks the shape.
struct Check(&'static Shape);

impl<'de> DeserializeSeed<'de> for Check {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn hold<E: Error>(holds: bool) -> Result<bool, E> {
    if holds { Ok(true) } else { Err(E::custom("")) }
}

impl<'de> Visitor<'de> for Check {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<bool, E> {
        hold(matches!(self.0.kind, Kind::Boolean | Kind::Document))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<bool, E> {
        hold(integer_holds(&self.0.kind, value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<bool, E> {
        hold(match &self.0.kind {
            Kind::Float(bounds) => bounds.hold(value),
            Kind::Timestamp(_) => Timestamp::from_epoch_seconds(value).is_some(),
            Kind::Document => true,
            _ => false,
        })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        hold(match &self.0.kind {
            kind @ Kind::String { .. } => string_holds(kind, text),
            Kind::Blob(bounds) => Blob::measure(text).is_some_and(|length| bounds.hold(length)),
            Kind::Timestamp(_) => Timestamp::from_iso(text).is_some(),
            Kind::Document => true,
            _ => false,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<bool, A::Error> {
        match &self.0.kind {
            Kind::List { member, length, .. } => {
                let mut count = 0;
                while let Some(present) = elements.next_element_seed(Check(member))? {
                    hold::<A::Error>(present)?;
                    count += 1;
                }
                hold(length.hold(count))
            }
            Kind::Document => {
                while elements.next_element_seed(Check(self.0))?.is_some() {}
                Ok(true)
            }
            _ => hold(false),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<bool, A::Error> {
        match &self.0.kind {
            Kind::Structure { members, .. } => structure(members, entries),
            Kind::Map { key, value, length, .. } => map(key, value, length, entries),
            Kind::Document => {
                while entries.next_key_seed(Check(self.0))?.is_some() {
                    entries.next_value_seed(Check(self.0))?;
                }
                Ok(true)
            }
            _ => hold(false),
        }
    }
}

fn structure<'de, A: MapAccess<'de>>(members: &'static [Member], mut entries: A) -> Result<bool, A::Error> {
    let mut seen = 0_u128;
    let mut hint = 0;
    while let Some(found) = entries.next_key_seed(Key { members, hint })? {
        let Some(index) = found else {
            entries.next_value_seed(Check(&ANYTHING))?;
            continue;
        };
        // Serde refuses a member that comes twice, so the quick pass does not let it through either.
        hold::<A::Error>(seen & (1 << index) == 0)?;
        if entries.next_value_seed(Check(members[index].shape))? || !members[index].required {
            seen |= 1 << index;
        }
        hint = index + 1;
    }
    let complete = members.iter().enumerate().all(|(i, member)| !member.required || seen & (1 << i) != 0);
    hold(complete)
}

fn map<'de, A: MapAccess<'de>>(
    key: &'static Shape,
    value: &'static Shape,
    length: &Bounds<u64>,
    mut entries: A,
) -> Result<bool, A::Error> {
    let mut count = 0;
    while entries.next_key_seed(Check(key))?.is_some() {
        hold::<A::Error>(entries.next_value_seed(Check(value))?)?;
        count += 1;
    }
    hold(length.hold(count))
}

/// Finds the member of a name. Clients write members in a stable order, so the next one is tried first.
struct Key {
    members: &'static [Member],
    hint: usize,
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        if self.members.get(self.hint).is_some_and(|member| member.name == name) {
            return Ok(Some(self.hint));
        }
        Ok(self.members.iter().position(|member| member.name == name))
    }
}
