//! The counters of a map run, as `DescribeMapRun` shows them.

use serde::{Deserialize, Serialize};

/// How a child execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChildOutcome {
    /// SUCCEEDED.
    Succeeded,
    /// FAILED.
    Failed,
    /// TIMED_OUT.
    TimedOut,
    /// ABORTED.
    Aborted,
}

/// How many items, or how many child executions, are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the members are AWS's own words, documented there")]
pub struct Counts {
    pub pending: u64,
    pub running: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub timed_out: u64,
    pub aborted: u64,
    pub total: u64,
    pub results_written: u64,
}

impl Counts {
    pub(super) fn arrive(&mut self, number: u64) {
        self.total += number;
        self.pending += number;
    }

    pub(super) fn begin(&mut self, number: u64) {
        self.pending = self.pending.saturating_sub(number);
        self.running += number;
    }

    pub(super) fn end(&mut self, number: u64, outcome: ChildOutcome) {
        self.running = self.running.saturating_sub(number);
        match outcome {
            ChildOutcome::Succeeded => self.succeeded += number,
            ChildOutcome::Failed => self.failed += number,
            ChildOutcome::TimedOut => self.timed_out += number,
            ChildOutcome::Aborted => self.aborted += number,
        }
    }

    /// What has not begun never will.
    pub(super) fn give_up(&mut self) {
        self.aborted += std::mem::take(&mut self.pending);
    }

    /// What counts against the tolerance.
    pub(super) fn bad(&self) -> u64 {
        self.failed + self.timed_out
    }
}
