//! How the engines on disk lay out a row: eight bytes of version in front of the value.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::backend::RESERVED;
use crate::engine::{Row, StoreError, Version};

/// The reserved row that says which batch was the last.
pub(crate) const LAST_BATCH: &[u8] = &[RESERVED, b'b'];

pub(crate) fn encode(version: Version, value: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(8 + value.len());
    bytes.put_u64(version.0);
    bytes.put_slice(value);
    bytes.freeze()
}

pub(crate) fn decode(key: &[u8], mut bytes: Bytes) -> Result<Row, StoreError> {
    match bytes.try_get_u64() {
        Ok(version) => Ok(Row { version: Version(version), value: bytes }),
        Err(_) => {
            let key = crate::admission::shown(key);
            Err(StoreError::Damaged(format!("the row {key} is shorter than its version")))
        }
    }
}

pub(crate) fn encode_batch(number: u64, last: Version) -> Bytes {
    encode(Version(number), &last.0.to_be_bytes())
}

pub(crate) fn decode_batch(bytes: Bytes) -> Result<(u64, Version), StoreError> {
    let row = decode(LAST_BATCH, bytes)?;
    let last = (&*row.value).try_into().map(u64::from_be_bytes);
    let last = last.map_err(|_| StoreError::Damaged("the row of the last batch is malformed".to_owned()))?;
    Ok((row.version.0, Version(last)))
}
