//! Items put together into the input of one child execution.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::BatchPlan;

/// What the next child execution takes.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// An input, and how many items are in it.
    Input(Value, u64),
    /// More items would fit: the next page must come first.
    Incomplete,
    /// One item alone is larger than a batch may be.
    TooLarge,
}

/// Takes the next input off the queue. `complete`: nothing will come behind what is in the queue.
pub(super) fn take(queue: &mut VecDeque<Value>, plan: Option<&BatchPlan>, complete: bool) -> Taken {
    let Some(plan) = plan else {
        return queue.pop_front().map_or(Taken::Incomplete, |item| Taken::Input(item, 1));
    };
    let most = plan.max_items.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let bytes_max = plan.max_bytes.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let frame = batch(Vec::new(), plan).to_string().len();
    let mut bytes = frame;
    let mut count = 0;
    for item in queue.iter().take(most) {
        let more = item.to_string().len() + usize::from(count > 0);
        if bytes + more > bytes_max {
            break;
        }
        bytes += more;
        count += 1;
    }
    if count == 0 {
        return if queue.is_empty() { Taken::Incomplete } else { Taken::TooLarge };
    }
    if count == queue.len() && count < most && !complete {
        return Taken::Incomplete;
    }
    let items: Vec<Value> = queue.drain(..count).collect();
    Taken::Input(batch(items, plan), count as u64)
}

/// The inputs that these items become; `None` if one alone is larger than a batch may be.
pub(crate) fn batches(items: Vec<Value>, plan: &BatchPlan) -> Option<Vec<Value>> {
    let mut queue = VecDeque::from(items);
    let mut inputs = Vec::new();
    while !queue.is_empty() {
        let Taken::Input(input, _) = take(&mut queue, Some(plan), true) else { return None };
        inputs.push(input);
    }
    Some(inputs)
}

fn batch(items: Vec<Value>, plan: &BatchPlan) -> Value {
    let mut members = Map::with_capacity(2);
    if let Some(input) = &plan.input {
        members.insert("BatchInput".to_owned(), input.clone());
    }
    members.insert("Items".to_owned(), Value::Array(items));
    Value::Object(members)
}
