//! Keys of rows that are ordered by due time.

use base::Timestamp;
use bytes::Bytes;

use crate::key::{KeyError, KeyReader, KeyWriter};

/// A due row's key, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueKey {
    /// When the row is due.
    pub due: Timestamp,
    /// Orders rows that are due together.
    pub seq: u64,
    /// Tells rows apart, and orders those of one transaction.
    pub salt: u64,
}

/// The bytes behind the prefix.
const SUFFIX_BYTES: usize = 24;

/// The key of a row below `prefix`.
pub fn key(prefix: &[u8], due: Timestamp, seq: u64, salt: u64) -> Bytes {
    KeyWriter::after(prefix).with(&due).with(&seq).with(&salt).finish()
}

/// Takes the last 24 bytes of a due row's key apart.
pub fn parse(key: &[u8]) -> Result<DueKey, KeyError> {
    let at = key.len().checked_sub(SUFFIX_BYTES).ok_or(KeyError::Short)?;
    let mut reader = KeyReader::new(&key[at..]);
    Ok(DueKey { due: reader.read()?, seq: reader.read()?, salt: reader.read()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_by_time_then_sequence_then_salt() {
        let at = Timestamp::from_millis;
        let keys = [(at(-1), 9, 9), (at(1), 1, 5), (at(1), 2, 1), (at(1), 2, 2), (at(2), 0, 0)];
        let written: Vec<Bytes> = keys.iter().map(|(due, seq, salt)| key(b"p", *due, *seq, *salt)).collect();
        assert!(written.is_sorted());
        for ((due, seq, salt), bytes) in keys.into_iter().zip(written) {
            assert_eq!(parse(&bytes), Ok(DueKey { due, seq, salt }));
        }
        assert_eq!(parse(b"short"), Err(KeyError::Short));
    }
}
