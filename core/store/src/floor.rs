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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What happens to a queue of at most sixteen places.
    #[derive(Clone, Debug)]
    enum Step {
        /// A commit puts the places of the first mask and removes those of the second.
        Commit(u16, u16),
        /// A reader opens a snapshot and keeps it.
        Open,
        /// A kept snapshot, by its age, scans from the floor and tells what it saw.
        Scan(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (any::<u16>(), any::<u16>(), any::<u16>()).prop_map(|(a, b, c)| Step::Commit(a & b & c, a)),
            2 => (0u32..16, any::<u16>()).prop_map(|(place, b)| Step::Commit(1 << place, b)),
            2 => Just(Step::Open),
            6 => (0usize..6).prop_map(Step::Scan),
        ]
    }

    fn key(place: u32) -> Bytes {
        Bytes::from(vec![b'q', place as u8])
    }

    /// The first live place of `live` whose key is at least `start`.
    fn first_from(live: u16, start: &[u8]) -> Option<u32> {
        (0..16).find(|place| live & (1 << place) != 0 && *key(*place) >= *start)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_scan_from_the_floor_finds_what_a_whole_scan_finds(steps in prop::collection::vec(step(), 1..120)) {
            let floor = ScanFloor::new();
            let (mut live, mut version) = (0u16, Version(0));
            let mut snapshots = vec![(live, version)];
            for step in steps {
                match step {
                    Step::Commit(puts, removed) => {
                        version.0 += 1;
                        for place in (0..16).filter(|place| puts & (1 << place) != 0) {
                            floor.wrote(&key(place), version);
                        }
                        live = live & !removed | puts;
                    }
                    Step::Open => snapshots.push((live, version)),
                    Step::Scan(age) => {
                        let (seen, at) = snapshots[snapshots.len().saturating_sub(age + 1)];
                        let first = first_from(seen, &floor.start(b"q", at));
                        prop_assert_eq!(first, first_from(seen, b""), "at {:?} with {:?}", at, floor);
                        match first {
                            Some(place) => floor.saw_first_live(b"q", &key(place), at),
                            None => floor.saw_empty(b"q", at),
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_floor_follows_a_queue() {
        let floor = ScanFloor::new();
        let at = |version| floor.start(b"q", Version(version));
        assert_eq!(&*at(0), b"q");
        floor.saw_first_live(b"q", b"q5", Version(10));
        assert_eq!((&*at(9), &*at(10), &*at(11)), (&b"q"[..], &b"q5"[..], &b"q5"[..]));
        floor.wrote(b"q7", Version(11));
        assert_eq!(&*at(11), b"q5", "what is written above does not matter");
        floor.saw_first_live(b"q", b"q8", Version(10));
        assert_eq!(&*at(11), b"q5", "the evidence is older than the row in between");
        floor.saw_first_live(b"q", b"q7", Version(11));
        assert_eq!((&*at(10), &*at(11)), (&b"q5"[..], &b"q7"[..]));
        floor.wrote(b"q3", Version(12));
        assert_eq!(&*at(12), b"q3");
        floor.saw_empty(b"q", Version(13));
        assert_eq!(&*at(13), b"r");
        assert_eq!(&*ScanFloor::none().start(b"q", Version(99)), b"q");
    }

    #[test]
    fn a_tail_of_many_writes_does_not_stop_the_head() {
        let floor = ScanFloor::new();
        floor.start(b"q", Version(0));
        for version in 1..=10_000u64 {
            floor.wrote(&[b"q", &version.to_be_bytes()[..]].concat(), Version(version));
            let head = [b"q", &(version / 2).to_be_bytes()[..]].concat();
            floor.saw_first_live(b"q", &head, Version(version.saturating_sub(3)));
        }
        assert!(*floor.start(b"q", Version(10_000)) > *[b"q", &4_900u64.to_be_bytes()[..]].concat());
    }
}
