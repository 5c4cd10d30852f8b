//! Listing keys: in the order of their bytes, those with a common beginning as one.

use kernel::{Direction, Parts, Result, Tx};

use crate::bucket;
use crate::keys::ObjectKey;
use crate::object::Object;

/// The most entries of a page.
pub(crate) const PAGE_MAX: usize = 1000;

/// What to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub bucket: String,
    pub prefix: String,
    pub delimiter: String,
    /// Only what sorts behind this; a common prefix does if it is greater itself.
    pub after: String,
    /// As asked for; at most a thousand are given.
    pub max: Option<i32>,
}

/// A page of a listing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub objects: Vec<(String, Object)>,
    pub prefixes: Vec<String>,
    /// The greatest entry, if there are more behind it: where the next page begins.
    pub next: Option<String>,
}

impl Page {
    pub(crate) fn len(&self) -> usize {
        self.objects.len() + self.prefixes.len()
    }
}

impl Listing {
    /// The number of entries that is asked for.
    ///
    /// # Errors
    /// `InvalidArgument` if it is negative.
    pub(crate) fn max_keys(&self) -> Result<usize, base::Fault> {
        let max = self.max.map_or(Ok(PAGE_MAX), usize::try_from);
        let refused = |_| {
            crate::fault::invalid_argument("Argument max-keys must be an integer between 0 and 2147483647")
        };
        max.map_err(refused)
    }

    /// The common prefix that `key` is listed under, if it is.
    pub(crate) fn group<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let rest = key.strip_prefix(&self.prefix)?;
        let end = self.prefix.len() + rest.find(&self.delimiter)? + self.delimiter.len();
        key.get(..end)
    }
}

/// Where the next rows are read.
enum Cursor {
    Start,
    After(String),
    /// This text or what sorts behind it.
    From(String),
    End,
}

/// One page.
pub(crate) async fn list(tx: &mut Tx, listing: Listing) -> Result<Page> {
    bucket::look_at(tx, &listing.bucket).await?;
    let max = listing.max_keys()?.min(PAGE_MAX);
    let mut page = Page::default();
    if max == 0 {
        return Ok(page);
    }
    let mut cursor = first(&listing);
    let mut skipped: Option<String> = None;
    loop {
        let batch = max + 1 - page.len();
        let rows = read(tx, &listing, &cursor, batch).await?;
        let exhausted = rows.len() < batch;
        for (ObjectKey { key, .. }, object) in rows {
            if skipped.as_ref().is_some_and(|group| key.starts_with(group)) {
                continue;
            }
            let group = listing.group(&key).map(str::to_owned);
            let listed = group.as_ref().is_none_or(|group| *group > listing.after);
            if listed && page.len() == max {
                page.next = page.last();
                return Ok(page);
            }
            // What else is below a group is skipped; behind this batch, without being read.
            cursor = match &group {
                Some(group) => behind(group).map_or(Cursor::End, Cursor::From),
                None => Cursor::After(key.clone()),
            };
            match &group {
                Some(group) if listed => page.prefixes.push(group.clone()),
                Some(_) => {}
                None => page.objects.push((key, object)),
            }
            skipped = group;
        }
        if exhausted {
            return Ok(page);
        }
    }
}

impl Page {
    /// The greatest entry.
    fn last(&self) -> Option<String> {
        let object = self.objects.last().map(|(key, _)| key);
        object.max(self.prefixes.last()).cloned()
    }
}

fn first(listing: &Listing) -> Cursor {
    if listing.after.as_str() < listing.prefix.as_str() || listing.after.is_empty() {
        return Cursor::Start;
    }
    if !listing.after.starts_with(&listing.prefix) {
        return Cursor::End;
    }
    match listing.group(&listing.after) {
        Some(group) => behind(group).map_or(Cursor::End, Cursor::From),
        None => Cursor::After(listing.after.clone()),
    }
}

async fn read(
    tx: &mut Tx,
    listing: &Listing,
    cursor: &Cursor,
    limit: usize,
) -> Result<Vec<(ObjectKey, Object)>> {
    let bucket = &listing.bucket;
    let all = Parts::of(bucket).and_starting_with(&listing.prefix);
    match cursor {
        Cursor::End => Ok(Vec::new()),
        Cursor::Start => tx.scan(all, limit).await,
        Cursor::After(key) => {
            let after = ObjectKey { bucket: bucket.clone(), key: key.clone() };
            tx.scan_after(all, &after, limit, Direction::Forward).await
        }
        Cursor::From(text) => {
            let from = Parts::of(bucket).and_starting_with(text);
            tx.scan_between(all, Some(from), None, limit, Direction::Forward).await
        }
    }
}

/// The least text behind all texts that begin with `prefix`.
pub(crate) fn behind(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_prefix_is_its_successor() {
        assert_eq!(behind("a/").as_deref(), Some("a0"));
        assert_eq!(behind("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(behind("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(behind(""), None);
    }

    #[test]
    fn keys_are_grouped_behind_the_prefix() {
        let listing = Listing { prefix: "a/".into(), delimiter: "/".into(), ..Listing::default() };
        assert_eq!(listing.group("a/b/c/d"), Some("a/b/"));
        assert_eq!(listing.group("a/b"), None);
    }
}
