//! Positions in a log.

use crate::engine::Version;

/// Where a record of a log stands: positions rise in commit order, and within a commit in the order of its appends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The commit that appended it.
    pub version: Version,
    /// Which append of that commit.
    pub index: u16,
}

impl Position {
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
