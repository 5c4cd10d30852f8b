//! A batch in parts: calls take so many entries, and so many bytes, at once.
//!
//! A call that is larger than its target takes fails as a whole, and so it would whenever its messages come again.

use std::collections::HashSet;
use std::ops::Range;

use base::Fault;
use serde_json::Value;

use super::{Item, Missed, Shot};
use crate::source::ask;

/// The most entries of a batch operation of SQS, SNS and EventBridge.
const ENTRIES_MAX: usize = 10;
/// What an entry counts beside its texts, in bytes.
const ENTRY_OVERHEAD: usize = 64;

/// What one call takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub entries: usize,
    pub bytes: usize,
}

/// Numbers of what goes into one call, in order, given the bytes of each. What is too large by itself is a part of its own,
/// so that it fails alone.
pub(crate) fn parts(sizes: impl Iterator<Item = usize>, most: Most) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut held = 0;
    for (number, size) in sizes.enumerate() {
        match parts.last_mut() {
            Some(part) if part.len() < most.entries && held + size <= most.bytes => {
                part.end = number + 1;
                held += size;
            }
            _ => {
                parts.push(number..number + 1);
                held = size;
            }
        }
    }
    parts
}

/// The parts in which payloads are given as one JSON array of at most so many bytes.
pub(crate) fn array_parts(items: &[Item], bytes_max: usize) -> Vec<Range<usize>> {
    let most = Most { entries: usize::MAX, bytes: bytes_max - "[]".len() };
    parts(items.iter().map(|item| item.payload.to_string().len() + ",".len()), most)
}

/// What of a part may go on. In a FIFO queue's batch, what follows a failure in its group is missed with it, so that it
/// does not overtake it; behind an enrichment groups are not known, and nothing follows a failure.
pub(super) fn open(shot: &Shot<'_>, items: &[Item], part: Range<usize>, missed: &mut Missed) -> Vec<usize> {
    let Some(fault) = missed.fault.clone().filter(|_| shot.pipe.is_ordered()) else {
        return part.collect();
    };
    let enriched = shot.pipe.enrichment.is_some();
    let group = |item: &Item| {
        let group = item.view["attributes"]["MessageGroupId"].as_str();
        group.filter(|_| !enriched).map(str::to_owned)
    };
    let (mut open, mut blocked) = (Vec::new(), HashSet::new());
    for (number, item) in items.iter().enumerate().take(part.end) {
        let named = item.view["messageId"].as_str().is_some_and(|id| missed.messages.contains(id));
        if named || missed.items.contains(&number) {
            blocked.insert(group(item));
        } else if part.contains(&number) {
            match blocked.contains(&group(item)) {
                true => missed.add(number, fault.clone()),
                false => open.push(number),
            }
        }
    }
    open
}

/// A batch operation.
pub(super) struct Batches {
    pub service: &'static str,
    pub operation: &'static str,
    /// The input but for its entries.
    pub input: Value,
    /// The member of the input that has the entries.
    pub member: &'static str,
    pub bytes_max: usize,
    /// Notes which of the entries of the given numbers an answer names as failed.
    pub failures: fn(&Value, &[usize], &mut Missed),
}

/// Calls a batch operation with an entry for each event, in as many calls as it takes.
pub(super) async fn put_batches(
    shot: &Shot<'_>,
    items: &[Item],
    entries: &[Value],
    batches: &Batches,
) -> Missed {
    let most = Most { entries: ENTRIES_MAX, bytes: batches.bytes_max };
    let target = &shot.pipe.target;
    let mut missed = Missed::default();
    for part in parts(entries.iter().map(|entry| weight(entry) + ENTRY_OVERHEAD), most) {
        let numbers = open(shot, items, part, &mut missed);
        if numbers.is_empty() {
            continue;
        }
        let mut input = batches.input.clone();
        input[batches.member] = numbers.iter().filter_map(|number| entries.get(*number).cloned()).collect();
        match ask(shot.effect, shot.caller, target, batches.service, batches.operation, &input).await {
            Ok(answer) => (batches.failures)(&answer, &numbers, &mut missed),
            Err(fault) => missed.all(&numbers, &fault),
        }
    }
    missed
}

/// The entries that an answer's `Failed` names by their `Id`, which is their number.
pub(super) fn failed_by_id(answer: &Value, numbers: &[usize], missed: &mut Missed) {
    for entry in answer["Failed"].as_array().into_iter().flatten() {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let fault = Fault::new(text("Code"), text("Message"));
        match text("Id").parse() {
            Ok(number) => missed.add(number, fault),
            Err(_) => missed.all(numbers, &fault),
        }
    }
}

/// The bytes of all texts of an entry.
fn weight(entry: &Value) -> usize {
    match entry {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(members) => members.values().map(weight).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_what_a_call_takes() {
        let cut = |sizes: &[usize], entries, bytes| parts(sizes.iter().copied(), Most { entries, bytes });
        assert!(cut(&[], 10, 100).is_empty());
        assert_eq!(cut(&[1; 25], 10, 100), [0..10, 10..20, 20..25]);
        assert_eq!(cut(&[40, 60, 1, 99, 1], 10, 100), [0..2, 2..4, 4..5]);
        assert_eq!(cut(&[1, 101, 1, 1], 10, 100), [0..1, 1..2, 2..4]);
    }

    #[test]
    fn an_array_of_a_part_is_no_longer_than_it_may_be() {
        let item = |len: usize| Item { payload: Value::String("\"".repeat(len)), view: Value::Null };
        let items = [item(10), item(10), item(5), item(17), item(1)];
        let parts = array_parts(&items, 50);
        assert_eq!(parts, [0..2, 2..3, 3..5]);
        for part in parts {
            let array: Value = items[part].iter().map(|item| item.payload.clone()).collect();
            assert!(array.to_string().len() <= 50, "{array}");
        }
    }
}
