//! Hands tasks out and takes their answers.

use std::sync::Arc;

use serde_json::Value;

use super::data::Data;
use super::fail::{Failure, TIMEOUT, check_size};
use super::run::Progress;
use super::{DATA_BYTES_MAX, Engine};
use crate::command::{Command, FailureStage, Stimulus, TaskRequest, TimerKind, WaitId};
use crate::execution::{Doing, Frame, FrameId, TaskWait};
use crate::history::{EventDetails, HistoryEventType as Event};
use crate::machine::{Kind, State, Task};
use crate::resource::{Pattern, Resource};

impl Engine<'_, '_, '_, '_> {
    /// Hands out the task of a state.
    pub(super) fn schedule(
        &mut self,
        frame: &mut Frame,
        state: &State,
        task: &Task,
    ) -> Result<Progress, Failure> {
        let effective = self.effective(frame, state)?;
        let timeout = self.seconds(frame, task, "TimeoutSecondsPath", &effective)?;
        let heartbeat = self.seconds(frame, task, "HeartbeatSecondsPath", &effective)?;
        let credentials_role_arn = match &task.credentials {
            None => None,
            Some(template) => {
                let credentials = self.template(frame, template, Data::of(&effective))?;
                credentials.get("RoleArn").and_then(Value::as_str).map(str::to_owned)
            }
        };
        let wait_id = self.next_wait();
        let task_token = task.resource.has_token().then(|| (self.ctx.task_token)(wait_id));
        let parameters = self.parameters(frame, state, effective, task_token.as_deref())?;
        let text = parameters.to_string();
        check_size(state, &text)?;
        let (event, details) = self.scheduled(task, text, (timeout, heartbeat), credentials_role_arn.clone());
        self.advance(frame, event, Some(details));
        let ms = |seconds: i64| seconds.saturating_mul(1000);
        self.commands.push(Command::Schedule(Box::new(TaskRequest {
            wait_id,
            state_name: state.name.to_string(),
            resource: task.resource.clone(),
            parameters: Arc::try_unwrap(parameters).unwrap_or_else(|shared| (*shared).clone()),
            timeout_ms: timeout.map(ms),
            heartbeat_ms: heartbeat.map(ms),
            task_token,
            credentials_role_arn,
        })));
        let timeout_at_ms = timeout.map(|seconds| self.ctx.now_ms.saturating_add(ms(seconds)));
        if let Some(at_ms) = timeout_at_ms {
            self.commands.push(Command::StartTimer { wait_id, kind: TimerKind::Timeout, at_ms });
        }
        // Only the holder of a token can send heartbeats.
        let heartbeat_ms = heartbeat.map(ms).filter(|_| task.resource.has_token());
        let mut waiting =
            TaskWait { wait_id, started: false, timeout_at_ms, heartbeat_ms, heartbeat_at_ms: None };
        if task.resource.pattern() == Pattern::WaitForTaskToken {
            self.expect_heartbeat(&mut waiting);
        }
        frame.doing = Doing::Task(waiting);
        Ok(Progress::Waiting)
    }

    fn seconds(
        &mut self,
        frame: &Frame,
        task: &Task,
        field: &str,
        input: &Value,
    ) -> Result<Option<i64>, Failure> {
        let quantity = if field == "TimeoutSecondsPath" { &task.timeout } else { &task.heartbeat };
        quantity
            .as_ref()
            .map(|quantity| self.quantity(frame, quantity, field, (1, 99_999_999), input))
            .transpose()
    }

    fn scheduled(
        &self,
        task: &Task,
        text: String,
        (timeout_in_seconds, heartbeat_in_seconds): (Option<i64>, Option<i64>),
        credentials_role_arn: Option<String>,
    ) -> (Event, EventDetails) {
        let resource = task.resource.resource_name();
        match &task.resource {
            Resource::LambdaArn(_) | Resource::Activity(_) => {
                let activity = matches!(task.resource, Resource::Activity(_));
                let event = if activity { Event::ActivityScheduled } else { Event::LambdaFunctionScheduled };
                let details = EventDetails::Scheduled {
                    resource,
                    input: text,
                    timeout_in_seconds,
                    heartbeat_in_seconds: heartbeat_in_seconds.filter(|_| activity),
                    credentials_role_arn,
                };
                (event, details)
            }
            Resource::Integration { .. } | Resource::AwsSdk { .. } => {
                let region = self.ctx.execution.machine_arn.split(':').nth(3).unwrap_or_default().to_owned();
                let details = EventDetails::TaskScheduled {
                    resource_type: task.resource.resource_type(),
                    resource,
                    region,
                    parameters: text,
                    timeout_in_seconds,
                    heartbeat_in_seconds,
                    credentials_role_arn,
                };
                (Event::TaskScheduled, details)
            }
        }
    }

    /// Sets the heartbeat's timer, or sets it anew.
    fn expect_heartbeat(&mut self, task: &mut TaskWait) {
        let Some(ms) = task.heartbeat_ms else { return };
        let at_ms = self.ctx.now_ms.saturating_add(ms);
        task.heartbeat_at_ms = Some(at_ms);
        self.commands.push(Command::StartTimer { wait_id: task.wait_id, kind: TimerKind::Heartbeat, at_ms });
    }

    /// Gives a frame the stimulus that names its wait.
    pub(super) fn resume(&mut self, id: FrameId, stimulus: Stimulus) {
        let Some(mut frame) = self.run.frames.remove(&id) else { return };
        let Some(state) = self.state(&frame) else {
            self.run.frames.insert(id, frame);
            return;
        };
        let progress = match (&frame.doing, stimulus) {
            (Doing::Wait(_), Stimulus::TimerFired { kind: TimerKind::Wait, .. }) => {
                self.waited(&frame, state)
            }
            (Doing::Retry(_), Stimulus::TimerFired { kind: TimerKind::Retry, .. }) => {
                frame.doing = Doing::Run;
                self.run.ready.push_back(id);
                Ok(Progress::Waiting)
            }
            (Doing::MapRun(_), Stimulus::MapRunEnded { end, .. }) => {
                frame.doing = Doing::Run;
                self.map_run_ended(&mut frame, state, end)
            }
            (Doing::Task(task), stimulus) => {
                let task = task.clone();
                self.task_stimulus(&mut frame, state, task, stimulus)
            }
            _ => Ok(Progress::Waiting),
        };
        self.settle(id, frame, state, progress);
    }

    fn task_stimulus(
        &mut self,
        frame: &mut Frame,
        state: &State,
        mut task: TaskWait,
        stimulus: Stimulus,
    ) -> Result<Progress, Failure> {
        let Kind::Task(definition) = &state.kind else { return Ok(Progress::Waiting) };
        let resource = &definition.resource;
        match stimulus {
            Stimulus::TaskStarted { worker_name, .. } => {
                self.started(frame, resource, &mut task, worker_name)
            }
            Stimulus::TaskSubmitted { output, .. } => {
                self.started(frame, resource, &mut task, None);
                let details = task_output(resource, output.to_string());
                self.advance(frame, Event::TaskSubmitted, Some(details));
            }
            Stimulus::Heartbeat { .. } => self.expect_heartbeat(&mut task),
            Stimulus::TimerFired { kind, .. } => {
                if is_due(&task, kind, self.ctx.now_ms) {
                    return Err(self.timed_out(frame, resource, &task, kind));
                }
            }
            Stimulus::TaskSucceeded { output, .. } => {
                self.started(frame, resource, &mut task, None);
                self.cancel_task_timers(&task);
                return self.succeeded(frame, state, resource, output);
            }
            Stimulus::TaskFailed { error, cause, .. } => {
                self.started(frame, resource, &mut task, None);
                self.cancel_task_timers(&task);
                let event = by_resource(
                    resource,
                    Event::LambdaFunctionFailed,
                    Event::ActivityFailed,
                    Event::TaskFailed,
                );
                return Err(self.failed(frame, resource, event, Failure::reported(error, cause)));
            }
            Stimulus::TaskNotStarted { stage, error, cause, .. } => {
                if stage == FailureStage::Submit {
                    self.started(frame, resource, &mut task, None);
                }
                self.cancel_task_timers(&task);
                return Err(self.failed(
                    frame,
                    resource,
                    not_started(resource, stage),
                    Failure::reported(error, cause),
                ));
            }
            Stimulus::Continue
            | Stimulus::MapRunEnded { .. }
            | Stimulus::Exhausted { .. }
            | Stimulus::Stop { .. } => {}
        }
        frame.doing = Doing::Task(task);
        Ok(Progress::Waiting)
    }

    /// Writes that the task runs, if that is not written yet.
    fn started(
        &mut self,
        frame: &mut Frame,
        resource: &Resource,
        task: &mut TaskWait,
        worker: Option<String>,
    ) {
        if std::mem::replace(&mut task.started, true) {
            return;
        }
        let details = match resource {
            Resource::LambdaArn(_) => None,
            Resource::Activity(_) => Some(EventDetails::ActivityStarted { worker_name: worker }),
            _ => Some(EventDetails::TaskStarted {
                resource_type: resource.resource_type(),
                resource: resource.resource_name(),
            }),
        };
        let event =
            by_resource(resource, Event::LambdaFunctionStarted, Event::ActivityStarted, Event::TaskStarted);
        self.advance(frame, event, details);
        if matches!(resource, Resource::Activity(_)) {
            self.expect_heartbeat(task);
        }
    }

    fn succeeded(
        &mut self,
        frame: &mut Frame,
        state: &State,
        resource: &Resource,
        output: Value,
    ) -> Result<Progress, Failure> {
        let text = output.to_string();
        if text.len() > DATA_BYTES_MAX {
            let who = match resource {
                Resource::LambdaArn(arn) | Resource::Activity(arn) => arn.clone(),
                _ => resource.resource_type(),
            };
            let event =
                by_resource(resource, Event::LambdaFunctionFailed, Event::ActivityFailed, Event::TaskFailed);
            return Err(self.failed(frame, resource, event, Failure::too_large(&who)));
        }
        let event = by_resource(
            resource,
            Event::LambdaFunctionSucceeded,
            Event::ActivitySucceeded,
            Event::TaskSucceeded,
        );
        let details = match resource {
            Resource::LambdaArn(_) | Resource::Activity(_) => EventDetails::Output { output: text },
            _ => task_output(resource, text),
        };
        self.advance(frame, event, Some(details));
        self.result(frame, state, Arc::new(output))
    }

    fn failed(&mut self, frame: &mut Frame, resource: &Resource, event: Event, failure: Failure) -> Failure {
        let (error, cause) = (failure.error.clone(), failure.cause.clone());
        let details = match resource {
            Resource::LambdaArn(_) | Resource::Activity(_) => EventDetails::Failure { error, cause },
            _ => EventDetails::TaskFailure {
                resource_type: resource.resource_type(),
                resource: resource.resource_name(),
                error,
                cause,
            },
        };
        self.advance(frame, event, Some(details));
        failure
    }

    /// AWS names both timeouts `States.Timeout` in events; `States.HeartbeatTimeout` catches the second all the same.
    fn timed_out(
        &mut self,
        frame: &mut Frame,
        resource: &Resource,
        task: &TaskWait,
        kind: TimerKind,
    ) -> Failure {
        self.let_go(&Doing::Task(TaskWait {
            timeout_at_ms: task.timeout_at_ms.filter(|_| kind != TimerKind::Timeout),
            heartbeat_at_ms: task.heartbeat_at_ms.filter(|_| kind != TimerKind::Heartbeat),
            ..task.clone()
        }));
        let event = by_resource(
            resource,
            Event::LambdaFunctionTimedOut,
            Event::ActivityTimedOut,
            Event::TaskTimedOut,
        );
        let also = if kind == TimerKind::Heartbeat { vec!["States.HeartbeatTimeout"] } else { Vec::new() };
        let failure = Failure { also, ..Failure::reported(Some(TIMEOUT.to_owned()), None) };
        self.failed(frame, resource, event, failure)
    }

    pub(super) fn cancel_task_timers(&mut self, task: &TaskWait) {
        let timers: [(Option<i64>, TimerKind); 2] =
            [(task.timeout_at_ms, TimerKind::Timeout), (task.heartbeat_at_ms, TimerKind::Heartbeat)];
        let wait_id: WaitId = task.wait_id;
        for (_, kind) in timers.into_iter().filter(|(at_ms, _)| at_ms.is_some()) {
            self.cancel_timer(wait_id, kind);
        }
    }
}

fn is_due(task: &TaskWait, kind: TimerKind, now_ms: i64) -> bool {
    let at_ms = match kind {
        TimerKind::Timeout => task.timeout_at_ms,
        TimerKind::Heartbeat => task.heartbeat_at_ms,
        TimerKind::Wait | TimerKind::Retry | TimerKind::Execution => None,
    };
    at_ms.is_some_and(|at_ms| now_ms >= at_ms)
}

fn task_output(resource: &Resource, output: String) -> EventDetails {
    EventDetails::TaskOutput {
        resource_type: resource.resource_type(),
        resource: resource.resource_name(),
        output,
    }
}

/// Functions, activities and integrations have event types of their own.
fn by_resource(resource: &Resource, function: Event, activity: Event, integration: Event) -> Event {
    match resource {
        Resource::LambdaArn(_) => function,
        Resource::Activity(_) => activity,
        Resource::Integration { .. } | Resource::AwsSdk { .. } => integration,
    }
}

fn not_started(resource: &Resource, stage: FailureStage) -> Event {
    match (resource, stage) {
        (Resource::LambdaArn(_), FailureStage::Schedule) => Event::LambdaFunctionScheduleFailed,
        (Resource::LambdaArn(_), _) => Event::LambdaFunctionStartFailed,
        (Resource::Activity(_), _) => Event::ActivityScheduleFailed,
        (_, FailureStage::Submit) => Event::TaskSubmitFailed,
        (_, _) => Event::TaskStartFailed,
    }
}
