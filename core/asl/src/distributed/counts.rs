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
    /// Of what failed, timed out or was aborted: what a redrive will take up.
    #[serde(default)]
    pub pending_redrive: u64,
    /// Of what failed, timed out or was aborted: what a redrive could not take up.
    #[serde(default)]
    pub failures_not_redrivable: u64,
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

    /// What has not begun will not, unless the run is redriven.
    pub(super) fn give_up(&mut self) {
        self.aborted += std::mem::take(&mut self.pending);
    }

    /// What was given up before it began is to begin after all, and what ended badly waits to be redriven.
    pub(super) fn await_redrive(&mut self, given_up: u64) {
        self.aborted = self.aborted.saturating_sub(given_up);
        self.pending += given_up;
        self.pending_redrive = self.failed + self.timed_out + self.aborted;
        self.failures_not_redrivable = 0;
    }

    /// What ended so runs again.
    pub(super) fn redrive(&mut self, number: u64, outcome: ChildOutcome) {
        let ended = match outcome {
            ChildOutcome::Succeeded => &mut self.succeeded,
            ChildOutcome::Failed => &mut self.failed,
            ChildOutcome::TimedOut => &mut self.timed_out,
            ChildOutcome::Aborted => &mut self.aborted,
        };
        *ended = ended.saturating_sub(number);
        self.pending_redrive = self.pending_redrive.saturating_sub(number);
        self.running += number;
    }

    /// What counts against the tolerance.
    pub(super) fn bad(&self) -> u64 {
        self.failed + self.timed_out
    }
}
