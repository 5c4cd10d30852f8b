//! One state by itself, and what it does with its data on the way.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::ItemAt;
use super::data::Data;
use super::fail::{DATA_LIMIT, Failure};
use super::run::Progress;
use super::{Engine, StepContext};
use crate::command::{Command, Outcome, TaskRequest};
use crate::distributed::{Distributed, ItemFormat, ItemSource, Reader, batches, decode};
use crate::execution::{Doing, Execution, Frame, ROOT};
use crate::inspect::{InspectionData, Mock};
use crate::machine::{Kind, Language, Machine, MapState, Mode, Next, State};
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
    pub(crate) reader_data: Option<String>,
}

/// How many iterations of a Map state may fail. Where it says nothing, a mocked result stands for what they came to.
#[derive(Clone, Copy, Debug, Default)]
struct Tolerance {
    count: Option<u64>,
    percentage: Option<f64>,
}

impl Tolerance {
    fn is_exceeded(self, failed: u64, of: usize) -> bool {
        self.count.is_some_and(|most| failed > most)
            || self.percentage.is_some_and(|most| failed as f64 * 100.0 > most * of as f64)
    }
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
            let reader_data = trial.reader_data.as_deref();
            engine.try_state(&mut frame, state, trial.mock, (trial.failed_iterations, reader_data))
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
        map_trial: (Option<u64>, Option<&str>),
    ) -> Result<Progress, Failure> {
        match &state.kind {
            Kind::Parallel { .. } => {
                let effective = self.effective(frame, state)?;
                self.parameters(frame, state, effective, None)?;
            }
            Kind::Map(map) => {
                // A mocked error stands for all that the iterations came to.
                let failed = map_trial.0.filter(|_| !matches!(mock, Some(Mock::Error { .. })));
                self.try_map(frame, state, map, (failed, map_trial.1))?;
            }
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
                if !matches!(state.kind, Kind::Map(_)) {
                    self.note(|data| data.result = Some(Arc::clone(&result)));
                }
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
        (failed_iterations, reader_data): (Option<u64>, Option<&str>),
    ) -> Result<(), Failure> {
        let effective = self.effective(frame, state)?;
        let most = self.max_concurrency(frame, map, &effective)?;
        self.note(|data| data.max_concurrency = Some(most));
        let reader = match &map.mode {
            Mode::Distributed(distributed) => distributed.reader.as_ref(),
            Mode::Inline(_) => None,
        };
        let (items, keys) = match (reader, reader_data) {
            (Some(reader), Some(text)) => self.read_given(frame, reader, &effective, text)?,
            _ => {
                let (items, keys) = self.items(frame, map, &effective)?;
                if state.language == Language::JsonPath {
                    let list = Arc::new(Value::Array(items.clone()));
                    self.note(|data| data.after_items_path = Some(list));
                }
                (items, keys)
            }
        };
        let mut inputs = items.clone();
        if let Some(selector) = &state.data.parameters {
            let mut selected = Vec::with_capacity(items.len());
            for (value, index) in items.iter().zip(0..) {
                let key = keys.get(index as usize).map(String::as_str);
                let item = Some(ItemAt { index, value, key });
                selected.push(self.template(frame, selector, Data { item, ..Data::of(&effective) })?);
            }
            let list = Arc::new(Value::Array(selected.clone()));
            self.note(|data| data.after_item_selector = Some(list));
            inputs = selected;
        }
        let mut tolerated = None;
        if let Mode::Distributed(distributed) = &map.mode {
            self.try_batches(frame, distributed, &effective, inputs)?;
            tolerated = Some(self.try_tolerance(frame, distributed, &effective)?);
        }
        let of = items.len();
        if failed_iterations
            .zip(tolerated)
            .is_some_and(|(failed, tolerated)| tolerated.is_exceeded(failed, of))
        {
            let error = "States.ExceedToleratedFailureThreshold".to_owned();
            let cause = "The specified tolerated failure threshold was exceeded".to_owned();
            return Err(Failure::reported(Some(error), Some(cause)));
        }
        Ok(())
    }

    /// The items in what the reader would have read.
    fn read_given(
        &mut self,
        frame: &Frame,
        reader: &Reader,
        effective: &Arc<Value>,
        text: &str,
    ) -> Result<(Vec<Value>, Vec<String>), Failure> {
        let (source, max_items) = self.source(frame, reader, effective)?;
        let format = match source {
            ItemSource::Object { format, .. } | ItemSource::Contents { format, .. } => of_text(format),
            // A list of objects' descriptions.
            ItemSource::Objects { .. } | ItemSource::Given => ItemFormat::Json { pointer: None },
        };
        let at_most = max_items.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let page = decode(&format, text.as_bytes(), None, at_most).map_err(|cause| {
            let cause = format!("Attempting to read items failed: {cause}");
            Failure::reported(Some("States.ItemReaderFailed".to_owned()), Some(cause))
        })?;
        if let ItemFormat::Json { pointer: Some(_) } = format {
            let list = Value::Array(page.items.iter().map(|item| item.value.clone()).collect());
            self.note(|data| data.after_items_pointer = Some(Arc::new(list)));
        }
        let keys = page.items.iter().filter_map(|item| item.key.clone()).collect();
        Ok((page.items.into_iter().map(|item| item.value).collect(), keys))
    }

    fn try_batches(
        &mut self,
        frame: &Frame,
        distributed: &Distributed,
        effective: &Arc<Value>,
        inputs: Vec<Value>,
    ) -> Result<(), Failure> {
        let Some(batcher) = &distributed.batcher else { return Ok(()) };
        let plan = self.batch(frame, batcher, effective)?;
        let inputs = batches(inputs, &plan).ok_or_else(|| {
            let cause = "An item is larger than MaxInputBytesPerBatch allows".to_owned();
            Failure::reported(Some(DATA_LIMIT.to_owned()), Some(cause))
        })?;
        self.note(|data| data.after_item_batcher = Some(Arc::new(Value::Array(inputs))));
        Ok(())
    }

    /// How many iterations may fail, as far as the state says so.
    fn try_tolerance(
        &mut self,
        frame: &Frame,
        distributed: &Distributed,
        effective: &Arc<Value>,
    ) -> Result<Tolerance, Failure> {
        let mut tolerance = Tolerance::default();
        if let Some(percentage) = &distributed.tolerated_percentage {
            let most = self.percentage(frame, percentage, effective)?;
            self.note(|data| data.tolerated_failure_percentage = Some(most));
            tolerance.percentage = Some(most);
        }
        let Some(count) = &distributed.tolerated_count else { return Ok(tolerance) };
        let most = self.quantity(frame, count, "ToleratedFailureCountPath", (0, i64::MAX), effective)?;
        self.note(|data| data.tolerated_failure_count = Some(most));
        tolerance.count = u64::try_from(most).ok();
        Ok(tolerance)
    }
}

/// What a text is read as that stands for a reader's object: a file of its manifest, and for a Parquet file a JSON array of
/// its rows.
fn of_text(format: ItemFormat) -> ItemFormat {
    match format {
        ItemFormat::Athena { of } => of_text(*of),
        ItemFormat::Parquet => ItemFormat::Json { pointer: None },
        other => other,
    }
}
