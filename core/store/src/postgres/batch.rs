//! Groups waiting transactions so that the server can judge them all against one state.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;

use crate::admission::size;
use crate::engine::{Commit, CommitError, Expect, Version};
use crate::log::{Position, record_key};

/// Transactions of one call.
const GROUP_MAX: usize = 512;
/// Bytes of one call, unless its only transaction is larger.
const GROUP_BYTES_MAX: usize = 4 << 20;

/// Takes the next group from `waiting`: what fits, in the order of arrival, except that a transaction that names a key
/// which an earlier one of the group writes stays for the next group. They are concurrent, so any order is right.
pub(super) fn next_group<W>(waiting: &mut VecDeque<W>, commit: impl Fn(&W) -> &Commit) -> Vec<W> {
    let mut written = HashSet::new();
    let mut group = Vec::new();
    let mut left = VecDeque::new();
    let mut bytes = 0;
    while let Some(next) = waiting.pop_front() {
        let this = commit(&next);
        bytes += size(this);
        if !group.is_empty() && (bytes > GROUP_BYTES_MAX || group.len() == GROUP_MAX) {
            left.push_back(next);
            break;
        }
        if names(this).any(|key| written.contains(key)) {
            left.push_back(next);
            continue;
        }
        written.extend(writes(this).cloned());
        group.push(next);
    }
    left.append(waiting);
    *waiting = left;
    group
}

fn writes(commit: &Commit) -> impl Iterator<Item = &Bytes> {
    commit.puts.iter().map(|(key, _)| key).chain(&commit.deletes)
}

fn names(commit: &Commit) -> impl Iterator<Item = &Bytes> {
    writes(commit).chain(commit.checks.iter().map(|check| &check.key))
}

/// The arguments of the server's function, column by column.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) check_tx: Vec<i32>,
    pub(super) check_k: Vec<&'a [u8]>,
    pub(super) check_ver: Vec<i64>,
    pub(super) put_tx: Vec<i32>,
    pub(super) put_k: Vec<&'a [u8]>,
    pub(super) put_v: Vec<&'a [u8]>,
    pub(super) delete_tx: Vec<i32>,
    pub(super) delete_k: Vec<&'a [u8]>,
    pub(super) append_tx: Vec<i32>,
    pub(super) append_i: Vec<i32>,
    pub(super) append_p: Vec<&'a [u8]>,
    pub(super) append_v: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(commits: &'a [Commit]) -> Columns<'a> {
        let mut columns = Columns::default();
        for (commit, tx) in commits.iter().zip(1..) {
            for check in &commit.checks {
                columns.check_tx.push(tx);
                columns.check_k.push(&check.key);
                columns.check_ver.push(match check.expect {
                    Expect::Absent => 0,
                    Expect::At(version) => signed(version),
                });
            }
            for (key, value) in &commit.puts {
                columns.put_tx.push(tx);
                columns.put_k.push(key);
                columns.put_v.push(value);
            }
            for key in &commit.deletes {
                columns.delete_tx.push(tx);
                columns.delete_k.push(key);
            }
            for (append, index) in commit.appends.iter().zip(0..) {
                columns.append_tx.push(tx);
                columns.append_i.push(index);
                columns.append_p.push(&append.prefix);
                columns.append_v.push(&append.value);
            }
        }
        columns
    }
}

/// Versions fit: a million commits a second would take 290,000 years to fill 63 bits.
pub(super) fn signed(version: Version) -> i64 {
    version.0.cast_signed()
}

/// What the server said of a batch.
pub(super) struct Reply {
    /// The version in front of the first transaction's.
    pub(super) base: Version,
    /// Places of failed checks in the batch's columns, from 1 on, rising.
    pub(super) failed: Vec<i32>,
}

/// One verdict for each of `commits`.
pub(super) fn verdicts(commits: &[Commit], reply: &Reply) -> Vec<Result<Version, CommitError>> {
    let mut failed = reply.failed.iter().map(|place| *place as usize - 1).peekable();
    let mut place = 0;
    let each = commits.iter().zip(1..).map(|(commit, tx)| {
        let from = place;
        place += commit.checks.len();
        let mut first = None;
        while let Some(at) = failed.next_if(|at| *at < place) {
            first.get_or_insert(at - from);
        }
        match first {
            Some(check) => Err(CommitError::Conflict { key: commit.checks[check].key.clone() }),
            None => Ok(Version(reply.base.0 + tx)),
        }
    });
    each.collect()
}

/// The rows that a commit put as `version`.
pub(super) fn put_keys(commit: &Commit, version: Version) -> Vec<Bytes> {
    let appended = commit.appends.iter().zip(0u16..=u16::MAX);
    let appended = appended.map(|(append, index)| record_key(&append.prefix, Position { version, index }));
    commit.puts.iter().map(|(key, _)| key.clone()).chain(appended).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Check;

    fn commit(checks: &[&'static str], puts: &[&'static str]) -> Commit {
        let key = |name: &&'static str| Bytes::from_static(name.as_bytes());
        let check = |name| Check { key: key(name), expect: Expect::Absent };
        Commit {
            checks: checks.iter().map(check).collect(),
            puts: puts.iter().map(|name| (key(name), Bytes::new())).collect(),
            ..Commit::default()
        }
    }

    #[test]
    fn no_group_names_what_it_wrote_before() {
        let mut waiting = VecDeque::from([
            (0, commit(&["a"], &["a"])),
            (1, commit(&["b"], &["c"])),
            (2, commit(&["a"], &["d"])),
            (3, commit(&["e"], &["b"])),
            (4, commit(&[], &["c"])),
        ]);
        let mut groups = Vec::new();
        while !waiting.is_empty() {
            let group = next_group(&mut waiting, |(_, commit)| commit);
            groups.push(group.into_iter().map(|(i, _)| i).collect::<Vec<_>>());
        }
        assert_eq!(groups, [vec![0, 1, 3], vec![2, 4]]);
    }

    #[test]
    fn a_failed_check_is_its_transactions_verdict() {
        let commits = [commit(&["a", "b"], &[]), commit(&[], &["x"]), commit(&["c", "d", "e"], &["y"])];
        let reply = Reply { base: Version(10), failed: vec![4, 5] };
        let d = CommitError::Conflict { key: Bytes::from_static(b"d") };
        assert_eq!(verdicts(&commits, &reply), [Ok(Version(11)), Ok(Version(12)), Err(d)]);
    }
}
