//! Readers of items: what a distributed map's `ItemReader` names, as pages of items.
//!
//! It knows objects of S3 and how to read them by ranges. It must not know map runs or rows: who asks for a page holds its
//! cursor. Nothing is kept between pages. While a page is made, of lines and rows so much is held as the page needs, of a
//! Parquet file its end and one group of its rows, and of any other object at most [`object::BYTES_MAX`] bytes.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html>

mod object;
mod parquet;
mod window;

use asl::{CsvHeaders, Item, ItemFormat, ItemPage, ItemSource, decode, read_athena_manifest, read_manifest};
use base::Fault;
use kernel::Effect;
use serde_json::{Value, json};

use object::Object;

/// The bytes of a page, about: it is part of the run's row.
const PAGE_BYTES_MAX: usize = 262_144;
/// Objects that one page opens, where they hold little.
const PAGE_OBJECTS_MAX: usize = 100;

/// The next items of a source, from where the cursor of the page before says.
pub(crate) async fn read(
    effect: &Effect,
    source: ItemSource,
    cursor: Option<String>,
    at_most: u32,
) -> Result<ItemPage, Fault> {
    match source {
        ItemSource::Given => Ok(ItemPage { items: Vec::new(), cursor: None }),
        ItemSource::Objects { parameters } => described(effect, parameters, cursor, at_most).await,
        ItemSource::Contents { parameters, format } => {
            contents(effect, parameters, &format, cursor, at_most).await
        }
        ItemSource::Object { parameters, format } => {
            let object = Object::of(&parameters);
            match format {
                ItemFormat::Inventory => {
                    let (files, format) = inventory(effect, &object).await?;
                    files_of(effect, &files, &format, cursor.as_deref(), at_most).await
                }
                ItemFormat::Athena { of } => {
                    let files = athena(effect, &object).await?;
                    files_of(effect, &files, &of, cursor.as_deref(), at_most).await
                }
                format => items(effect, &object, &format, cursor.as_deref(), &Room::new(at_most)).await,
            }
        }
    }
}

/// What a page can still take.
struct Room {
    items: usize,
    bytes: usize,
}

impl Room {
    fn new(at_most: u32) -> Self {
        Self { items: at_most.max(1) as usize, bytes: PAGE_BYTES_MAX }
    }

    fn take(&mut self, items: &[Item]) {
        self.items = self.items.saturating_sub(items.len());
        self.bytes = self.bytes.saturating_sub(items.iter().map(bytes).sum());
    }

    fn is_full(&self) -> bool {
        self.items == 0 || self.bytes == 0
    }
}

fn bytes(item: &Item) -> usize {
    item.value.to_string().len()
}

/// Descriptions of objects as items.
async fn described(
    effect: &Effect,
    mut parameters: Value,
    cursor: Option<String>,
    at_most: u32,
) -> Result<ItemPage, Fault> {
    parameters["MaxKeys"] = json!(at_most.min(1_000));
    if let Some(cursor) = cursor {
        parameters["ContinuationToken"] = json!(cursor);
    }
    let mut listed = list(effect, &parameters).await?;
    let items = match listed.get_mut("Contents").map(Value::take) {
        Some(Value::Array(contents)) => contents.into_iter().map(description).map(Item::of).collect(),
        _ => Vec::new(),
    };
    let cursor = listed.get("NextContinuationToken").and_then(Value::as_str).map(str::to_owned);
    Ok(ItemPage { items, cursor })
}

/// An object's description as a Map state shows it: the tag under another name, and whole seconds.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html>
fn description(mut object: Value) -> Value {
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

async fn list(effect: &Effect, parameters: &Value) -> Result<Value, Fault> {
    let bucket = parameters.get("Bucket").and_then(Value::as_str).unwrap_or_default();
    let answer = effect.call("s3", "ListObjectsV2", parameters.to_string().into()).await;
    let answer = answer.map_err(|fault| object::failed(&format!("S3://{bucket}"), fault))?;
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}

/// The items of the objects that a listing tells of. The cursor is the key of the object and the cursor within it; an
/// empty one has been read to its end.
async fn contents(
    effect: &Effect,
    mut parameters: Value,
    format: &ItemFormat,
    cursor: Option<String>,
    at_most: u32,
) -> Result<ItemPage, Fault> {
    let (mut room, mut items) = (Room::new(at_most), Vec::new());
    let mut last: Option<String> = None;
    if let Some((key, within)) = cursor.as_deref().and_then(|cursor| serde_json::from_str(cursor).ok()) {
        let (key, within): (String, String) = (key, within);
        if !within.is_empty() {
            let object = Object::of(&parameters).named(&key);
            let page = (&mut room, &mut items);
            if let Some(within) = fill(effect, &object, format, Some(&within), page).await? {
                return Ok(ItemPage { items, cursor: Some(json!([key, within]).to_string()) });
            }
        }
        parameters["StartAfter"] = json!(key);
        last = Some(key);
    }
    parameters["MaxKeys"] = json!(PAGE_OBJECTS_MAX);
    if let Some(members) = parameters.as_object_mut() {
        members.shift_remove("ContinuationToken");
        members.shift_remove("EncodingType");
    }
    let listed = list(effect, &parameters).await?;
    let found = listed.get("Contents").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut seen = 0;
    for listing in found {
        let key = listing.get("Key").and_then(Value::as_str).unwrap_or_default();
        if room.is_full() {
            break;
        }
        // What stands for a folder in consoles holds nothing.
        if listing.get("Size").and_then(Value::as_u64) != Some(0) {
            let object = Object::of(&parameters).named(key);
            if let Some(within) = fill(effect, &object, format, None, (&mut room, &mut items)).await? {
                return Ok(ItemPage { items, cursor: Some(json!([key, within]).to_string()) });
            }
        }
        last = Some(key.to_owned());
        seen += 1;
    }
    let more = seen < found.len() || listed.get("IsTruncated").and_then(Value::as_bool) == Some(true);
    let cursor = last.filter(|_| more).map(|key| json!([key, ""]).to_string());
    Ok(ItemPage { items, cursor })
}

/// The items of the files of a manifest. The cursor is `file:cursor within it`.
async fn files_of(
    effect: &Effect,
    files: &[Object],
    format: &ItemFormat,
    cursor: Option<&str>,
    at_most: u32,
) -> Result<ItemPage, Fault> {
    let (file, within) = cursor.and_then(|cursor| cursor.split_once(':')).unwrap_or(("0", ""));
    let first: usize = file.parse().unwrap_or_default();
    let mut within = Some(within).filter(|within| !within.is_empty());
    let (mut room, mut items) = (Room::new(at_most), Vec::new());
    for (at, file) in files.iter().enumerate().skip(first) {
        if room.is_full() || at == first + PAGE_OBJECTS_MAX {
            return Ok(ItemPage { items, cursor: Some(format!("{at}:")) });
        }
        let next = fill(effect, file, format, within.take(), (&mut room, &mut items)).await?;
        if let Some(next) = next {
            return Ok(ItemPage { items, cursor: Some(format!("{at}:{next}")) });
        }
    }
    Ok(ItemPage { items, cursor: None })
}

/// Puts an object's items into a page; where the object goes on, if the page is full before its end.
async fn fill(
    effect: &Effect,
    object: &Object,
    format: &ItemFormat,
    cursor: Option<&str>,
    (room, items): (&mut Room, &mut Vec<Item>),
) -> Result<Option<String>, Fault> {
    let page = self::items(effect, object, format, cursor, room).await?;
    room.take(&page.items);
    let source = object.uri();
    items.extend(page.items.into_iter().map(|item| Item { source: Some(source.clone()), ..item }));
    Ok(page.cursor)
}

/// A page of one object's items.
async fn items(
    effect: &Effect,
    object: &Object,
    format: &ItemFormat,
    cursor: Option<&str>,
    room: &Room,
) -> Result<ItemPage, Fault> {
    if *format == ItemFormat::Parquet {
        return parquet::read(effect, object, cursor, room).await;
    }
    if matches!(format, ItemFormat::JsonLines | ItemFormat::Csv { .. })
        && let Some(page) = window::read(effect, object, format, cursor, room).await?
    {
        return Ok(page);
    }
    let file = object.read(effect).await?;
    bounded(format, &file, cursor, room).map_err(|why| object.unreadable(&why))
}

/// A page that is not too large: fewer items, where they are large.
fn bounded(format: &ItemFormat, file: &[u8], cursor: Option<&str>, room: &Room) -> Result<ItemPage, String> {
    let mut at_most = room.items;
    loop {
        let page = decode(format, file, cursor, at_most)?;
        let size: usize = page.items.iter().map(bytes).sum();
        if size <= room.bytes || page.items.len() <= 1 {
            return Ok(page);
        }
        at_most = page.items.len() / 2;
    }
}

/// The files of an inventory, and what is in them.
async fn inventory(effect: &Effect, object: &Object) -> Result<(Vec<Object>, ItemFormat), Fault> {
    let file = object.read(effect).await?;
    let manifest = read_manifest(&file).map_err(|why| object.unreadable(&why))?;
    let bucket = manifest.bucket.rsplit(':').next().unwrap_or_default();
    let files = manifest.keys.iter().map(|key| Object::at(bucket, key)).collect();
    let format = ItemFormat::Csv { headers: CsvHeaders::Given(manifest.headers), delimiter: b',' };
    Ok((files, format))
}

/// The files that a query of Athena wrote.
async fn athena(effect: &Effect, object: &Object) -> Result<Vec<Object>, Fault> {
    let file = object.read(effect).await?;
    let files = read_athena_manifest(&file).map_err(|why| object.unreadable(&why))?;
    Ok(files.iter().map(|(bucket, key)| Object::at(bucket, key)).collect())
}
