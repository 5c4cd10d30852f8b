//! The events of an execution's history, as `GetExecutionHistory` shows them.
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

macro_rules! event_types {
    ($($name:ident),+ $(,)?) => {
        /// The type of a history event; each variant is AWS's word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[expect(missing_docs, reason = "every variant is AWS's own word, documented there")]
        pub enum HistoryEventType { $($name),+ }

        impl HistoryEventType {
            /// Every type that this crate writes.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// AWS's word, for example `TaskStateEntered`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }
    };
}

event_types! {
    ActivityFailed, ActivityScheduled, ActivityScheduleFailed, ActivityStarted, ActivitySucceeded, ActivityTimedOut,
    ChoiceStateEntered, ChoiceStateExited, EvaluationFailed,
    ExecutionAborted, ExecutionFailed, ExecutionRedriven, ExecutionStarted, ExecutionSucceeded, ExecutionTimedOut,
    FailStateEntered,
    LambdaFunctionFailed, LambdaFunctionScheduled, LambdaFunctionScheduleFailed, LambdaFunctionStarted,
    LambdaFunctionStartFailed, LambdaFunctionSucceeded, LambdaFunctionTimedOut,
    MapIterationAborted, MapIterationFailed, MapIterationStarted, MapIterationSucceeded,
    MapRunAborted, MapRunFailed, MapRunRedriven, MapRunStarted, MapRunSucceeded,
    MapStateAborted, MapStateEntered, MapStateExited, MapStateFailed, MapStateStarted, MapStateSucceeded,
    ParallelStateAborted, ParallelStateEntered, ParallelStateExited, ParallelStateFailed, ParallelStateStarted,
    ParallelStateSucceeded,
    PassStateEntered, PassStateExited,
    SucceedStateEntered, SucceedStateExited,
    TaskFailed, TaskScheduled, TaskStarted, TaskStartFailed, TaskStateAborted, TaskStateEntered, TaskStateExited,
    TaskSubmitFailed, TaskSubmitted, TaskSucceeded, TaskTimedOut,
    WaitStateAborted, WaitStateEntered, WaitStateExited,
}

impl HistoryEventType {
    /// The member that carries the details of this type.
    fn details_member(self) -> String {
        let name = self.as_str();
        if name.ends_with("StateEntered") {
            return "stateEnteredEventDetails".to_owned();
        }
        if name.ends_with("StateExited") {
            return "stateExitedEventDetails".to_owned();
        }
        let (first, rest) = name.split_at(1);
        format!("{}{rest}EventDetails", first.to_ascii_lowercase())
    }
}

/// What an event tells beyond its type. Inputs, outputs and parameters are JSON text.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the members are AWS's own words, documented there")]
pub enum EventDetails {
    ExecutionStarted {
        input: String,
        role_arn: String,
        machine_alias_arn: Option<String>,
        machine_version_arn: Option<String>,
    },
    StateEntered {
        name: String,
        input: String,
    },
    StateExited {
        name: String,
        output: String,
        /// Variables that the state assigned, as JSON texts.
        #[serde(default)]
        assigned_variables: BTreeMap<String, String>,
    },
    /// Succeeded executions, functions and activities.
    Output {
        output: String,
    },
    /// Failed, aborted or timed out executions, functions and activities.
    Failure {
        error: Option<String>,
        cause: Option<String>,
    },
    /// Scheduled functions and activities.
    Scheduled {
        resource: String,
        input: String,
        timeout_in_seconds: Option<i64>,
        heartbeat_in_seconds: Option<i64>,
        credentials_role_arn: Option<String>,
    },
    ActivityStarted {
        worker_name: Option<String>,
    },
    TaskScheduled {
        resource_type: String,
        resource: String,
        region: String,
        parameters: String,
        timeout_in_seconds: Option<i64>,
        heartbeat_in_seconds: Option<i64>,
        credentials_role_arn: Option<String>,
    },
    TaskStarted {
        resource_type: String,
        resource: String,
    },
    /// Submitted and succeeded integrations.
    TaskOutput {
        resource_type: String,
        resource: String,
        output: String,
    },
    /// Failed and timed out integrations.
    TaskFailure {
        resource_type: String,
        resource: String,
        error: Option<String>,
        cause: Option<String>,
    },
    MapStateStarted {
        length: u64,
    },
    MapIteration {
        name: String,
        index: u64,
    },
    /// A query of a JSONata state had no value, or the wrong one.
    EvaluationFailed {
        error: String,
        cause: String,
        location: String,
        state: String,
    },
    MapRunStarted {
        map_run_arn: String,
    },
    ExecutionRedriven {
        redrive_count: u32,
    },
    MapRunRedriven {
        map_run_arn: String,
        redrive_count: u32,
    },
}

/// One event. Ids run from 1 without gaps; `previous_event_id` is the event that led to this one in its own branch.
///
/// It serialises compactly for a store; [`HistoryEvent::to_aws`] gives the shape of the API.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct HistoryEvent {
    /// 1, 2, 3 …
    pub id: i64,
    /// 0 for the first event, for the first state, and for what comes from outside (abort, timeout of the execution).
    pub previous_event_id: i64,
    /// Milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The type.
    pub event_type: HistoryEventType,
    /// The details, for the types that have some.
    pub details: Option<EventDetails>,
}

impl HistoryEvent {
    /// The bytes of what is large in the event: inputs, outputs, parameters, causes.
    pub fn data_bytes(&self) -> usize {
        self.details.as_ref().map_or(0, EventDetails::data_bytes)
    }

    /// The event as awsJson has it, times as seconds since the epoch. Without `execution_data`, inputs and outputs are
    /// left out (`includeExecutionData`).
    pub fn to_aws(&self, execution_data: bool) -> Value {
        let mut event = Map::new();
        event.insert("timestamp".to_owned(), json!(self.timestamp_ms as f64 / 1000.0));
        event.insert("type".to_owned(), json!(self.event_type.as_str()));
        event.insert("id".to_owned(), json!(self.id));
        event.insert("previousEventId".to_owned(), json!(self.previous_event_id));
        if let Some(details) = &self.details {
            let mut members = Members(Map::new(), execution_data);
            details.write(&mut members);
            event.insert(self.event_type.details_member(), Value::Object(members.0));
        }
        Value::Object(event)
    }
}

/// Collects the members of one details structure.
struct Members(Map<String, Value>, bool);

impl Members {
    fn text(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), json!(value));
    }

    fn maybe_text(&mut self, name: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    fn number(&mut self, name: &str, value: u32) {
        self.0.insert(name.to_owned(), json!(value));
    }

    fn maybe_number(&mut self, name: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), json!(value));
        }
    }

    /// `input` with `inputDetails`, or the same for `output`.
    fn data(&mut self, name: &str, value: &str) {
        if self.1 {
            self.text(name, value);
            self.0.insert(format!("{name}Details"), json!({ "truncated": false }));
        }
    }

    fn timing(&mut self, timeout: Option<i64>, heartbeat: Option<i64>, role: Option<&String>) {
        self.maybe_number("timeoutInSeconds", timeout);
        self.maybe_number("heartbeatInSeconds", heartbeat);
        if let Some(role) = role {
            self.0.insert("taskCredentials".to_owned(), json!({ "roleArn": role }));
        }
    }

    fn task(&mut self, resource_type: &str, resource: &str) {
        self.text("resourceType", resource_type);
        self.text("resource", resource);
    }

    fn failure(&mut self, error: Option<&String>, cause: Option<&String>) {
        self.maybe_text("error", error);
        self.maybe_text("cause", cause);
    }
}

impl EventDetails {
    pub(crate) fn data_bytes(&self) -> usize {
        match self {
            Self::ExecutionStarted { input, .. }
            | Self::StateEntered { input, .. }
            | Self::Scheduled { input, .. } => input.len(),
            Self::StateExited { output, assigned_variables, .. } => {
                output.len() + assigned_variables.values().map(String::len).sum::<usize>()
            }
            Self::EvaluationFailed { cause, .. } => cause.len(),
            Self::Output { output } | Self::TaskOutput { output, .. } => output.len(),
            Self::TaskScheduled { parameters, .. } => parameters.len(),
            Self::Failure { cause, .. } | Self::TaskFailure { cause, .. } => {
                cause.as_ref().map_or(0, String::len)
            }
            Self::ActivityStarted { .. }
            | Self::TaskStarted { .. }
            | Self::MapStateStarted { .. }
            | Self::MapRunStarted { .. }
            | Self::MapIteration { .. }
            | Self::ExecutionRedriven { .. }
            | Self::MapRunRedriven { .. } => 0,
        }
    }

    fn write(&self, out: &mut Members) {
        match self {
            Self::ExecutionStarted { input, role_arn, machine_alias_arn, machine_version_arn } => {
                out.data("input", input);
                out.text("roleArn", role_arn);
                out.maybe_text("stateMachineAliasArn", machine_alias_arn.as_ref());
                out.maybe_text("stateMachineVersionArn", machine_version_arn.as_ref());
            }
            Self::StateEntered { name, input } => {
                out.text("name", name);
                out.data("input", input);
            }
            Self::StateExited { name, output, assigned_variables } => {
                out.text("name", name);
                out.data("output", output);
                if out.1 && !assigned_variables.is_empty() {
                    out.0.insert("assignedVariables".to_owned(), json!(assigned_variables));
                    out.0.insert("assignedVariablesDetails".to_owned(), json!({ "truncated": false }));
                }
            }
            Self::Output { output } => out.data("output", output),
            Self::Failure { error, cause } => out.failure(error.as_ref(), cause.as_ref()),
            Self::MapStateStarted { length } => {
                out.0.insert("length".to_owned(), json!(length));
            }
            Self::MapIteration { name, index } => {
                out.text("name", name);
                out.0.insert("index".to_owned(), json!(index));
            }
            Self::EvaluationFailed { error, cause, location, state } => {
                out.failure(Some(error), Some(cause));
                out.text("location", location);
                out.text("state", state);
            }
            Self::MapRunStarted { map_run_arn } => out.text("mapRunArn", map_run_arn),
            Self::ExecutionRedriven { redrive_count } => out.number("redriveCount", *redrive_count),
            Self::MapRunRedriven { map_run_arn, redrive_count } => {
                out.text("mapRunArn", map_run_arn);
                out.number("redriveCount", *redrive_count);
            }
            Self::ActivityStarted { worker_name } => out.maybe_text("workerName", worker_name.as_ref()),
            _ => self.write_task(out),
        }
    }

    /// The details of the life of a task.
    fn write_task(&self, out: &mut Members) {
        match self {
            Self::Scheduled {
                resource,
                input,
                timeout_in_seconds,
                heartbeat_in_seconds,
                credentials_role_arn,
            } => {
                out.text("resource", resource);
                out.data("input", input);
                out.timing(*timeout_in_seconds, *heartbeat_in_seconds, credentials_role_arn.as_ref());
            }
            Self::TaskScheduled {
                resource_type,
                resource,
                region,
                parameters,
                timeout_in_seconds,
                heartbeat_in_seconds,
                credentials_role_arn,
            } => {
                out.task(resource_type, resource);
                out.text("region", region);
                // The member is required; it may hold the execution's data and its task token.
                out.text("parameters", if out.1 { parameters } else { "{}" });
                out.timing(*timeout_in_seconds, *heartbeat_in_seconds, credentials_role_arn.as_ref());
            }
            Self::TaskStarted { resource_type, resource } => out.task(resource_type, resource),
            Self::TaskOutput { resource_type, resource, output } => {
                out.task(resource_type, resource);
                out.data("output", output);
            }
            Self::TaskFailure { resource_type, resource, error, cause } => {
                out.task(resource_type, resource);
                out.failure(error.as_ref(), cause.as_ref());
            }
            _ => {}
        }
    }
}
