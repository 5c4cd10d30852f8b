//! Listing versions: by key, the newest first; keys with a common beginning as one.

use kernel::{Direction, Parts, Result, Tx};

use crate::bucket;
use crate::keys::{ObjectKey, VersionKey};
use crate::listing::{Listing, PAGE_MAX, behind};
use crate::object::Object;
use crate::versions::{self, Marker, Version};

/// A page of a listing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub objects: Vec<(String, Object, bool)>,
    pub markers: Vec<(String, Marker, bool)>,
    pub prefixes: Vec<String>,
    /// Key and version of the last entry (no version if it is a prefix), if there are more behind it.
    pub next: Option<(String, Option<String>)>,
}

/// A version in the order of the listing.
struct Entry {
    key: String,
    /// None for the current object, which stands first.
    age: Option<u64>,
    version: Version,
}

/// Where the next rows are read: behind this version, or behind all versions of this key.
#[derive(Clone, Debug)]
struct Cursor {
    key: String,
    /// `Some(None)` is the current object.
    age: Option<Option<u64>>,
}

/// One page: `listing.after` is the key's marker, `version` that of the version.
pub(crate) async fn list(tx: &mut Tx, (listing, version): (Listing, Option<String>)) -> Result<Page> {
    bucket::look_at(tx, &listing.bucket).await?;
    let max = listing.max_keys()?.min(PAGE_MAX);
    let mut page = Page::default();
    if max == 0 {
        return Ok(page);
    }
    let mut last: Option<(String, Option<String>)> = None;
    let mut count = 0;
    let mut cursor = begin(tx, &listing, version.as_deref()).await?;
    // The key of the version before: only the first of a key is the latest.
    let mut before = cursor.as_ref().filter(|cursor| cursor.age.is_some()).map(|cursor| cursor.key.clone());
    loop {
        let batch = max + 1 - count;
        let entries = read(tx, &listing, cursor.as_ref(), batch).await?;
        let exhausted = entries.len() < batch;
        let mut skipped: Option<String> = None;
        for Entry { key, age, version } in entries {
            if skipped.as_ref().is_some_and(|group| key.starts_with(group)) {
                continue;
            }
            let group = listing.group(&key).map(str::to_owned);
            let listed = group.as_ref().is_none_or(|group| *group > listing.after);
            if listed && count == max {
                page.next = last;
                return Ok(page);
            }
            cursor = Some(match &group {
                // Whatever is below the group sorts before this.
                Some(group) => match behind(group) {
                    Some(text) => Cursor { key: text, age: None },
                    None => return Ok(page),
                },
                None => Cursor { key: key.clone(), age: Some(age) },
            });
            count += usize::from(listed);
            if let Some(group) = &group {
                if listed {
                    page.prefixes.push(group.clone());
                    last = Some((group.clone(), None));
                }
                // The text behind the group may be a key itself: it is read from its first version on.
                cursor = cursor.map(|cursor| Cursor { age: None, ..cursor });
            } else {
                last = Some((key.clone(), Some(version.place().id())));
                let latest = before.as_ref() != Some(&key);
                before = Some(key.clone());
                match version {
                    Version::Object(object) => page.objects.push((key, object, latest)),
                    Version::Marker(marker) => page.markers.push((key, marker, latest)),
                }
            }
            skipped = group;
        }
        if exhausted {
            return Ok(page);
        }
    }
}

/// Where a listing begins.
async fn begin(tx: &mut Tx, listing: &Listing, version: Option<&str>) -> Result<Option<Cursor>> {
    if listing.after.is_empty() {
        return Ok(None);
    }
    let key = listing.after.clone();
    let Some(version) = version else {
        return Ok(Some(Cursor { key, age: Some(Some(u64::MAX)) }));
    };
    let row = ObjectKey { bucket: listing.bucket.clone(), key: key.clone() };
    let current = tx.peek(&row).await?.filter(|object| object.place.id() == version);
    let age = match current {
        Some(_) => None,
        None => Some(versions::age_of(tx, &row, version).await?),
    };
    Ok(Some(Cursor { key, age: Some(age) }))
}

/// The next versions of both kinds of rows, merged.
async fn read(tx: &mut Tx, listing: &Listing, cursor: Option<&Cursor>, limit: usize) -> Result<Vec<Entry>> {
    let bucket = &listing.bucket;
    let all = || Parts::of(bucket).and_starting_with(&listing.prefix);
    let before_all = cursor.is_none_or(|cursor| cursor.key < listing.prefix);
    let (objects, others) = match cursor.filter(|_| !before_all) {
        None => (tx.scan::<ObjectKey>(all(), limit).await?, tx.scan::<VersionKey>(all(), limit).await?),
        Some(Cursor { key, .. }) if !key.starts_with(&listing.prefix) => (Vec::new(), Vec::new()),
        Some(Cursor { key, age: None }) => {
            let from = || Some(Parts::of(bucket).and_starting_with(key));
            let objects = tx.scan_between(all(), from(), None, limit, Direction::Forward).await?;
            (objects, tx.scan_between(all(), from(), None, limit, Direction::Forward).await?)
        }
        Some(Cursor { key, age: Some(age) }) => {
            let object = ObjectKey { bucket: bucket.clone(), key: key.clone() };
            let objects = tx.scan_after(all(), &object, limit, Direction::Forward).await?;
            // Behind the current object come the others of its key, from the newest on.
            let row = VersionKey { bucket: bucket.clone(), key: key.clone(), age: age.unwrap_or(0) };
            (objects, tx.scan_after(all(), &row, limit, Direction::Forward).await?)
        }
    };
    let objects = objects.into_iter().map(|(row, object): (ObjectKey, Object)| Entry {
        key: row.key,
        age: None,
        version: Version::Object(object),
    });
    let others = others.into_iter().map(|(row, version): (VersionKey, Version)| Entry {
        key: row.key,
        age: Some(row.age),
        version,
    });
    let mut merged: Vec<Entry> = objects.chain(others).collect();
    merged.sort_by(|one, other| (&one.key, one.age).cmp(&(&other.key, other.age)));
    merged.truncate(limit);
    Ok(merged)
}
