//! Where the scan of a queue's head may start.
//!
//! A queue leaves removed rows behind at its head. Some engines keep each of them for a while, so that a scan from the
//! queue's prefix wades through all that was ever taken. A floor is the lowest key that may still be live.
//!
//! It is a hint of this process, in no way stored, and exact: a scan from [`ScanFloor::start`] finds what a scan from
//! the prefix finds. The committer reports every row written *before* a snapshot can see it; a reader's evidence
//! ("nothing is live below this key") counts only if no row below the key was written since the reader's snapshot.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::engine::Version;
use crate::prefixes::each_prefix_of;

/// Prefixes remembered. When there are more, all are forgotten: each is learnt again by one slow scan.
const PREFIXES_MAX: usize = 4096;
/// Floors kept of one prefix, so that slightly older snapshots profit, too.
const FLOORS_MAX: usize = 4;
/// Writes kept of one prefix; what is more is merged, which refuses evidence but never accepts too much.
const WRITES_MAX: usize = 32;

/// The floors of the prefixes that are scanned from their head.
#[derive(Debug)]
pub struct ScanFloor {
    heads: Mutex<Heads>,
    /// Whether a committer reports its writes here. Without, no evidence can be trusted.
    reports: bool,
}

#[derive(Debug)]
struct Heads {
    by_prefix: BTreeMap<Bytes, Head>,
    /// The newest commit reported.
    newest: Version,
}

#[derive(Debug)]
struct Head {
    /// Rising in both: from this version on, nothing is live below this key.
    floors: VecDeque<(Version, Bytes)>,
    /// Rising keys: what was written, each with the newest commit known to have written there or, merged, above.
    writes: VecDeque<(Version, Bytes)>,
    /// The newest commit whose writes are no longer known.
    forgotten: Version,
}

impl ScanFloor {
    /// Knows no prefix yet.
    pub const fn new() -> ScanFloor {
        ScanFloor { heads: parking_lot::const_mutex(Heads::new()), reports: true }
    }

    /// The floors of an engine that reports no writes: every scan starts at its prefix.
    pub fn none() -> &'static ScanFloor {
        static NONE: ScanFloor = ScanFloor { heads: parking_lot::const_mutex(Heads::new()), reports: false };
        &NONE
    }

    /// Where a scan of `prefix` in a snapshot at version `at` may start: `prefix` itself, or a key below which that
    /// snapshot has no row. A prefix that is asked for is watched from then on.
    pub fn start(&self, prefix: &[u8], at: Version) -> Bytes {
        let mut heads = self.heads.lock();
        let head = heads.head(prefix);
        let floor = head.floors.iter().rev().find(|(since, _)| *since <= at);
        floor.map_or_else(|| Bytes::copy_from_slice(prefix), |(_, key)| key.clone())
    }

    /// A scan from [`ScanFloor::start`] in a snapshot at version `at` found `key` as the first row below `prefix`.
    pub fn saw_first_live(&self, prefix: &[u8], key: &[u8], at: Version) {
        self.raise(prefix, Bytes::copy_from_slice(key), at);
    }

    /// A scan from [`ScanFloor::start`] in a snapshot at version `at` found no row below `prefix`.
    pub fn saw_empty(&self, prefix: &[u8], at: Version) {
        if let Some(end) = crate::key::successor(prefix) {
            self.raise(prefix, end, at);
        }
    }

    fn raise(&self, prefix: &[u8], key: Bytes, at: Version) {
        if self.reports {
            self.heads.lock().head(prefix).raise(key, at);
        }
    }

    /// Commit `version` wrote `key`. Must be told before a snapshot can see the commit.
    pub fn wrote(&self, key: &[u8], version: Version) {
        self.wrote_all(std::iter::once((key, version)));
    }

    /// As [`ScanFloor::wrote`], of a whole group.
    pub fn wrote_all<'a>(&self, rows: impl Iterator<Item = (&'a [u8], Version)>) {
        let mut heads = self.heads.lock();
        for (key, version) in rows {
            heads.newest = heads.newest.max(version);
            each_prefix_of(&mut heads.by_prefix, key, |head| head.wrote(key, version));
        }
    }
}

impl Default for ScanFloor {
    fn default() -> Self {
        ScanFloor::new()
    }
}

impl Heads {
    const fn new() -> Heads {
        Heads { by_prefix: BTreeMap::new(), newest: Version(0) }
    }

    fn head(&mut self, prefix: &[u8]) -> &mut Head {
        if !self.by_prefix.contains_key(prefix) && self.by_prefix.len() >= PREFIXES_MAX {
            self.by_prefix.clear();
        }
        let newest = self.newest;
        self.by_prefix.entry(Bytes::copy_from_slice(prefix)).or_insert_with(|| Head {
            floors: VecDeque::new(),
            writes: VecDeque::new(),
            forgotten: newest,
        })
    }
}

impl Head {
    fn raise(&mut self, key: Bytes, at: Version) {
        let overtaken = self.writes.iter().any(|(version, written)| *version > at && *written < key);
        if at < self.forgotten || overtaken {
            return;
        }
        // Older evidence of as high a floor is of no more use, nor are writes that this snapshot saw.
        if self.floors.back().is_some_and(|(since, floor)| *since >= at || *floor >= key) {
            return;
        }
        if self.floors.len() == FLOORS_MAX {
            self.floors.pop_front();
        }
        self.floors.push_back((at, key));
        self.writes.retain(|(version, _)| *version > at);
        self.forgotten = at;
    }

    fn wrote(&mut self, key: &[u8], version: Version) {
        for (_, floor) in self.floors.iter_mut().rev().take_while(|(_, floor)| **floor > *key) {
            *floor = Bytes::copy_from_slice(key);
        }
        let mut newest = version;
        while let Some((covered, _)) = self.writes.pop_back_if(|(_, written)| **written >= *key) {
            newest = newest.max(covered);
        }
        let full = self.writes.len() == WRITES_MAX;
        match self.writes.back_mut() {
            Some(last) if full => last.0 = newest.max(last.0),
            _ => self.writes.push_back((newest, Bytes::copy_from_slice(key))),
        }
    }
}
