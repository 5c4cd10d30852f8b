//! Refuses what no engine would ever commit, before it queues.

use std::collections::HashSet;

use bytes::Bytes;

use crate::backend::RESERVED;
use crate::engine::{Commit, CommitError};
use crate::limits::{COMMIT_BYTES_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::log::Position;

/// Appends of one commit: their index has 16 bits.
const APPENDS_MAX: usize = u16::MAX as usize + 1;
/// Up to so many written keys, comparing all pairs is cheaper than hashing.
const PAIRS_MAX: usize = 12;

/// Bytes that `commit` writes: keys and values.
pub(crate) fn size(commit: &Commit) -> usize {
    let puts: usize = commit.puts.iter().map(|(k, v)| k.len() + v.len()).sum();
    let deletes: usize = commit.deletes.iter().map(Bytes::len).sum();
    let appends: usize =
        commit.appends.iter().map(|a| a.prefix.len() + Position::BYTES + a.value.len()).sum();
    puts + deletes + appends
}

/// Whether `commit` keeps the limits of the store.
pub(crate) fn admit(commit: &Commit) -> Result<(), CommitError> {
    for check in &commit.checks {
        key(&check.key, 0)?;
    }
    for (k, v) in &commit.puts {
        key(k, 0)?;
        value(k, v)?;
    }
    for k in &commit.deletes {
        key(k, 0)?;
    }
    for append in &commit.appends {
        key(&append.prefix, Position::BYTES)?;
        value(&append.prefix, &append.value)?;
    }
    if commit.appends.len() > APPENDS_MAX {
        return refused(format!(
            "{} appends are more than {APPENDS_MAX} in one commit",
            commit.appends.len()
        ));
    }
    let bytes = size(commit);
    if bytes > COMMIT_BYTES_MAX {
        return refused(format!("a commit of {bytes} bytes is larger than {COMMIT_BYTES_MAX}"));
    }
    once(commit)
}

fn key(key: &[u8], suffix: usize) -> Result<(), CommitError> {
    let bytes = key.len() + suffix;
    match key.first() {
        None => refused("a key is empty".to_owned()),
        Some(&RESERVED) => {
            refused(format!("keys that start with {RESERVED:#04x} belong to the store itself"))
        }
        Some(_) if bytes > KEY_BYTES_MAX => {
            refused(format!("a key of {bytes} bytes is longer than {KEY_BYTES_MAX}: {}", shown(key)))
        }
        Some(_) => Ok(()),
    }
}

fn value(key: &[u8], value: &[u8]) -> Result<(), CommitError> {
    if value.len() > VALUE_BYTES_MAX {
        let bytes = value.len();
        return refused(format!(
            "a value of {bytes} bytes is larger than {VALUE_BYTES_MAX}, under {}",
            shown(key)
        ));
    }
    Ok(())
}

/// No key is written twice, since the order of writes within a commit has no meaning.
fn once(commit: &Commit) -> Result<(), CommitError> {
    let written = || commit.puts.iter().map(|(k, _)| k).chain(&commit.deletes);
    let twice = if commit.puts.len() + commit.deletes.len() <= PAIRS_MAX {
        written()
            .enumerate()
            .find(|(i, key)| written().take(*i).any(|earlier| earlier == *key))
            .map(|(_, k)| k)
    } else {
        let mut seen = HashSet::new();
        written().find(|key| !seen.insert(*key))
    };
    match twice {
        Some(key) => refused(format!("a key is written twice in one commit: {}", shown(key))),
        None => Ok(()),
    }
}

fn refused(why: String) -> Result<(), CommitError> {
    Err(CommitError::Refused(why))
}

/// The start of a key as text.
pub(crate) fn shown(key: &[u8]) -> String {
    let start = &key[..key.len().min(64)];
    let dots = if start.len() < key.len() { "…" } else { "" };
    format!("`{}`{dots}", start.escape_ascii())
}
