//! Runs a machine from one wait to the next.

mod assign;
mod context;
mod data;
mod distributed;
mod fail;
mod fork;
mod inspect;
mod redrive;
mod run;
mod task;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::command::{Command, EXECUTION_WAIT, Outcome, StepContext, Stimulus, TimerKind, WaitId};
use crate::execution::{Doing, Execution, Frame, FrameId, InputText, Link, ROOT};
use crate::history::{EventDetails, HistoryEvent, HistoryEventType};
use crate::machine::{Flow, Kind, Machine, State};
use crate::scope::{Converted, LazyContext, Reading, Scope};
use crate::variables::Variables;
use context::Sources;
use data::Data;
use fail::Failure;

pub(crate) use context::{STATE_DATA, map_context};
use inspect::Probe;
pub(crate) use inspect::{Trial, Tried, inspect_state};
use redrive::Fallen;
pub use redrive::redrive;

/// The states that one step runs before it asks to be continued.
const TRANSITIONS_MAX: u32 = 200;

/// The bytes of history after which a step asks to be continued: what a step writes must fit into one transaction.
const STEP_BYTES_MAX: usize = 2_000_000;

/// The bytes that a state's input, output or result may have.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const DATA_BYTES_MAX: usize = 262_144;

/// Starts an execution: writes `ExecutionStarted` and runs until everything waits, ends, or the bound on transitions is
/// reached. `input` is `ctx.execution.input`, parsed.
pub fn start(machine: &Machine, input: Value, ctx: &mut StepContext<'_>) -> (Execution, Vec<Command>) {
    let mut run = Execution::empty();
    let info = ctx.execution;
    let mut engine = Engine::new(machine, &mut run, ctx);
    let details = EventDetails::ExecutionStarted {
        input: info.input.to_owned(),
        role_arn: info.role_arn.to_owned(),
        machine_alias_arn: info.machine_alias_arn.map(str::to_owned),
        machine_version_arn: info.machine_version_arn.map(str::to_owned),
    };
    engine.event(HistoryEventType::ExecutionStarted, 0, Some(details));
    engine.time_execution();
    // AWS chains the first state to nothing, not to ExecutionStarted.
    engine.spawn(ROOT, None, 0, &machine.flow, Arc::new(input));
    engine.run_ready();
    let commands = engine.commands;
    (run, commands)
}

/// Tells an execution what happened and runs it on. A stimulus that finds nothing to do yields no commands: the caller
/// need not store anything then.
pub fn step(
    machine: &Machine,
    execution: &mut Execution,
    stimulus: Stimulus,
    ctx: &mut StepContext<'_>,
) -> Vec<Command> {
    if execution.closed {
        return Vec::new();
    }
    let mut engine = Engine::new(machine, execution, ctx);
    engine.stimulate(stimulus);
    engine.run_ready();
    engine.commands
}

/// One step under way.
struct Engine<'m, 'e, 'c, 'x> {
    machine: &'m Machine,
    run: &'e mut Execution,
    ctx: &'c mut StepContext<'x>,
    commands: Vec<Command>,
    /// Bytes of history in this step.
    written: usize,
    /// The history is full.
    exhausted: bool,
    /// One state runs by itself, and what it does with its data is noted.
    probe: Option<Box<Probe>>,
    /// What the failure that is on its way up has cut short.
    fallen: Fallen,
}

impl<'m, 'e, 'c, 'x> Engine<'m, 'e, 'c, 'x> {
    fn new(machine: &'m Machine, run: &'e mut Execution, ctx: &'c mut StepContext<'x>) -> Self {
        Self {
            machine,
            run,
            ctx,
            commands: Vec::new(),
            written: 0,
            exhausted: false,
            probe: None,
            fallen: Fallen::default(),
        }
    }

    /// Writes an event and returns its id.
    fn event(&mut self, event_type: HistoryEventType, previous: i64, details: Option<EventDetails>) -> i64 {
        let ends = matches!(
            event_type,
            HistoryEventType::ExecutionSucceeded
                | HistoryEventType::ExecutionFailed
                | HistoryEventType::ExecutionTimedOut
                | HistoryEventType::ExecutionAborted
        );
        let id = self.run.last_event_id + 1;
        if !ends && self.ctx.execution.history_events_max.is_some_and(|most| id >= most) {
            self.exhausted = true;
            return self.run.last_event_id;
        }
        self.run.last_event_id = id;
        self.written += details.as_ref().map_or(0, EventDetails::data_bytes);
        self.commands.push(Command::History(HistoryEvent {
            id,
            previous_event_id: previous,
            timestamp_ms: self.ctx.now_ms,
            event_type,
            details,
        }));
        id
    }

    /// Writes an event that the frame's next event follows.
    fn advance(&mut self, frame: &mut Frame, event_type: HistoryEventType, details: Option<EventDetails>) {
        frame.last_event = self.event(event_type, frame.last_event, details);
    }

    fn next_wait(&mut self) -> WaitId {
        self.run.last_wait_id += 1;
        self.run.last_wait_id
    }

    /// A new line of control at the start of a flow.
    fn spawn(&mut self, id: FrameId, link: Option<Link>, last_event: i64, flow: &Flow, input: Arc<Value>) {
        let name = flow.state(flow.start).map_or_else(|| Arc::from(""), |state| Arc::clone(&state.name));
        let frame = Frame {
            link,
            last_event,
            state: flow.start,
            state_name: name,
            input,
            input_text: InputText::default(),
            entered_event: 0,
            entered_ms: 0,
            retries: Vec::new(),
            doing: Doing::Enter,
            variables: Variables::default(),
            map_run: None,
        };
        self.run.frames.insert(id, frame);
        self.run.ready.push_back(id);
    }

    fn next_frame(&mut self) -> FrameId {
        self.run.last_frame_id += 1;
        self.run.last_frame_id
    }

    fn state(&self, frame: &Frame) -> Option<&'m State> {
        state_of(self.machine, &self.run.frames, frame)
    }

    /// Evaluates something with the frame's context object and variables, and with chance.
    fn evaluate<R>(&mut self, frame: &Frame, data: Data<'_>, work: impl FnOnce(&mut Scope<'_>) -> R) -> R {
        let sources = Sources {
            execution: self.ctx.execution,
            machine: self.machine,
            frame,
            frames: &self.run.frames,
            item: data.item,
            token: data.token,
            redriven_ms: self.run.redriven_ms,
            given: self.probe.as_ref().and_then(|probe| probe.context.as_ref()),
        };
        let make = || sources.object();
        let context = LazyContext::new(&make);
        let variables = assign::visible(&self.run.frames, frame);
        work(&mut Scope {
            reading: Reading { input: data.input, context: &context, variables },
            result: data.result,
            error_output: data.error_output,
            now_ms: self.ctx.now_ms,
            random: self.ctx.random,
            converted: Converted::default(),
        })
    }

    /// Runs every frame that can go on.
    fn run_ready(&mut self) {
        let mut left = TRANSITIONS_MAX;
        loop {
            if self.exhausted && !self.run.closed {
                self.exhaust();
            }
            let Some(id) = self.run.ready.pop_front() else { return };
            if left == 0 || self.written > STEP_BYTES_MAX {
                self.run.ready.push_front(id);
                self.commands.push(Command::Continue);
                return;
            }
            left -= 1;
            self.go(id);
        }
    }

    fn stimulate(&mut self, stimulus: Stimulus) {
        match stimulus {
            Stimulus::Continue => {}
            Stimulus::TimerFired { kind: TimerKind::Execution, .. } => self.time_out(),
            Stimulus::Exhausted { error, cause } => {
                self.end_failed(self.run.last_event_id, Failure::fatal(&error, cause));
            }
            Stimulus::Stop { error, cause } => {
                let details = EventDetails::Failure { error: error.clone(), cause: cause.clone() };
                self.event(HistoryEventType::ExecutionAborted, 0, Some(details));
                self.close(Outcome::Aborted { error, cause });
            }
            Stimulus::TaskStarted { wait_id, .. }
            | Stimulus::TaskSubmitted { wait_id, .. }
            | Stimulus::TaskSucceeded { wait_id, .. }
            | Stimulus::TaskFailed { wait_id, .. }
            | Stimulus::TaskNotStarted { wait_id, .. }
            | Stimulus::Heartbeat { wait_id }
            | Stimulus::MapRunEnded { wait_id, .. }
            | Stimulus::TimerFired { wait_id, .. } => {
                let found = self.run.frames.iter().find(|(_, frame)| frame.doing.wait_id() == Some(wait_id));
                if let Some(id) = found.map(|(id, _)| *id) {
                    self.resume(id, stimulus);
                }
            }
        }
    }

    fn time_out(&mut self) {
        let Some(seconds) = self.machine.timeout_seconds else { return };
        // A redrive begins to count anew.
        let from_ms = self.run.redriven_ms.unwrap_or(self.ctx.execution.start_ms);
        if self.ctx.now_ms < from_ms.saturating_add(seconds.saturating_mul(1000)) {
            return;
        }
        let details = EventDetails::Failure { error: None, cause: None };
        self.event(HistoryEventType::ExecutionTimedOut, 0, Some(details));
        self.close(Outcome::TimedOut);
    }

    fn exhaust(&mut self) {
        let most = self.ctx.execution.history_events_max.unwrap_or_default();
        let cause = format!("The execution reached the maximum number of history events ({most}).");
        self.end_failed(self.run.last_event_id, Failure::fatal("States.Runtime", cause));
    }

    fn end_failed(&mut self, previous: i64, failure: Failure) {
        let Failure { error, cause, .. } = failure;
        let details = EventDetails::Failure { error: error.clone(), cause: cause.clone() };
        self.event(HistoryEventType::ExecutionFailed, previous, Some(details));
        self.close(Outcome::Failed { error, cause });
    }

    /// Sets the timer of the whole execution, if its machine has one.
    fn time_execution(&mut self) {
        if let Some(seconds) = self.machine.timeout_seconds {
            let at_ms = self.ctx.now_ms.saturating_add(seconds.saturating_mul(1000));
            let kind = TimerKind::Execution;
            self.commands.push(Command::StartTimer { wait_id: EXECUTION_WAIT, kind, at_ms });
        }
    }

    /// Lets go of everything that is still waited for, and ends. Of what did not succeed the frames stay, at rest: a
    /// redrive goes on from them.
    fn close(&mut self, outcome: Outcome) {
        let frames = std::mem::take(&mut self.run.frames);
        for frame in frames.values() {
            self.let_go(&frame.doing);
        }
        if !matches!(outcome, Outcome::Succeeded { .. }) {
            self.run.frames = std::mem::take(&mut self.fallen).with(frames);
        }
        if self.machine.timeout_seconds.is_some() && outcome != Outcome::TimedOut {
            self.commands.push(Command::CancelTimer { wait_id: EXECUTION_WAIT, kind: TimerKind::Execution });
        }
        self.run.ready.clear();
        self.run.closed = true;
        self.commands.push(Command::Finish(outcome));
    }

    /// Cancels what a frame waits for.
    fn let_go(&mut self, doing: &Doing) {
        match doing {
            Doing::Wait(wait_id) => self.cancel_timer(*wait_id, TimerKind::Wait),
            Doing::Retry(wait_id) => self.cancel_timer(*wait_id, TimerKind::Retry),
            Doing::MapRun(wait_id) => self.commands.push(Command::StopMapRun { wait_id: *wait_id }),
            Doing::Task(task) => {
                self.commands.push(Command::CancelTask { wait_id: task.wait_id });
                self.cancel_task_timers(task);
            }
            Doing::Enter | Doing::Run | Doing::Fork(_) => {}
        }
    }

    fn cancel_timer(&mut self, wait_id: WaitId, kind: TimerKind) {
        self.commands.push(Command::CancelTimer { wait_id, kind });
    }
}

/// The flow that a frame with this link runs in; `None` only if the execution is not of this machine.
fn flow_of<'m>(
    machine: &'m Machine,
    frames: &BTreeMap<FrameId, Frame>,
    link: Option<Link>,
) -> Option<&'m Flow> {
    let Some(link) = link else { return Some(&machine.flow) };
    let parent = frames.get(&link.parent)?;
    match &state_of(machine, frames, parent)?.kind {
        Kind::Parallel { branches } => branches.get(link.index as usize),
        Kind::Map(map) => Some(map.processor()),
        _ => None,
    }
}

fn state_of<'m>(machine: &'m Machine, frames: &BTreeMap<FrameId, Frame>, frame: &Frame) -> Option<&'m State> {
    flow_of(machine, frames, frame.link)?.state(frame.state)
}
