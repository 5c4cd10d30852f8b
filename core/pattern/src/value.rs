//! A scalar of an event.

/// A scalar as it stands in an event: strings decoded, numbers as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Str(&'a str),
    Number(&'a str),
    True,
    False,
    Null,
}
