//! A parsed machine: what a definition means, every path and template compiled, every name resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::choice::Rule;
use crate::diagnostic::{Code, Diagnostic};
use crate::distributed::Distributed;
use crate::jsonata::Jsonata;
use crate::jsonpath::Path;
use crate::resource::{Pattern, Resource};
use crate::template::{Expression, Template};

/// A valid state machine. Parse it once per definition and keep it: an [`Execution`](crate::Execution) refers to its
/// states by their places, so that a running execution must always be given the definition with which it started.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub(crate) flow: Flow,
    pub(crate) comment: Option<String>,
    pub(crate) timeout_seconds: Option<i64>,
    /// Does any path read `$$.Execution.Input`? Otherwise the input need not be parsed at every step.
    pub(crate) reads_execution_input: bool,
    pub(crate) warnings: Vec<Diagnostic>,
    /// State name to the variables that it reads.
    pub(crate) variable_references: BTreeMap<String, Vec<String>>,
}

/// States with a start: a machine, a branch or an item processor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flow {
    pub(crate) start: u32,
    pub(crate) states: Vec<State>,
}

/// A state's `QueryLanguage`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    #[default]
    JsonPath,
    Jsonata,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) name: Arc<str>,
    pub(crate) language: Language,
    pub(crate) kind: Kind,
    pub(crate) data: DataFlow,
    /// `Assign`. A Choice's belongs to its `Default`.
    pub(crate) assign: Option<Template>,
    pub(crate) next: Next,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
    /// Where it stands, for example `/States/A`.
    pub(crate) location: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    End,
    State(u32),
}

/// How data moves through a state.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DataFlow {
    /// `InputPath`.
    pub(crate) input: Selection,
    /// `Parameters`, or `Arguments`; a Map's are its `ItemSelector`.
    pub(crate) parameters: Option<Template>,
    /// `ResultSelector`.
    pub(crate) selector: Option<Template>,
    /// `ResultPath`.
    pub(crate) result: Placement,
    /// `OutputPath`.
    pub(crate) output: Selection,
    /// `Output` of a JSONata state.
    pub(crate) query_output: Option<Template>,
}

/// `InputPath` and `OutputPath`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Selection {
    #[default]
    Everything,
    /// `null`: an empty object.
    Nothing,
    Path(Path),
}

/// `ResultPath`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Placement {
    /// `$`: the result replaces the input.
    #[default]
    Replace,
    /// `null`: the input stays.
    Discard,
    Path(Path),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Pass { result: Option<Value> },
    Task(Box<Task>),
    Choice { rules: Vec<ChoiceRule>, default: Option<u32> },
    Wait(WaitTime),
    Succeed,
    Fail { error: FailText, cause: FailText },
    Parallel { branches: Vec<Flow> },
    Map(Box<MapState>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    pub(crate) timeout: Option<Quantity>,
    pub(crate) heartbeat: Option<Quantity>,
    pub(crate) credentials: Option<Template>,
}

/// The parameters of a Task state, as far as its definition tells them.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskParameters<'a> {
    /// Where they stand: `/States/Send/Parameters`, or `…/Arguments`.
    pub location: String,
    /// What they are for.
    pub resource: &'a Resource,
    /// The names of their members, without `.$`.
    pub names: Vec<&'a str>,
}

/// A rule of a Choice state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChoiceRule {
    pub(crate) when: When,
    pub(crate) next: u32,
    pub(crate) assign: Option<Template>,
    /// `Output` of a JSONata rule.
    pub(crate) output: Option<Template>,
}

/// What a rule of a Choice state asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum When {
    Rule(Rule),
    /// A `Condition` that is given as it is.
    Fixed(bool),
    Query(Query),
}

/// A JSONata expression that is a field by itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    /// The field, as causes name it: `Seconds`, `Choices[1]/Condition`.
    pub(crate) field: String,
    pub(crate) jsonata: Box<Jsonata>,
}

/// A number given in the definition, found in the input, or computed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Quantity<T = i64> {
    Fixed(T),
    Path(Path),
    Query(Query),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum WaitTime {
    Seconds(Quantity),
    /// Milliseconds since the epoch.
    Timestamp(i64),
    TimestampPath(Path),
    TimestampQuery(Query),
}

/// `Error` and `Cause` of a Fail state, or their `…Path`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FailText {
    None,
    Fixed(String),
    Computed(Expression),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MapState {
    pub(crate) items: Items,
    pub(crate) max_concurrency: Quantity,
    pub(crate) mode: Mode,
}

/// Where a Map state takes its items from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Items {
    /// Its effective input.
    Input,
    /// `ItemsPath`.
    Path(Path),
    /// `Items` of a JSONata state.
    Template(Template),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mode {
    Inline(Flow),
    Distributed(Box<Distributed>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Retrier {
    pub(crate) errors: Vec<String>,
    pub(crate) interval_seconds: i64,
    pub(crate) max_attempts: u32,
    pub(crate) backoff_rate: f64,
    pub(crate) max_delay_seconds: Option<i64>,
    /// `JitterStrategy: FULL`.
    pub(crate) jitter: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Catcher {
    pub(crate) errors: Vec<String>,
    pub(crate) result: Placement,
    pub(crate) assign: Option<Template>,
    /// `Output` of a JSONata state.
    pub(crate) output: Option<Template>,
    pub(crate) next: u32,
}

impl Machine {
    /// The Map state with this label.
    pub(crate) fn map_state(&self, label: &str) -> Option<&State> {
        let mut found = None;
        self.flow.visit(&mut |state| {
            if let Kind::Map(map) = &state.kind
                && let Mode::Distributed(distributed) = &map.mode
                && distributed.label == label
            {
                found = Some(state);
            }
        });
        found
    }

    /// Reads and validates a definition. Never panics, whatever the text.
    ///
    /// # Errors
    /// All that is wrong with it, warnings included; at least one is an error. [`invalid_definition_message`]
    /// words them as `CreateStateMachine` does.
    ///
    /// [`invalid_definition_message`]: crate::invalid_definition_message
    pub fn parse(definition: &str) -> Result<Self, Vec<Diagnostic>> {
        crate::parse::machine(definition)
    }

    /// What is odd about the definition, though valid.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The definition's `Comment`.
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// The definition's `TimeoutSeconds`.
    pub fn timeout_seconds(&self) -> Option<i64> {
        self.timeout_seconds
    }

    /// The workflow variables that each state reads, by the state's name; states that read none are not there
    /// (`variableReferences` of `DescribeStateMachine`).
    pub fn variable_references(&self) -> &BTreeMap<String, Vec<String>> {
        &self.variable_references
    }

    /// The resources of all Task states with their locations: to check them against what is there. Those within
    /// distributed maps are among them.
    pub fn resources(&self) -> Vec<(&str, &Resource)> {
        let mut found = Vec::new();
        self.flow.visit(&mut |state| {
            if let Kind::Task(task) = &state.kind {
                found.push((state.location.as_str(), &task.resource));
            }
        });
        found
    }

    /// What is known of the parameters of all Task states before they run, with the locations of the fields: the names
    /// of their members. Where a path or an expression makes them as a whole, nothing is.
    pub fn task_parameters(&self) -> Vec<TaskParameters<'_>> {
        let mut found = Vec::new();
        self.flow.visit(&mut |state| {
            let Kind::Task(task) = &state.kind else { return };
            let names = match &state.data.parameters {
                Some(Template::Constant(Value::Object(members))) => {
                    members.keys().map(String::as_str).collect()
                }
                Some(Template::Object(members)) => members.iter().map(|(name, _)| name.as_str()).collect(),
                _ => return,
            };
            let jsonata = state.language == Language::Jsonata;
            let field = if jsonata { "Arguments" } else { "Parameters" };
            let location = format!("{}/{field}", state.location);
            found.push(TaskParameters { location, resource: &task.resource, names });
        });
        found
    }

    /// The distributed maps with their locations, those within others included.
    pub fn distributed_maps(&self) -> Vec<DistributedMap<'_>> {
        let mut found = Vec::new();
        self.flow.visit(&mut |state| {
            if let Kind::Map(map) = &state.kind
                && let Mode::Distributed(distributed) = &map.mode
            {
                found.push(DistributedMap { location: &state.location, state: &state.name, distributed });
            }
        });
        found
    }

    /// The machine of a distributed map's child executions, by the map's label.
    pub fn child(&self, label: &str) -> Option<&Arc<Machine>> {
        self.distributed_maps().into_iter().find(|map| map.label() == label).map(|map| map.machine())
    }

    /// What an EXPRESS state machine may not have: tasks that wait for a job, a token or an activity.
    pub fn express_diagnostics(&self) -> Vec<Diagnostic> {
        let refuse = |location: &str, what: &str| {
            let message = format!("Express state machine does not support {what}");
            Diagnostic::new(Code::SchemaValidationFailed, message, Some(&format!("{location}/Resource")))
        };
        let mut diagnostics = Vec::new();
        for map in self.distributed_maps() {
            let message = "Express state machine does not support Map states in DISTRIBUTED mode";
            let location = format!("{}/ItemProcessor/ProcessorConfig/Mode", map.location);
            diagnostics.push(Diagnostic::new(Code::SchemaValidationFailed, message, Some(&location)));
        }
        for (location, resource) in self.resources() {
            match (resource, resource.pattern()) {
                (Resource::Activity(_), _) => diagnostics.push(refuse(location, "Activity ARN")),
                (_, Pattern::Sync) => diagnostics.push(refuse(location, "'.sync' service integration")),
                (_, Pattern::Sync2) => diagnostics.push(refuse(location, "'.sync:2' service integration")),
                // AWS's text has two blanks in front of the place.
                (_, Pattern::WaitForTaskToken) => {
                    diagnostics.push(refuse(location, "'.waitForTaskToken' service integration "));
                }
                (_, Pattern::RequestResponse) => {}
            }
        }
        diagnostics
    }
}

/// A distributed map of a definition.
#[derive(Clone, Copy, Debug)]
pub struct DistributedMap<'m> {
    /// Where it stands, for example `/States/A`.
    pub location: &'m str,
    /// The name of the state.
    pub state: &'m str,
    distributed: &'m Distributed,
}

impl<'m> DistributedMap<'m> {
    /// `Label`, or one made from the state's place: part of the map runs' ARNs and of the child executions'.
    pub fn label(&self) -> &'m str {
        &self.distributed.label
    }

    /// What its child executions run.
    pub fn machine(&self) -> &'m Arc<Machine> {
        &self.distributed.machine
    }

    /// Are its child executions EXPRESS?
    pub fn is_express(&self) -> bool {
        self.distributed.express
    }
}

impl MapState {
    /// The states that each item runs through.
    pub(crate) fn processor(&self) -> &Flow {
        match &self.mode {
            Mode::Inline(flow) => flow,
            Mode::Distributed(distributed) => &distributed.machine.flow,
        }
    }
}

impl Flow {
    pub(crate) fn visit<'m>(&'m self, see: &mut dyn FnMut(&'m State)) {
        for state in &self.states {
            see(state);
            match &state.kind {
                Kind::Parallel { branches } => branches.iter().for_each(|branch| branch.visit(see)),
                Kind::Map(map) => map.processor().visit(see),
                _ => {}
            }
        }
    }

    pub(crate) fn state(&self, index: u32) -> Option<&State> {
        self.states.get(index as usize)
    }
}
