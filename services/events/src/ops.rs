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

use base::Fault;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::fault;

/// A page of named rows: `rows` holds one more than `limit` if there are more. The token holds the last name.
pub(crate) fn page<T>(
    mut rows: Vec<T>,
    limit: usize,
    name: impl Fn(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let token = rows.last().filter(|_| more).map(|row| URL_SAFE_NO_PAD.encode(name(row)));
    (rows, token)
}

/// Where a page goes on: what [`page`] gave as the token of the page before.
///
/// # Errors
/// A text that no page gave.
pub(crate) fn after(token: Option<String>) -> Result<Option<String>, Fault> {
    let read = |token: String| {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        name.ok_or_else(|| fault::invalid("Invalid NextToken."))
    };
    token.map(read).transpose()
}

/// The page size: AWS's default and maximum is 100.
pub(crate) fn limit(asked: Option<i32>) -> usize {
    asked.map_or(100, |limit| limit.unsigned_abs() as usize)
}
