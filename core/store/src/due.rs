//! Keys of rows that are ordered by the time they are due.

use base::Timestamp;
use bytes::Bytes;

use crate::engine::KeyRange;
use crate::key::{KeyError, KeyReader, KeyWriter, successor};

/// What stands behind the prefix of a due row's key: due first, in order of `seq` among those due at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DueKey {
    /// When the row is due.
    pub due: Timestamp,
    /// Orders rows that are due at the same millisecond, e.g. by arrival.
    pub seq: u64,
    /// Tells rows apart that are equal otherwise.
    pub salt: u64,
}

/// The key of a due row below `prefix`.
pub fn due_key(prefix: &[u8], due: Timestamp, seq: u64, salt: u64) -> Bytes {
    KeyWriter::after(prefix).with(&(due, seq, salt)).finish()
}

/// Reads what stands behind `prefix` in a due row's key.
///
/// # Errors
/// The key does not start with `prefix`, or is no due row's.
pub fn parse_due_key(prefix: &[u8], key: &[u8]) -> Result<DueKey, KeyError> {
    let mut reader = KeyReader::new(key.strip_prefix(prefix).ok_or(KeyError::Malformed)?);
    let (due, seq, salt) = reader.read()?;
    reader.finish()?;
    Ok(DueKey { due, seq, salt })
}

/// The rows below `prefix` that are due at `now` or earlier, the earliest first.
pub fn due_until(prefix: &[u8], now: Timestamp) -> KeyRange {
    let last = KeyWriter::after(prefix).with(&now).finish();
    KeyRange { start: Bytes::copy_from_slice(prefix), end: successor(&last).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    proptest! {
        #[test]
        fn keys_keep_the_order_of_time(a in any::<(i64, u64, u64)>(), b in any::<(i64, u64, u64)>()) {
            let key = |(due, seq, salt)| due_key(b"q/", at(due), seq, salt);
            prop_assert_eq!(a.cmp(&b), key(a).cmp(&key(b)));
            let parsed = DueKey { due: at(a.0), seq: a.1, salt: a.2 };
            prop_assert_eq!(parse_due_key(b"q/", &key(a)), Ok(parsed));
        }

        #[test]
        fn what_is_due_is_in_range(due in any::<i64>(), now in any::<i64>()) {
            let range = due_until(b"q/", at(now));
            let key = due_key(b"q/", at(due), u64::MAX, u64::MAX);
            prop_assert_eq!(due <= now, *range.start <= *key && *key < *range.end);
        }
    }

    #[test]
    fn other_keys_are_refused() {
        assert_eq!(parse_due_key(b"q/", b"r/1"), Err(KeyError::Malformed));
        assert_eq!(parse_due_key(b"q/", b"q/1"), Err(KeyError::Short));
    }
}
