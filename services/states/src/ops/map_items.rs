//! The items of map runs, read from S3 page by page.

use std::io::Read;

use asl::{CsvHeaders, Item, ItemFormat, ItemPage, ItemSource, MapRunStimulus, decode, read_manifest};
use base::Fault;
use base::schema::Blob;
use kernel::{Effect, Outcome, ReplyInput, Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::map_run::LiveRun;

/// The internal operation that reads a page of items.
pub(crate) const READ_ITEMS: &str = "ReadMapItems";
/// The internal operation that takes the page.
pub(crate) const ITEMS_READ: &str = "MapItemsRead";

/// The bytes of a page, about: it is part of the run's row.
const PAGE_BYTES_MAX: usize = 262_144;

/// What to read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReadItems {
    pub source: ItemSource,
    pub cursor: Option<String>,
    pub at_most: u32,
}

/// A page on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    items: Vec<Item>,
    cursor: Option<String>,
}

/// Reads a page of items.
pub(crate) async fn read_items(effect: &Effect, input: ReadItems) -> Result<Page> {
    let ReadItems { source, cursor, at_most } = input;
    let page = match source {
        ItemSource::Given => ItemPage { items: Vec::new(), cursor: None },
        ItemSource::Objects { parameters } => objects(effect, parameters, cursor, at_most).await?,
        ItemSource::Object { parameters, format: ItemFormat::Inventory } => {
            inventory(effect, &parameters, cursor.as_deref(), at_most).await?
        }
        ItemSource::Object { parameters, format } => {
            let file = object(effect, &parameters).await?;
            bounded(&format, &file, cursor.as_deref(), at_most)?
        }
    };
    Ok(Page { items: page.items, cursor: page.cursor })
}

/// Tells the run of its page, or why there is none.
pub(crate) async fn items_read(tx: &mut Tx, reply: ReplyInput<String>) -> Result<()> {
    let Some(mut live) = LiveRun::load(tx, &reply.context).await? else { return Ok(()) };
    let stimulus = match reply.outcome {
        Outcome::Succeeded(page) => {
            let Page { items, cursor } = serde_json::from_str(&page)?;
            MapRunStimulus::Items { items, cursor }
        }
        Outcome::Failed(fault) => MapRunStimulus::ItemsFailed { cause: fault.message },
    };
    live.step(tx, stimulus)?;
    live.store(tx).await
}

/// Descriptions of objects as items.
async fn objects(
    effect: &Effect,
    mut parameters: Value,
    cursor: Option<String>,
    at_most: u32,
) -> Result<ItemPage, Fault> {
    parameters["MaxKeys"] = json!(at_most.min(1_000));
    if let Some(cursor) = cursor {
        parameters["ContinuationToken"] = json!(cursor);
    }
    let mut listed = call(effect, "ListObjectsV2", &parameters).await?;
    let items = match listed.get_mut("Contents").map(Value::take) {
        Some(Value::Array(contents)) => contents.into_iter().map(described).map(Item::of).collect(),
        _ => Vec::new(),
    };
    let cursor = listed.get("NextContinuationToken").and_then(Value::as_str).map(str::to_owned);
    Ok(ItemPage { items, cursor })
}

/// An object's description as a Map state shows it: the tag under another name, and whole seconds.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html>
fn described(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        if let Some(tag) = members.remove("ETag") {
            members.insert("Etag".to_owned(), tag);
        }
        if let Some(seconds) = members.get_mut("LastModified")
            && let Some(whole) = seconds.as_f64()
        {
            *seconds = json!(whole.floor() as i64);
        }
    }
    object
}

async fn object(effect: &Effect, parameters: &Value) -> Result<Vec<u8>, Fault> {
    let answer = call(effect, "GetObject", parameters).await?;
    let body = answer.get("Body").and_then(Value::as_str).and_then(Blob::from_base64);
    Ok(body.map(|body| body.as_bytes().to_vec()).unwrap_or_default())
}

/// The rows of the files of an inventory. The cursor is `file:cursor within it`.
async fn inventory(
    effect: &Effect,
    parameters: &Value,
    cursor: Option<&str>,
    at_most: u32,
) -> Result<ItemPage, Fault> {
    let manifest = read_manifest(&object(effect, parameters).await?).map_err(unreadable)?;
    let (file, within) = cursor.and_then(|cursor| cursor.split_once(':')).unwrap_or(("0", ""));
    let file: usize = file.parse().unwrap_or_default();
    let Some(key) = manifest.keys.get(file) else {
        return Ok(ItemPage { items: Vec::new(), cursor: None });
    };
    let bucket = manifest.bucket.rsplit(':').next().unwrap_or_default();
    let mut bytes = object(effect, &json!({ "Bucket": bucket, "Key": key })).await?;
    if key.ends_with(".gz") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_end(&mut plain)
            .map_err(|error| unreadable(error.to_string()))?;
        bytes = plain;
    }
    let format = ItemFormat::Csv { headers: CsvHeaders::Given(manifest.headers), delimiter: b',' };
    let page = bounded(&format, &bytes, Some(within).filter(|within| !within.is_empty()), at_most)?;
    let next = match page.cursor {
        Some(within) => Some(format!("{file}:{within}")),
        None => (file + 1 < manifest.keys.len()).then(|| format!("{}:", file + 1)),
    };
    Ok(ItemPage { cursor: next, ..page })
}

/// A page that is not too large: fewer items, where they are large.
fn bounded(format: &ItemFormat, file: &[u8], cursor: Option<&str>, at_most: u32) -> Result<ItemPage, Fault> {
    let mut at_most = at_most as usize;
    loop {
        let page = decode(format, file, cursor, at_most).map_err(unreadable)?;
        let bytes: usize = page.items.iter().map(|item| item.value.to_string().len()).sum();
        if bytes <= PAGE_BYTES_MAX || page.items.len() <= 1 {
            return Ok(page);
        }
        at_most = page.items.len() / 2;
    }
}

fn unreadable(why: String) -> Fault {
    Fault::new("ItemReaderFailed", format!("Attempting to read items failed: {why}"))
}

pub(super) async fn call(effect: &Effect, operation: &str, input: &Value) -> Result<Value, Fault> {
    let answer = effect.call("s3", operation, input.to_string().into()).await?;
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}
