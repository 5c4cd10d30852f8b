//! Constructors that keep the generated tables short.

use super::{Bounds, Kind, Location, Member, Pattern, Shape, TimestampFormat};

impl<T: Copy> Bounds<T> {
    /// At least `min`.
    pub const fn min(min: T) -> Bounds<T> {
        Bounds { min: Some(min), max: None }
    }

    /// At most `max`.
    pub const fn max(max: T) -> Bounds<T> {
        Bounds { min: None, max: Some(max) }
    }

    /// From `min` to `max`.
    pub const fn range(min: T, max: T) -> Bounds<T> {
        Bounds { min: Some(min), max: Some(max) }
    }
}

impl<T> Bounds<T> {
    /// No bounds.
    pub const ANY: Bounds<T> = Bounds { min: None, max: None };
}

impl Shape {
    /// A shape of a kind.
    pub const fn new(name: &'static str, kind: Kind) -> Shape {
        Shape { name, kind }
    }

    /// A structure.
    pub const fn structure(name: &'static str, members: &'static [Member]) -> Shape {
        Shape { name, kind: Kind::Structure { members, union: false } }
    }

    /// A structure with exactly one member present.
    pub const fn union(name: &'static str, members: &'static [Member]) -> Shape {
        Shape { name, kind: Kind::Structure { members, union: true } }
    }

    /// A list.
    pub const fn list(name: &'static str, member: &'static Shape, length: Bounds<u64>) -> Shape {
        Shape { name, kind: Kind::List { member, element: None, flattened: false, length } }
    }

    /// A list whose elements have a name of their own on the wire, or no element around them.
    pub const fn xml_list(
        name: &'static str,
        member: &'static Shape,
        length: Bounds<u64>,
        element: Option<&'static str>,
        flattened: bool,
    ) -> Shape {
        Shape { name, kind: Kind::List { member, element, flattened, length } }
    }

    /// A map.
    pub const fn map(
        name: &'static str,
        key: &'static Shape,
        value: &'static Shape,
        length: Bounds<u64>,
    ) -> Shape {
        Shape::xml_map(name, (key, value), length, (None, "key", "value"), false)
    }

    /// A map whose entries, keys and values have names of their own on the wire.
    pub const fn xml_map(
        name: &'static str,
        (key, value): (&'static Shape, &'static Shape),
        length: Bounds<u64>,
        (entry, key_name, value_name): (Option<&'static str>, &'static str, &'static str),
        flattened: bool,
    ) -> Shape {
        Shape { name, kind: Kind::Map { key, value, entry, key_name, value_name, flattened, length } }
    }

    /// Text.
    pub const fn string(name: &'static str, length: Bounds<u64>, pattern: Option<&'static Pattern>) -> Shape {
        Shape { name, kind: Kind::String { length, pattern, values: &[] } }
    }

    /// One of a few texts.
    pub const fn one_of(name: &'static str, values: &'static [&'static str]) -> Shape {
        Shape { name, kind: Kind::String { length: Bounds::ANY, pattern: None, values } }
    }

    /// A time stamp in the protocol's own format, or a given one.
    pub const fn timestamp(name: &'static str, format: Option<TimestampFormat>) -> Shape {
        Shape { name, kind: Kind::Timestamp(format) }
    }
}

impl Member {
    /// An optional member in the body.
    pub const fn new(name: &'static str, shape: &'static Shape) -> Member {
        Member {
            name,
            location_name: None,
            location: Location::Body,
            required: false,
            shape,
            flattened: false,
            xml_attribute: false,
            idempotency_token: false,
        }
    }

    /// It may not be absent.
    #[must_use]
    pub const fn required(self) -> Member {
        Member { required: true, ..self }
    }

    /// It travels elsewhere than in the body.
    #[must_use]
    pub const fn at(self, location: Location) -> Member {
        Member { location, ..self }
    }

    /// It has another name on the wire.
    #[must_use]
    pub const fn named(self, wire_name: &'static str) -> Member {
        Member { location_name: Some(wire_name), ..self }
    }

    /// No element is around this list or map.
    #[must_use]
    pub const fn flattened(self) -> Member {
        Member { flattened: true, ..self }
    }

    /// It is an attribute of the XML element.
    #[must_use]
    pub const fn attribute(self) -> Member {
        Member { xml_attribute: true, ..self }
    }

    /// Clients fill it with a fresh token.
    #[must_use]
    pub const fn token(self) -> Member {
        Member { idempotency_token: true, ..self }
    }
}
