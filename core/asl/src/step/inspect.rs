//! One state by itself, and what it does with its data on the way.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::ItemAt;
use super::data::Data;
use super::fail::Failure;
use super::run::Progress;
use super::{Engine, StepContext};
use crate::command::{Command, Outcome, TaskRequest};
use crate::execution::{Doing, Execution, Frame, ROOT};
use crate::inspect::{InspectionData, Mock};
use crate::machine::{Kind, Machine, MapState, Mode, Next, State};
use crate::variables::Variables;

/// What is noted while a state runs by itself.
#[derive(Default)]
pub(crate) struct Probe {
    /// A context object to be used instead of ours.
    pub(crate) context: Option<Value>,
    pub(crate) data: InspectionData,
    /// The output, and the place of the next state.
    pub(crate) left: Option<(Arc<Value>, Next)>,
}

/// How a state is to run by itself.
pub(crate) struct Trial {
    pub(crate) state: u32,
    pub(crate) input: Value,
    pub(crate) variables: Map<String, Value>,
    pub(crate) context: Option<Value>,
    pub(crate) mock: Option<Mock>,
    pub(crate) retries: u32,
    pub(crate) failed_iterations: Option<u64>,
}

/// What came of it.
pub(crate) struct Tried {
    pub(crate) probe: Probe,
    /// How the execution would have ended.
    pub(crate) outcome: Option<Outcome>,
    /// A task that somebody must do.
    pub(crate) task: Option<Box<TaskRequest>>,
    pub(crate) variables: Variables,
}

/// Runs one state of the machine's own flow.
pub(crate) fn inspect_state(machine: &Machine, trial: Trial, ctx: &mut StepContext<'_>) -> Tried {
    let mut run = Execution::empty();
    let mut engine = Engine::new(machine, &mut run, ctx);
    let input = Arc::new(trial.input);
    engine.probe = Some(Box::new(Probe {
        context: trial.context,
        data: InspectionData { input: Some(Arc::clone(&input)), ..InspectionData::default() },
        left: None,
    }));
    engine.spawn(ROOT, None, 0, &machine.flow, input);
    engine.run.ready.clear();
    if let (Some(mut frame), Some(state)) = (engine.run.frames.remove(&ROOT), machine.flow.state(trial.state))
    {
        frame.state = trial.state;
        frame.state_name = Arc::clone(&state.name);
        for (name, value) in trial.variables {
            let bytes = value.to_string().len();
            frame.variables.set(name, Arc::new(value), bytes);
        }
        let retries = trial.retries;
        let progress = engine.enter(&mut frame, state).and_then(|()| {
            frame.retries.fill(retries);
            engine.try_state(&mut frame, state, trial.mock, trial.failed_iterations)
        });
        engine.settle(ROOT, frame, state, progress);
    }
    let mut tried =
        Tried { probe: Probe::default(), outcome: None, task: None, variables: Variables::default() };
    for command in std::mem::take(&mut engine.commands) {
        match command {
            Command::Finish(outcome) => tried.outcome = Some(outcome),
            Command::Schedule(task) => tried.task = Some(task),
            _ => {}
        }
    }
    tried.probe = engine.probe.take().map_or_else(Probe::default, |probe| *probe);
    if let Some(frame) = run.frames.remove(&ROOT) {
        tried.variables = frame.variables;
    }
    tried
}

impl Engine<'_, '_, '_, '_> {
    /// Notes what a state does with its data, if anybody looks.
    pub(super) fn note(&mut self, note: impl FnOnce(&mut InspectionData)) {
        if let Some(probe) = &mut self.probe {
            note(&mut probe.data);
        }
    }

    pub(super) fn inspects(&self) -> bool {
        self.probe.is_some()
    }

    /// The state is left: that is all that was asked for.
    pub(super) fn inspected(&mut self, frame: Frame, state: &State, output: Arc<Value>, next: Next) {
        let next = if matches!(state.kind, Kind::Succeed) { Next::End } else { next };
        if let Some(probe) = &mut self.probe {
            probe.left = Some((output, next));
        }
        self.run.frames.insert(ROOT, frame);
    }

    fn try_state(
        &mut self,
        frame: &mut Frame,
        state: &State,
        mock: Option<Mock>,
        failed_iterations: Option<u64>,
    ) -> Result<Progress, Failure> {
        match &state.kind {
            Kind::Parallel { .. } => {
                let effective = self.effective(frame, state)?;
                self.parameters(frame, state, effective, None)?;
            }
            Kind::Map(map) => self.try_map(frame, state, map, failed_iterations)?,
            _ => {
                let progress = self.run_state(ROOT, frame, state)?;
                if !matches!(frame.doing, Doing::Task(_)) || mock.is_none() {
                    return Ok(progress);
                }
            }
        }
        match mock {
            Some(Mock::Result(result)) => {
                let result = Arc::new(result);
                self.note(|data| data.result = Some(Arc::clone(&result)));
                frame.doing = Doing::Run;
                self.result(frame, state, result)
            }
            Some(Mock::Error { error, cause }) => Err(Failure::reported(error, cause)),
            None => {
                let cause = "A mock is required to test a Map or a Parallel state by itself".to_owned();
                Err(Failure::fatal("States.Runtime", cause))
            }
        }
    }

    /// What a Map state does with its input before its iterations.
    fn try_map(
        &mut self,
        frame: &Frame,
        state: &State,
        map: &MapState,
        failed_iterations: Option<u64>,
    ) -> Result<(), Failure> {
        let effective = self.effective(frame, state)?;
        let most = self.max_concurrency(frame, map, &effective)?;
        self.note(|data| data.max_concurrency = Some(most));
        let (items, keys) = self.items(frame, map, &effective)?;
        let list = Arc::new(Value::Array(items.clone()));
        self.note(|data| data.after_items_path = Some(list));
        if let Some(selector) = &state.data.parameters {
            let mut selected = Vec::with_capacity(items.len());
            for (value, index) in items.iter().zip(0..) {
                let key = keys.get(index as usize).map(String::as_str);
                let item = Some(ItemAt { index, value, key });
                selected.push(self.template(frame, selector, Data { item, ..Data::of(&effective) })?);
            }
            self.note(|data| data.after_item_selector = Some(Arc::new(Value::Array(selected))));
        }
        let mut tolerated = 0;
        if let Mode::Distributed(distributed) = &map.mode
            && let Some(count) = &distributed.tolerated_count
        {
            let range = (0, i64::MAX);
            tolerated = self.quantity(frame, count, "ToleratedFailureCountPath", range, &effective)?;
            self.note(|data| data.tolerated_failure_count = Some(tolerated));
        }
        if failed_iterations.is_some_and(|failed| i64::try_from(failed).unwrap_or(i64::MAX) > tolerated) {
            let error = "States.ExceedToleratedFailureThreshold".to_owned();
            let cause = "The specified tolerated failure threshold was exceeded".to_owned();
            return Err(Failure::reported(Some(error), Some(cause)));
        }
        Ok(())
    }
}
