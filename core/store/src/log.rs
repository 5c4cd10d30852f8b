//! Positions in a log.

use bytes::{BufMut, Bytes, BytesMut};

use crate::engine::{KeyRange, Version};

/// Where a record of a log stands: positions rise in commit order, and within a commit in the order of its appends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The commit that appended it.
    pub version: Version,
    /// Which append of that commit.
    pub index: u16,
}

impl Position {
    /// Length of a position in a key.
    pub const BYTES: usize = 10;

    /// The ten bytes that follow the log's prefix in the record's key.
    pub fn to_bytes(self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.version.0.to_be_bytes());
        bytes[8..].copy_from_slice(&self.index.to_be_bytes());
        bytes
    }

    /// From the last ten bytes of a record's key.
    pub fn from_bytes(bytes: [u8; 10]) -> Position {
        let [a, b, c, d, e, f, g, h, i, j] = bytes;
        Position {
            version: Version(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
            index: u16::from_be_bytes([i, j]),
        }
    }
}

/// The key of the record at `position` of the log under `prefix`.
pub fn record_key(prefix: &[u8], position: Position) -> Bytes {
    let mut key = BytesMut::with_capacity(prefix.len() + Position::BYTES);
    key.put_slice(prefix);
    key.put_slice(&position.to_bytes());
    key.freeze()
}

/// Where the record under `key` stands in the log under `prefix`; `None` if it is no record of that log.
pub fn position_of(prefix: &[u8], key: &[u8]) -> Option<Position> {
    key.strip_prefix(prefix)?.try_into().ok().map(Position::from_bytes)
}

/// The records of the log under `prefix`, oldest first.
pub fn all(prefix: &[u8]) -> KeyRange {
    KeyRange::prefix(Bytes::copy_from_slice(prefix))
}

/// The records of the log under `prefix` from `position` on, which it includes.
pub fn from(prefix: &[u8], position: Position) -> KeyRange {
    KeyRange { start: record_key(prefix, position), ..all(prefix) }
}

/// The records of the log under `prefix` behind `position`.
pub fn after(prefix: &[u8], position: Position) -> KeyRange {
    let mut start = BytesMut::from(&*record_key(prefix, position));
    start.put_u8(0);
    KeyRange { start: start.freeze(), ..all(prefix) }
}

/// The records of the log under `prefix` in front of `position`: what a retention that keeps it removes.
pub fn before(prefix: &[u8], position: Position) -> KeyRange {
    KeyRange { end: record_key(prefix, position), ..all(prefix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(version: u64, index: u16) -> Position {
        Position { version: Version(version), index }
    }

    fn holds(range: &KeyRange, position: Position) -> bool {
        let key = record_key(b"log/", position);
        *range.start <= *key && *key < *range.end
    }

    #[test]
    fn ranges_meet_at_a_position() {
        let middle = at(5, 1);
        for (position, from_here, behind, in_front) in [
            (at(4, 9), false, false, true),
            (at(5, 0), false, false, true),
            (middle, true, false, false),
            (at(5, 2), true, true, false),
            (at(u64::MAX, u16::MAX), true, true, false),
        ] {
            assert!(holds(&all(b"log/"), position));
            assert_eq!(holds(&from(b"log/", middle), position), from_here, "{position:?}");
            assert_eq!(holds(&after(b"log/", middle), position), behind, "{position:?}");
            assert_eq!(holds(&before(b"log/", middle), position), in_front, "{position:?}");
            assert_eq!(position_of(b"log/", &record_key(b"log/", position)), Some(position));
        }
    }

    #[test]
    fn other_keys_have_no_position() {
        assert_eq!(position_of(b"log/", b"log/short"), None);
        assert_eq!(position_of(b"log/", b"cat/0123456789"), None);
    }
}
