//! Which commits wait while the engine holds much in memory that it has not flushed.
//!
//! An engine that is written faster than it flushes keeps the difference in memory, without bound. Large commits (bodies,
//! packages) therefore wait, in the order in which they came, until less is unflushed; all others pass them. Knows no
//! engine and no time: it is told what is unflushed whenever the committer looks.

use std::collections::VecDeque;

/// Commits of fewer bytes never wait: requests of events and messages are smaller.
pub(crate) const LARGE_BYTES_MIN: usize = 256 << 10;
/// What may be unflushed when a large commit is written.
pub(crate) const UNFLUSHED_BYTES_MAX: u64 = 48 << 20;
/// Looks in a row at which nothing had been flushed, after which one large commit is written all the same: whatever keeps
/// the engine from flushing may be what the next write ends.
const LOOKS_MAX: u32 = 1_000;

/// Large commits that wait, first come first.
pub(crate) struct Backlog<T> {
    held: VecDeque<T>,
    /// The least that was unflushed since one was let through last.
    least: u64,
    /// Looks since then at which it was no less.
    looks: u32,
}

impl<T> Default for Backlog<T> {
    fn default() -> Self {
        Backlog { held: VecDeque::new(), least: u64::MAX, looks: 0 }
    }
}

impl<T> Backlog<T> {
    /// Lets `large` wait behind those that wait already.
    pub(crate) fn hold(&mut self, large: T) {
        self.held.push_back(large);
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Who may be written now that `unflushed` bytes are: the first, or nobody.
    pub(crate) fn look(&mut self, unflushed: u64) -> Option<T> {
        if unflushed <= UNFLUSHED_BYTES_MAX {
            return self.release();
        }
        if unflushed < self.least {
            (self.least, self.looks) = (unflushed, 0);
            return None;
        }
        self.looks += 1;
        if self.looks < LOOKS_MAX { None } else { self.release() }
    }

    /// The first, whatever is unflushed.
    pub(crate) fn release(&mut self) -> Option<T> {
        (self.least, self.looks) = (u64::MAX, 0);
        self.held.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&'static str]) -> Backlog<&'static str> {
        let mut backlog = Backlog::default();
        names.iter().for_each(|name| backlog.hold(*name));
        backlog
    }

    #[test]
    fn they_pass_in_their_order_when_there_is_room() {
        let mut backlog = of(&["a", "b"]);
        assert_eq!(backlog.look(UNFLUSHED_BYTES_MAX + 1), None);
        assert_eq!(backlog.look(UNFLUSHED_BYTES_MAX), Some("a"));
        assert_eq!(backlog.look(UNFLUSHED_BYTES_MAX + 1), None);
        assert_eq!(backlog.look(0), Some("b"));
        assert!(backlog.is_empty());
    }

    #[test]
    fn one_passes_when_nothing_is_ever_flushed() {
        let mut backlog = of(&["a", "b"]);
        let until_passed =
            |backlog: &mut Backlog<_>| (1..9_999).find_map(|n| Some((n, backlog.look(u64::MAX - 1)?)));
        assert_eq!(until_passed(&mut backlog), Some((LOOKS_MAX + 1, "a")));
        assert_eq!(until_passed(&mut backlog), Some((LOOKS_MAX + 1, "b")));
    }

    #[test]
    fn they_wait_as_long_as_something_is_flushed() {
        let mut backlog = of(&["a"]);
        let over = UNFLUSHED_BYTES_MAX + 10 * u64::from(LOOKS_MAX);
        let seen = (0..10 * u64::from(LOOKS_MAX)).find_map(|n| backlog.look(over - n));
        assert_eq!(seen, None);
    }
}
