//! The cases of the contract.

mod concurrency;
mod conflicts;
mod place;
mod reads;
mod shapes;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use place::Place;
use store::{
    Append, Check, Commit, CommitError, Direction, EngineName, Expect, KeyRange, SharedEngine, Snapshot,
    Version,
};

/// Runs every case on a fresh store of `engine`.
pub(crate) fn check(engine: EngineName) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let Some(mut place) = Place::new(engine) else {
        println!("skipped: set BUSWORK_TEST_POSTGRES to a URL, as `scripts/postgres.sh` prints it");
        return;
    };
    for (name, case) in CASES {
        println!("{engine}: {name}");
        let store = store::open(&place.fresh()).unwrap();
        runtime.block_on(case(store.clone()));
        runtime.block_on(store.close()).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

type Case = fn(SharedEngine) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! cases {
    ($($module:ident: $($case:ident),+;)*) => {
        &[$($((stringify!($case), |store| Box::pin($module::$case(store))),)+)*]
    };
}

/// Name and body of each.
const CASES: &[(&str, Case)] = cases! {
    reads: rows_are_read_as_written, ranges_end_where_they_say, a_snapshot_stays, removed_rows_are_gone,
        versions_rise, a_closed_store_says_so;
    conflicts: checks_hold_or_conflict, a_removed_and_remade_row_is_another, limits_are_refused,
        a_refused_commit_leaves_nothing, old_snapshots_are_judged_rightly;
    concurrency: increments_are_not_lost, one_of_many_makes_a_row, positions_rise_in_commit_order,
        guard_keys_prevent_write_skew, blind_writes_of_one_key_all_hold;
    shapes: chunked_values_come_back, a_watch_wakes_below_its_prefix, a_floor_never_hides_a_row,
        a_large_commit_is_one_commit;
};

pub(crate) fn key(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub(crate) fn put(key: &str, value: &str) -> Commit {
    Commit { puts: vec![(self::key(key), self::key(value))], ..Commit::default() }
}

pub(crate) fn delete(key: &str) -> Commit {
    Commit { deletes: vec![self::key(key)], ..Commit::default() }
}

pub(crate) fn append(log: &str, values: &[&str]) -> Commit {
    let append = |value: &&str| Append { prefix: key(log), value: key(value) };
    Commit { appends: values.iter().map(append).collect(), ..Commit::default() }
}

pub(crate) fn provided(mut commit: Commit, key: &str, expect: Expect) -> Commit {
    commit.checks.push(Check { key: self::key(key), expect });
    commit
}

pub(crate) fn conflict(key: &str) -> Result<Version, CommitError> {
    Err(CommitError::Conflict { key: self::key(key) })
}

/// What `key` holds in `snapshot`, as text.
pub(crate) async fn read(snapshot: &dyn Snapshot, key: &str) -> Option<String> {
    let row = snapshot.get(key.as_bytes()).await.unwrap();
    row.map(|row| String::from_utf8(row.value.to_vec()).unwrap())
}

/// What `key` holds now, as text.
pub(crate) async fn now(store: &SharedEngine, key: &str) -> Option<String> {
    read(&*store.snapshot().await.unwrap(), key).await
}

/// The rows of a range as `key=value`, one blank between two.
pub(crate) async fn rows(
    snapshot: &dyn Snapshot,
    range: KeyRange,
    limit: usize,
    direction: Direction,
) -> String {
    let rows = snapshot.scan(range, limit, direction).await.unwrap();
    let shown = rows.iter().map(|(key, row)| format!("{}={}", key.escape_ascii(), row.value.escape_ascii()));
    shown.collect::<Vec<_>>().join(" ")
}

/// A stream of numbers that depends on `seed` only.
pub(crate) fn dice(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |sides| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % sides
    }
}

trait Escape {
    fn escape_ascii(&self) -> String;
}

impl Escape for Bytes {
    fn escape_ascii(&self) -> String {
        self[..].escape_ascii().to_string()
    }
}
