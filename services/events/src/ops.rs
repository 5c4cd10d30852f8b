//! The operations: one a file, small ones by noun.

pub(crate) mod api_destinations;
pub(crate) mod archives;
pub(crate) mod buses;
pub(crate) mod connections;
pub(crate) mod deliver_to_bus;
pub(crate) mod permissions;
pub(crate) mod publish_service_event;
pub(crate) mod put_events;
pub(crate) mod put_rule;
pub(crate) mod put_targets;
pub(crate) mod replays;
pub(crate) mod rules;
pub(crate) mod tags;
pub(crate) mod targets;
pub(crate) mod test_event_pattern;

/// A page of named rows: `rows` holds one more than `limit` if there are more. The token is the last name.
pub(crate) fn page<T>(
    mut rows: Vec<T>,
    limit: usize,
    name: impl Fn(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let token = rows.last().filter(|_| more).map(name);
    (rows, token)
}

/// The page size: AWS's default and maximum is 100.
pub(crate) fn limit(asked: Option<i32>) -> usize {
    asked.map_or(100, |limit| limit.unsigned_abs() as usize)
}
