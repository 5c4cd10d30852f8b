//! Walks a whole store and names what is wrong with it.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::admission::shown;
use crate::backend::Backend;
use crate::chunk::{self, Header};
use crate::engine::{Direction, KeyRange, Row, StoreError, Version};
use crate::location::{self, Location, OpenError, Options};

/// Rows read at a time.
const PAGE: usize = 1000;
/// Problems named; further ones are counted.
const NAMED_MAX: usize = 100;

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that could be read.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// The last commit.
    pub last: Version,
    /// What is wrong, one sentence each; empty if all is well. At most a hundred are named, the last says how many more.
    pub problems: Vec<String>,
}

/// Reads everything in the store at `location`, which nobody else may have open, and changes no row.
///
/// # Errors
/// It cannot be opened, for another reason than damage: damage is what the report is about.
pub async fn verify(location: &Location) -> Result<Report, OpenError> {
    let options = Options { make: false, ..Options::default() };
    let walked = match location {
        Location::Memory => Ok(Report::default()),
        Location::Fjall(path) => location::fjall(path, &options).map(embedded),
        Location::Redb(path) => location::redb(path, &options).map(embedded),
        Location::Postgres(_) => match location::open_with(location, &options) {
            Ok(store) => {
                let report = served(&*store).await;
                let closed = store.close().await;
                report.and_then(|r| closed.map(|()| r)).map_err(|e| OpenError::from_store("postgres", e))
            }
            Err(e) => Err(e),
        },
    };
    match walked {
        Err(damage @ OpenError::Damaged { .. }) => {
            Ok(Report { problems: vec![damage.to_string()], ..Report::default() })
        }
        other => other,
    }
}

fn embedded(mut store: impl Backend) -> Report {
    let mut walk = Walk::new(store.newest().1);
    if let Err(why) = store.check() {
        walk.problem(why.to_string());
    }
    let mut next = Some(Bytes::new());
    while let Some(start) = next {
        let range = KeyRange { start: start.clone(), end: Bytes::new() };
        let page = store.view().and_then(|view| view.scan(&range, PAGE, Direction::Forward));
        next = walk.page(&start, page);
    }
    let closed = store.close();
    let mut report = walk.finish();
    report.problems.extend(closed.err().map(|e| e.to_string()));
    report
}

async fn served(store: &dyn crate::Engine) -> Result<Report, StoreError> {
    let snapshot = store.snapshot().await?;
    let mut walk = Walk::new(snapshot.version());
    let mut next = Some(Bytes::new());
    while let Some(start) = next {
        let range = KeyRange { start: start.clone(), end: Bytes::new() };
        let page = snapshot.scan(range, PAGE, Direction::Forward).await;
        next = walk.page(&start, page);
    }
    Ok(walk.finish())
}

/// Everything seen so far. Chunks come behind all other rows, hence behind the headers that they belong to.
struct Walk {
    report: Report,
    unnamed: usize,
    previous: Option<Bytes>,
    /// Chunked values that are not whole yet.
    values: BTreeMap<Bytes, Value>,
}

/// A chunked value and what was read of it.
struct Value {
    header: Header,
    chunks: u32,
    bytes: u64,
    crc: crc32fast::Hasher,
}

impl Walk {
    fn new(last: Version) -> Walk {
        let report = Report { last, ..Report::default() };
        Walk { report, unnamed: 0, previous: None, values: BTreeMap::new() }
    }

    fn problem(&mut self, what: String) {
        if self.report.problems.len() < NAMED_MAX {
            self.report.problems.push(what);
        } else {
            self.unnamed += 1;
        }
    }

    /// Takes a page that was read from `start` on; returns where the next one starts.
    fn page(&mut self, start: &[u8], page: Result<Vec<(Bytes, Row)>, StoreError>) -> Option<Bytes> {
        match page {
            Ok(rows) => {
                rows.iter().for_each(|(key, row)| self.row(key, row));
                let (last, _) = rows.last().filter(|_| rows.len() == PAGE)?;
                Some([last, &[0][..]].concat().into())
            }
            Err(why) => {
                self.problem(format!("the rows from {} on cannot be read: {why}", shown(start)));
                None
            }
        }
    }

    fn row(&mut self, key: &Bytes, row: &Row) {
        self.report.rows += 1;
        self.report.bytes += (key.len() + row.value.len()) as u64;
        if self.previous.as_ref().is_some_and(|previous| previous >= key) {
            self.problem(format!("the row {} is out of order", shown(key)));
        }
        self.previous = Some(key.clone());
        if row.version > self.report.last || row.version.0 == 0 {
            let (version, last) = (row.version.0, self.report.last.0);
            self.problem(format!(
                "the row {} has version {version}, but the last commit is {last}",
                shown(key)
            ));
        }
        match (chunk::parse_key(key), chunk::header(&row.value)) {
            (Some((of, index)), _) => self.chunk(of, index, &row.value),
            (None, Ok(Some(header))) => {
                let value = Value { header, chunks: 0, bytes: 0, crc: crc32fast::Hasher::new() };
                self.values.insert(key.clone(), value);
            }
            (None, Ok(None)) => {}
            (None, Err(why)) => self.problem(format!("the row {}: {why}", shown(key))),
        }
    }

    fn chunk(&mut self, of: &[u8], index: u32, bytes: &[u8]) {
        let Some(value) = self.values.get_mut(of) else {
            self.problem(format!("chunk {index} of {} belongs to no value", shown(of)));
            return;
        };
        if value.chunks != index {
            return;
        }
        value.chunks += 1;
        value.bytes += bytes.len() as u64;
        value.crc.update(bytes);
        if value.chunks == value.header.chunks() && value.bytes == value.header.bytes {
            let as_written = value.crc.clone().finalize() == value.header.crc;
            self.values.remove(of);
            if !as_written {
                self.problem(format!("the value {} is not what was written (checksum)", shown(of)));
            }
        }
    }

    fn finish(mut self) -> Report {
        for (key, Value { header, chunks, bytes, .. }) in std::mem::take(&mut self.values) {
            let (of, expected) = (shown(&key), header.bytes);
            self.problem(format!(
                "the value {of} has {bytes} of {expected} bytes in its first {chunks} chunks"
            ));
        }
        if self.unnamed > 0 {
            self.report.problems.push(format!("and {} more", self.unnamed));
        }
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Commit;

    fn put(key: &'static str, value: &Bytes, leave_out: Option<u32>) -> Commit {
        let split = chunk::split(value);
        let mut puts = vec![(Bytes::from_static(key.as_bytes()), split.row)];
        let chunks = split.chunks.into_iter().zip(0..).filter(|(_, i)| Some(*i) != leave_out);
        puts.extend(chunks.map(|(bytes, i)| (chunk::key(key.as_bytes(), i), bytes)));
        Commit { puts, ..Commit::default() }
    }

    #[tokio::test]
    async fn what_is_wrong_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let location = Location::Fjall(directory.path().to_owned());
        let store = location::open(&location).unwrap();
        let value = Bytes::from(vec![1; 200_000]);
        store.commit(put("whole", &value, None)).await.unwrap();
        for i in 0..2_500u32 {
            let puts = vec![(i.to_be_bytes().to_vec().into(), Bytes::new())];
            store.commit(Commit { puts, ..Commit::default() }).await.unwrap();
        }
        store.close().await.unwrap();
        let report = verify(&location).await.unwrap();
        assert_eq!((report.rows, report.last.0, report.problems), (2_504, 2_501, Vec::new()));

        let store = location::open(&location).unwrap();
        store.commit(put("cut", &value, Some(2))).await.unwrap();
        store.commit(put("holed", &value, Some(1))).await.unwrap();
        let mut changed = put("changed", &value, None);
        changed.puts[2].1 = Bytes::from(vec![2; chunk::VALUE_BYTES]);
        store.commit(changed).await.unwrap();
        let orphan = Commit { puts: vec![(chunk::key(b"orphan", 0), value.slice(..9))], ..Commit::default() };
        store.commit(orphan).await.unwrap();
        let mut alone = put("alone", &value, None);
        alone.puts.truncate(1);
        store.commit(alone).await.unwrap();
        store.close().await.unwrap();
        assert_eq!(
            verify(&location).await.unwrap().problems,
            [
                "the value `changed` is not what was written (checksum)",
                "chunk 0 of `orphan` belongs to no value",
                "the value `alone` has 0 of 200000 bytes in its first 0 chunks",
                "the value `cut` has 180000 of 200000 bytes in its first 2 chunks",
                "the value `holed` has 90000 of 200000 bytes in its first 1 chunks",
            ]
        );
    }
}
