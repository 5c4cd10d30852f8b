//! Pages of lists: a marker is the last name of the page before.

/// The page size if none is asked for.
const ITEMS: usize = 100;

/// A page of `all`, which is ordered by the name that `name` gives.
pub(crate) fn page<T>(
    all: impl Iterator<Item = T>,
    name: impl Fn(&T) -> String,
    marker: Option<&str>,
    items_max: Option<i32>,
) -> (Vec<T>, Option<String>) {
    let limit = items_max.map_or(ITEMS, |n| n.unsigned_abs() as usize);
    let after = |item: &T| marker.is_none_or(|marker| name(item).as_str() > marker);
    let mut items: Vec<T> = all.filter(after).take(limit + 1).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let marker = items.last().filter(|_| more).map(&name);
    (items, marker)
}
