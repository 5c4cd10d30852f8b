//! Files of lines and of rows, as far as a page needs them: a window into the object, however large that is.

use asl::{CsvHeaders, ItemFormat, ItemPage, csv_beginning};
use base::Fault;
use kernel::Effect;

use super::object::{BYTES_MAX, Object, Piece, is_packed};
use super::{Room, bounded};

/// What is read of a file's beginning: its header row is in it.
const HEAD_BYTES: u64 = 64 << 10;
/// The first try for a page; a window in which no row ends grows.
const WINDOW_BYTES: u64 = 1 << 20;

/// A page of lines or rows. None if the file is packed, so that it must be read from its beginning.
pub(super) async fn read(
    effect: &Effect,
    object: &Object,
    format: &ItemFormat,
    cursor: Option<&str>,
    room: &Room,
) -> Result<Option<ItemPage>, Fault> {
    let head = object.piece(effect, &format!("bytes=0-{}", HEAD_BYTES - 1), None).await?;
    if is_packed(&head.bytes) {
        return Ok(None);
    }
    let (format, beginning) = begun(format, &head).map_err(|why| object.unreadable(&why))?;
    let start = cursor.and_then(|cursor| cursor.parse::<u64>().ok()).unwrap_or(beginning);
    let mut length = WINDOW_BYTES;
    loop {
        let end = head.total.min(start + length);
        let is_rest = end == head.total;
        let bytes = match head.bytes.get(start as usize..end as usize) {
            Some(bytes) => bytes.to_vec(),
            None => object.range(effect, start..end, &head.etag).await?,
        };
        match bounded(&format, &bytes, Some("0"), room) {
            // What ends with the window may go on behind it.
            Ok(page) if page.cursor.is_some() || is_rest => {
                let next = page.cursor.and_then(|within| within.parse::<u64>().ok());
                let cursor = next.map(|within| (start + within).to_string());
                return Ok(Some(ItemPage { cursor, ..page }));
            }
            Err(why) if is_rest => {
                return Err(object.unreadable(&format!("behind byte {start}, {why}")));
            }
            _ if length >= BYTES_MAX => {
                return Err(object.unreadable(&format!("an item behind byte {start} is too large")));
            }
            _ => length *= 4,
        }
    }
}

/// The format of what is behind the header row, and where that begins.
fn begun(format: &ItemFormat, head: &Piece) -> Result<(ItemFormat, u64), String> {
    let ItemFormat::Csv { headers, delimiter } = format else { return Ok((format.clone(), 0)) };
    let (names, start) = csv_beginning(&head.bytes, headers, *delimiter)?;
    Ok((ItemFormat::Csv { headers: CsvHeaders::Given(names), delimiter: *delimiter }, start as u64))
}
