//! What happens when a state fails: Retry, Catch, or the failure of what encloses it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::data::{Data, place};
use super::{DATA_BYTES_MAX, Engine};
use crate::command::{Command, TimerKind};
use crate::execution::{Doing, Frame, FrameId};
use crate::history::{EventDetails, HistoryEventType};
use crate::machine::{Catcher, Language, Next, Retrier, State};
use crate::scope::EvalError;
use crate::variables::Assigned;

const RUNTIME: &str = "States.Runtime";
pub(super) const TIMEOUT: &str = "States.Timeout";
pub(super) const DATA_LIMIT: &str = "States.DataLimitExceeded";

/// An error on its way up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) error: Option<String>,
    pub(super) cause: Option<String>,
    /// Ends the execution whatever catches.
    pub(super) fatal: bool,
    /// Further names by which it may be caught: what the States Language calls it where AWS's events name it otherwise.
    pub(super) also: Vec<&'static str>,
    /// Of a query that failed: its field and the bare cause, for an event that is still to be written.
    pub(super) evaluation: Option<Box<(String, String)>>,
}

impl Failure {
    /// What somebody else reported.
    pub(super) fn reported(error: Option<String>, cause: Option<String>) -> Self {
        Self { error, cause, fatal: false, also: Vec::new(), evaluation: None }
    }

    pub(super) fn fatal(error: &str, cause: String) -> Self {
        Self { fatal: true, ..Self::reported(Some(error.to_owned()), Some(cause)) }
    }

    /// What this interpreter found. AWS names the state in front of the cause, once.
    pub(super) fn interpreter(frame: &Frame, error: &str, cause: &str) -> Self {
        let cause = format!(
            "An error occurred while executing the state '{}' (entered at the event id #{}). {cause}",
            frame.state_name, frame.entered_event
        );
        Self { fatal: error == RUNTIME, ..Self::reported(Some(error.to_owned()), Some(cause)) }
    }

    /// What could not be evaluated.
    pub(super) fn of(frame: &Frame, error: &EvalError, input: &Value) -> Self {
        let cause = error.cause(input);
        let failure = Self::interpreter(frame, error.name(), &cause);
        let evaluation = error.query_field().map(|field| Box::new((field.to_owned(), cause)));
        Self { evaluation, ..failure }
    }

    /// Something grew too large. `who` is the state, or the resource whose result it was.
    pub(super) fn too_large(who: &str) -> Self {
        let cause = format!(
            "The state/task '{who}' returned a result with a size exceeding the maximum number of bytes service limit."
        );
        Self::reported(Some(DATA_LIMIT.to_owned()), Some(cause))
    }

    /// Is it one of these errors? `States.ALL` is all but `States.Runtime`, `States.TaskFailed` all but timeouts as well.
    /// (AWS's page excludes `States.DataLimitExceeded` from `States.ALL`; recorded executions show that it is caught
    /// when it is a task's result that is too large. What a state makes too large itself is fatal.)
    fn is_one_of(&self, names: &[String]) -> bool {
        let error = self.error.as_deref().unwrap_or_default();
        names.iter().any(|name| match name.as_str() {
            "States.ALL" => error != RUNTIME,
            "States.TaskFailed" => error != RUNTIME && error != TIMEOUT,
            name => name == error || self.also.contains(&name),
        })
    }
}

/// Fails what is too large.
pub(super) fn check_size(state: &State, text: &str) -> Result<(), Failure> {
    if text.len() <= DATA_BYTES_MAX {
        return Ok(());
    }
    Err(Failure { fatal: true, ..Failure::too_large(&state.name) })
}

impl Engine<'_, '_, '_, '_> {
    /// A state failed: retry it, go to a catcher, or fail what encloses it. The frame is not among the others.
    pub(super) fn fail(&mut self, id: FrameId, mut frame: Frame, state: &State, mut failure: Failure) {
        self.tell_evaluation(&mut frame, state, &mut failure);
        if failure.fatal {
            self.fail_all(id, frame, failure);
            return;
        }
        if let Some((place, pause_ms)) = self.retry(&mut frame, state, &failure) {
            self.note(|data| {
                data.retried = Some((place, pause_ms));
                data.handled = Some((failure.error.clone(), failure.cause.clone()));
            });
            let wait_id = self.next_wait();
            let at_ms = self.ctx.now_ms.saturating_add(pause_ms);
            self.commands.push(Command::StartTimer { wait_id, kind: TimerKind::Retry, at_ms });
            frame.doing = Doing::Retry(wait_id);
            frame.map_run = None;
            self.run.frames.insert(id, frame);
            self.fallen.clear();
            return;
        }
        let Some(place) = state.catch.iter().position(|catcher| failure.is_one_of(&catcher.errors)) else {
            self.fail_frame(id, frame, state, failure);
            return;
        };
        let catcher = &state.catch[place];
        self.note(|data| {
            data.caught = Some(place);
            data.handled = Some((failure.error.clone(), failure.cause.clone()));
        });
        match self.caught(&frame, state, catcher, &failure) {
            Ok((output, assigned)) => {
                self.fallen.clear();
                self.exit(id, frame, state, output, assigned, Next::State(catcher.next))
            }
            Err(mut failure) => {
                self.tell_evaluation(&mut frame, state, &mut failure);
                if failure.fatal || failure.error.as_deref() == Some("States.ResultPathMatchFailure") {
                    self.fail_all(id, frame, failure);
                } else {
                    self.fail_frame(id, frame, state, failure);
                }
            }
        }
    }

    /// Nothing handles the failure of this frame: it ends the execution.
    pub(super) fn fail_all(&mut self, id: FrameId, frame: Frame, failure: Failure) {
        let previous = frame.last_event;
        self.fallen.frame(id, frame);
        self.end_failed(previous, failure);
    }

    /// Writes that a query failed, once.
    fn tell_evaluation(&mut self, frame: &mut Frame, state: &State, failure: &mut Failure) {
        if let Some(evaluation) = failure.evaluation.take() {
            let (location, cause) = *evaluation;
            let error = failure.error.clone().unwrap_or_default();
            let details =
                EventDetails::EvaluationFailed { error, cause, location, state: state.name.to_string() };
            self.advance(frame, HistoryEventType::EvaluationFailed, Some(details));
        }
    }

    /// The error as the catcher's state receives it, and what the catcher assigns. `OutputPath` does not apply.
    fn caught(
        &mut self,
        frame: &Frame,
        state: &State,
        catcher: &Catcher,
        failure: &Failure,
    ) -> Result<(Arc<Value>, Assigned), Failure> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let error = json!({ "Error": text(&failure.error), "Cause": text(&failure.cause) });
        let data = match state.language {
            Language::JsonPath => Data::of(&error),
            Language::Jsonata => Data { error_output: Some(&error), ..Data::of(&frame.input) },
        };
        let assigned = self.assign(frame, state, catcher.assign.as_ref(), data)?;
        let output = match &catcher.output {
            Some(template) => Arc::new(self.template(frame, template, data)?),
            None => place(frame, &catcher.result, Arc::new(error))?,
        };
        Ok((output, assigned))
    }

    /// Which retrier makes another attempt, and after how many milliseconds, if there is one. Only the first retrier that
    /// names the error counts.
    fn retry(&mut self, frame: &mut Frame, state: &State, failure: &Failure) -> Option<(usize, i64)> {
        let place = state.retry.iter().position(|retrier| failure.is_one_of(&retrier.errors))?;
        let retrier = &state.retry[place];
        frame.retries.resize(state.retry.len(), 0);
        let used = frame.retries[place];
        if used >= retrier.max_attempts {
            return None;
        }
        frame.retries[place] += 1;
        let longest = pause_ms(retrier, used);
        let pause = if retrier.jitter && longest > 0 {
            (self.ctx.random)().cast_signed().rem_euclid(longest + 1)
        } else {
            longest
        };
        Some((place, pause))
    }
}

/// The interval, multiplied by the backoff rate for each attempt before, and bounded.
fn pause_ms(retrier: &Retrier, used: u32) -> i64 {
    let seconds = retrier.interval_seconds as f64 * retrier.backoff_rate.powf(f64::from(used));
    let most = retrier.max_delay_seconds.unwrap_or(31_622_400) as f64;
    (seconds.min(most) * 1000.0).round() as i64
}
