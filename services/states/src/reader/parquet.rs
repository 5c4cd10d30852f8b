//! Rows of Parquet files. A file's end is read first, then the group of rows that the page is in; never the whole file.
//!
//! AWS's page says which groups and ends are too large, and that no version can be named.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html>

use std::io::Cursor;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use asl::{Item, ItemPage};
use base::{Fault, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kernel::Effect;
use parquet::basic::{LogicalType, TimeUnit};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedRowGroupReader;
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use serde_json::{Map, Value, json};

use super::object::Object;
use super::{Room, bytes};

/// The most bytes of a group of rows, packed or not.
const GROUP_BYTES_MAX: i64 = 256 << 20;
/// The most bytes of a file's end.
const FOOTER_BYTES_MAX: u64 = 5 << 20;
/// The length of the end, and the word behind it.
const TRAILER_BYTES: u64 = 8;
/// What is read to find the end: most ends are in it.
const TAIL_BYTES: u64 = 64 << 10;

/// The end of a file, understood.
struct Footer {
    about: ParquetMetaData,
    /// The file's length.
    total: u64,
    etag: String,
}

/// Where a page begins: the cursor is `group:row`.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    group: usize,
    row: usize,
}

impl Place {
    fn parse(cursor: Option<&str>) -> Self {
        let parts = cursor.and_then(|cursor| cursor.split_once(':'));
        let number = |text: &str| text.parse().unwrap_or_default();
        parts.map_or_else(Self::default, |(group, row)| Self { group: number(group), row: number(row) })
    }
}

/// The next rows of a file, within what the page can take; at least one.
pub(super) async fn read(
    effect: &Effect,
    object: &Object,
    cursor: Option<&str>,
    room: &Room,
) -> Result<ItemPage, Fault> {
    let bad = |why: String| object.unreadable(&why);
    if object.names_version() {
        return Err(bad("VersionId is not supported for the InputType PARQUET".to_owned()));
    }
    let footer = footer(effect, object).await?;
    let mut place = Place::parse(cursor);
    while let Some(group) = footer.about.row_groups().get(place.group) {
        if usize::try_from(group.num_rows()).is_ok_and(|rows| place.row < rows) {
            let range = guarded(|| extent(group, place.group, footer.total)).map_err(bad)?;
            let file = Slice {
                start: range.start,
                total: footer.total,
                bytes: object.range(effect, range, &footer.etag).await?.into(),
            };
            return guarded(|| rows(&footer.about, file, place, room)).map_err(bad);
        }
        place = Place { group: place.group + 1, row: 0 };
    }
    Ok(ItemPage { items: Vec::new(), cursor: None })
}

/// The end of the file.
async fn footer(effect: &Effect, object: &Object) -> Result<Footer, Fault> {
    let bad = |why: &str| object.unreadable(why);
    let tail = object.piece(effect, &format!("bytes=-{TAIL_BYTES}"), None).await?;
    let length = length(&tail.bytes, tail.total).map_err(|why| bad(&why))?;
    let missing = (length + TRAILER_BYTES).saturating_sub(tail.bytes.len() as u64);
    let start = tail.total - length - TRAILER_BYTES;
    let mut bytes = match missing {
        0 => Vec::new(),
        more => object.range(effect, start..start + more, &tail.etag).await?,
    };
    let rest = (length + TRAILER_BYTES - missing) as usize;
    bytes.extend(&tail.bytes[tail.bytes.len() - rest..]);
    bytes.truncate(length as usize);
    let decoded =
        guarded(|| ParquetMetaDataReader::decode_metadata(&bytes).map_err(|error| error.to_string()));
    Ok(Footer { about: decoded.map_err(|why| bad(&why))?, total: tail.total, etag: tail.etag })
}

/// How long the end is, by the last bytes of a file of `total` bytes.
fn length(tail: &[u8], total: u64) -> Result<u64, String> {
    let not_parquet = || "it is no Parquet file".to_owned();
    let trailer = tail.last_chunk::<{ TRAILER_BYTES as usize }>().ok_or_else(not_parquet)?;
    match trailer {
        [a, b, c, d, b'P', b'A', b'R', b'1'] => {
            let length = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
            if length > FOOTER_BYTES_MAX {
                return Err(format!("its footer is larger than {FOOTER_BYTES_MAX} bytes"));
            }
            if length + TRAILER_BYTES > total { Err(not_parquet()) } else { Ok(length) }
        }
        [.., b'P', b'A', b'R', b'E'] => Err("it is encrypted".to_owned()),
        _ => Err(not_parquet()),
    }
}

/// Where a group of rows is in the file.
fn extent(group: &RowGroupMetaData, number: usize, total: u64) -> Result<Range<u64>, String> {
    if group.total_byte_size().max(group.compressed_size()) > GROUP_BYTES_MAX {
        return Err(format!("its row group {number} is larger than {GROUP_BYTES_MAX} bytes"));
    }
    let mut extent: Option<Range<u64>> = None;
    for column in group.columns() {
        let (start, length) = column.byte_range();
        let end = start.checked_add(length).filter(|end| *end <= total);
        let end = end.ok_or_else(|| format!("its row group {number} lies outside of it"))?;
        let known = extent.unwrap_or(start..end);
        extent = Some(known.start.min(start)..known.end.max(end));
    }
    let extent = extent.unwrap_or_default();
    // Columns need not stand side by side.
    if extent.end - extent.start > GROUP_BYTES_MAX as u64 {
        return Err(format!("its row group {number} is spread over more than {GROUP_BYTES_MAX} bytes"));
    }
    Ok(extent)
}

/// The rows of one group behind a place.
fn rows(about: &ParquetMetaData, file: Slice, place: Place, room: &Room) -> Result<ItemPage, String> {
    let group = about.row_group(place.group);
    let properties = Arc::new(ReaderProperties::builder().build());
    let index = about.page_index_for_row_group(place.group);
    let reader = SerializedRowGroupReader::new(Arc::new(file), group, index, properties)
        .map_err(|error| error.to_string())?;
    let schema = about.file_metadata().schema();
    let (mut items, mut size, mut row) = (Vec::new(), 0, place.row);
    let found = RowIter::from_row_group(None, &reader).map_err(|error| error.to_string())?;
    for found in found.skip(place.row).take(room.items) {
        let item = Item::of(object_of(found.map_err(|error| error.to_string())?, Some(schema)));
        size += bytes(&item);
        if size > room.bytes && !items.is_empty() {
            break;
        }
        items.push(item);
        row += 1;
    }
    if items.is_empty() {
        return Err(format!("its row group {} has fewer rows than it says", place.group));
    }
    let ends = usize::try_from(group.num_rows()).is_ok_and(|rows| row >= rows);
    let next = if ends { Place { group: place.group + 1, row: 0 } } else { Place { row, ..place } };
    let more = next.group < about.num_row_groups();
    Ok(ItemPage { items, cursor: more.then(|| format!("{}:{}", next.group, next.row)) })
}

/// A malformed file may be more than the crate's checks foresee.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("it is malformed".to_owned()))
}

fn object_of(row: Row, schema: Option<&Type>) -> Value {
    let types = schema.map(|schema| if schema.is_group() { schema.get_fields() } else { &[] });
    let column = |(at, (name, field)): (usize, (String, Field))| {
        let kind = types.and_then(|types| types.get(at)).filter(|kind| kind.name() == name);
        (name, value(field, kind.map(AsRef::as_ref)))
    };
    Value::Object(row.into_columns().into_iter().enumerate().map(column).collect())
}

/// A value as JSON: times, days and decimals are text, bytes are base64, numbers that JSON does not have are null.
fn value(field: Field, kind: Option<&Type>) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(truth) => json!(truth),
        Field::Byte(number) => json!(number),
        Field::Short(number) => json!(number),
        Field::Int(number) => json!(number),
        Field::Long(number) if is_in_nanoseconds(kind) => time(number.div_euclid(1_000_000)),
        Field::Long(number) => json!(number),
        Field::UByte(number) => json!(number),
        Field::UShort(number) => json!(number),
        Field::UInt(number) => json!(number),
        Field::ULong(number) => json!(number),
        // By its digits: 0.1 stays 0.1.
        Field::Float16(number) => json!(number.to_string().parse::<f64>().ok()),
        Field::Float(number) => json!(number.to_string().parse::<f64>().ok()),
        Field::Double(number) => json!(number),
        Field::Str(text) => json!(text),
        Field::Bytes(bytes) => json!(STANDARD.encode(bytes.data())),
        Field::Date(days) => {
            let day = Timestamp::from_millis(i64::from(days) * 86_400_000).to_iso_seconds();
            json!(day.split('T').next())
        }
        Field::TimestampMillis(millis) => time(millis),
        Field::TimestampMicros(micros) => time(micros.div_euclid(1000)),
        Field::Decimal(_) | Field::TimeMillis(_) | Field::TimeMicros(_) => json!(field.to_string()),
        Field::Group(row) => object_of(row, kind),
        Field::ListInternal(list) => {
            list.elements().iter().map(|element| value(element.clone(), None)).collect()
        }
        Field::MapInternal(map) => Value::Object(entries(map.entries())),
    }
}

fn entries(entries: &[(Field, Field)]) -> Map<String, Value> {
    let key = |key: &Field| match value(key.clone(), None) {
        Value::String(text) => text,
        other => other.to_string(),
    };
    entries.iter().map(|(name, field)| (key(name), value(field.clone(), None))).collect()
}

fn time(millis: i64) -> Value {
    json!(Timestamp::from_millis(millis).to_iso_millis())
}

fn is_in_nanoseconds(kind: Option<&Type>) -> bool {
    let logical = kind.and_then(|kind| kind.get_basic_info().logical_type_ref());
    matches!(logical, Some(LogicalType::Timestamp(stamp)) if stamp.unit == TimeUnit::NANOS)
}

/// A part of a file where the file has it.
struct Slice {
    start: u64,
    bytes: Bytes,
    /// The file's length.
    total: u64,
}

impl Slice {
    fn from(&self, start: u64) -> parquet::errors::Result<Bytes> {
        let at = start.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        let at = at.filter(|at| *at <= self.bytes.len());
        Ok(self.bytes.slice(at.ok_or_else(outside)?..))
    }
}

fn outside() -> ParquetError {
    ParquetError::EOF("what a column names lies outside of its row group".to_owned())
}

impl Length for Slice {
    fn len(&self) -> u64 {
        self.total
    }
}

impl ChunkReader for Slice {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        self.from(start).map(Cursor::new)
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let rest = self.from(start)?;
        if length > rest.len() { Err(outside()) } else { Ok(rest.slice(..length)) }
    }
}

#[cfg(test)]
mod tests {
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    use super::*;

    #[test]
    fn groups_that_are_too_large_or_lie_outside_are_refused() {
        let schema = parse_message_type("message m { REQUIRED INT64 v; }").unwrap();
        let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
        let check = |bytes: i64, start: i64, length: i64| {
            let column = parquet::file::metadata::ColumnChunkMetaData::builder(schema.column(0))
                .set_data_page_offset(start)
                .set_total_compressed_size(length)
                .build()
                .unwrap();
            let group = RowGroupMetaData::builder(Arc::clone(&schema))
                .set_total_byte_size(bytes)
                .set_column_metadata(vec![column])
                .build()
                .unwrap();
            guarded(|| extent(&group, 3, 1_000))
        };
        assert_eq!(check(GROUP_BYTES_MAX, 4, 996), Ok(4..1_000));
        let large = Err("its row group 3 is larger than 268435456 bytes".to_owned());
        assert_eq!(check(GROUP_BYTES_MAX + 1, 4, 10), large);
        assert_eq!(check(10, 4, GROUP_BYTES_MAX + 1), large);
        let outside = Err("its row group 3 lies outside of it".to_owned());
        assert_eq!(check(10, 4, 997), outside);
        assert_eq!(check(10, i64::MAX, 1), outside);
        assert_eq!(check(10, -1, 1), Err("it is malformed".to_owned()));
    }

    #[test]
    fn the_end_says_how_long_it_is() {
        assert_eq!(length(b"\x05\0\0\0PAR1", 13), Ok(5));
        assert!(length(b"\x06\0\0\0PAR1", 13).is_err());
        assert!(length(b"PAR1", 4).is_err());
    }
}
