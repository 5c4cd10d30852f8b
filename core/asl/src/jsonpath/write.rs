//! Puts a value where a Reference Path points: what `ResultPath` does.

use serde_json::{Map, Value};

use super::{Segment, Selector};

pub(super) fn write(segments: &[Segment], mut target: Value, value: Value) -> Option<Value> {
    let mut place = &mut target;
    for segment in segments {
        place = match segment.selectors.as_slice() {
            [Selector::Name(name)] => member(place, name)?,
            [Selector::Index(index)] => place.as_array_mut()?.get_mut(usize::try_from(*index).ok()?)?,
            _ => return None,
        };
    }
    *place = value;
    Some(target)
}

/// The member's place; a place that was just made becomes an object first.
fn member<'v>(place: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    if place.is_null() {
        *place = Value::Object(Map::new());
    }
    Some(place.as_object_mut()?.entry(name).or_insert(Value::Null))
}
