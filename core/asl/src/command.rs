//! What goes into a step and what comes out of it.

use serde_json::Value;

use crate::distributed::{Item, MapRunEnd, MapRunPlan};
use crate::history::HistoryEvent;
use crate::resource::Resource;

/// Names one thing that an execution waits for. Never given twice within an execution: a retried task gets a new one,
/// so that an answer or a timer that comes too late names nothing.
pub type WaitId = u64;

/// The wait of the whole execution: only [`TimerKind::Execution`] belongs to it.
pub const EXECUTION_WAIT: WaitId = 0;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum TimerKind {
    /// A Wait state.
    Wait,
    /// The pause before a retry.
    Retry,
    /// A task's `TimeoutSeconds`.
    Timeout,
    /// A task's `HeartbeatSeconds`.
    Heartbeat,
    /// The machine's `TimeoutSeconds`.
    Execution,
}

/// How far a task had come when it failed before it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FailureStage {
    /// It could not be scheduled (`LambdaFunctionScheduleFailed`, `ActivityScheduleFailed`).
    Schedule,
    /// It could not be started (`LambdaFunctionStartFailed`, `TaskStartFailed`).
    Start,
    /// A job or a callback request could not be submitted (`TaskSubmitFailed`).
    Submit,
}

/// Something that happened to an execution from outside. One that names a wait which is no longer there, or that comes
/// after the end, changes nothing and yields no commands.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Stimulus {
    /// Go on after [`Command::Continue`].
    Continue,
    /// The task has begun to run. Optional for functions and integrations (the event is otherwise written together
    /// with the result); activities send it with the worker's name when `GetActivityTask` hands the task out.
    TaskStarted {
        /// The task.
        wait_id: WaitId,
        /// The activity worker's name, if it gave one.
        worker_name: Option<String>,
    },
    /// A `.sync` job or a `.waitForTaskToken` request was accepted; the task goes on waiting.
    TaskSubmitted {
        /// The task.
        wait_id: WaitId,
        /// The answer of the service to the request.
        output: Value,
    },
    /// The task did its work.
    TaskSucceeded {
        /// The task.
        wait_id: WaitId,
        /// Its result, before `ResultSelector`.
        output: Value,
    },
    /// The task ran and failed.
    TaskFailed {
        /// The task.
        wait_id: WaitId,
        /// The error name; `None` where the caller of `SendTaskFailure` gave none.
        error: Option<String>,
        /// The cause.
        cause: Option<String>,
    },
    /// The task failed before it ran.
    TaskNotStarted {
        /// The task.
        wait_id: WaitId,
        /// How far it had come.
        stage: FailureStage,
        /// The error name.
        error: Option<String>,
        /// The cause.
        cause: Option<String>,
    },
    /// The worker of an activity or the holder of a task token is alive.
    Heartbeat {
        /// The task.
        wait_id: WaitId,
    },
    /// A run of a distributed map has ended.
    MapRunEnded {
        /// The wait of [`Command::StartMapRun`] or of [`Command::RedriveMapRun`].
        wait_id: WaitId,
        /// How.
        end: MapRunEnd,
    },
    /// A timer is due. It may come late or twice.
    TimerFired {
        /// The wait that the timer was set for.
        wait_id: WaitId,
        /// What it was for.
        kind: TimerKind,
    },
    /// Whoever keeps the execution can keep it no longer, e.g. because its data have grown too large: it fails, whatever
    /// catches.
    Exhausted {
        /// The error name.
        error: String,
        /// The cause.
        cause: String,
    },
    /// `StopExecution`.
    Stop {
        /// The error name that the caller gave.
        error: Option<String>,
        /// The cause that the caller gave.
        cause: Option<String>,
    },
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Outcome {
    /// SUCCEEDED.
    Succeeded {
        /// The output as JSON text.
        output: String,
    },
    /// FAILED.
    Failed {
        /// The error name.
        error: Option<String>,
        /// The cause.
        cause: Option<String>,
    },
    /// TIMED_OUT: the machine's `TimeoutSeconds` passed.
    TimedOut,
    /// ABORTED by `StopExecution`.
    Aborted {
        /// The error name that the caller gave.
        error: Option<String>,
        /// The cause that the caller gave.
        cause: Option<String>,
    },
}

impl Outcome {
    /// AWS's status: `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Succeeded { .. } => "SUCCEEDED",
            Self::Failed { .. } => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted { .. } => "ABORTED",
        }
    }
}

/// A task to be done by somebody else.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRequest {
    /// What the answer must name.
    pub wait_id: WaitId,
    /// The name of the Task state.
    pub state_name: String,
    /// Who is to do it.
    pub resource: Resource,
    /// The effective input: `Parameters` applied to what `InputPath` selected.
    pub parameters: Value,
    /// `TimeoutSeconds` in milliseconds. The step has already asked for the timer.
    pub timeout_ms: Option<i64>,
    /// `HeartbeatSeconds` in milliseconds. The step asks for the timer where heartbeats can be sent.
    pub heartbeat_ms: Option<i64>,
    /// The token under which `SendTaskSuccess`, `SendTaskFailure` and `SendTaskHeartbeat` will name this task: given for
    /// `.waitForTaskToken` and activities.
    pub task_token: Option<String>,
    /// `Credentials.RoleArn`, if the state has it.
    pub credentials_role_arn: Option<String>,
}

/// A run of a distributed map, to be kept and driven by somebody else: see [`MapRun`](crate::MapRun).
#[derive(Clone, Debug, PartialEq)]
pub struct MapRunRequest {
    /// What [`Stimulus::MapRunEnded`] must name.
    pub wait_id: WaitId,
    /// The name of the Map state.
    pub state_name: String,
    /// The run's ARN, as the history names it.
    pub map_run_arn: String,
    /// What it is to do.
    pub plan: MapRunPlan,
    /// The items, if they are in the state's input ([`ItemSource::Given`](crate::ItemSource::Given)).
    pub items: Vec<Item>,
}

/// What the caller of a step must do, in order, in the same transaction that stores the execution.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Append this event to the execution's history.
    History(HistoryEvent),
    /// Have a task done; answer with [`Stimulus::TaskSucceeded`] or [`Stimulus::TaskFailed`].
    Schedule(Box<TaskRequest>),
    /// Fire [`Stimulus::TimerFired`] at this time. Replaces a timer of the same wait and kind.
    StartTimer {
        /// The wait that the timer belongs to.
        wait_id: WaitId,
        /// What it is for.
        kind: TimerKind,
        /// When, in milliseconds since the epoch.
        at_ms: i64,
    },
    /// The timer is of no use any more. Ignoring this is harmless: a timer that fires for nothing changes nothing.
    CancelTimer {
        /// The wait that the timer belongs to.
        wait_id: WaitId,
        /// What it was for.
        kind: TimerKind,
    },
    /// Start a run of a distributed map; answer with [`Stimulus::MapRunEnded`].
    StartMapRun(Box<MapRunRequest>),
    /// Redrive this run of a distributed map once it has come to rest; answer with [`Stimulus::MapRunEnded`].
    RedriveMapRun {
        /// What the answer must name.
        wait_id: WaitId,
        /// The run, as [`MapRunRequest`] named it.
        map_run_arn: String,
    },
    /// The map run is of no interest any more (failed sibling, end of the execution): abort it, and its children.
    StopMapRun {
        /// The wait of [`Command::StartMapRun`] or of [`Command::RedriveMapRun`].
        wait_id: WaitId,
    },
    /// The task's answer is of no interest any more (timeout, failed sibling, end of the execution): forget its token,
    /// stop its `.sync` job.
    CancelTask {
        /// The task.
        wait_id: WaitId,
    },
    /// The execution has ended. Always the last command.
    Finish(Outcome),
    /// The bound on transitions or on data in one step is reached: commit, then send [`Stimulus::Continue`]. Always the last command.
    Continue,
}

/// What an execution is told about itself: constant for the whole run (until a redrive).
#[derive(Clone, Copy, Debug)]
pub struct ExecutionInfo<'a> {
    /// The execution's ARN.
    pub arn: &'a str,
    /// The execution's name.
    pub name: &'a str,
    /// The input as the caller sent it, JSON text.
    pub input: &'a str,
    /// When it started, in milliseconds since the epoch.
    pub start_ms: i64,
    /// The role that it runs with.
    pub role_arn: &'a str,
    /// How often it was redriven; `None` for what cannot be, EXPRESS executions and states that are tested.
    pub redrive_count: Option<u32>,
    /// The state machine's ARN, without version or alias; it also says the region.
    pub machine_arn: &'a str,
    /// The state machine's name.
    pub machine_name: &'a str,
    /// The version under which it was started, if any.
    pub machine_version_arn: Option<&'a str>,
    /// The alias under which it was started, if any.
    pub machine_alias_arn: Option<&'a str>,
    /// The number of history events beyond which the execution fails: 25,000 for STANDARD, none for EXPRESS.
    pub history_events_max: Option<i64>,
}

/// Time, ids and chance for one step.
pub struct StepContext<'a> {
    /// The time of this step, in milliseconds since the epoch.
    pub now_ms: i64,
    /// The execution.
    pub execution: ExecutionInfo<'a>,
    /// Chance: for jitter, `States.UUID` and `States.MathRandom`.
    pub random: &'a mut dyn FnMut() -> u64,
    /// Makes the task token of a wait.
    pub task_token: &'a mut dyn FnMut(WaitId) -> String,
}
