//! One state by itself: what `TestState` shows.
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html>

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::command::{Outcome, StepContext, TaskRequest};
use crate::diagnostic::Diagnostic;
use crate::machine::{Flow, Kind, Machine, Mode, Next};
use crate::resource::Resource;
use crate::step::{Trial, Tried, inspect_state};

/// A state to be tried.
#[derive(Clone, Debug)]
pub struct Inspection<'a> {
    /// The machine that it is in, or one of [`Machine::parse_state`].
    pub machine: &'a Machine,
    /// Its name; wherever it stands in the machine.
    pub state: &'a str,
    /// Its input.
    pub input: Value,
    /// The workflow variables, by name.
    pub variables: Map<String, Value>,
    /// A context object to be used instead of the execution's.
    pub context: Option<Value>,
    /// What its task, its branches or its iterations come to. A Task state without one is run as far as its task.
    pub mock: Option<Mock>,
    /// How often each of its retriers has been used (`retrierRetryCount`).
    pub retrier_retry_count: u32,
    /// How many iterations of a Map state failed (`mapIterationFailureCount`).
    pub map_iteration_failure_count: Option<u64>,
    /// What a distributed Map's `ItemReader` reads, as it stands in its source (`mapItemReaderData`).
    pub map_item_reader_data: Option<String>,
}

/// What stands in for the work of a state. The answer of a task that was really done is told in the same way.
#[derive(Clone, Debug, PartialEq)]
pub enum Mock {
    /// A result.
    Result(Value),
    /// An error.
    Error {
        /// The error name.
        error: Option<String>,
        /// The cause.
        cause: Option<String>,
    },
}

/// What a mocked result stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mocked<'a> {
    /// The result of a task.
    Task(&'a Resource),
    /// The results of this many branches.
    Branches(usize),
    /// The results of a Map's iterations.
    Iterations,
    /// What a Map's `ResultWriter` says of the results that it wrote.
    Export,
}

/// `status` of `TestState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestStatus {
    /// The state passed.
    Succeeded,
    /// It failed, and nothing handles it.
    Failed,
    /// It failed, and would be tried again.
    Retriable,
    /// It failed, and a catcher takes over.
    CaughtError,
}

impl TestStatus {
    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Retriable => "RETRIABLE",
            Self::CaughtError => "CAUGHT_ERROR",
        }
    }
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq)]
pub enum Inspected {
    /// The task must be done first: do it, and inspect again with its answer as [`Mock`].
    Task(Box<TaskRequest>),
    /// The state has run.
    Done {
        /// How it ended.
        status: TestStatus,
        /// Its output, unless it failed.
        output: Option<Value>,
        /// The error, if there was one.
        error: Option<String>,
        /// Its cause.
        cause: Option<String>,
        /// The state that comes next, if one does.
        next_state: Option<String>,
        /// What it did with its data.
        data: Box<InspectionData>,
    },
}

/// What a state did with its data. Members are absent where the state did not come so far, or has no such step.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the members are AWS's own words, documented there")]
pub struct InspectionData {
    pub input: Option<Arc<Value>>,
    pub after_input_path: Option<Arc<Value>>,
    pub after_parameters: Option<Arc<Value>>,
    pub after_arguments: Option<Arc<Value>>,
    pub after_items_path: Option<Arc<Value>>,
    pub after_items_pointer: Option<Arc<Value>>,
    pub after_item_selector: Option<Arc<Value>>,
    pub after_item_batcher: Option<Arc<Value>>,
    pub result: Option<Arc<Value>>,
    pub after_result_selector: Option<Arc<Value>>,
    pub after_result_path: Option<Arc<Value>>,
    pub variables: Option<Arc<Value>>,
    pub max_concurrency: Option<i64>,
    pub tolerated_failure_count: Option<i64>,
    pub tolerated_failure_percentage: Option<f64>,
    /// The retrier that handled the error, and its pause in milliseconds.
    pub(crate) retried: Option<(usize, i64)>,
    /// The catcher that handled the error.
    pub(crate) caught: Option<usize>,
    /// The error that was handled.
    pub(crate) handled: Option<(Option<String>, Option<String>)>,
}

impl InspectionData {
    /// The shape of the API: data as JSON texts. At level INFO, AWS leaves the whole of it out.
    pub fn to_aws(&self) -> Value {
        let mut members = Map::new();
        let values = [
            ("input", &self.input),
            ("afterInputPath", &self.after_input_path),
            ("afterParameters", &self.after_parameters),
            ("afterArguments", &self.after_arguments),
            ("afterItemsPath", &self.after_items_path),
            ("afterItemsPointer", &self.after_items_pointer),
            ("afterItemSelector", &self.after_item_selector),
            ("afterItemBatcher", &self.after_item_batcher),
            ("result", &self.result),
            ("afterResultSelector", &self.after_result_selector),
            ("afterResultPath", &self.after_result_path),
            ("variables", &self.variables),
        ];
        for (name, value) in values {
            members.extend(value.as_ref().map(|value| (name.to_owned(), json!(value.to_string()))));
        }
        members.extend(self.max_concurrency.map(|most| ("maxConcurrency".to_owned(), json!(most))));
        members.extend(
            self.tolerated_failure_count.map(|most| ("toleratedFailureCount".to_owned(), json!(most))),
        );
        members.extend(
            self.tolerated_failure_percentage
                .map(|most| ("toleratedFailurePercentage".to_owned(), json!(most))),
        );
        let details = match (self.retried, self.caught) {
            (Some((place, pause_ms)), _) => {
                Some(json!({ "retryIndex": place, "retryBackoffIntervalSeconds": pause_ms / 1000 }))
            }
            (None, Some(place)) => Some(json!({ "catchIndex": place })),
            (None, None) => None,
        };
        members.extend(details.map(|details| ("errorDetails".to_owned(), details)));
        Value::Object(members)
    }
}

impl Machine {
    /// Reads the definition of one state, whatever states it leads to: for [`inspect`], under the name `StateName`.
    ///
    /// # Errors
    /// All that is wrong with it, as [`Machine::parse`] says it; places are within the state.
    pub fn parse_state(definition: &str) -> Result<Self, Vec<Diagnostic>> {
        crate::parse::state(definition)
    }

    /// What a mocked result of the state of this name stands for, if it takes one.
    pub fn mocked(&self, state: &str) -> Option<Mocked<'_>> {
        let (flow, place) = find(&self.flow, state)?;
        match &flow.state(place)?.kind {
            Kind::Task(task) => Some(Mocked::Task(&task.resource)),
            Kind::Parallel { branches } => Some(Mocked::Branches(branches.len())),
            Kind::Map(map) => Some(match &map.mode {
                Mode::Distributed(distributed) if distributed.writer.is_some() => Mocked::Export,
                _ => Mocked::Iterations,
            }),
            _ => None,
        }
    }

    /// The `Type` of the state of this name, wherever in the machine it stands.
    pub fn state_type(&self, state: &str) -> Option<&'static str> {
        let (flow, place) = find(&self.flow, state)?;
        Some(match &flow.state(place)?.kind {
            Kind::Task(_) => "Task",
            Kind::Parallel { .. } => "Parallel",
            Kind::Map(_) => "Map",
            Kind::Pass { .. } => "Pass",
            Kind::Choice { .. } => "Choice",
            Kind::Wait(_) => "Wait",
            Kind::Succeed => "Succeed",
            Kind::Fail { .. } => "Fail",
        })
    }

    /// The names of the states in the branches or the processor of the state of this name; empty if it has none. `None`
    /// if there is no such state.
    pub fn states_within(&self, state: &str) -> Option<Vec<&str>> {
        let (flow, place) = find(&self.flow, state)?;
        let mut names = Vec::new();
        let flows = match &flow.state(place)?.kind {
            Kind::Parallel { branches } => branches.as_slice(),
            Kind::Map(map) => std::slice::from_ref(map.processor()),
            _ => &[],
        };
        flows.iter().for_each(|flow| flow.visit(&mut |state| names.push(&*state.name)));
        Some(names)
    }
}

/// Runs one state with the given input, variables and context, and says what it did with its data. `None` if the machine
/// has no state of that name.
pub fn inspect(inspection: Inspection<'_>, ctx: &mut StepContext<'_>) -> Option<Inspected> {
    let (flow, state) = find(&inspection.machine.flow, inspection.state)?;
    let nested;
    let machine = if std::ptr::eq(flow, &raw const inspection.machine.flow) {
        inspection.machine
    } else {
        nested = Machine { flow: flow.clone(), ..inspection.machine.clone() };
        &nested
    };
    let kind = &machine.flow.state(state)?.kind;
    let unmocked = inspection.mock.is_none() && matches!(kind, Kind::Task(_));
    let trial = Trial {
        state,
        input: inspection.input,
        variables: inspection.variables,
        context: inspection.context,
        mock: inspection.mock,
        retries: inspection.retrier_retry_count,
        failed_iterations: inspection.map_iteration_failure_count,
        reader_data: inspection.map_item_reader_data,
    };
    let mut tried = inspect_state(machine, trial, ctx);
    match tried.task.take() {
        Some(task) if unmocked && tried.outcome.is_none() => Some(Inspected::Task(task)),
        _ => Some(done(machine, tried)),
    }
}

fn done(machine: &Machine, tried: Tried) -> Inspected {
    let Tried { mut probe, outcome, variables, .. } = tried;
    if !variables.is_empty() {
        let all: Map<String, Value> =
            variables.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        probe.data.variables = Some(Arc::new(Value::Object(all)));
    }
    let (error, cause) = match (&outcome, probe.data.handled.clone()) {
        (Some(Outcome::Failed { error, cause }), _) => (error.clone(), cause.clone()),
        (_, Some((error, cause))) => (error, cause),
        _ => (None, None),
    };
    let status = match (&outcome, probe.data.retried, probe.data.caught) {
        (Some(Outcome::Failed { .. }), ..) => TestStatus::Failed,
        (_, Some(_), _) => TestStatus::Retriable,
        (_, _, Some(_)) => TestStatus::CaughtError,
        _ => TestStatus::Succeeded,
    };
    let (output, next) = match probe.left {
        Some((output, next)) => (Some((*output).clone()), next),
        None => (None, Next::End),
    };
    let next_state = match next {
        Next::State(index) => machine.flow.state(index).map(|state| state.name.to_string()),
        Next::End => None,
    };
    Inspected::Done { status, output, error, cause, next_state, data: Box::new(probe.data) }
}

/// The flow that has a state of this name, and its place.
fn find<'m>(flow: &'m Flow, name: &str) -> Option<(&'m Flow, u32)> {
    if let Some(place) = flow.states.iter().position(|state| &*state.name == name) {
        return Some((flow, u32::try_from(place).ok()?));
    }
    flow.states.iter().find_map(|state| match &state.kind {
        Kind::Parallel { branches } => branches.iter().find_map(|branch| find(branch, name)),
        Kind::Map(map) => find(map.processor(), name),
        _ => None,
    })
}
