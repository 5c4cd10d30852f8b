//! Decides a group of transactions: which hold, in what order, and the one batch that they merge into.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use bytes::Bytes;
use foldhash::fast::RandomState;

use crate::backend::{Batch, Change, View};
use crate::engine::{Check, Commit, CommitError, Expect, StoreError, Version};
use crate::log::{Position, record_key};
use crate::resolver::Resolver;

/// What is known between two groups.
pub(crate) struct Ledger {
    batch: u64,
    last: Version,
    resolver: Resolver,
}

/// A decided group.
pub(crate) struct Decided {
    /// To be written; empty if no transaction of the group holds.
    pub(crate) batch: Batch,
    /// In the order of the group.
    pub(crate) verdicts: Vec<Result<Version, CommitError>>,
}

/// Rows of the batch in the making, by key: an index into its changes.
type Overlay = HashMap<Bytes, usize, RandomState>;

impl Ledger {
    /// Goes on behind batch number `batch`, whose last transaction was `last`.
    pub(crate) fn new(batch: u64, last: Version) -> Ledger {
        Ledger { batch, last, resolver: Resolver::new(last) }
    }

    /// Orders `group` as it stands. `current` is the state that all earlier batches made.
    pub(crate) fn decide(&mut self, group: Vec<Commit>, current: &dyn View) -> Decided {
        let mut batch =
            Batch { number: self.batch + 1, last: self.last, rows: Vec::with_capacity(group.len() * 4) };
        let mut overlay = Overlay::default();
        let mut verdicts = Vec::with_capacity(group.len());
        let alone = group.len() == 1;
        for commit in group {
            let verdict = self.hold(&commit, &batch, &overlay, current);
            verdicts.push(verdict.map(|()| {
                batch.last = Version(batch.last.0 + 1);
                for change in changes(commit, batch.last) {
                    // A commit writes no key twice: alone, it needs no overlay.
                    if alone { batch.rows.push(change) } else { merge(&mut batch.rows, &mut overlay, change) }
                }
                batch.last
            }));
        }
        Decided { batch, verdicts }
    }

    /// `batch` is on disk.
    pub(crate) fn written(&mut self, batch: &Batch) {
        self.batch = batch.number;
        self.last = batch.last;
        for change in &batch.rows {
            self.resolver.wrote(&change.key, change.version);
        }
    }

    fn hold(
        &self,
        commit: &Commit,
        batch: &Batch,
        overlay: &Overlay,
        current: &dyn View,
    ) -> Result<(), CommitError> {
        for check in &commit.checks {
            let holds = match overlay.get(&check.key) {
                Some(&row) => as_expected(check, found(&batch.rows[row])),
                None if self.proven(check, commit.read_at) => true,
                None => as_expected(check, current.get(&check.key)?.map(|row| row.version)),
            };
            if !holds {
                return Err(CommitError::Conflict { key: check.key.clone() });
            }
        }
        Ok(())
    }

    fn proven(&self, check: &Check, read_at: Option<Version>) -> bool {
        read_at.is_some_and(|at| at <= self.last && self.resolver.unchanged_since(&check.key, at))
    }
}

fn as_expected(check: &Check, found: Option<Version>) -> bool {
    match check.expect {
        Expect::Absent => found.is_none(),
        Expect::At(version) => found == Some(version),
    }
}

fn found(change: &Change) -> Option<Version> {
    change.value.is_some().then_some(change.version)
}

fn merge(rows: &mut Vec<Change>, overlay: &mut Overlay, change: Change) {
    match overlay.entry(change.key.clone()) {
        Entry::Occupied(at) => rows[*at.get()] = change,
        Entry::Vacant(free) => {
            free.insert(rows.len());
            rows.push(change);
        }
    }
}

fn changes(commit: Commit, version: Version) -> impl Iterator<Item = Change> {
    let puts = commit.puts.into_iter().map(move |(key, value)| Change { key, version, value: Some(value) });
    let deletes = commit.deletes.into_iter().map(move |key| Change { key, version, value: None });
    let appends = commit.appends.into_iter().zip(0u16..=u16::MAX).map(move |(append, index)| Change {
        key: record_key(&append.prefix, Position { version, index }),
        version,
        value: Some(append.value),
    });
    puts.chain(deletes).chain(appends)
}

impl Decided {
    /// The same verdicts after the batch could not be written.
    pub(crate) fn refused(self, why: &StoreError) -> Vec<Result<Version, CommitError>> {
        self.verdicts.into_iter().map(|v| v.and(Err(CommitError::Store(why.clone())))).collect()
    }
}
