//! Values larger than a row: a header under the key, chunks in a key space beside it.

use bytes::{BufMut, Bytes, BytesMut};

use crate::codec::CodecError;

/// The size of a chunk, in bytes.
pub const CHUNK_BYTES: usize = 90_000;
/// The first byte of a chunk's key; no other key begins with it.
pub const SPACE: u8 = 0xFE;
/// The first byte of a header. Format bytes of stored values are lower.
const HEADER: u8 = 0xFD;

/// The header and the chunks of `value`.
pub fn split(value: &Bytes) -> (Bytes, Vec<Bytes>) {
    let chunks: Vec<Bytes> =
        (0..value.len()).step_by(CHUNK_BYTES).map(|at| value.slice(at..value.len().min(at + CHUNK_BYTES))).collect();
    let mut header = BytesMut::with_capacity(13);
    header.put_u8(HEADER);
    header.put_u32(chunks.len() as u32);
    header.put_u64(value.len() as u64);
    (header.freeze(), chunks)
}

/// How many chunks the row's value stands for; `None` if the row is the value itself.
pub fn header(value: &[u8]) -> Option<u32> {
    parse(value).map(|(chunks, _)| chunks)
}

/// The key of chunk `index` of the value under `key`.
pub fn key(key: &[u8], index: u32) -> Bytes {
    let mut chunk = BytesMut::with_capacity(key.len() + 5);
    chunk.put_u8(SPACE);
    chunk.put_slice(key);
    chunk.put_u32(index);
    chunk.freeze()
}

/// The value that `header` and its chunks make together.
pub fn join(header: &[u8], chunks: &[Bytes]) -> Result<Bytes, CodecError> {
    let (count, length) = parse(header).ok_or_else(|| CodecError::new("the header of a large value is malformed"))?;
    let value = chunks.concat();
    if chunks.len() != count as usize || value.len() as u64 != length {
        return Err(CodecError::new(format!(
            "a large value of {length} bytes in {count} chunks has {} bytes in {} chunks",
            value.len(),
            chunks.len()
        )));
    }
    Ok(value.into())
}

fn parse(value: &[u8]) -> Option<(u32, u64)> {
    let rest = value.strip_prefix(&[HEADER])?;
    let (count, length) = rest.split_first_chunk::<4>()?;
    let length = <[u8; 8]>::try_from(length).ok()?;
    Some((u32::from_be_bytes(*count), u64::from_be_bytes(length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_size_come_back() {
        for size in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 7] {
            let value: Bytes = vec![7; size].into();
            let (head, chunks) = split(&value);
            assert_eq!(header(&head), Some(chunks.len() as u32));
            assert_eq!(join(&head, &chunks).unwrap(), value);
        }
    }

    #[test]
    fn a_missing_chunk_is_noticed() {
        let (head, mut chunks) = split(&vec![7; 2 * CHUNK_BYTES].into());
        chunks.pop();
        assert!(join(&head, &chunks).is_err());
    }
}
