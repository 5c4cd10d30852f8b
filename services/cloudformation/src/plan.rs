//! The operation under way: its phases and steps. Pure: says what may begin and when a phase is over.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Caller, TraceCx};
use serde::{Deserialize, Serialize};

use crate::stack::{Deployed, FailureMode};

/// Steps that are under way at once, so that a large stack does not crowd out everything else.
const RUNNING_MAX: usize = 8;

/// An operation on a stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub kind: Kind,
    pub phase: Phase,
    /// The stack's generation when the phase began.
    pub generation: u64,
    /// What shall be deployed in the end.
    pub target: Deployed,
    /// The values of the exports that the target imports.
    pub imports: BTreeMap<String, String>,
    /// By logical id.
    pub steps: BTreeMap<String, Step>,
    pub on_failure: FailureMode,
    /// Resources that a deletion leaves alone.
    pub retain: BTreeSet<String>,
    /// Why no further step may begin, besides failed steps.
    pub halted: Option<String>,
    pub token: Option<String>,
    /// In whose name the steps are done.
    pub caller: Caller,
    /// The stack policy that this operation obeys.
    #[serde(default)]
    pub policy: Option<String>,
    /// Every step continues the chain of causes where the operation began.
    pub trace: TraceCx,
}
store::stored!(Plan, format = 1);

/// Which operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Create,
    Update,
    Delete,
}

/// Where the operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Before the way to the target: what a failed operation has left half made is taken away.
    Clear,
    /// Towards the target.
    Forward,
    /// The target stands: what it replaced or left out is taken away.
    Cleanup,
    /// Back to what was deployed before.
    Revert,
    /// What was deployed before stands again: what was made in between is taken away.
    RevertCleanup,
    /// Everything is taken away.
    Undo,
}

/// One resource's part in a phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// Steps that must be done before.
    pub needs: BTreeSet<String>,
    pub state: StepState,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StepState {
    Waiting,
    Running,
    Done,
    Failed,
}

impl Step {
    pub(crate) fn new(needs: BTreeSet<String>) -> Step {
        Step { needs, state: StepState::Waiting }
    }
}

impl Plan {
    /// Marks as running, and returns, the steps that may begin.
    pub(crate) fn begin_ready(&mut self) -> Vec<String> {
        let halts =
            matches!(self.phase, Phase::Forward) && (self.halted.is_some() || !self.failed().is_empty());
        if halts {
            return Vec::new();
        }
        let room = RUNNING_MAX.saturating_sub(self.running());
        let done = |need: &String| self.steps.get(need).is_none_or(|step| step.state == StepState::Done);
        let ready = |step: &Step| step.state == StepState::Waiting && step.needs.iter().all(done);
        let ready: Vec<String> = self
            .steps
            .iter()
            .filter(|(_, step)| ready(step))
            .map(|(name, _)| name.clone())
            .take(room)
            .collect();
        for name in &ready {
            self.mark(name, StepState::Running);
        }
        ready
    }

    /// Whether nothing is under way. After [`Plan::begin_ready`] returned nothing, the phase is over.
    pub(crate) fn is_idle(&self) -> bool {
        self.running() == 0
    }

    pub(crate) fn mark(&mut self, name: &str, state: StepState) {
        if let Some(step) = self.steps.get_mut(name) {
            step.state = state;
        }
    }

    /// The steps that have failed.
    pub(crate) fn failed(&self) -> Vec<&str> {
        let failed = |(_, step): &(&String, &Step)| step.state == StepState::Failed;
        self.steps.iter().filter(failed).map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn is_running(&self, name: &str, generation: u64) -> bool {
        self.generation == generation
            && self.steps.get(name).is_some_and(|step| step.state == StepState::Running)
    }

    /// The steps that are under way.
    pub(crate) fn running_names(&self) -> Vec<String> {
        let running = |(_, step): &(&String, &Step)| step.state == StepState::Running;
        self.steps.iter().filter(running).map(|(name, _)| name.clone()).collect()
    }

    fn running(&self) -> usize {
        self.steps.values().filter(|step| step.state == StepState::Running).count()
    }

    /// Begins a phase with its steps.
    pub(crate) fn enter(&mut self, phase: Phase, generation: u64, steps: BTreeMap<String, Step>) {
        self.phase = phase;
        self.generation = generation;
        self.steps = steps;
    }
}

/// Steps in the order of deletion: each waits for those that need it.
pub(crate) fn reversed(needs: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, Step> {
    let mut steps: BTreeMap<String, Step> =
        needs.keys().map(|name| (name.clone(), Step::new(BTreeSet::new()))).collect();
    for (name, needed) in needs {
        for need in needed {
            if let Some(step) = steps.get_mut(need) {
                step.needs.insert(name.clone());
            }
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use base::{AccountId, Region};
    use uuid::Uuid;

    use super::*;

    fn plan(phase: Phase, steps: BTreeMap<String, Step>) -> Plan {
        let caller = Caller::root_user(AccountId::default(), Region::default(), Uuid::nil());
        Plan {
            kind: Kind::Create,
            phase,
            generation: 1,
            target: Deployed::default(),
            imports: BTreeMap::new(),
            steps,
            on_failure: FailureMode::Rollback,
            retain: BTreeSet::new(),
            halted: None,
            token: None,
            policy: None,
            trace: caller.trace,
            caller,
        }
    }

    fn needs(pairs: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        pairs.iter().map(|(name, needed)| ((*name).to_owned(), set(needed))).collect()
    }

    fn forward(pairs: &[(&str, &[&str])]) -> BTreeMap<String, Step> {
        needs(pairs).into_iter().map(|(name, needs)| (name, Step::new(needs))).collect()
    }

    #[test]
    fn steps_begin_when_their_needs_are_done() {
        let mut plan =
            plan(Phase::Forward, forward(&[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"])]));
        assert_eq!(plan.begin_ready(), ["a"]);
        assert!(plan.begin_ready().is_empty() && !plan.is_idle());
        plan.mark("a", StepState::Done);
        assert_eq!(plan.begin_ready(), ["b", "c"]);
        plan.mark("b", StepState::Done);
        plan.mark("c", StepState::Failed);
        assert!(plan.begin_ready().is_empty() && plan.is_idle());
        assert_eq!(plan.failed(), ["c"]);
    }

    #[test]
    fn a_deletion_goes_on_beside_a_failure() {
        let steps = reversed(&needs(&[("a", &[]), ("b", &["a"]), ("c", &[])]));
        let mut plan = plan(Phase::Undo, steps);
        assert_eq!(plan.begin_ready(), ["b", "c"]);
        plan.mark("b", StepState::Failed);
        plan.mark("c", StepState::Done);
        assert!(plan.begin_ready().is_empty() && plan.is_idle());
    }
}
