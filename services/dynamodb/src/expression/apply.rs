//! Updates applied to items.
//!
//! Everything is computed from the item as it was; then values are set, and elements of lists removed last and from the
//! end, so that an index always means the element that stood there before.

use base::Fault;

use super::path::{Path, Segment};
use super::update::{Addend, SetValue, Update};
use crate::number::{Number, NumberError};
use crate::value::{AttributeValue, Item};

fn wrong_type() -> Fault {
    Fault::validation("An operand in the update expression has an incorrect data type")
}

fn missing() -> Fault {
    Fault::validation("The provided expression refers to an attribute that does not exist in the item")
}

fn no_such_place() -> Fault {
    Fault::validation("The document path provided in the update expression is invalid for update")
}

impl Update<'_> {
    /// Changes `item`; on a fault it may be left half changed and must be thrown away.
    pub fn apply(&self, item: &mut Item) -> Result<(), Fault> {
        let mut puts: Vec<(&Path<'_>, AttributeValue)> = Vec::with_capacity(self.set.len() + self.add.len());
        let mut removes: Vec<&Path<'_>> = self.remove.iter().collect();
        for (path, value) in &self.set {
            puts.push((path, value.compute(item)?));
        }
        for (path, value) in &self.add {
            puts.push((path, added(path.find(item), value)?));
        }
        for (path, members) in &self.delete {
            match path.find(item).map(|set| left_over(set, members)).transpose()? {
                Some(Some(rest)) => puts.push((path, rest)),
                Some(None) => removes.push(path),
                None => {}
            }
        }
        // Indices behind the end append, the smaller first.
        puts.sort_by(|a, b| a.0.steps.cmp(&b.0.steps));
        for (path, value) in puts {
            put(item, path, value)?;
        }
        removes.sort_by(|a, b| b.steps.cmp(&a.steps));
        removes.into_iter().try_for_each(|path| remove(item, path))
    }
}

impl SetValue<'_> {
    fn compute(&self, item: &Item) -> Result<AttributeValue, Fault> {
        match self {
            SetValue::Plain(addend) => addend.compute(item),
            SetValue::Plus(left, right) => calculate(item, left, right, Number::plus),
            SetValue::Minus(left, right) => calculate(item, left, right, Number::minus),
        }
    }
}

impl Addend<'_> {
    fn compute(&self, item: &Item) -> Result<AttributeValue, Fault> {
        match self {
            Addend::Path(path) => path.find(item).cloned().ok_or_else(missing),
            Addend::Value(value) => Ok((*value).clone()),
            Addend::IfNotExists(path, otherwise) => match path.find(item) {
                Some(value) => Ok(value.clone()),
                None => otherwise.compute(item),
            },
            Addend::ListAppend(front, back) => match (front.compute(item)?, back.compute(item)?) {
                (AttributeValue::L(mut front), AttributeValue::L(back)) => {
                    front.extend(back);
                    Ok(AttributeValue::L(front))
                }
                _ => Err(wrong_type()),
            },
        }
    }
}

fn calculate(
    item: &Item,
    left: &Addend<'_>,
    right: &Addend<'_>,
    operation: fn(Number, Number) -> Result<Number, NumberError>,
) -> Result<AttributeValue, Fault> {
    match (left.compute(item)?, right.compute(item)?) {
        (AttributeValue::N(left), AttributeValue::N(right)) => number(operation(left, right)),
        _ => Err(wrong_type()),
    }
}

fn number(result: Result<Number, NumberError>) -> Result<AttributeValue, Fault> {
    result.map(AttributeValue::N).map_err(|error| Fault::validation(error.to_string()))
}

/// ADD: a sum, or two sets joined; alone where nothing stood.
fn added(before: Option<&AttributeValue>, value: &AttributeValue) -> Result<AttributeValue, Fault> {
    let Some(before) = before else { return Ok(value.clone()) };
    match (before, value) {
        (AttributeValue::N(before), AttributeValue::N(value)) => number(before.plus(*value)),
        (AttributeValue::Ss(before), AttributeValue::Ss(value)) => Ok(AttributeValue::Ss(before | value)),
        (AttributeValue::Ns(before), AttributeValue::Ns(value)) => Ok(AttributeValue::Ns(before | value)),
        (AttributeValue::Bs(before), AttributeValue::Bs(value)) => Ok(AttributeValue::Bs(before | value)),
        _ => Err(wrong_type()),
    }
}

/// DELETE: the set without the members; `None` if nothing is left, for no set is empty.
fn left_over(before: &AttributeValue, members: &AttributeValue) -> Result<Option<AttributeValue>, Fault> {
    Ok(match (before, members) {
        (AttributeValue::Ss(before), AttributeValue::Ss(members)) => {
            Some(before - members).filter(|rest| !rest.is_empty()).map(AttributeValue::Ss)
        }
        (AttributeValue::Ns(before), AttributeValue::Ns(members)) => {
            Some(before - members).filter(|rest| !rest.is_empty()).map(AttributeValue::Ns)
        }
        (AttributeValue::Bs(before), AttributeValue::Bs(members)) => {
            Some(before - members).filter(|rest| !rest.is_empty()).map(AttributeValue::Bs)
        }
        _ => return Err(wrong_type()),
    })
}

/// The map or list that the last step of a path leads out of.
enum Parent<'i> {
    Map(&'i mut Item),
    List(&'i mut Vec<AttributeValue>),
}

fn parent<'i>(item: &'i mut Item, path: &Path<'_>) -> Option<Parent<'i>> {
    let Some((_, middle)) = path.steps.split_last() else { return Some(Parent::Map(item)) };
    let mut at = item.get_mut(path.name)?;
    for step in middle {
        at = match (at, step) {
            (AttributeValue::M(map), Segment::Name(name)) => map.get_mut(*name)?,
            (AttributeValue::L(list), Segment::Index(index)) => list.get_mut(*index)?,
            _ => return None,
        };
    }
    match at {
        AttributeValue::M(map) => Some(Parent::Map(map)),
        AttributeValue::L(list) => Some(Parent::List(list)),
        _ => None,
    }
}

fn last_step<'a>(path: &Path<'a>) -> Segment<'a> {
    path.steps.last().copied().unwrap_or(Segment::Name(path.name))
}

fn put(item: &mut Item, path: &Path<'_>, value: AttributeValue) -> Result<(), Fault> {
    match (parent(item, path).ok_or_else(no_such_place)?, last_step(path)) {
        (Parent::Map(map), Segment::Name(name)) => {
            if let Some(slot) = map.get_mut(name) {
                *slot = value;
            } else {
                map.insert(name.to_owned(), value);
            }
        }
        (Parent::List(list), Segment::Index(index)) => match list.get_mut(index) {
            Some(slot) => *slot = value,
            None => list.push(value),
        },
        _ => return Err(no_such_place()),
    }
    Ok(())
}

fn remove(item: &mut Item, path: &Path<'_>) -> Result<(), Fault> {
    match (parent(item, path).ok_or_else(no_such_place)?, last_step(path)) {
        (Parent::Map(map), Segment::Name(name)) => _ = map.remove(name),
        (Parent::List(list), Segment::Index(index)) if index < list.len() => _ = list.remove(index),
        (Parent::List(_), Segment::Index(_)) => {}
        _ => return Err(no_such_place()),
    }
    Ok(())
}
