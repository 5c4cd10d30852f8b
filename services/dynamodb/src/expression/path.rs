//! Document paths: `a.b[0].c`.

use std::fmt;

use crate::value::{AttributeValue, Item};

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment<'a> {
    /// Into a map.
    Name(&'a str),
    /// Into a list.
    Index(usize),
}

/// A document path: an attribute's name and the steps below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path<'a> {
    /// The attribute.
    pub name: &'a str,
    /// The steps below it.
    pub steps: Vec<Segment<'a>>,
}

impl<'a> Path<'a> {
    /// The path to a whole attribute.
    pub fn attribute(name: &'a str) -> Path<'a> {
        Path { name, steps: Vec::new() }
    }

    /// What stands there, if anything does.
    pub fn find<'i>(&self, item: &'i Item) -> Option<&'i AttributeValue> {
        self.steps.iter().try_fold(item.get(self.name)?, |value, step| match (value, step) {
            (AttributeValue::M(map), Segment::Name(name)) => map.get(*name),
            (AttributeValue::L(list), Segment::Index(index)) => list.get(*index),
            _ => None,
        })
    }

    /// All steps, the attribute's name first.
    pub(super) fn segments(&self) -> impl Iterator<Item = Segment<'a>> + '_ {
        std::iter::once(Segment::Name(self.name)).chain(self.steps.iter().copied())
    }
}

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segment::Name(name) => f.write_str(name),
            Segment::Index(index) => write!(f, "[{index}]"),
        }
    }
}

impl fmt::Display for Path<'_> {
    /// As AWS shows paths in its texts: `[a, [0], b]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.name)?;
        for step in &self.steps {
            write!(f, ", {step}")?;
        }
        f.write_str("]")
    }
}
