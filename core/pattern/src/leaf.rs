//! A leaf of a pattern: a field and the alternatives for its value.

use crate::alternative::Alternative;
use crate::value::Value;

/// One field of a pattern with its alternatives, any of which will do.
#[derive(Debug, PartialEq)]
pub(crate) struct Leaf {
    /// The steps to the field, joined by dots.
    pub(crate) path: Box<str>,
    /// The alternatives as JSON text, without white space.
    pub(crate) text: Box<str>,
    /// The literal strings, sorted.
    pub(crate) strings: Box<[Box<str>]>,
    /// All other alternatives.
    pub(crate) others: Box<[Alternative]>,
    /// Whether the field may be absent.
    pub(crate) absent_allowed: bool,
}

impl Leaf {
    pub(crate) fn new(
        path: &str,
        text: Box<str>,
        mut strings: Vec<Box<str>>,
        others: Vec<Alternative>,
    ) -> Self {
        strings.sort_unstable();
        strings.dedup();
        let absent_allowed = others.contains(&Alternative::Absent);
        Self { path: path.into(), text, strings: strings.into(), others: others.into(), absent_allowed }
    }

    /// Whether a value that is there will do.
    pub(crate) fn matches(&self, value: Value<'_>) -> bool {
        if let Value::Str(found) = value
            && self.strings.binary_search_by(|string| (**string).cmp(found)).is_ok()
        {
            return true;
        }
        self.others.iter().any(|alternative| alternative.matches(value))
    }

    /// See [`crate::WILDCARD_COMPLEXITY_MAX`].
    pub(crate) fn wildcard_complexity(&self) -> usize {
        self.others.iter().flat_map(Alternative::wildcards).map(|wildcard| wildcard.complexity()).sum()
    }
}
