//! Filters: `[?(@.price < 10 && @.tag in ['a', 'b'])]`.

use std::borrow::Cow;
use std::cmp::Ordering;

use regex::Regex;
use serde_json::{Number, Value};

use super::eval::{self, Budget};
use super::{Segment, Selected};

#[derive(Clone, Debug)]
pub(super) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Operand),
    Compare(Operand, Operator, Operand),
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Literal(Value),
    /// From the tested node (`@`) or from the document (`$`).
    Path {
        current: bool,
        segments: Vec<Segment>,
    },
    Regex(Regex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    In,
    NotIn,
    SubsetOf,
    AnyOf,
    NoneOf,
    Contains,
    Size,
    Empty,
}

impl Filter {
    pub(super) fn any(filters: Vec<Self>) -> Self {
        Self::unless_single(filters, Self::Any)
    }

    pub(super) fn all(filters: Vec<Self>) -> Self {
        Self::unless_single(filters, Self::All)
    }

    fn unless_single(mut filters: Vec<Self>, wrap: fn(Vec<Self>) -> Self) -> Self {
        match filters.pop() {
            Some(only) if filters.is_empty() => only,
            Some(last) => {
                filters.push(last);
                wrap(filters)
            }
            None => wrap(filters),
        }
    }

    pub(super) fn accepts(&self, node: &Value, root: &Value, budget: &Budget) -> bool {
        match self {
            Self::Any(filters) => filters.iter().any(|filter| filter.accepts(node, root, budget)),
            Self::All(filters) => filters.iter().all(|filter| filter.accepts(node, root, budget)),
            Self::Not(filter) => !filter.accepts(node, root, budget),
            Self::Exists(operand) => operand.exists(node, root, budget),
            Self::Compare(left, Operator::Matches, Operand::Regex(regex)) => {
                matches!(left.value(node, root, budget).as_deref(), Some(Value::String(text)) if regex.is_match(text))
            }
            Self::Compare(left, operator, right) => {
                let left = left.value(node, root, budget);
                let right = right.value(node, root, budget);
                compare(left.as_deref(), *operator, right.as_deref())
            }
        }
    }
}

impl Operand {
    fn value<'v>(&'v self, node: &'v Value, root: &'v Value, budget: &Budget) -> Option<Cow<'v, Value>> {
        match self {
            Self::Literal(value) => Some(Cow::Borrowed(value)),
            Self::Path { current, segments } => {
                eval::select_within(segments, if *current { node } else { root }, root, budget).value()
            }
            Self::Regex(_) => None,
        }
    }

    fn exists(&self, node: &Value, root: &Value, budget: &Budget) -> bool {
        let Self::Path { current, segments } = self else { return false };
        let definite = segments.iter().all(Segment::is_definite);
        match eval::select_within(segments, if *current { node } else { root }, root, budget) {
            Selected::Missing { .. } => false,
            Selected::Value(list) => definite || list.as_array().is_none_or(|list| !list.is_empty()),
        }
    }
}

fn compare(left: Option<&Value>, operator: Operator, right: Option<&Value>) -> bool {
    match operator {
        Operator::Equal => equal(left, right),
        Operator::NotEqual => !equal(left, right),
        Operator::Less => order(left, right) == Some(Ordering::Less),
        Operator::Greater => order(left, right) == Some(Ordering::Greater),
        Operator::Matches => false,
        _ => match (left, right) {
            (Some(left), Some(right)) if operator == Operator::LessOrEqual => {
                same(left, right) || order(Some(left), Some(right)) == Some(Ordering::Less)
            }
            (Some(left), Some(right)) if operator == Operator::GreaterOrEqual => {
                same(left, right) || order(Some(left), Some(right)) == Some(Ordering::Greater)
            }
            (Some(left), Some(right)) => compare_sets(left, operator, right),
            _ => false,
        },
    }
}

fn compare_sets(left: &Value, operator: Operator, right: &Value) -> bool {
    let holds = |list: &Value, wanted: &Value| {
        list.as_array().is_some_and(|list| list.iter().any(|item| same(item, wanted)))
    };
    let items = left.as_array().map_or(&[][..], Vec::as_slice);
    match operator {
        Operator::In => holds(right, left),
        Operator::NotIn => !holds(right, left),
        Operator::SubsetOf => left.is_array() && items.iter().all(|item| holds(right, item)),
        Operator::AnyOf => items.iter().any(|item| holds(right, item)),
        Operator::NoneOf => left.is_array() && !items.iter().any(|item| holds(right, item)),
        Operator::Contains => match (left, right) {
            (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
            _ => holds(left, right),
        },
        Operator::Size => length(left).is_some_and(|length| right.as_u64() == Some(length as u64)),
        Operator::Empty => length(left).is_some_and(|length| right.as_bool() == Some(length == 0)),
        _ => false,
    }
}

/// The number of elements, members or characters.
pub(super) fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Array(items) => Some(items.len()),
        Value::Object(members) => Some(members.len()),
        Value::String(text) => Some(text.chars().count()),
        _ => None,
    }
}

/// Nothing equals nothing, and only nothing.
fn equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) => same(left, right),
        _ => false,
    }
}

/// Equality by value: `1` is `1.0`, and the order of members does not matter.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => order_numbers(left, right) == Some(Ordering::Equal),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

fn order(left: Option<&Value>, right: Option<&Value>) -> Option<Ordering> {
    match (left?, right?) {
        (Value::Number(left), Value::Number(right)) => order_numbers(left, right),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// Integers exactly, everything else as doubles.
pub(crate) fn order_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
        return Some(left.cmp(&right));
    }
    if let (Some(left), Some(right)) = (left.as_u64(), right.as_u64()) {
        return Some(left.cmp(&right));
    }
    left.as_f64()?.partial_cmp(&right.as_f64()?)
}
