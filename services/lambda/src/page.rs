//! Pages of lists: a marker is the name of the last thing shown.

use base::schema::Blob;

/// How many things a page has, unless the caller wants fewer.
const SIZE: usize = 50;

/// The part of `all` that follows `marker`, at most `size` of them, and the marker of the next page.
///
/// `key` names a thing; `all` is sorted by it.
pub(crate) fn page<T>(
    all: Vec<T>,
    key: impl Fn(&T) -> String,
    marker: Option<&str>,
    size: Option<i32>,
) -> (Vec<T>, Option<String>) {
    let size = size.and_then(|size| usize::try_from(size).ok()).map_or(SIZE, |size| size.clamp(1, SIZE));
    let after = marker.filter(|marker| !marker.is_empty()).and_then(Blob::from_base64);
    let start = match after {
        Some(after) => all
            .iter()
            .position(|thing| key(thing).as_bytes() == after.as_bytes())
            .map_or(all.len(), |at| at + 1),
        None => 0,
    };
    let mut shown: Vec<T> = all.into_iter().skip(start).collect();
    let next = (shown.len() > size).then(|| Blob::from(key(&shown[size - 1]).into_bytes()).to_base64());
    shown.truncate(size);
    (shown, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_to_the_end() {
        let all = || ["a", "b", "c"].map(str::to_owned).to_vec();
        let (first, marker) = page(all(), String::clone, None, Some(2));
        assert_eq!(first, ["a", "b"]);
        let (second, end) = page(all(), String::clone, marker.as_deref(), Some(2));
        assert_eq!((second, end), (vec!["c".to_owned()], None));
        assert_eq!(page(all(), String::clone, Some("bm93aGVyZQ=="), None).0, Vec::<String>::new());
    }
}
