use kernel::{Direction, Parts, Result, Tx};
use uuid::Uuid;

use crate::bucket;
use crate::keys::MultipartKey;
use crate::multipart::Multipart;

/// What to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub bucket: String,
    pub prefix: String,
    pub delimiter: String,
    /// Only what sorts behind this key, or behind this key's upload of the second id.
    pub after: Option<(String, Option<Uuid>)>,
    pub max: usize,
}

/// Uploads under way, by key and start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub uploads: Vec<(MultipartKey, Multipart)>,
    pub prefixes: Vec<String>,
    /// The last entry, if there are more behind it.
    pub next: Option<(String, Option<Uuid>)>,
}

/// Rows that are read at once.
const BATCH: usize = 1000;

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
pub(crate) async fn list_multipart_uploads(tx: &mut Tx, asked: Asked) -> Result<Page> {
    bucket::look_at(tx, &asked.bucket).await?;
    let mut page = Page::default();
    let (key, upload) = asked.after.clone().unwrap_or_default();
    // Without an id, all uploads of the marker's key are behind.
    let last = if key.is_empty() { Uuid::nil() } else { Uuid::max() };
    let mut after = MultipartKey { bucket: asked.bucket.clone(), key, upload: upload.unwrap_or(last) };
    loop {
        let rows: Vec<(MultipartKey, Multipart)> = if after.key < asked.prefix {
            tx.scan(Parts::of(&asked.bucket).and_starting_with(&asked.prefix), BATCH).await?
        } else {
            tx.scan_after(Parts::of(&asked.bucket), &after, BATCH, Direction::Forward).await?
        };
        let exhausted = rows.len() < BATCH;
        for (row, upload) in rows {
            if !row.key.starts_with(&asked.prefix) {
                return Ok(page);
            }
            after = row.clone();
            let group = group(&asked, &row.key);
            if group.is_some() && group == page.prefixes.last().cloned() {
                continue;
            }
            if group.as_ref().is_some_and(|group| asked.after.as_ref().is_some_and(|(key, _)| key >= group)) {
                continue;
            }
            if page.uploads.len() + page.prefixes.len() == asked.max {
                page.next = page.last();
                return Ok(page);
            }
            match group {
                Some(group) => page.prefixes.push(group),
                None => page.uploads.push((row, upload)),
            }
        }
        if exhausted {
            return Ok(page);
        }
    }
}

impl Page {
    fn last(&self) -> Option<(String, Option<Uuid>)> {
        let upload = self.uploads.last().map(|(row, _)| (row.key.clone(), Some(row.upload)));
        let prefix = self.prefixes.last().map(|prefix| (prefix.clone(), None));
        upload.max(prefix)
    }
}

/// The common prefix that a key is listed under, if it is.
fn group(asked: &Asked, key: &str) -> Option<String> {
    if asked.delimiter.is_empty() {
        return None;
    }
    let rest = key.strip_prefix(&asked.prefix)?;
    let end = asked.prefix.len() + rest.find(&asked.delimiter)? + asked.delimiter.len();
    key.get(..end).map(str::to_owned)
}
