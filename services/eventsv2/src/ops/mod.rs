//! The operations: one a file, small ones by noun.

pub(crate) mod buses;
pub(crate) mod create_subscriber;
pub(crate) mod deliver_to_bus;
pub(crate) mod fail_delivery;
pub(crate) mod invoke;
pub(crate) mod pump;
pub(crate) mod put_events;
pub(crate) mod put_raw_events;
pub(crate) mod revoke_resource;
pub(crate) mod sources;
pub(crate) mod subscribers;
pub(crate) mod tags;
pub(crate) mod update_subscriber;

/// The size of a page where the caller gives none.
const PAGE_DEFAULT: usize = 100;

/// The page size that `MaxResults` asks for; the schema bounds it.
fn page_size(asked: Option<i32>) -> usize {
    asked.map_or(PAGE_DEFAULT, |size| size.unsigned_abs() as usize)
}

/// The page of `rows`, of which there is one more than `size` if more follow, and the token of the next one.
fn page<T>(mut rows: Vec<T>, size: usize, token: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(token);
    (rows, next)
}
