//! Proves checks without reading the engine: remembers for every slot of key hashes the newest commit that wrote there.

use std::hash::{BuildHasher, RandomState};

use crate::engine::Version;

/// Slots of the table: 512 KiB, paged in as they are used. With n rows written since a snapshot, one check in `SLOTS / n` reads.
const SLOTS: usize = 1 << 16;

/// The newest write by key hash. Two keys in one slot cost a read of the engine, never a wrong verdict.
pub(crate) struct Resolver {
    hasher: RandomState,
    /// The newest commit that the table knows nothing about: all that was there when the store was opened.
    base: u64,
    /// Versions relative to `base`, so that an untouched table is untouched memory.
    slots: Vec<u64>,
}

impl Resolver {
    pub(crate) fn new(opened_at: Version) -> Resolver {
        Resolver { hasher: RandomState::new(), base: opened_at.0, slots: vec![0; SLOTS] }
    }

    fn slot(&self, key: &[u8]) -> usize {
        self.hasher.hash_one(key) as usize & (SLOTS - 1)
    }

    /// Whether `key` is surely as it was at `read_at`.
    pub(crate) fn unchanged_since(&self, key: &[u8], read_at: Version) -> bool {
        self.base + self.slots[self.slot(key)] <= read_at.0
    }

    /// `version` wrote or removed `key`.
    pub(crate) fn wrote(&mut self, key: &[u8], version: Version) {
        let slot = self.slot(key);
        self.slots[slot] = version.0 - self.base;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_after_the_snapshot_is_not_proven() {
        let mut resolver = Resolver::new(Version(7));
        assert!(resolver.unchanged_since(b"a", Version(7)));
        assert!(!resolver.unchanged_since(b"a", Version(6)), "before it was opened, nothing is known");
        resolver.wrote(b"a", Version(9));
        assert!(!resolver.unchanged_since(b"a", Version(8)));
        assert!(resolver.unchanged_since(b"a", Version(9)));
    }
}
