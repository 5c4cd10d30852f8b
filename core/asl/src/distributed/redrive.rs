//! Map runs that are redriven.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html>
//!
//! A run does not know which of its children ended without success, only how many: it asks for them, a page at a time, and
//! has them run again under the same bounds as new ones.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{ChildOutcome, MapRun, MapRunCommand, MapRunStatus, MapRunStimulus};

/// The children of one page.
const PAGE_CHILDREN: u32 = 200;

/// A child that ended without success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsuccessful {
    /// Its place among all.
    pub number: u64,
    /// How many items it has.
    pub items: u64,
    /// How it ended.
    pub outcome: ChildOutcome,
}

/// How far a redrive has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Redrive {
    /// How often the run was redriven.
    pub(super) count: u32,
    /// To be done when the run has come to rest.
    waits: bool,
    /// Children are still to be asked for, or are being asked for.
    searching: bool,
    asked: bool,
    /// Behind which number to look.
    after: Option<u64>,
    found: VecDeque<Unsuccessful>,
    /// Items that count as failed or timed out, but wait to be redriven: no reason to fail again.
    pub(super) bad_before: u64,
}

impl Redrive {
    pub(super) fn found(&mut self, children: Vec<Unsuccessful>, next: Option<u64>) {
        // An answer that comes after the run was stopped is of no use.
        if !std::mem::take(&mut self.asked) || !self.searching {
            return;
        }
        self.searching = next.is_some();
        self.after = next;
        self.found.extend(children);
    }

    /// Whether every child that is to run again does.
    pub(super) fn is_over(&self) -> bool {
        !self.searching && self.found.is_empty()
    }

    /// The children that have not begun again will not.
    pub(super) fn stop(&mut self) {
        *self = Self { count: self.count, waits: self.waits, asked: self.asked, ..Self::default() };
    }
}

impl MapRun {
    /// How often it was redriven.
    pub fn redrive_count(&self) -> u32 {
        self.redrive.count
    }

    /// What happens to a run that has ended.
    pub(super) fn while_at_rest(&mut self, stimulus: &MapRunStimulus, commands: &mut Vec<MapRunCommand>) {
        match stimulus {
            MapRunStimulus::Items { .. } | MapRunStimulus::ItemsFailed { .. } => self.reading = false,
            MapRunStimulus::Results { .. } | MapRunStimulus::ResultsFailed { .. } => self.collecting = false,
            MapRunStimulus::Unsuccessful { children, next } => self.redrive.found(children.clone(), *next),
            MapRunStimulus::Redrive => self.redrive.waits = true,
            // The execution that wanted the redrive has ended.
            MapRunStimulus::Abort => self.redrive.waits = false,
            _ => {}
        }
        let rests = self.executions.running == 0 && !self.reading && !self.collecting && !self.redrive.asked;
        if self.redrive.waits && rests {
            self.begin_redrive(commands);
        }
    }

    fn begin_redrive(&mut self, commands: &mut Vec<MapRunCommand>) {
        self.status = MapRunStatus::Running;
        self.failure = None;
        self.stopping = false;
        self.items.await_redrive(self.queue.len() as u64);
        self.executions.await_redrive(0);
        self.redrive = Redrive {
            count: self.redrive.count + 1,
            searching: self.executions.pending_redrive > 0,
            bad_before: self.items.bad(),
            ..Redrive::default()
        };
        commands.push(MapRunCommand::BeginRedrive);
        self.go_on(commands);
    }

    /// Has the next child run again; `false` if it must first be asked for.
    pub(super) fn redrive_child(&mut self, commands: &mut Vec<MapRunCommand>) -> bool {
        let Some(child) = self.redrive.found.pop_front() else {
            if !std::mem::replace(&mut self.redrive.asked, true) {
                let after = self.redrive.after;
                commands.push(MapRunCommand::FindUnsuccessful { after, at_most: PAGE_CHILDREN });
            }
            return false;
        };
        self.no_longer_bad(child.items, child.outcome);
        self.items.redrive(child.items, child.outcome);
        self.executions.redrive(1, child.outcome);
        commands.push(MapRunCommand::RedriveChild(child));
        true
    }

    /// A child that was to run again cannot: it counts as it did before.
    pub(super) fn not_redrivable(&mut self, items: u64, outcome: ChildOutcome) {
        self.items.end(items, outcome);
        self.executions.end(1, outcome);
        self.items.failures_not_redrivable += items;
        self.executions.failures_not_redrivable += 1;
    }

    fn no_longer_bad(&mut self, items: u64, outcome: ChildOutcome) {
        if matches!(outcome, ChildOutcome::Failed | ChildOutcome::TimedOut) {
            self.redrive.bad_before = self.redrive.bad_before.saturating_sub(items);
        }
    }
}
