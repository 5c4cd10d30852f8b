use kernel::{Direction, Parts, Result, Tx};
use uuid::Uuid;

use super::list_objects_v2::text_of;
use crate::api::{CommonPrefix, ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload};
use crate::bucket;
use crate::checksum::word;
use crate::keys::MultipartKey;
use crate::multipart::{self, Multipart, upload_id};

/// What to list.
#[derive(Clone, Debug, Default)]
struct Asked {
    pub bucket: String,
    pub prefix: String,
    pub delimiter: String,
    /// Only what sorts behind this key, or behind this key's upload of the second id.
    pub after: Option<(String, Option<Uuid>)>,
    pub max: usize,
}

/// Uploads under way, by key and start.
#[derive(Clone, Debug, Default)]
struct Page {
    pub uploads: Vec<(MultipartKey, Multipart)>,
    pub prefixes: Vec<String>,
    /// The last entry, if there are more behind it.
    pub next: Option<(String, Option<Uuid>)>,
}

/// Rows that are read at once.
const BATCH: usize = 1000;

/// The most entries of a page.
const PAGE_MAX: usize = 1000;

/// Uploads under way.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
pub(crate) async fn list_multipart_uploads(
    tx: &mut Tx,
    input: ListMultipartUploadsInput,
) -> Result<ListMultipartUploadsOutput> {
    bucket::expect(tx, (input.bucket.clone(), input.expected_bucket_owner)).await?;
    let max = multipart::page(input.max_uploads, PAGE_MAX);
    let marker = input.upload_id_marker.as_deref().and_then(|upload| Uuid::try_parse(upload).ok());
    let asked = Asked {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: input.key_marker.clone().map(|key| (key, marker)),
        max,
    };
    let page = list(tx, asked).await?;
    let text = text_of(input.encoding_type);
    let uploads = page.uploads.iter().map(|(row, upload)| {
        Ok(MultipartUpload { key: Some(text(&row.key)), ..described(row.upload, upload)? })
    });
    let prefixes = page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(text(prefix)) });
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        uploads: Some(uploads.collect::<Result<Vec<_>>>()?).filter(|all| !all.is_empty()),
        common_prefixes: Some(prefixes.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        delimiter: input.delimiter.as_deref().map(&text),
        prefix: Some(text(input.prefix.as_deref().unwrap_or_default())),
        encoding_type: input.encoding_type,
        is_truncated: Some(page.next.is_some()),
        key_marker: Some(text(input.key_marker.as_deref().unwrap_or_default())),
        upload_id_marker: input.upload_id_marker,
        max_uploads: i32::try_from(max).ok(),
        next_key_marker: page.next.as_ref().map(|(key, _)| text(key)),
        next_upload_id_marker: page.next.and_then(|(_, upload)| upload.map(upload_id)),
        request_charged: None,
    })
}

fn described(id: Uuid, upload: &Multipart) -> Result<MultipartUpload> {
    let (initiator, owner) = multipart::people(upload);
    Ok(MultipartUpload {
        upload_id: Some(upload_id(id)),
        initiated: Some(upload.started_at),
        checksum_algorithm: upload.algorithm.map(|algorithm| word(algorithm.name())).transpose()?,
        checksum_type: upload.algorithm.map(|_| word(upload.checksum_type.as_str())).transpose()?,
        initiator: Some(initiator),
        owner: Some(owner),
        storage_class: word(upload.class()).ok(),
        ..MultipartUpload::default()
    })
}

async fn list(tx: &mut Tx, asked: Asked) -> Result<Page> {
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
