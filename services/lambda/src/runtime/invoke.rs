//! One invocation on one process: hands it over, waits for the answer, the end, the timeout or too much memory, and reports.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::api::{Answer, Ticket};
use super::failure::{self, Failure};
use super::logs::Report;
use super::process::{Exit, Process};
use super::spec::{ErrorKind, FunctionSpec, Invocation, Invoked};
use super::{memory, timer};

/// How often a busy process's memory is looked at.
const WATCH: Duration = Duration::from_millis(50);

/// Output of a long invocation reaches the log after this many looks.
const LOOKS_PER_FLUSH: u32 = 10;

/// How an attempt to run an invocation went.
pub(super) enum Ran {
    /// The process answered, or was ended, or ended itself while it had the work.
    Answered { invoked: Invoked, reusable: bool },
    /// The process ended before it took the work: another one may.
    NotTaken,
}

/// What ended the wait.
enum Outcome {
    Answer(Answer),
    Exited(Exit),
    TimedOut,
    OutOfMemory,
    /// It was ready and did not take the work.
    Stuck,
}

/// Runs the invocation on the process, which has no other.
pub(super) async fn run(
    process: &Arc<Process>,
    spec: &FunctionSpec,
    invocation: &Invocation,
    init_ms: Option<f64>,
    take_limit: Duration,
) -> Ran {
    let given = timer::instant();
    let (ticket, answer) = Ticket::new(invocation.clone(), spec.version.clone(), spec.timeout);
    process.port.give(Arc::clone(&ticket));
    let outcome = wait(
        process,
        &ticket,
        Limits { given, timeout: spec.timeout, take: take_limit, memory_mb: spec.memory_mb },
        answer,
    )
    .await;
    let ended = timer::instant();
    if matches!(outcome, Outcome::Exited(_) | Outcome::Stuck) && ticket.delivered().is_none() {
        process.kill();
        return Ran::NotTaken;
    }
    let begun = Begun {
        process,
        invocation,
        spec,
        init_ms,
        duration: ended.duration_since(ticket.delivered().unwrap_or(given)),
        peak_mb: process.peak_mb(memory::peak_mb(process.pid())),
    };
    let reusable = matches!(outcome, Outcome::Answer(_));
    let invoked = match outcome {
        Outcome::Answer(answer) => {
            process.drain.run().await;
            begun.answered(answer)
        }
        Outcome::Stuck => begun.ended(failure::exited(&invocation.request_id, None)),
        Outcome::Exited(Exit(status)) => begun.ended(failure::exited(&invocation.request_id, status)),
        Outcome::OutOfMemory => {
            end(process).await;
            begun.ended(failure::out_of_memory(&invocation.request_id))
        }
        Outcome::TimedOut => {
            end(process).await;
            begun.timed_out()
        }
    };
    Ran::Answered { invoked, reusable }
}

/// Ends the process and waits until all that it printed is taken in.
async fn end(process: &Process) {
    process.kill();
    process.exited().await;
}

/// What bounds an attempt.
#[derive(Clone, Copy)]
struct Limits {
    given: Instant,
    timeout: Duration,
    take: Duration,
    memory_mb: u32,
}

impl Limits {
    /// When the wait ends, and as what. The function's clock runs from the moment the code has the event; a process that is
    /// slow to start has the same time from the moment there was one.
    fn end(&self, process: &Process, ticket: &Ticket) -> (Instant, Outcome) {
        match ticket.delivered() {
            Some(delivered) => (delivered + self.timeout, Outcome::TimedOut),
            None if process.port.is_starting() => (self.given + self.timeout, Outcome::TimedOut),
            None => (self.given + self.take, Outcome::Stuck),
        }
    }
}

async fn wait(
    process: &Process,
    ticket: &Ticket,
    limits: Limits,
    mut answer: oneshot::Receiver<Answer>,
) -> Outcome {
    let mut looks = 0_u32;
    let mut look_at = limits.given + WATCH;
    loop {
        tokio::select! {
            biased;
            Ok(answer) = &mut answer => return Outcome::Answer(answer),
            exit = process.exited() => return match answer.try_recv() {
                Ok(answer) => Outcome::Answer(answer),
                Err(_) => Outcome::Exited(exit),
            },
            () = timer::sleep_until(limits.end(process, ticket).0.min(look_at)) => {}
        }
        let now = timer::instant();
        let (deadline, outcome) = limits.end(process, ticket);
        if now >= deadline {
            return outcome;
        }
        let used = memory::resident_mb(process.pid());
        process.peak_mb(used);
        if used > u64::from(limits.memory_mb) {
            return Outcome::OutOfMemory;
        }
        looks += 1;
        look_at = now + WATCH;
        if looks.is_multiple_of(LOOKS_PER_FLUSH) {
            process.output.flush();
        }
    }
}

/// An invocation whose end is being told.
pub(super) struct Begun<'a> {
    process: &'a Process,
    invocation: &'a Invocation,
    spec: &'a FunctionSpec,
    init_ms: Option<f64>,
    duration: Duration,
    peak_mb: u64,
}

impl<'a> Begun<'a> {
    /// An invocation whose process could not start.
    pub(super) fn without_work(
        process: &'a Process,
        invocation: &'a Invocation,
        spec: &'a FunctionSpec,
        init_ms: Option<f64>,
    ) -> Begun<'a> {
        let peak_mb = process.peak_mb(memory::peak_mb(process.pid()));
        Begun { process, invocation, spec, init_ms, duration: Duration::ZERO, peak_mb }
    }

    fn answered(&self, answer: Answer) -> Invoked {
        match answer {
            Answer::Response { payload, content_type, streamed } => {
                let mut invoked = self.told(None, false);
                (invoked.payload, invoked.content_type, invoked.streamed) = (payload, content_type, streamed);
                invoked
            }
            Answer::Error(failure) => self.failed(failure, None),
        }
    }

    fn timed_out(&self) -> Invoked {
        let id = &self.invocation.request_id;
        let text = failure::timeout_text(self.spec.timeout);
        self.process.output.in_text(format!("{} {id} {text}", timer::now().to_iso_millis()));
        self.failed(failure::timed_out(id, self.spec.timeout), Some(("timeout", None)))
    }

    fn ended(&self, failure: Failure) -> Invoked {
        let document: serde_json::Value = serde_json::from_slice(&failure.payload).unwrap_or_default();
        let message = document["errorMessage"].as_str().unwrap_or_default();
        self.process.output.in_text(format!("{message}\n{}", failure.error_type));
        let error_type = failure.error_type.clone();
        self.failed(failure, Some(("error", Some(&error_type))))
    }

    /// The answer of an invocation whose process could not start; tells the start's report and the invocation's.
    pub(super) fn failed_to_start(&self, failure: Failure) -> Invoked {
        let output = &self.process.output;
        let error_type = failure.error_type.clone();
        output.begin();
        output.process_failed(self.init_ms.unwrap_or(0.0), &error_type);
        output.invocation_starts(&self.invocation.request_id, &self.spec.version);
        self.failed(failure, Some(("error", Some(&error_type))))
    }

    fn failed(&self, failure: Failure, status: Option<(&str, Option<&str>)>) -> Invoked {
        let mut invoked = self.told(status, true);
        invoked.payload = failure.payload;
        invoked.function_error = Some(ErrorKind::Unhandled);
        invoked
    }

    /// Ends the log of the invocation, and yields the answer without its payload.
    fn told(&self, status: Option<(&str, Option<&str>)>, is_error: bool) -> Invoked {
        let duration_ms = self.duration.as_secs_f64() * 1000.0;
        let billed_ms = (duration_ms + self.init_ms.unwrap_or(0.0)).ceil() as u64;
        let output = &self.process.output;
        let request_id = self.invocation.request_id.as_str();
        let report = Report {
            request_id,
            duration_ms,
            billed_ms,
            memory_mb: self.spec.memory_mb,
            max_memory_mb: self.peak_mb,
            init_ms: self.init_ms,
            status,
        };
        output.invocation_ends(&report, is_error);
        let log_tail = output.tail();
        output.flush();
        Invoked {
            payload: bytes::Bytes::new(),
            function_error: None,
            log_tail,
            executed_version: self.spec.version.clone(),
            log_stream: output.stream().to_owned(),
            init_ms: self.init_ms,
            duration_ms,
            billed_ms,
            max_memory_mb: self.peak_mb,
            content_type: None,
            streamed: false,
        }
    }
}
