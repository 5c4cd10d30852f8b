//! Whether an item satisfies a condition.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::condition::{Comparator, Condition, Operand};
use crate::number::Number;
use crate::value::{AttributeValue, Item};

impl Condition<'_> {
    /// Whether `item` satisfies the condition; a missing item is an empty one.
    pub fn holds(&self, item: &Item) -> bool {
        match self {
            Condition::And(all) => all.iter().all(|condition| condition.holds(item)),
            Condition::Or(all) => all.iter().any(|condition| condition.holds(item)),
            Condition::Not(inner) => !inner.holds(item),
            Condition::Exists(path) => path.find(item).is_some(),
            Condition::NotExists(path) => path.find(item).is_none(),
            Condition::Compare(comparator, left, right) => {
                compare(*comparator, left.value(item).as_deref(), right.value(item).as_deref())
            }
            Condition::Between(operand, low, high) => {
                let value = operand.value(item);
                compare(Comparator::GreaterOrEqual, value.as_deref(), low.value(item).as_deref())
                    && compare(Comparator::LessOrEqual, value.as_deref(), high.value(item).as_deref())
            }
            Condition::In(operand, list) => operand
                .value(item)
                .is_some_and(|value| list.iter().any(|other| other.value(item).is_some_and(|o| o == value))),
            Condition::Type(operand, kind) => operand.value(item).is_some_and(|value| value.kind() == *kind),
            Condition::BeginsWith(operand, prefix) => both(item, operand, prefix, begins_with),
            Condition::Contains(operand, member) => both(item, operand, member, contains),
        }
    }
}

impl<'a> Operand<'a> {
    /// The operand's value for `item`; `None` where there is none.
    fn value<'i>(&'i self, item: &'i Item) -> Option<Cow<'i, AttributeValue>> {
        match self {
            Operand::Path(path) => path.find(item).map(Cow::Borrowed),
            Operand::Value(value) => Some(Cow::Borrowed(value)),
            Operand::Size(operand) => {
                let size = size(&*operand.value(item)?)?;
                Some(Cow::Owned(AttributeValue::N(Number::from(i64::try_from(size).ok()?))))
            }
        }
    }
}

fn both(
    item: &Item,
    one: &Operand<'_>,
    two: &Operand<'_>,
    ask: fn(&AttributeValue, &AttributeValue) -> bool,
) -> bool {
    one.value(item).is_some_and(|one| two.value(item).is_some_and(|two| ask(&one, &two)))
}

/// Missing values and values of other types are unequal to everything, and neither less nor greater.
fn compare(comparator: Comparator, left: Option<&AttributeValue>, right: Option<&AttributeValue>) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return comparator == Comparator::NotEqual };
    match comparator {
        Comparator::Equal => left == right,
        Comparator::NotEqual => left != right,
        Comparator::Less => order(left, right).is_some_and(Ordering::is_lt),
        Comparator::LessOrEqual => order(left, right).is_some_and(Ordering::is_le),
        Comparator::Greater => order(left, right).is_some_and(Ordering::is_gt),
        Comparator::GreaterOrEqual => order(left, right).is_some_and(Ordering::is_ge),
    }
}

/// The order of two strings, numbers or bytes; nothing else has one.
pub(super) fn order(left: &AttributeValue, right: &AttributeValue) -> Option<Ordering> {
    match (left, right) {
        (AttributeValue::S(left), AttributeValue::S(right)) => Some(left.cmp(right)),
        (AttributeValue::N(left), AttributeValue::N(right)) => Some(left.cmp(right)),
        (AttributeValue::B(left), AttributeValue::B(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn begins_with(value: &AttributeValue, prefix: &AttributeValue) -> bool {
    match (value, prefix) {
        (AttributeValue::S(value), AttributeValue::S(prefix)) => value.starts_with(prefix.as_str()),
        (AttributeValue::B(value), AttributeValue::B(prefix)) => value.starts_with(prefix),
        _ => false,
    }
}

fn contains(value: &AttributeValue, member: &AttributeValue) -> bool {
    match (value, member) {
        (AttributeValue::S(value), AttributeValue::S(part)) => value.contains(part.as_str()),
        (AttributeValue::B(value), AttributeValue::B(part)) => {
            part.is_empty() || value.windows(part.len()).any(|window| window == part.as_slice())
        }
        (AttributeValue::Ss(set), AttributeValue::S(member)) => set.contains(member),
        (AttributeValue::Ns(set), AttributeValue::N(member)) => set.contains(member),
        (AttributeValue::Bs(set), AttributeValue::B(member)) => set.contains(member),
        (AttributeValue::L(list), member) => list.contains(member),
        _ => false,
    }
}

/// Characters of a string, bytes of bytes, members of the rest; numbers, booleans and null have no size.
fn size(value: &AttributeValue) -> Option<usize> {
    Some(match value {
        AttributeValue::S(text) => text.chars().count(),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::Ss(set) => set.len(),
        AttributeValue::Ns(set) => set.len(),
        AttributeValue::Bs(set) => set.len(),
        AttributeValue::M(map) => map.len(),
        AttributeValue::L(list) => list.len(),
        AttributeValue::N(_) | AttributeValue::Null | AttributeValue::Bool(_) => return None,
    })
}
