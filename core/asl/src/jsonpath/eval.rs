//! Evaluates parsed paths.

use std::borrow::Cow;
use std::cell::Cell;

use serde_json::{Value, json};

use super::filter::length;
use super::{Function, Segment, Selected, Selector};

/// The number of nodes that one query may visit: a path like `$..*..*..*` grows with a power of the document.
const VISITS_MAX: u32 = 1_000_000;

/// What is left of the visits of one query.
pub(super) struct Budget(Cell<u32>);

impl Budget {
    /// May one more node be visited?
    fn spend(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }
}

pub(super) fn select<'v>(segments: &[Segment], start: &'v Value, root: &'v Value) -> Selected<'v> {
    select_within(segments, start, root, &Budget(Cell::new(VISITS_MAX)))
}

pub(super) fn select_within<'v>(
    segments: &[Segment],
    start: &'v Value,
    root: &'v Value,
    budget: &Budget,
) -> Selected<'v> {
    if let Some((last, before)) = segments.split_last()
        && let [Selector::Function(function)] = last.selectors.as_slice()
    {
        return match select_within(before, start, root, budget) {
            Selected::Value(value) => Selected::Value(Cow::Owned(apply(*function, &value))),
            missing @ Selected::Missing { .. } => missing,
        };
    }
    if segments.iter().all(Segment::is_definite) {
        return follow(segments, start);
    }
    let mut found = Vec::new();
    let walk = Walk { root, budget };
    walk.walk(segments, start, &mut found);
    Selected::Value(Cow::Owned(Value::Array(found.into_iter().cloned().collect())))
}

/// A definite path, step by step.
fn follow<'v>(segments: &[Segment], start: &'v Value) -> Selected<'v> {
    let mut node = start;
    for segment in segments {
        let next = match segment.selectors.as_slice() {
            [Selector::Name(name)] => node.get(name.as_str()),
            [Selector::Index(index)] => element(node, *index),
            _ => None,
        };
        match next {
            Some(next) => node = next,
            None => {
                let indexed = matches!(segment.selectors.as_slice(), [Selector::Index(_)]);
                return Selected::Missing { past_end: indexed && node.is_array() };
            }
        }
    }
    Selected::Value(Cow::Borrowed(node))
}

fn element(node: &Value, index: i64) -> Option<&Value> {
    let items = node.as_array()?;
    let index = if index < 0 { index + i64::try_from(items.len()).ok()? } else { index };
    items.get(usize::try_from(index).ok()?)
}

/// What stays the same during one query.
struct Walk<'v, 'b> {
    root: &'v Value,
    budget: &'b Budget,
}

impl<'v> Walk<'v, '_> {
    fn walk(&self, segments: &[Segment], node: &'v Value, found: &mut Vec<&'v Value>) {
        if !self.budget.spend() {
            return;
        }
        let Some((segment, rest)) = segments.split_first() else {
            found.push(node);
            return;
        };
        for selector in &segment.selectors {
            self.apply(selector, segment.deep, rest, node, found);
        }
        if segment.deep {
            for child in children(node) {
                self.walk(segments, child, found);
            }
        }
    }

    fn apply(
        &self,
        selector: &Selector,
        deep: bool,
        rest: &[Segment],
        node: &'v Value,
        found: &mut Vec<&'v Value>,
    ) {
        match selector {
            Selector::Name(name) => {
                if let Some(child) = node.get(name.as_str()) {
                    self.walk(rest, child, found);
                }
            }
            Selector::Index(index) => {
                if let Some(child) = element(node, *index) {
                    self.walk(rest, child, found);
                }
            }
            Selector::Wildcard => {
                for child in children(node) {
                    self.walk(rest, child, found);
                }
            }
            Selector::Slice { start, end, step } => {
                for child in slice(node, *start, *end, *step) {
                    self.walk(rest, child, found);
                }
            }
            Selector::Filter(filter) => {
                if node.is_object() && !deep {
                    if filter.accepts(node, self.root, self.budget) {
                        self.walk(rest, node, found);
                    }
                    return;
                }
                for child in children(node).filter(|child| filter.accepts(child, self.root, self.budget)) {
                    self.walk(rest, child, found);
                }
            }
            Selector::Function(_) => {}
        }
    }
}

fn children(node: &Value) -> impl Iterator<Item = &Value> {
    let items = node.as_array().into_iter().flatten();
    let members = node.as_object().into_iter().flat_map(serde_json::Map::values);
    items.chain(members)
}

/// RFC 9535, 2.3.4.2.
fn slice(node: &Value, start: Option<i64>, end: Option<i64>, step: i64) -> Vec<&Value> {
    let Some(items) = node.as_array() else { return Vec::new() };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let absolute = |bound: i64| if bound < 0 { bound + length } else { bound };
    let (low, high) = if step >= 0 { (0, length) } else { (-1, length - 1) };
    let start = start.map_or(if step >= 0 { 0 } else { length - 1 }, absolute).clamp(low, high);
    let end = match end {
        Some(end) => absolute(end).clamp(low, high),
        None if step >= 0 => length,
        None => -1,
    };
    let mut taken = Vec::new();
    let mut at = start;
    while step != 0 && ((step > 0 && at < end) || (step < 0 && at > end)) {
        taken.extend(usize::try_from(at).ok().and_then(|at| items.get(at)));
        at = at.saturating_add(step);
    }
    taken
}

fn apply(function: Function, value: &Value) -> Value {
    let numbers = || value.as_array().into_iter().flatten().filter_map(Value::as_f64);
    let best = |better: fn(f64, f64) -> f64| numbers().reduce(better).map_or(Value::Null, number);
    match function {
        Function::Length => length(value).map_or(Value::Null, |length| json!(length)),
        Function::Keys => {
            value.as_object().map_or(Value::Null, |members| json!(members.keys().collect::<Vec<_>>()))
        }
        Function::Min => best(f64::min),
        Function::Max => best(f64::max),
        Function::Sum => best(|sum, next| sum + next),
        Function::Avg => match numbers().count() {
            0 => Value::Null,
            count => json!(numbers().sum::<f64>() / count as f64),
        },
    }
}

/// Whole numbers stay whole.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}
