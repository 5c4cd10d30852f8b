//! JSONPath as the States Language uses it: the RFC 9535 core plus the Jayway forms that AWS accepts (unquoted names with
//! hyphens, `=~`, `in`, `.length()`, `[(@.length-1)]`), and the two questions of its own: is a path definite (its result is
//! the value, not a list), and may it be written to (a Reference Path).
//!
//! It knows values. It must not know states, contexts or templates: who evaluates a `$$` path hands in the context object,
//! and who evaluates a `$name` path the variable.
//!
//! One deliberate difference from the RFC is Jayway's: a filter applied to an object tests the object itself.

mod eval;
mod filter;
mod parse;
mod parse_filter;
mod write;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use filter::Filter;
pub(crate) use filter::{order_numbers, same};

/// A path has at most this many segments, so that evaluation cannot exhaust the stack.
const SEGMENTS_MAX: usize = 256;

/// What a path starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// `$`: the input.
    Input,
    /// `$$`: the context object.
    Context,
    /// `$name`: a workflow variable.
    Variable,
}

/// A parsed path.
#[derive(Clone, Debug)]
pub struct Path {
    text: String,
    root: Root,
    /// The name of the variable that it starts from.
    variable: Option<String>,
    segments: Vec<Segment>,
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// The byte at which reading stopped.
    pub at: usize,
    /// What was expected.
    pub message: &'static str,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at offset {}", self.message, self.at)
    }
}

impl std::error::Error for PathError {}

/// The result of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Selected<'v> {
    /// A definite path's value, or the list that an indefinite path selected (perhaps empty).
    Value(Cow<'v, Value>),
    /// A definite path that leads nowhere.
    Missing {
        /// It ended behind the last element of an array, not at an absent member.
        past_end: bool,
    },
}

impl<'v> Selected<'v> {
    /// The value, unless it is missing.
    pub fn value(self) -> Option<Cow<'v, Value>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing { .. } => None,
        }
    }
}

#[derive(Clone, Debug)]
struct Segment {
    /// `..`: the selectors apply to the node and to everything below it.
    deep: bool,
    selectors: Vec<Selector>,
}

#[derive(Clone, Debug)]
enum Selector {
    Name(String),
    Index(i64),
    Wildcard,
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Filter(Box<Filter>),
    Function(Function),
}

/// A function at the end of a path. Applied to what the path before it gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Length,
    Min,
    Max,
    Avg,
    Sum,
    Keys,
}

impl Segment {
    fn is_definite(&self) -> bool {
        let [selector] = self.selectors.as_slice() else { return false };
        !self.deep && matches!(selector, Selector::Name(_) | Selector::Index(_) | Selector::Function(_))
    }
}

impl Path {
    /// Reads a whole text as a path.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let (path, end) = Self::parse_prefix(text)?;
        if end < text.len() {
            return Err(PathError { at: end, message: "unexpected character" });
        }
        Ok(path)
    }

    /// Reads a path at the beginning of a text, and says where it ended.
    pub fn parse_prefix(text: &str) -> Result<(Self, usize), PathError> {
        parse::path(text)
    }

    /// The path as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it starts from.
    pub fn root(&self) -> Root {
        self.root
    }

    /// The workflow variable that it starts from, without its `$`.
    pub fn variable(&self) -> Option<&str> {
        self.variable.as_deref()
    }

    /// Does it name one place (the result is the value there), or many (the result is a list)?
    pub fn is_definite(&self) -> bool {
        matches!(self.segments.last(), Some(Segment { selectors, .. }) if matches!(selectors.as_slice(), [Selector::Function(_)]))
            || self.segments.iter().all(Segment::is_definite)
    }

    /// May it be written to: one place in the input, by names and non-negative indexes only?
    pub fn is_reference(&self) -> bool {
        self.root == Root::Input && self.is_singular()
    }

    /// Is it a Reference Path: one place, in the input, in the context object or in a variable, by names and
    /// non-negative indexes only?
    pub fn is_singular(&self) -> bool {
        let plain = |segment: &Segment| match segment.selectors.as_slice() {
            [Selector::Name(_)] => !segment.deep,
            [Selector::Index(index)] => !segment.deep && *index >= 0,
            _ => false,
        };
        self.segments.iter().all(plain)
    }

    /// Is it just `$` (or `$$`, or `$name`)?
    pub fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// The names with which it begins, as far as they are plain: `["Execution", "Id"]` for `$$.Execution.Id`.
    pub fn leading_names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map_while(|segment| match segment.selectors.as_slice() {
            [Selector::Name(name)] if !segment.deep => Some(name.as_str()),
            _ => None,
        })
    }

    /// What it selects in a value.
    pub fn select<'v>(&self, root: &'v Value) -> Selected<'v> {
        eval::select(&self.segments, root, root)
    }

    /// Puts a value at the place that a Reference Path names, making the objects on the way that are absent. `None` where
    /// the place cannot be made: something on the way is no object, or an array without that element.
    pub fn write(&self, target: Value, value: Value) -> Option<Value> {
        write::write(&self.segments, target, value)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
