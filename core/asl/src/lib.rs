//! The States Language: parse, validate, step. What runs inside the States service, as pure functions over values.
//!
//! It knows definitions, data flow, errors and the history that AWS writes about an execution. It must not know stores,
//! clocks, sockets or other services: no I/O, no thread, no time of its own. Time, ids and chance are arguments
//! ([`StepContext`]), and everything that is to be done outside is a [`Command`].
//!
//! The wording of diagnostics, causes and events is that of AWS Step Functions
//! (<https://docs.aws.amazon.com/step-functions/latest/dg/>), where it is known from recorded executions.
//!
//! # How a service uses it
//!
//! 1. `CreateStateMachine`: [`Machine::parse`]; errors become `InvalidDefinition` with [`invalid_definition_message`].
//!    For EXPRESS, [`Machine::express_diagnostics`] too. Cache the machine by its definition.
//! 2. `StartExecution`: [`start`], then store the [`Execution`] and obey the commands in the same transaction.
//! 3. When a task answers or a timer is due: load, [`step`], store, obey. No commands: nothing changed.
//!
//! ```
//! use asl::{Command, ExecutionInfo, Machine, Outcome, StepContext, Stimulus, start, step};
//! use serde_json::json;
//!
//! let machine = Machine::parse(
//!     r#"{ "StartAt": "Ask", "States": { "Ask": {
//!         "Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:ask",
//!         "Parameters": { "question.$": "States.Format('{}?', $.q)" }, "ResultPath": "$.answer", "End": true } } }"#,
//! )
//! .expect("a valid definition");
//!
//! let (mut random, mut token) = (|| 4, |wait_id| format!("token-{wait_id}"));
//! let execution = ExecutionInfo {
//!     arn: "arn:aws:states:eu-west-1:123456789012:execution:m:e",
//!     name: "e",
//!     input: r#"{"q": "why"}"#,
//!     start_ms: 1_000,
//!     role_arn: "arn:aws:iam::123456789012:role/r",
//!     redrive_count: Some(0),
//!     machine_arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:m",
//!     machine_name: "m",
//!     machine_version_arn: None,
//!     machine_alias_arn: None,
//!     history_events_max: Some(25_000),
//! };
//! let mut ctx = StepContext { now_ms: 1_000, execution, random: &mut random, task_token: &mut token };
//!
//! let (mut run, commands) = start(&machine, json!({ "q": "why" }), &mut ctx);
//! let Some(Command::Schedule(task)) = commands.last() else { panic!("a task to do") };
//! assert_eq!(task.parameters, json!({ "question": "why?" }));
//!
//! ctx.now_ms = 2_000;
//! let answer = Stimulus::TaskSucceeded { wait_id: task.wait_id, output: json!("because") };
//! let commands = step(&machine, &mut run, answer.clone(), &mut ctx);
//! let output = r#"{"q":"why","answer":"because"}"#.to_owned();
//! assert_eq!(commands.last(), Some(&Command::Finish(Outcome::Succeeded { output })));
//! assert_eq!(step(&machine, &mut run, answer, &mut ctx), [], "it can be told again");
//! ```
//!
//! # Distributed maps
//!
//! [`Command::StartMapRun`] hands over a [`MapRunRequest`]: keep a [`MapRun`] of it in a row of its own and drive it as its
//! commands say. It asks for pages of items ([`MapRunCommand::ReadItems`], read with [`decode`]), for child executions of
//! [`Machine::child`] ([`MapRunCommand::StartChild`]), and at last for the results of all children
//! ([`MapRunCommand::CollectResults`]); [`MapRunCommand::Finish`] is what [`Stimulus::MapRunEnded`] tells the execution.
//!
//! # Redrives
//!
//! An execution that ended FAILED, TIMED_OUT or ABORTED keeps the frames in which it ended; [`redrive`] goes on from them:
//! states that failed or were cut short run again, branches and iterations that succeeded do not. Its map runs are taken up
//! again too ([`Command::RedriveMapRun`], [`MapRunStimulus::Redrive`]).
//!
//! # One state by itself
//!
//! [`Query`] is a JSONata expression without a machine around it.
//!
//! [`inspect`] runs one state for `TestState`: with a mocked result, or up to the task that the caller must do.

pub mod jsonpath;

mod choice;
mod command;
mod diagnostic;
mod distributed;
mod execution;
mod history;
mod inspect;
mod intrinsic;
mod jsonata;
mod machine;
mod parse;
mod query;
mod resource;
mod scope;
mod step;
mod template;
mod timestamp;
mod variables;

pub use command::{
    Command, EXECUTION_WAIT, ExecutionInfo, FailureStage, MapRunRequest, Outcome, StepContext, Stimulus,
    TaskRequest, TimerKind, WaitId,
};
pub use diagnostic::{Code, Diagnostic, Severity, invalid_definition_message};
pub use distributed::{
    ChildOutcome, Counts, CsvHeaders, Item, ItemFormat, ItemPage, ItemSource, Manifest, MapRun,
    MapRunCommand, MapRunContext, MapRunEnd, MapRunPlan, MapRunStatus, MapRunStimulus, OutputType,
    ResultExport, Transformation, Unsuccessful, csv_beginning, decode, read_athena_manifest, read_manifest,
};
pub use execution::Execution;
pub use history::{EventDetails, HistoryEvent, HistoryEventType};
pub use inspect::{Inspected, Inspection, InspectionData, Mock, Mocked, TestStatus, inspect};
pub use machine::{DistributedMap, Machine, TaskParameters};
pub use query::Query;
pub use resource::{Pattern, Resource};
pub use step::{redrive, start, step};
