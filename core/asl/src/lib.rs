//! The States Language: parse, validate, step.
pub mod jsonpath;

mod choice;
mod command;
mod diagnostic;
mod execution;
mod history;
mod intrinsic;
mod machine;
mod parse;
mod resource;
mod scope;
mod template;
mod timestamp;

pub use command::{
    Command, EXECUTION_WAIT, ExecutionInfo, FailureStage, Outcome, StepContext, Stimulus, TaskRequest, TimerKind,
    WaitId,
};
pub use diagnostic::{Code, Diagnostic, Severity, invalid_definition_message};
pub use execution::Execution;
pub use history::{EventDetails, HistoryEvent, HistoryEventType};
pub use machine::Machine;
pub use resource::{Pattern, Resource};
