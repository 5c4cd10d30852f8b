//! How far the store is acknowledged, kept beside the engine's own files.
//!
//! An engine that finds its journal cut off may take the cut for the end and go on as if nothing had been there. The
//! mark is written after each sync and before the answer, so at start an engine that ends below it has lost what was
//! acknowledged. It is not synced itself: after a power cut it may be behind the data, never ahead of it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::engine::Version;

/// Two slots, written in turn, each in a disk sector of its own: a torn write spoils one of them only.
const SLOT_BYTES: u64 = 512;
/// Batch number (8), last version (8), CRC-32 of both (4).
const MARK_BYTES: usize = 20;

/// The file's name within the store's directory.
pub(crate) const FILE: &str = "high-water";

/// The newest acknowledged batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) number: u64,
    pub(crate) last: Version,
}

/// The mark's file.
pub(crate) struct HighWater(File);

impl HighWater {
    /// The mark in `directory`; `None` if the file is not there or holds none.
    pub(crate) fn read(directory: &Path) -> io::Result<Option<Mark>> {
        let bytes = match std::fs::read(directory.join(FILE)) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let slots = bytes.chunks(SLOT_BYTES as usize).filter_map(|slot| decode(slot.first_chunk()?));
        Ok(slots.max())
    }

    /// Opens or makes the file in `directory`.
    pub(crate) fn open(directory: &Path) -> io::Result<HighWater> {
        let file =
            File::options().create(true).truncate(false).read(true).write(true).open(directory.join(FILE))?;
        if file.metadata()?.len() < 2 * SLOT_BYTES {
            file.set_len(2 * SLOT_BYTES)?;
        }
        Ok(HighWater(file))
    }

    /// Notes `mark`, which is on disk in the engine.
    pub(crate) fn note(&self, mark: Mark) -> io::Result<()> {
        self.0.write_all_at(&encode(mark), (mark.number % 2) * SLOT_BYTES)
    }

    /// Makes the last mark survive a power cut, too.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

fn encode(mark: Mark) -> [u8; MARK_BYTES] {
    let mut bytes = [0; MARK_BYTES];
    bytes[..8].copy_from_slice(&mark.number.to_be_bytes());
    bytes[8..16].copy_from_slice(&mark.last.0.to_be_bytes());
    let crc = crc32fast::hash(&bytes[..16]);
    bytes[16..].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn decode(slot: &[u8; MARK_BYTES]) -> Option<Mark> {
    let (body, crc) = slot.split_first_chunk::<16>()?;
    let number = u128::from_be_bytes(*body);
    let mark = Mark { number: (number >> 64) as u64, last: Version(number as u64) };
    (crc == crc32fast::hash(body).to_be_bytes() && mark.number > 0).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_whole_mark_counts() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(HighWater::read(dir.path()).unwrap(), None);
        let file = HighWater::open(dir.path()).unwrap();
        assert_eq!(HighWater::read(dir.path()).unwrap(), None);
        let mark = |number| Mark { number, last: Version(number * 10) };
        for number in 1..=4 {
            file.note(mark(number)).unwrap();
            assert_eq!(HighWater::read(dir.path()).unwrap(), Some(mark(number)));
        }
        file.0.write_all_at(b"torn", 0).unwrap();
        assert_eq!(HighWater::read(dir.path()).unwrap(), Some(mark(3)));
    }
}
