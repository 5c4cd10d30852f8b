//! Pages of lists: a marker is the last item's name.

/// The first `limit` of `all` that stand behind `marker`, and the marker of the next page if there is one.
pub(crate) fn page<T>(
    all: impl IntoIterator<Item = T>,
    name: impl Fn(&T) -> String,
    marker: Option<&str>,
    limit: usize,
) -> (Vec<T>, Option<String>) {
    let behind = |item: &T| marker.is_none_or(|marker| name(item).as_str() > marker);
    let mut items: Vec<T> = all.into_iter().filter(behind).take(limit + 1).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let marker = items.last().filter(|_| more).map(&name);
    (items, marker)
}

/// The page's size: what is asked for, or the default, at most `max`.
pub(crate) fn limit(asked: Option<i32>, default: usize, max: usize) -> usize {
    asked.map_or(default, |asked| (asked.unsigned_abs() as usize).min(max))
}
