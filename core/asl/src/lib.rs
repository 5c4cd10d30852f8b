//! The States Language: parse, validate, step.
pub mod jsonpath;

mod command;
mod diagnostic;
mod execution;
mod history;
mod resource;

pub use command::{
    Command, EXECUTION_WAIT, ExecutionInfo, FailureStage, Outcome, StepContext, Stimulus, TaskRequest, TimerKind,
    WaitId,
};
pub use diagnostic::{Code, Diagnostic, Severity, invalid_definition_message};
pub use execution::Execution;
pub use history::{EventDetails, HistoryEvent, HistoryEventType};
pub use resource::{Pattern, Resource};
