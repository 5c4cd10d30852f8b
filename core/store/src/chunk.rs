//! One logical value over several rows, for values above the engine's limit.
//!
//! A value of at most [`VALUE_BYTES`] stands in its own row as it is. A larger one leaves a header in its row and its
//! bytes in chunk rows of a key space of their own, written and removed by the same commits. A value that happens to
//! look like a header is written behind an escape, so that no value is ever mistaken.

use bytes::{BufMut, Bytes, BytesMut};

/// The largest value that is not chunked, and the size of a chunk.
pub const VALUE_BYTES: usize = 90_000;
/// The first byte of the keys of chunks. Rows of services start lower.
pub const CHUNK_SPACE: u8 = 0xFE;

/// Starts a header or an escaped value; no format byte, no UTF-8 text and no JSON starts so.
const MARK: u8 = 0xFF;
const HEADER: u8 = 1;
const ESCAPE: u8 = 2;
/// Mark, kind, length (8), CRC-32 of the whole value (4).
const HEADER_BYTES: usize = 14;

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// What the row of the value itself holds.
    pub row: Bytes,
    /// Chunk rows in order: the i-th is to be put under [`key`]`(row's key, i)`. Empty for small values.
    pub chunks: Vec<Bytes>,
}

/// A header: what must be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of the value in bytes.
    pub bytes: u64,
    /// CRC-32 of the value.
    pub crc: u32,
}

impl Header {
    /// How many chunk rows there are.
    pub fn chunks(&self) -> u32 {
        u32::try_from(self.bytes.div_ceil(VALUE_BYTES as u64)).unwrap_or(u32::MAX)
    }
}

/// How many chunk rows a value of `bytes` bytes takes.
pub fn count(bytes: usize) -> u32 {
    if bytes > VALUE_BYTES { u32::try_from(bytes.div_ceil(VALUE_BYTES)).unwrap_or(u32::MAX) } else { 0 }
}

/// Why a value cannot be put together again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The header is cut off.
    #[error("the header of a chunked value is malformed")]
    Header,
    /// Fewer or more bytes than the header says.
    #[error("a chunked value has {found} bytes in {chunks} chunks, not {expected}")]
    Incomplete {
        /// The length that was written.
        expected: u64,
        /// The length of what is there.
        found: u64,
        /// The chunks that are there.
        chunks: usize,
    },
    /// Other bytes than were written.
    #[error("a chunked value is not what was written (checksum)")]
    Checksum,
}

/// `value` as rows.
pub fn split(value: &Bytes) -> Split {
    if value.len() > VALUE_BYTES {
        let mut row = BytesMut::with_capacity(HEADER_BYTES);
        row.put_slice(&[MARK, HEADER]);
        row.put_u64(value.len() as u64);
        row.put_u32(crc32fast::hash(value));
        let piece = |at| value.slice(at..value.len().min(at + VALUE_BYTES));
        return Split {
            row: row.freeze(),
            chunks: (0..value.len()).step_by(VALUE_BYTES).map(piece).collect(),
        };
    }
    if value.first() == Some(&MARK) {
        let mut row = BytesMut::with_capacity(2 + value.len());
        row.put_slice(&[MARK, ESCAPE]);
        row.put_slice(value);
        return Split { row: row.freeze(), chunks: Vec::new() };
    }
    Split { row: value.clone(), chunks: Vec::new() }
}

/// Whether a row's value is the header of a chunked value.
pub fn is_header(row: &[u8]) -> bool {
    row.starts_with(&[MARK, HEADER])
}

/// The header in `row`; `None` if the row holds its value itself.
pub fn header(row: &[u8]) -> Result<Option<Header>, ChunkError> {
    if !is_header(row) {
        return Ok(None);
    }
    let (bytes, crc) = row[2..].split_first_chunk::<8>().ok_or(ChunkError::Header)?;
    let crc = crc.try_into().map_err(|_| ChunkError::Header)?;
    Ok(Some(Header { bytes: u64::from_be_bytes(*bytes), crc: u32::from_be_bytes(crc) }))
}

/// The value of a row that is no header.
pub fn whole(row: Bytes) -> Bytes {
    if row.starts_with(&[MARK, ESCAPE]) { row.slice(2..) } else { row }
}

/// The value behind `header`, from its chunk rows in order.
pub fn join(header: Header, chunks: &[Bytes]) -> Result<Bytes, ChunkError> {
    let found = chunks.iter().map(|c| c.len() as u64).sum();
    if found != header.bytes {
        return Err(ChunkError::Incomplete { expected: header.bytes, found, chunks: chunks.len() });
    }
    let value = Bytes::from(chunks.concat());
    if crc32fast::hash(&value) == header.crc { Ok(value) } else { Err(ChunkError::Checksum) }
}

/// The key of the `index`-th chunk of the value under `of`.
pub fn key(of: &[u8], index: u32) -> Bytes {
    let mut key = BytesMut::with_capacity(5 + of.len());
    key.put_u8(CHUNK_SPACE);
    key.put_slice(of);
    key.put_u32(index);
    key.freeze()
}

/// The keys of all chunks of a value with `header` under `of`. Chunks of other values may stand between them.
pub fn keys(of: &[u8], header: Header) -> impl Iterator<Item = Bytes> {
    (0..header.chunks()).map(move |index| key(of, index))
}

/// The key of the value and the index of the chunk, from a chunk's key.
pub fn parse_key(key: &[u8]) -> Option<(&[u8], u32)> {
    let (of, index) = key.strip_prefix(&[CHUNK_SPACE])?.split_last_chunk::<4>()?;
    Some((of, u32::from_be_bytes(*index)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(split: &Split) -> Result<Bytes, ChunkError> {
        match header(&split.row)? {
            Some(header) => join(header, &split.chunks),
            None => Ok(whole(split.row.clone())),
        }
    }

    proptest! {
        #[test]
        fn small_values_come_back(value in prop::collection::vec(prop_oneof![Just(0xFF), 0u8..4, any::<u8>()], 0..6)) {
            let value = Bytes::from(value);
            prop_assert_eq!(read(&split(&value)), Ok(value));
        }
    }

    #[test]
    fn large_values_come_back_in_rows_below_the_limit() {
        for bytes in [VALUE_BYTES - 1, VALUE_BYTES, VALUE_BYTES + 1, 2 * VALUE_BYTES, 400_000] {
            for first in [0u8, MARK] {
                let value: Bytes = (0..bytes).map(|i| first.wrapping_add((i % 251) as u8)).collect();
                let split = split(&value);
                let rows = split.chunks.iter().chain([&split.row]);
                assert!(rows.into_iter().all(|row| row.len() <= crate::limits::VALUE_BYTES_MAX));
                assert_eq!(split.chunks.is_empty(), bytes <= VALUE_BYTES);
                assert_eq!(read(&split), Ok(value));
            }
        }
    }

    #[test]
    fn what_is_incomplete_is_named() {
        let split = split(&Bytes::from(vec![7; 200_000]));
        let header = header(&split.row).unwrap().unwrap();
        assert_eq!(header.chunks(), 3);
        assert_eq!(keys(b"k", header).count(), 3);
        let short = join(header, &split.chunks[..2]).unwrap_err();
        assert_eq!(short.to_string(), "a chunked value has 180000 bytes in 2 chunks, not 200000");
        let mut flipped = split.chunks.clone();
        flipped[1] = Bytes::from(vec![8; VALUE_BYTES]);
        assert_eq!(join(header, &flipped), Err(ChunkError::Checksum));
        assert_eq!(super::header(&split.row[..9]), Err(ChunkError::Header));
    }

    #[test]
    fn chunk_keys_name_their_value() {
        assert_eq!(parse_key(&key(b"queue", 7)), Some((&b"queue"[..], 7)));
        assert_eq!(parse_key(b"queue"), None);
    }
}
