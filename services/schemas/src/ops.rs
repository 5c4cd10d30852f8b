//! The operations: one a file, small ones by noun.

use base::Fault;

use crate::fault;

pub(crate) mod bindings;
pub(crate) mod check_compatibility;
pub(crate) mod create_schema;
pub(crate) mod describe_schema;
pub(crate) mod discover;
pub(crate) mod discoverers;
pub(crate) mod export_schema;
pub(crate) mod get_discovered_schema;
pub(crate) mod policy;
pub(crate) mod registries;
pub(crate) mod schemas;
pub(crate) mod search_schemas;
pub(crate) mod tags;
pub(crate) mod update_schema;
pub(crate) mod versions;

/// The most items of a page, and how many there are if none is asked for.
const PAGE_MAX: usize = 100;

/// How many items a page has.
pub(crate) fn limit(asked: Option<i32>) -> Result<usize, Fault> {
    match asked {
        None => Ok(PAGE_MAX),
        Some(limit @ 1..=100) => Ok(limit.unsigned_abs() as usize),
        Some(limit) => {
            Err(fault::bad_request(format!("Limit must be between 1 and {PAGE_MAX}, not {limit}.")))
        }
    }
}

/// A page of what is ordered by name: those behind `token`, and the token of the next page.
pub(crate) fn page<T>(
    items: impl Iterator<Item = T>,
    name: impl Fn(&T) -> &str,
    token: Option<&str>,
    limit: usize,
) -> (Vec<T>, Option<String>) {
    let behind = |item: &T| token.is_none_or(|token| name(item) > token);
    let mut rest: Vec<T> = items.filter(behind).take(limit + 1).collect();
    let more = rest.len() > limit;
    rest.truncate(limit);
    let next = rest.last().filter(|_| more).map(|item| name(item).to_owned());
    (rest, next)
}
