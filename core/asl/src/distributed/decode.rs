//! Files become items, page by page.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{CsvHeaders, ItemFormat};

/// The most bytes of a table's header row.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html>
const HEADER_BYTES_MAX: usize = 10 << 10;

/// An item of a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// `$$.Map.Item.Value`.
    pub value: Value,
    /// `$$.Map.Item.Key`, for the members of an object.
    pub key: Option<String>,
    /// `$$.Map.Item.Source`, where it is not the same for all: the object that holds the item, as a URI.
    #[serde(default)]
    pub source: Option<String>,
}

impl Item {
    /// An element of an array, a line, a row.
    pub fn of(value: Value) -> Self {
        Self { value, key: None, source: None }
    }

    /// What a child execution gets if nothing selects: a member of an object comes with its name.
    pub(crate) fn input(&self) -> Value {
        match &self.key {
            Some(key) => json!({ "Key": key, "Value": self.value }),
            None => self.value.clone(),
        }
    }
}

/// Some of a file's items.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemPage {
    /// In the order of the file.
    pub items: Vec<Item>,
    /// Where the next page begins; `None` at the end.
    pub cursor: Option<String>,
}

/// The rows of an S3 inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The bucket that the files are in, as an ARN or a name.
    pub bucket: String,
    /// The files' keys: CSV, perhaps compressed with gzip.
    pub keys: Vec<String>,
    /// The names of their columns: they have no header row.
    pub headers: Vec<String>,
}

/// The next items of a file, from where the cursor of the page before says.
///
/// # Errors
/// What is wrong with the file, for the cause of `States.ItemReaderFailed`.
pub fn decode(
    format: &ItemFormat,
    file: &[u8],
    cursor: Option<&str>,
    at_most: usize,
) -> Result<ItemPage, String> {
    let from = match cursor {
        None => None,
        Some(text) => Some(text.parse::<usize>().map_err(|_| format!("no such place in the file: {text}"))?),
    };
    let at_most = at_most.max(1);
    match format {
        ItemFormat::Json { pointer } => {
            json_items(file, pointer.as_deref(), from.unwrap_or_default(), at_most)
        }
        ItemFormat::JsonLines => lines(file, from.unwrap_or_default(), at_most),
        ItemFormat::Csv { headers, delimiter } => rows(file, headers, *delimiter, from, at_most),
        ItemFormat::Inventory | ItemFormat::Athena { .. } => {
            Err("a manifest holds no items itself".to_owned())
        }
        ItemFormat::Parquet => Err("a Parquet file cannot be read from its beginning".to_owned()),
    }
}

/// Reads an S3 inventory's `manifest.json`.
///
/// # Errors
/// What is wrong with it, for the cause of `States.ItemReaderFailed`.
pub fn read_manifest(file: &[u8]) -> Result<Manifest, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        source_bucket: Option<String>,
        destination_bucket: Option<String>,
        file_format: String,
        file_schema: String,
        files: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        key: String,
    }
    let shape: Shape = serde_json::from_slice(file).map_err(|error| error.to_string())?;
    if shape.file_format != "CSV" {
        return Err(format!("an inventory in the format {} cannot be read", shape.file_format));
    }
    Ok(Manifest {
        bucket: shape.destination_bucket.or(shape.source_bucket).unwrap_or_default(),
        keys: shape.files.into_iter().map(|entry| entry.key).collect(),
        headers: shape.file_schema.split(',').map(|name| name.trim().to_owned()).collect(),
    })
}

/// Reads the data manifest of an Athena query: a line for each file that it wrote. Their buckets and keys, in order.
/// <https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html>
///
/// # Errors
/// What is wrong with it, for the cause of `States.ItemReaderFailed`.
pub fn read_athena_manifest(file: &[u8]) -> Result<Vec<(String, String)>, String> {
    let text = std::str::from_utf8(file).map_err(|_| "the manifest is not UTF-8".to_owned())?;
    let lines = text.lines().map(|line| line.trim().trim_matches('"')).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let place = line.strip_prefix("s3://").and_then(|place| place.split_once('/'));
            match place {
                Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                    Ok((bucket.to_owned(), key.to_owned()))
                }
                _ => Err(format!("the manifest names no object of S3 on this line: {}", shown(line))),
            }
        })
        .collect()
}

/// The beginning of a line.
fn shown(line: &str) -> String {
    line.chars().take(80).collect()
}

/// The items of a JSON document; `from` counts them.
fn json_items(file: &[u8], pointer: Option<&str>, from: usize, at_most: usize) -> Result<ItemPage, String> {
    let document: Value = serde_json::from_slice(file).map_err(|error| error.to_string())?;
    let place = match pointer {
        None => Some(&document),
        Some(pointer) => document.pointer(pointer),
    };
    let (items, length): (Vec<Item>, usize) = match place {
        Some(Value::Array(list)) => {
            (list.iter().skip(from).take(at_most).cloned().map(Item::of).collect(), list.len())
        }
        Some(Value::Object(members)) => {
            let member =
                |(key, value): (&String, &Value)| Item { key: Some(key.clone()), ..Item::of(value.clone()) };
            (members.iter().skip(from).take(at_most).map(member).collect(), members.len())
        }
        Some(_) => return Err("the file holds neither an array nor an object".to_owned()),
        None => return Err(format!("the file holds nothing at {}", pointer.unwrap_or_default())),
    };
    let next = from + items.len();
    Ok(ItemPage { items, cursor: (next < length).then(|| next.to_string()) })
}

/// The values on the lines of a file; `from` is a byte.
fn lines(file: &[u8], from: usize, at_most: usize) -> Result<ItemPage, String> {
    let mut items = Vec::new();
    let mut at = from.min(file.len());
    while at < file.len() && items.len() < at_most {
        let rest = &file[at..];
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = rest[..length].trim_ascii();
        if !line.is_empty() {
            let value = serde_json::from_slice(line).map_err(|error| format!("at byte {at}: {error}"))?;
            items.push(Item::of(value));
        }
        at += (length + 1).min(rest.len());
    }
    Ok(ItemPage { items, cursor: (at < file.len()).then(|| at.to_string()) })
}

/// The names of a table's columns, and the byte at which its rows begin. `file` may be the beginning of a file alone.
///
/// # Errors
/// The header row cannot be read, or is larger than AWS's 10 KiB; two columns have one name.
pub fn csv_beginning(
    file: &[u8],
    headers: &CsvHeaders,
    delimiter: u8,
) -> Result<(Vec<String>, usize), String> {
    let bom = if file.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let (names, start) = match headers {
        CsvHeaders::Given(names) => (names.clone(), bom),
        CsvHeaders::FirstRow => row(file, bom, delimiter)?.unwrap_or_default(),
    };
    if names.iter().enumerate().any(|(place, name)| names[..place].contains(name)) {
        return Err("CSV headers cannot contain duplicates.".to_owned());
    }
    if start > bom + HEADER_BYTES_MAX {
        return Err(format!("its header row is larger than {HEADER_BYTES_MAX} bytes"));
    }
    Ok((names, start))
}

/// The rows of a table; `from` is a byte.
fn rows(
    file: &[u8],
    headers: &CsvHeaders,
    delimiter: u8,
    from: Option<usize>,
    at_most: usize,
) -> Result<ItemPage, String> {
    let (names, start) = csv_beginning(file, headers, delimiter)?;
    let mut at = from.unwrap_or(start);
    let mut items = Vec::new();
    while items.len() < at_most {
        let Some((fields, next)) = row(file, at, delimiter)? else { break };
        at = next;
        if fields.len() == 1 && fields[0].is_empty() {
            continue;
        }
        let mut fields = fields.into_iter();
        let members: Map<String, Value> =
            names.iter().map(|name| (name.clone(), json!(fields.next().unwrap_or_default()))).collect();
        items.push(Item::of(Value::Object(members)));
    }
    Ok(ItemPage { items, cursor: (at < file.len()).then(|| at.to_string()) })
}

/// The fields of the row at this byte, and where the next one begins; `None` at the end. Fields may stand in double
/// quotes, which are doubled within them.
fn row(file: &[u8], from: usize, delimiter: u8) -> Result<Option<(Vec<String>, usize)>, String> {
    let Some(rest) = file.get(from..).filter(|rest| !rest.is_empty()) else { return Ok(None) };
    let mut fields = Vec::new();
    let mut field = Vec::new();
    let mut quoted = false;
    let mut at = 0;
    loop {
        let byte = rest.get(at).copied();
        at += 1;
        match byte {
            None if quoted => return Err(format!("a quoted field of the row at byte {from} does not end")),
            Some(b'"') if quoted && rest.get(at) == Some(&b'"') => {
                field.push(b'"');
                at += 1;
            }
            Some(b'"') if quoted => quoted = false,
            Some(b'"') if field.is_empty() => quoted = true,
            Some(byte) if quoted => field.push(byte),
            Some(b'\r') if rest.get(at).is_none_or(|next| *next == b'\n') => {}
            None | Some(b'\n') => {
                fields.push(text(field)?);
                return Ok(Some((fields, from + at.min(rest.len()))));
            }
            Some(byte) if byte == delimiter => fields.push(text(std::mem::take(&mut field))?),
            Some(byte) => field.push(byte),
        }
    }
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "the file is not UTF-8".to_owned())
}
