//! A running execution: what it waits for, and how it goes on when something happened.
//!
//! `asl` decides; here its commands become rows and tasks, all in the transaction in which the step was made. An EXPRESS
//! execution differs by what is left of it: no history and no status events, one row when it has ended.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use asl::{
    Command, EXECUTION_WAIT, ExecutionInfo, HistoryEvent, HistoryEventType, MapRunStimulus, Pattern,
    StepContext, Stimulus, TaskRequest, TimerKind, WaitId,
};
use base::Timestamp;
use kernel::{Call, Error, Event, NewTask, Reply, Result, RetryPolicy, TaskHandle, TraceCx, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Stored;
use store::bytes::Bytes;

use crate::api::ExecutionStatus as Status;
use crate::arn::ExecutionId;
use crate::execution::{End, Execution, Express, Parent, Rest};
use crate::integration::{self, Asked, Asker, Place};
use crate::keys::{Compact, ExecutionKey, ExpressKey, HistoryKey, Listed, OfferKey, RestKey, RunKey};
use crate::machine::{Definition, definition};
use crate::map_run;
use crate::ops::{child_ended, resume, stop_child, task_ended, timer};
use crate::redrive::HISTORY_EVENTS;
use crate::status;
use crate::token::Token;

/// The number of events beyond which an execution fails.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const HISTORY_EVENTS_MAX: i64 = 25_000;

/// How long an EXPRESS execution may run.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html>
const EXPRESS_SECONDS_MAX: i64 = 300;

/// The bytes of a running execution beyond which it fails: with its history and its tasks it must fit into one
/// transaction. Only a Map or a Parallel whose iterations each hold hundreds of kilobytes comes this far.
const RUN_BYTES_MAX: usize = 5_000_000;

/// What a running execution waits for. Stored by position: a change of its members raises the format of its row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub state: asl::Execution,
    /// Where the execution stands in its chain of causes: its own steps do not lengthen it, however many they are.
    pub hop: u16,
    pub timers: Vec<OpenTimer>,
    pub tasks: Vec<OpenTask>,
    /// Map runs under way, by their waits.
    #[serde(default)]
    pub maps: Vec<(WaitId, String)>,
}

/// A timer that has not fired.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OpenTimer {
    pub wait: WaitId,
    pub kind: TimerKind,
    pub handle: TaskHandle,
}

/// A task that has no result yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OpenTask {
    pub wait: WaitId,
    /// The call: it may have ended while its result is still waited for.
    pub handle: TaskHandle,
    /// What the task's token must hold.
    pub nonce: Option<u64>,
    /// Whether the call has ended well and something else brings the result.
    pub submitted: bool,
    /// The execution that brings the result (`.sync`).
    pub child: Option<ExecutionId>,
    pub pattern: Pattern,
    /// Where it waits for a worker.
    #[serde(default)]
    pub offer: Option<Place>,
}

/// An execution while something happens to it.
pub(crate) struct Live {
    pub id: ExecutionId,
    pub execution: Execution,
    pub run: Run,
    definition: Arc<Definition>,
    events: Vec<HistoryEvent>,
    pending: VecDeque<Stimulus>,
    changed: bool,
    /// Whether its rows have been written by an earlier commit.
    stored: bool,
    /// Whether it ends because an EXPRESS execution may run no longer.
    expired: bool,
    /// Where it stands when it ended without success.
    rest: Option<Bytes>,
}

impl Live {
    /// The execution, if it is running.
    pub(crate) async fn load(tx: &mut Tx, id: &ExecutionId) -> Result<Option<Live>> {
        let Some(bytes) = tx.get(&RunKey { id: id.key() }).await? else { return Ok(None) };
        let Compact(run) = Compact::<Run>::from_bytes(&bytes)?;
        let execution = tx.peek(&ExecutionKey { id: id.key() }).await?;
        let execution =
            execution.ok_or_else(|| Error::bug(format!("find the running execution {}", id.as_str())))?;
        let definition = definition(tx, id.machine(), execution.revision).await?;
        // What is enqueued from here on is a consequence of this call, as many hops from the root as the execution.
        let trace = TraceCx { hop: run.hop, ..tx.caller().trace };
        tx.set_trace(trace);
        Ok(Some(Live {
            id: id.clone(),
            execution,
            run,
            definition,
            events: Vec::new(),
            pending: VecDeque::new(),
            changed: false,
            stored: true,
            expired: false,
            rest: None,
        }))
    }

    /// Starts an execution and runs it as far as it goes: the execution as it is then. `input` is its input, parsed.
    pub(crate) fn begin(
        tx: &mut Tx,
        id: ExecutionId,
        execution: Execution,
        definition: Arc<Definition>,
        input: Value,
    ) -> Result<Execution> {
        tell(tx, &id, &execution, true)?;
        let started =
            within(tx, &id, &execution, &definition, |ctx| asl::start(&definition.machine, input, ctx));
        let (state, commands) = started;
        Live::launch(tx, id, execution, definition, state, commands)
    }

    /// Takes up again an execution that stood there when it ended: it is RUNNING in `execution`, and nowhere listed.
    pub(crate) fn redrive(
        tx: &mut Tx,
        id: ExecutionId,
        execution: Execution,
        definition: Arc<Definition>,
        mut state: asl::Execution,
    ) -> Result<Execution> {
        tell(tx, &id, &execution, false)?;
        let commands = within(tx, &id, &execution, &definition, |ctx| {
            asl::redrive(&definition.machine, &mut state, ctx)
        });
        Live::launch(tx, id, execution, definition, state, commands)
    }

    /// Does what the first step asks for, goes on as far as that leads, and writes all rows.
    fn launch(
        tx: &mut Tx,
        id: ExecutionId,
        execution: Execution,
        definition: Arc<Definition>,
        state: asl::Execution,
        commands: Vec<Command>,
    ) -> Result<Execution> {
        let run = Run {
            state,
            hop: tx.caller().trace.hop,
            timers: Vec::new(),
            tasks: Vec::new(),
            maps: Vec::new(),
        };
        let mut live = Live {
            id,
            execution,
            run,
            definition,
            events: Vec::new(),
            pending: VecDeque::new(),
            changed: true,
            stored: false,
            expired: false,
            rest: None,
        };
        live.obey(tx, commands)?;
        live.go_on(tx)?;
        let run = live.encoded(tx)?;
        if live.id.is_express() {
            live.begin_express(tx, run)
        } else {
            tx.put(&ExecutionKey { id: live.id.key() }, &live.execution)?;
            if let Some(run) = run {
                tx.put(&RunKey { id: live.id.key() }, &run)?;
            }
            live.put_rest(tx)?;
            live.list(tx)?;
            live.put_events(tx)?;
            Ok(live.execution)
        }
    }

    /// One row if it has ended; else what lets it go on, and the time at which it may run no longer.
    fn begin_express(mut self, tx: &mut Tx, run: Option<Bytes>) -> Result<Execution> {
        if run.is_some() {
            if self.definition.machine.timeout_seconds().is_none_or(|seconds| seconds > EXPRESS_SECONDS_MAX) {
                let at = self.execution.started_at.as_millis() + EXPRESS_SECONDS_MAX * 1000;
                self.start_timer(tx, EXECUTION_WAIT, TimerKind::Execution, Timestamp::from_millis(at))?;
            }
            let id = self.id.key();
            tx.put(&RunKey { id: id.clone() }, &Compact(&self.run).encode()?)?;
            tx.put(&ExecutionKey { id }, &self.execution)?;
            self.list(tx)?;
        } else {
            self.put_express(tx)?;
        }
        self.put_events(tx)?;
        Ok(self.execution)
    }

    fn put_express(&self, tx: &mut Tx) -> Result<()> {
        if self.execution.map.is_some() {
            // Its map run keeps it.
            return Ok(());
        }
        let id = self.id.express_id();
        let id = id.ok_or_else(|| Error::bug(format!("end the express execution {}", self.id.as_str())))?;
        let key = ExpressKey { machine: self.id.machine().to_owned(), id };
        let express = Express { name: self.id.name().to_owned(), execution: self.execution.clone() };
        tx.put(&key, &express)
    }

    /// Ends an EXPRESS execution that has run as long as it may.
    pub(crate) fn expire(&mut self, tx: &mut Tx) -> Result<()> {
        let most = self.execution.started_at.as_millis() + EXPRESS_SECONDS_MAX * 1000;
        self.expired = self.id.is_express() && tx.now().as_millis() >= most;
        if self.expired {
            self.step(tx, Stimulus::Stop { error: None, cause: None })?;
        }
        Ok(())
    }

    /// The open task of a wait.
    pub(crate) fn task(&mut self, wait: WaitId) -> Option<&mut OpenTask> {
        self.run.tasks.iter_mut().find(|task| task.wait == wait)
    }

    /// Tells the execution what happened and runs it on as far as it goes.
    pub(crate) fn step(&mut self, tx: &mut Tx, stimulus: Stimulus) -> Result<()> {
        self.pending.push_back(stimulus);
        self.go_on(tx)
    }

    /// Writes what the steps changed.
    pub(crate) fn store(mut self, tx: &mut Tx) -> Result<()> {
        if !self.changed {
            return Ok(());
        }
        let key = RunKey { id: self.id.key() };
        match self.encoded(tx)? {
            Some(run) => tx.put(&key, &run)?,
            None => {
                tx.delete(&key);
                self.execution.listed_as(&self.id, Status::Running).for_each(|listed| tx.delete(&listed));
                if self.id.is_express() {
                    tx.delete(&ExecutionKey { id: self.id.key() });
                    self.put_express(tx)?;
                } else {
                    tx.put(&ExecutionKey { id: self.id.key() }, &self.execution)?;
                    self.put_rest(tx)?;
                    self.list(tx)?;
                }
            }
        }
        self.put_events(tx)
    }

    /// The row of the run; `None` if it has ended, be it because there is too much of it.
    fn encoded(&mut self, tx: &mut Tx) -> Result<Option<Bytes>> {
        if self.execution.end.is_some() {
            return Ok(None);
        }
        let run = Compact(&self.run).encode()?;
        if run.len() <= RUN_BYTES_MAX {
            return Ok(Some(run));
        }
        let cause = format!("The branches and iterations hold more than {RUN_BYTES_MAX} bytes at once.");
        self.step(tx, Stimulus::Exhausted { error: "States.DataLimitExceeded".to_owned(), cause })?;
        Ok(None)
    }

    fn list(&self, tx: &mut Tx) -> Result<()> {
        let Execution { version, alias, end, .. } = &self.execution;
        let stopped_at = end.as_ref().map(|end| end.at);
        let items = self.execution.map.as_ref().map(|map| map.items);
        let redriven = self.execution.redrives.as_ref().map(|redrives| (redrives.count, redrives.last));
        let listed = Listed { stopped_at, version: *version, alias: alias.clone(), items, redriven };
        self.execution.listed_as(&self.id, self.execution.status()).try_for_each(|key| tx.put(&key, &listed))
    }

    /// Looks whether a redrive could go on from here, and keeps what it would need.
    fn come_to_rest(&mut self) -> Result<Option<Rest>> {
        if self.id.is_express() || !self.run.state.can_be_redriven() {
            return Ok(None);
        }
        if self.run.state.history_events() >= HISTORY_EVENTS {
            return Ok(Some(Rest::TooLong));
        }
        let state = Compact(&self.run.state).encode()?;
        if state.len() > RUN_BYTES_MAX {
            return Ok(Some(Rest::TooLarge));
        }
        self.rest = Some(state);
        Ok(Some(Rest::Kept))
    }

    fn put_rest(&mut self, tx: &mut Tx) -> Result<()> {
        match self.rest.take() {
            Some(state) => tx.put(&RestKey { id: self.id.key() }, &state),
            None => Ok(()),
        }
    }

    /// Keeps the events of this step, and has those logged that are to be.
    fn put_events(&mut self, tx: &mut Tx) -> Result<()> {
        let events = std::mem::take(&mut self.events);
        if let Some(log) = &self.definition.log {
            log.write(tx, &self.id, self.execution.redrive_count(), &events)?;
        }
        match events.first() {
            Some(first) if !self.id.is_express() => {
                let key = HistoryKey { id: self.id.key(), first: first.id };
                tx.put(&key, &Compact(events))
            }
            _ => Ok(()),
        }
    }

    /// Takes every stimulus that is pending; obeying one may bring another.
    fn go_on(&mut self, tx: &mut Tx) -> Result<()> {
        while let Some(stimulus) = self.pending.pop_front() {
            let Live { id, execution, run, definition, .. } = self;
            let commands = within(tx, id, execution, definition, |ctx| {
                asl::step(&definition.machine, &mut run.state, stimulus, ctx)
            });
            if commands.is_empty() {
                continue;
            }
            self.changed = true;
            self.obey(tx, commands)?;
        }
        self.forget_what_is_over();
        Ok(())
    }

    fn obey(&mut self, tx: &mut Tx, commands: Vec<Command>) -> Result<()> {
        for command in commands {
            match command {
                Command::History(event) => self.write(event),
                Command::Schedule(request) => self.schedule(tx, &request)?,
                Command::StartTimer { wait_id, kind, at_ms } => {
                    self.start_timer(tx, wait_id, kind, Timestamp::from_millis(at_ms))?;
                }
                Command::CancelTimer { wait_id, kind } => self.cancel_timer(tx, wait_id, kind),
                Command::CancelTask { wait_id } => self.cancel_task(tx, wait_id)?,
                Command::StartMapRun(request) => {
                    let wait = request.wait_id;
                    let machine = &self.definition.machine;
                    let run = map_run::begin(tx, &self.id, &self.execution, self.run.hop, machine, *request)?;
                    self.run.maps.push((wait, run));
                }
                Command::RedriveMapRun { wait_id, map_run_arn } => {
                    let run = map_run::redrive(tx, &map_run_arn, wait_id)?;
                    self.run.maps.push((wait_id, run));
                }
                Command::StopMapRun { wait_id } => self.stop_map_run(tx, wait_id)?,
                Command::Finish(outcome) => self.finish(tx, End::of(outcome, tx.now()))?,
                Command::Continue => {
                    tx.enqueue(tx.now(), NewTask::new(Call::new("states", resume::RESUME, &self.id)?))?;
                }
            }
        }
        Ok(())
    }

    /// What an execution that may run no longer calls an abortion is its timeout.
    fn write(&mut self, mut event: HistoryEvent) {
        if self.expired && event.event_type == HistoryEventType::ExecutionAborted {
            event.event_type = HistoryEventType::ExecutionTimedOut;
        }
        self.events.push(event);
    }

    /// Has a task done: a call whose answer comes back to us, whatever it is. Its errors are the machine's business.
    fn schedule(&mut self, tx: &mut Tx, request: &TaskRequest) -> Result<()> {
        let wait = request.wait_id;
        let asker = Asker {
            id: &self.id,
            execution_arn: self.id.arn(tx.scope()),
            machine_arn: self.id.machine_arn(tx.scope()),
            fresh: tx.id(),
            schema: integration::operation(&request.resource)
                .and_then(|(service, operation)| tx.operation_schema(service, &operation)),
        };
        let asked = match integration::ask(&asker, request) {
            Ok(asked) => asked,
            Err(refused) => {
                let (error, cause) = (Some(refused.error), Some(refused.cause));
                self.pending.push_back(Stimulus::TaskFailed { wait_id: wait, error, cause });
                return Ok(());
            }
        };
        let Asked { call, lane, child, offer } = asked;
        let context =
            task_ended::Context { execution: self.id.clone(), wait, resource: request.resource.clone() };
        let reply = Reply {
            service: "states".to_owned(),
            operation: task_ended::TASK_ENDED.to_owned(),
            context: serde_json::to_string(&context)?,
        };
        let role = &self.definition.role_arn;
        let scope = tx.scope();
        let caller = tx.caller().as_service(role, scope.account.clone(), scope.region.clone());
        let handle = tx.enqueue(
            tx.now(),
            NewTask {
                retry: RetryPolicy::once(),
                reply: Some(reply),
                lane,
                note: Some(format!("state {}", request.state_name)),
                caller: Some(caller),
                ..NewTask::new(call)
            },
        )?;
        let nonce = request.task_token.as_deref().and_then(Token::parse).map(|token| token.nonce);
        let pattern = request.resource.pattern();
        self.run.tasks.push(OpenTask { wait, handle, nonce, submitted: false, child, pattern, offer });
        Ok(())
    }

    fn start_timer(&mut self, tx: &mut Tx, wait: WaitId, kind: TimerKind, at: Timestamp) -> Result<()> {
        self.cancel_timer(tx, wait, kind);
        let fired = timer::Fired { execution: self.id.clone(), wait, kind };
        let note = Some(format!("{kind:?}"));
        let call = Call::new("states", timer::TIMER, &fired)?;
        let handle = tx.enqueue(at, NewTask { note, ..NewTask::new(call) })?;
        self.run.timers.push(OpenTimer { wait, kind, handle });
        Ok(())
    }

    fn cancel_timer(&mut self, tx: &mut Tx, wait: WaitId, kind: TimerKind) {
        let gone = |timer: &OpenTimer| timer.wait == wait && timer.kind == kind;
        self.run.timers.iter().filter(|timer| gone(timer)).for_each(|timer| tx.cancel(&timer.handle));
        self.run.timers.retain(|timer| !gone(timer));
    }

    /// The call is not made if it was not made yet; a nested execution is stopped with its task.
    fn cancel_task(&mut self, tx: &mut Tx, wait: WaitId) -> Result<()> {
        let Some(place) = self.run.tasks.iter().position(|task| task.wait == wait) else { return Ok(()) };
        let task = self.run.tasks.swap_remove(place);
        if !task.submitted {
            tx.cancel(&task.handle);
        }
        if let Some((activity, id)) = task.offer {
            tx.delete(&OfferKey { activity, id });
        }
        if let Some(child) = task.child {
            let parent = Parent { execution: self.id.clone(), wait };
            let stop = stop_child::StopChild { child, parent };
            tx.enqueue(tx.now(), NewTask::new(Call::new("states", stop_child::STOP_CHILD, &stop)?))?;
        }
        Ok(())
    }

    fn stop_map_run(&mut self, tx: &mut Tx, wait: WaitId) -> Result<()> {
        let Some(place) = self.run.maps.iter().position(|(known, _)| *known == wait) else { return Ok(()) };
        let (_, run) = self.run.maps.swap_remove(place);
        map_run::tell(tx, &run, MapRunStimulus::Abort)
    }

    fn finish(&mut self, tx: &mut Tx, mut end: End) -> Result<()> {
        if self.expired {
            end.status = Status::TimedOut;
        }
        end.rest = self.come_to_rest()?;
        self.execution.end = Some(end);
        map_run::child_ended(tx, &self.id, &self.execution)?;
        if self.id.is_express() {
            self.cancel_timer(tx, EXECUTION_WAIT, TimerKind::Execution);
            if self.stored {
                note(tx, &self.id, &self.execution);
            }
            return Ok(());
        }
        tell(tx, &self.id, &self.execution, !self.stored)?;
        if let Some(parent) = &self.execution.parent {
            let ended = child_ended::ChildEnded { parent: parent.clone(), child: self.id.clone() };
            tx.enqueue(tx.now(), NewTask::new(Call::new("states", child_ended::CHILD_ENDED, &ended)?))?;
        }
        Ok(())
    }

    /// Tasks that have their result, and timers of waits that are over, are no longer open.
    fn forget_what_is_over(&mut self) {
        if self.run.tasks.is_empty() && self.run.timers.is_empty() {
            return;
        }
        let waits: HashSet<WaitId> = self.run.state.waits().into_iter().map(|(wait, _)| wait).collect();
        self.run.tasks.retain(|task| waits.contains(&task.wait));
        self.run.timers.retain(|timer| timer.wait == EXECUTION_WAIT || waits.contains(&timer.wait));
    }
}

/// Tells the bus of the status of a STANDARD execution; `begins` in the transaction that starts it.
fn tell(tx: &mut Tx, id: &ExecutionId, execution: &Execution, begins: bool) -> Result<()> {
    if !id.is_express() {
        let event = status::changed(tx.scope(), id, execution, tx.now())?;
        tx.emit(Event { begins_order: begins, ..event })?;
        note(tx, id, execution);
    }
    Ok(())
}

/// Makes the chain of causes findable by the execution's ARN.
fn note(tx: &mut Tx, id: &ExecutionId, execution: &Execution) {
    let detail = match execution.end.as_ref().and_then(|end| end.error.as_deref()) {
        None => json!({ "status": execution.status() }),
        Some(error) => json!({ "status": execution.status(), "error": error }),
    };
    let arn = id.arn(tx.scope());
    tx.note("execution", &arn, Some(detail));
}

/// Runs a step of `asl` with the time, the chance and the facts of this execution.
fn within<R>(
    tx: &Tx,
    id: &ExecutionId,
    execution: &Execution,
    definition: &Definition,
    work: impl FnOnce(&mut StepContext<'_>) -> R,
) -> R {
    let (arn, machine_arn) = (id.arn(tx.scope()), id.machine_arn(tx.scope()));
    let (version, alias) = (execution.version_arn(tx.scope(), id), execution.alias_arn(tx.scope(), id));
    let mut random = || tx.random();
    let mut task_token = |wait| Token { execution: id.clone(), wait, nonce: tx.random() }.to_text();
    work(&mut StepContext {
        now_ms: tx.now().as_millis(),
        execution: ExecutionInfo {
            arn: &arn,
            name: id.name(),
            input: &execution.input,
            start_ms: execution.started_at.as_millis(),
            role_arn: &definition.role_arn,
            redrive_count: (!id.is_express()).then(|| execution.redrive_count()),
            machine_arn: &machine_arn,
            machine_name: id.machine(),
            machine_version_arn: version.as_deref(),
            machine_alias_arn: alias.as_deref(),
            history_events_max: (!id.is_express()).then_some(HISTORY_EVENTS_MAX),
        },
        random: &mut random,
        task_token: &mut task_token,
    })
}
