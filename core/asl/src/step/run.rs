//! Enters, runs and leaves states.

use std::sync::Arc;

use serde_json::Value;

use super::Engine;
use super::assign::keep;
use super::data::Data;
use super::fail::{Failure, check_size};
use crate::command::{Command, Outcome, TimerKind};
use crate::execution::{Doing, Frame, FrameId, InputText};
use crate::history::{EventDetails, HistoryEventType as Event};
use crate::machine::{ChoiceRule, FailText, Kind, Language, Next, State, WaitTime, When};
use crate::scope::EvalError;
use crate::template::Expression;
use crate::timestamp;
use crate::variables::Assigned;

/// How far a state came.
pub(super) enum Progress {
    Done {
        output: Arc<Value>,
        next: Next,
        assigned: Assigned,
    },
    /// It waits; the frame says for what.
    Waiting,
}

impl Engine<'_, '_, '_, '_> {
    /// Lets a frame enter or run its state.
    pub(super) fn go(&mut self, id: FrameId) {
        let Some(mut frame) = self.run.frames.remove(&id) else { return };
        let Some(state) = self.state(&frame) else {
            let cause =
                format!("The execution does not fit its definition at the state '{}'", frame.state_name);
            let previous = frame.last_event;
            self.run.frames.insert(id, frame);
            self.end_failed(previous, Failure::fatal("States.Runtime", cause));
            return;
        };
        let entered = match frame.doing {
            Doing::Enter => self.enter(&mut frame, state),
            _ => Ok(()),
        };
        let progress = entered.and_then(|()| self.run_state(id, &mut frame, state));
        self.settle(id, frame, state, progress);
    }

    /// Puts the frame where its progress belongs.
    pub(super) fn settle(
        &mut self,
        id: FrameId,
        frame: Frame,
        state: &State,
        progress: Result<Progress, Failure>,
    ) {
        match progress {
            Ok(Progress::Done { output, next, assigned }) => {
                self.exit(id, frame, state, output, assigned, next);
            }
            Ok(Progress::Waiting) => {
                self.run.frames.insert(id, frame);
            }
            Err(failure) => self.fail(id, frame, state, failure),
        }
    }

    pub(super) fn enter(&mut self, frame: &mut Frame, state: &State) -> Result<(), Failure> {
        let text = text_of(&frame.input, &frame.input_text);
        let details = EventDetails::StateEntered { name: state.name.to_string(), input: text.to_string() };
        self.advance(frame, entered_event(&state.kind), Some(details));
        self.run.transitions += 1;
        frame.entered_event = frame.last_event;
        frame.entered_ms = self.ctx.now_ms;
        frame.retries = vec![0; state.retry.len()];
        frame.map_run = None;
        frame.doing = Doing::Run;
        let checked = check_size(state, &text);
        frame.input_text = InputText(Some(text));
        checked
    }

    pub(super) fn run_state(
        &mut self,
        id: FrameId,
        frame: &mut Frame,
        state: &State,
    ) -> Result<Progress, Failure> {
        match &state.kind {
            Kind::Pass { result } => self.pass(frame, state, result.as_ref()),
            Kind::Task(task) => self.schedule(frame, state, task),
            Kind::Choice { rules, default } => self.choose(frame, state, rules, *default),
            Kind::Wait(time) => self.wait(frame, state, time),
            Kind::Succeed => self.waited(frame, state),
            Kind::Fail { error, cause } => {
                self.effective(frame, state)?;
                let error = self.fail_text(frame, "Error", error)?;
                let cause = self.fail_text(frame, "Cause", cause)?;
                Err(Failure::reported(error, cause))
            }
            Kind::Parallel { branches } => self.start_branches(id, frame, state, branches),
            Kind::Map(map) => self.start_map(id, frame, state, map),
        }
    }

    fn pass(&mut self, frame: &Frame, state: &State, result: Option<&Value>) -> Result<Progress, Failure> {
        if state.language == Language::Jsonata {
            return self.waited(frame, state);
        }
        let passed = match result {
            Some(result) => {
                let result = Arc::new(result.clone());
                self.note(|data| data.result = Some(Arc::clone(&result)));
                result
            }
            None => {
                let effective = self.effective(frame, state)?;
                self.parameters(frame, state, effective, None)?
            }
        };
        self.result(frame, state, passed)
    }

    fn choose(
        &mut self,
        frame: &Frame,
        state: &State,
        rules: &[ChoiceRule],
        default: Option<u32>,
    ) -> Result<Progress, Failure> {
        let input = self.effective(frame, state)?;
        let mut chosen = None;
        for rule in rules {
            if self.holds(frame, &rule.when, &input)? {
                chosen = Some(rule);
                break;
            }
        }
        // The States Language calls this States.NoChoiceMatched; AWS reports States.Runtime with this cause.
        let next = chosen.map(|rule| rule.next).or(default).ok_or_else(|| {
            let cause = "Failed to transition out of the state. The state does not point to a next state.";
            Failure::interpreter(frame, "States.Runtime", cause)
        })?;
        let templates = match chosen {
            Some(rule) => (rule.assign.as_ref(), rule.output.as_ref()),
            None => (state.assign.as_ref(), state.data.query_output.as_ref()),
        };
        match self.passed(frame, state, input, templates)? {
            Progress::Done { output, assigned, .. } => {
                Ok(Progress::Done { output, next: Next::State(next), assigned })
            }
            Progress::Waiting => Ok(Progress::Waiting),
        }
    }

    /// Does a rule of a Choice state hold?
    fn holds(&mut self, frame: &Frame, when: &When, input: &Value) -> Result<bool, Failure> {
        match when {
            When::Fixed(fixed) => Ok(*fixed),
            When::Query(query) => {
                let found = self.query(frame, query, "boolean", Value::is_boolean, input)?;
                Ok(found == Value::Bool(true))
            }
            When::Rule(rule) => {
                let held = self.evaluate(frame, Data::of(input), |scope| {
                    rule.holds(&scope.reading).map_err(|unresolved| unresolved.0.text().to_owned())
                });
                held.map_err(|path| {
                    let cause = format!(
                        "Invalid path '{path}': The choice state's condition path references an invalid value."
                    );
                    Failure::interpreter(frame, "States.Runtime", &cause)
                })
            }
        }
    }

    fn wait(&mut self, frame: &mut Frame, state: &State, time: &WaitTime) -> Result<Progress, Failure> {
        let input = self.effective(frame, state)?;
        let at_ms = match time {
            WaitTime::Timestamp(at_ms) => *at_ms,
            WaitTime::Seconds(seconds) => {
                let seconds = self.quantity(frame, seconds, "SecondsPath", (0, 99_999_999), &input)?;
                self.ctx.now_ms.saturating_add(seconds.saturating_mul(1000))
            }
            WaitTime::TimestampQuery(query) => {
                let found = self.query(frame, query, "string", Value::is_string, &input)?;
                found.as_str().and_then(timestamp::parse).ok_or_else(|| {
                    let message = format!(
                        "The Timestamp field does not contain a valid ISO-8601 extended offset date-time format \
                         string: {found}"
                    );
                    let error = EvalError::QueryRange { field: query.field.clone(), message };
                    Failure::of(frame, &error, &input)
                })?
            }
            WaitTime::TimestampPath(path) => {
                let found = self.find(frame, path, "TimestampPath", &input)?;
                found.as_str().and_then(timestamp::parse).ok_or_else(|| {
                    let cause = format!(
                        "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time \
                         format string: {path} == {found}"
                    );
                    Failure::interpreter(frame, "States.Runtime", &cause)
                })?
            }
        };
        if at_ms <= self.ctx.now_ms || self.inspects() {
            return self.waited(frame, state);
        }
        let wait_id = self.next_wait();
        self.commands.push(Command::StartTimer { wait_id, kind: TimerKind::Wait, at_ms });
        frame.doing = Doing::Wait(wait_id);
        Ok(Progress::Waiting)
    }

    /// The wait is over; or the state does nothing at all.
    pub(super) fn waited(&mut self, frame: &Frame, state: &State) -> Result<Progress, Failure> {
        let input = self.effective(frame, state)?;
        let templates = (state.assign.as_ref(), state.data.query_output.as_ref());
        self.passed(frame, state, input, templates)
    }

    /// `field` without its `Path`.
    fn fail_text(&mut self, frame: &Frame, field: &str, text: &FailText) -> Result<Option<String>, Failure> {
        let expression = match text {
            FailText::None => return Ok(None),
            FailText::Fixed(text) => return Ok(Some(text.clone())),
            FailText::Computed(expression) => expression,
        };
        let field = match expression {
            Expression::Jsonata(_) => field.to_owned(),
            _ => format!("{field}Path"),
        };
        let input = &*frame.input;
        let value = self.evaluate(frame, Data::of(input), |scope| expression.evaluate(&field, scope));
        match (value, expression) {
            (Ok(Value::String(text)), _) => Ok(Some(text)),
            (Ok(found), Expression::Jsonata(query)) => {
                let expression = query.text.clone();
                let error =
                    EvalError::QueryType { expression, field, expected: "string", found: Box::new(found) };
                Err(Failure::of(frame, &error, input))
            }
            (Ok(other), _) => {
                let cause = format!("The {field} parameter does not reference a string: {other}");
                Err(Failure::interpreter(frame, "States.Runtime", &cause))
            }
            (Err(error), _) => Err(Failure::of(frame, &error, input)),
        }
    }

    /// Leaves a state: for the next one, or for the end of the frame.
    pub(super) fn exit(
        &mut self,
        id: FrameId,
        mut frame: Frame,
        state: &State,
        output: Arc<Value>,
        assigned: Assigned,
        next: Next,
    ) {
        let same = Arc::ptr_eq(&output, &frame.input);
        let text = text_of(&output, if same { &frame.input_text } else { &InputText(None) });
        if let Err(failure) = check_size(state, &text) {
            let previous = frame.last_event;
            self.run.frames.insert(id, frame);
            self.end_failed(previous, failure);
            return;
        }
        if let Some(event) = exited_event(&state.kind) {
            let details = EventDetails::StateExited {
                name: state.name.to_string(),
                output: text.to_string(),
                assigned_variables: keep(&mut frame, assigned),
            };
            self.advance(&mut frame, event, Some(details));
        }
        if self.inspects() {
            self.inspected(frame, state, output, next);
            return;
        }
        let Next::State(index) = next else {
            self.complete(frame, output, &text);
            return;
        };
        frame.state = index;
        if let Some(next) = self.state(&frame) {
            frame.state_name = Arc::clone(&next.name);
        }
        frame.input = output;
        frame.input_text = InputText(Some(text));
        frame.doing = Doing::Enter;
        self.run.frames.insert(id, frame);
        self.run.ready.push_back(id);
    }

    /// A frame has come to its end.
    fn complete(&mut self, frame: Frame, output: Arc<Value>, text: &str) {
        match frame.link {
            Some(link) => self.joined(link, frame.last_event, output),
            None => {
                let details = EventDetails::Output { output: text.to_owned() };
                self.event(Event::ExecutionSucceeded, frame.last_event, Some(details));
                self.close(Outcome::Succeeded { output: text.to_owned() });
            }
        }
    }
}

/// A value as text, made only if it is not at hand.
fn text_of(value: &Value, cached: &InputText) -> Arc<str> {
    cached.0.as_ref().map_or_else(|| value.to_string().into(), Arc::clone)
}

fn entered_event(kind: &Kind) -> Event {
    match kind {
        Kind::Pass { .. } => Event::PassStateEntered,
        Kind::Task(_) => Event::TaskStateEntered,
        Kind::Choice { .. } => Event::ChoiceStateEntered,
        Kind::Wait(_) => Event::WaitStateEntered,
        Kind::Succeed => Event::SucceedStateEntered,
        Kind::Fail { .. } => Event::FailStateEntered,
        Kind::Parallel { .. } => Event::ParallelStateEntered,
        Kind::Map(_) => Event::MapStateEntered,
    }
}

fn exited_event(kind: &Kind) -> Option<Event> {
    Some(match kind {
        Kind::Pass { .. } => Event::PassStateExited,
        Kind::Task(_) => Event::TaskStateExited,
        Kind::Choice { .. } => Event::ChoiceStateExited,
        Kind::Wait(_) => Event::WaitStateExited,
        Kind::Succeed => Event::SucceedStateExited,
        Kind::Fail { .. } => return None,
        Kind::Parallel { .. } => Event::ParallelStateExited,
        Kind::Map(_) => Event::MapStateExited,
    })
}
