//! Key conditions: a condition that says one partition and, maybe, a range of sort keys.

use base::Fault;

use super::Kind;
use super::condition::{Comparator, Condition, Operand};
use super::placeholders::Placeholders;
use crate::value::AttributeValue;

/// Which items of one partition.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyCondition<'a> {
    /// The partition key's value.
    pub hash: &'a AttributeValue,
    /// The range of the sort key; `None` for all.
    pub range: Option<RangeCondition<'a>>,
}

/// A condition on one key attribute.
pub type KeyPart<'a> = (&'a str, RangeCondition<'a>);

/// A range of sort keys.
#[derive(Clone, Debug, PartialEq)]
pub enum RangeCondition<'a> {
    /// One of `=`, `<`, `<=`, `>`, `>=`.
    Compare(Comparator, &'a AttributeValue),
    /// Both bounds included.
    Between(&'a AttributeValue, &'a AttributeValue),
    /// Those that begin so.
    BeginsWith(&'a AttributeValue),
}

impl<'a> RangeCondition<'a> {
    /// The values that the sort key is compared with.
    pub fn values(&self) -> Vec<&'a AttributeValue> {
        match self {
            RangeCondition::Compare(_, value) | RangeCondition::BeginsWith(value) => vec![value],
            RangeCondition::Between(low, high) => vec![low, high],
        }
    }
}

impl<'a> KeyCondition<'a> {
    /// Parses a `KeyConditionExpression` for a table or index whose keys bear these names.
    pub fn parse(
        text: &'a str,
        placeholders: &Placeholders<'a>,
        hash_name: &str,
        range_name: Option<&str>,
    ) -> Result<KeyCondition<'a>, Fault> {
        KeyCondition::of(KeyCondition::parts(text, placeholders)?, hash_name, range_name)
    }

    /// Parses a `KeyConditionExpression` before the keys' names are known.
    pub fn parts(text: &'a str, placeholders: &Placeholders<'a>) -> Result<Vec<KeyPart<'a>>, Fault> {
        parts(Condition::parse(Kind::KeyCondition, text, placeholders)?)
    }

    /// From conditions on attributes, one each.
    pub fn of(
        parts: Vec<KeyPart<'a>>,
        hash_name: &str,
        range_name: Option<&str>,
    ) -> Result<KeyCondition<'a>, Fault> {
        let count = parts.len();
        let mut hash = None;
        let mut range = None;
        for (name, part) in parts {
            let slot = if name == hash_name {
                &mut hash
            } else if Some(name) == range_name {
                &mut range
            } else {
                continue;
            };
            if slot.replace(part).is_some() {
                return Err(Kind::KeyCondition
                    .fault("KeyConditionExpressions must only contain one condition per key"));
            }
        }
        let missed =
            |name: &str| Fault::validation(format!("Query condition missed key schema element: {name}"));
        let hash = hash.ok_or_else(|| missed(hash_name))?;
        if count > 1 + usize::from(range.is_some()) {
            return Err(match range_name {
                Some(name) if range.is_none() => missed(name),
                _ => Fault::validation("Query key condition not supported"),
            });
        }
        match hash {
            RangeCondition::Compare(Comparator::Equal, hash) => Ok(KeyCondition { hash, range }),
            _ => Err(Fault::validation("Query key condition not supported")),
        }
    }
}

fn unsupported(operator: &str) -> Fault {
    Kind::KeyCondition.fault(format_args!("Invalid operator used in KeyConditionExpression: {operator}"))
}

fn parts(condition: Condition<'_>) -> Result<Vec<KeyPart<'_>>, Fault> {
    match condition {
        Condition::And(all) => {
            let nested = all.into_iter().map(parts).collect::<Result<Vec<_>, _>>()?;
            Ok(nested.into_iter().flatten().collect())
        }
        Condition::Compare(comparator, left, right) => {
            let (comparator, name, value) = match (left, right) {
                (Operand::Path(_), Operand::Path(_)) => return Err(not_constant(comparator.symbol())),
                (left, Operand::Value(value)) => (comparator, attribute(left)?, value),
                (Operand::Value(value), right) => (mirrored(comparator), attribute(right)?, value),
                _ => return Err(unsupported("size")),
            };
            if comparator == Comparator::NotEqual {
                return Err(unsupported("<>"));
            }
            Ok(vec![(name, RangeCondition::Compare(comparator, value))])
        }
        Condition::Between(operand, Operand::Value(low), Operand::Value(high)) => {
            Ok(vec![(attribute(operand)?, RangeCondition::Between(low, high))])
        }
        Condition::BeginsWith(operand, Operand::Value(prefix)) => {
            Ok(vec![(attribute(operand)?, RangeCondition::BeginsWith(prefix))])
        }
        Condition::Between(..) => Err(not_constant("BETWEEN")),
        Condition::BeginsWith(..) => Err(not_constant("begins_with")),
        Condition::Or(_) => Err(unsupported("OR")),
        Condition::Not(_) => Err(unsupported("NOT")),
        Condition::In(..) => Err(unsupported("IN")),
        Condition::Exists(_) => Err(unsupported("attribute_exists")),
        Condition::NotExists(_) => Err(unsupported("attribute_not_exists")),
        Condition::Type(..) => Err(unsupported("attribute_type")),
        Condition::Contains(..) => Err(unsupported("contains")),
    }
}

fn not_constant(operator: &str) -> Fault {
    Kind::KeyCondition.fault(format_args!(
        "The condition on a key attribute must compare it with a value; operator or function: {operator}"
    ))
}

/// The whole attribute that an operand names.
fn attribute(operand: Operand<'_>) -> Result<&str, Fault> {
    match operand {
        Operand::Path(path) if path.steps.is_empty() => Ok(path.name),
        Operand::Path(_) => {
            Err(Kind::KeyCondition
                .fault("KeyConditionExpressions cannot have conditions on nested attributes"))
        }
        Operand::Size(_) => Err(unsupported("size")),
        Operand::Value(_) => Err(not_constant("=")),
    }
}

fn mirrored(comparator: Comparator) -> Comparator {
    match comparator {
        Comparator::Less => Comparator::Greater,
        Comparator::LessOrEqual => Comparator::GreaterOrEqual,
        Comparator::Greater => Comparator::Less,
        Comparator::GreaterOrEqual => Comparator::LessOrEqual,
        same => same,
    }
}
