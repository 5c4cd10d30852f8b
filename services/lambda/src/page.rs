//! Pages of lists: a marker says which thing was shown last.

use base::Fault;

use crate::fault;

/// How many things a page has, unless the caller wants fewer.
const SIZE: usize = 50;

/// The part of `all` that follows `marker`, at most `size` of them, and the marker of the next page.
///
/// `place` says where a thing stands: `all` is sorted by it, so that a page goes on where the last one ended even if what it
/// ended with is gone.
///
/// # Errors
/// The marker is none that this gave out.
pub(crate) fn page<T>(
    all: Vec<T>,
    place: impl Fn(&T) -> String,
    marker: Option<&str>,
    size: Option<i32>,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let size = size.and_then(|size| usize::try_from(size).ok()).map_or(SIZE, |size| size.clamp(1, SIZE));
    let after = marker.filter(|marker| !marker.is_empty()).map(parse).transpose()?;
    let follows = |thing: &T| after.as_ref().is_none_or(|after| place(thing) > *after);
    let mut shown: Vec<T> = all.into_iter().filter(follows).collect();
    let more = shown.len() > size;
    shown.truncate(size);
    let last = shown.last().filter(|_| more);
    let next = last.map(|last| base::page::token(&place(last)));
    Ok((shown, next))
}

/// A number as part of a place.
pub(crate) fn ordered(number: u64) -> String {
    format!("{number:020}")
}

fn parse(marker: &str) -> Result<String, Fault> {
    let after = base::page::last_of(marker);
    after.ok_or_else(|| fault::invalid("The provided Marker is invalid."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_to_the_end() {
        let all = || ["a", "b", "c"].map(str::to_owned).to_vec();
        let (first, marker) = page(all(), String::clone, None, Some(2)).unwrap();
        assert_eq!(first, ["a", "b"]);
        let (second, end) = page(all(), String::clone, marker.as_deref(), Some(2)).unwrap();
        assert_eq!((second, end), (vec!["c".to_owned()], None));
        let without = vec!["a".to_owned(), "c".to_owned()];
        assert_eq!(page(without, String::clone, marker.as_deref(), None).unwrap().0, ["c"]);
        for unusable in ["bm93aGVyZQ==", "nonsense!"] {
            let fault = page(all(), String::clone, Some(unusable), None).unwrap_err();
            assert_eq!(fault.code, "InvalidParameterValueException");
        }
    }
}
