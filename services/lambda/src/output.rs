//! Log lines and records of invocations on their way into the store, behind the answer so that nobody waits for them.
//!
//! The outbox works while invocations run and until it is empty, and holds the kernel no longer than that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::{Document, Fault, Timestamp};
use kernel::{Caller, Kernel, Result, Scope, TraceCx, Tx};
use serde_json::json;
use tokio::sync::Notify;

use crate::runtime::{FunctionSpec, LogSink, background};

/// A request of PutLogEvents carries at most this many events and bytes, 26 bytes counted for each event.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
const EVENTS_MAX: usize = 10_000;
const BYTES_MAX: usize = 1_000_000;

/// Lines of one stream that may wait to be written; a function that prints faster than they are loses the rest.
const WAITING_MAX: usize = 50_000;

/// Lines of one stream.
type Lines = Vec<(Timestamp, String)>;

/// A stream and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Stream {
    account: base::AccountId,
    region: base::Region,
    group: String,
    stream: String,
}

/// What the trace shall tell of an invocation.
pub(crate) struct Record {
    pub caller: Caller,
    pub request_id: String,
    pub detail: Document,
}

#[derive(Default)]
pub(crate) struct Outbox {
    held: Mutex<Held>,
    /// Something was put in, or an invocation ended.
    stirred: Notify,
    /// The worker has nothing left.
    rested: Notify,
}

#[derive(Default)]
struct Held {
    lines: HashMap<Stream, Lines>,
    records: Vec<Record>,
    /// Invocations that run.
    active: usize,
    /// Whether a worker runs, and whether it is writing now.
    working: bool,
}

/// Keeps the worker at work while an invocation runs.
pub(crate) struct Active(Arc<Outbox>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.held().active -= 1;
        self.0.stirred.notify_one();
    }
}

impl LogSink for Outbox {
    fn write(&self, spec: &FunctionSpec, stream: &str, lines: Lines) {
        let key = Stream {
            account: spec.account.clone(),
            region: spec.region.clone(),
            group: spec.log_group.clone(),
            stream: stream.to_owned(),
        };
        let mut held = self.held();
        let waiting = held.lines.entry(key).or_default();
        let room = WAITING_MAX.saturating_sub(waiting.len());
        let lost = lines.len().saturating_sub(room);
        let last = lines.last().map(|(at, _)| *at);
        waiting.extend(lines.into_iter().take(room));
        if let (Some(at), true) = (last, lost > 0 && room > 0) {
            waiting.push((at, "[lines lost: the function prints faster than its log is written]".to_owned()));
        }
        drop(held);
        self.stirred.notify_one();
    }
}

impl Outbox {
    /// An invocation begins: from now until it ends, and until all is written, a worker runs.
    pub(crate) fn begin(self: &Arc<Self>, kernel: &Kernel) -> Active {
        let mut held = self.held();
        held.active += 1;
        if !held.working {
            held.working = true;
            background(Arc::clone(self).work(kernel.clone()));
        }
        drop(held);
        Active(Arc::clone(self))
    }

    /// Adds a record of an invocation.
    pub(crate) fn record(&self, record: Record) {
        self.held().records.push(record);
        self.stirred.notify_one();
    }

    /// Waits until no worker runs.
    pub(crate) async fn settled(&self) {
        loop {
            let rested = self.rested.notified();
            if !self.held().working {
                return;
            }
            rested.await;
        }
    }

    async fn work(self: Arc<Self>, kernel: Kernel) {
        while let Some((lines, records)) = self.next().await {
            for record in records {
                note(&kernel, record).await;
            }
            for (stream, lines) in lines {
                write(&kernel, &stream, lines).await;
            }
        }
        self.rested.notify_waiters();
    }

    /// What is there now; waits for more while invocations run, and ends when none does and nothing is left.
    async fn next(&self) -> Option<(HashMap<Stream, Lines>, Vec<Record>)> {
        loop {
            let stirred = self.stirred.notified();
            {
                let mut held = self.held();
                if !held.lines.is_empty() || !held.records.is_empty() {
                    return Some((std::mem::take(&mut held.lines), std::mem::take(&mut held.records)));
                }
                if held.active == 0 {
                    held.working = false;
                    return None;
                }
            }
            stirred.await;
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn note(kernel: &Kernel, record: Record) {
    let caller = record.caller.clone();
    let noted =
        kernel.transact(crate::NAME, caller, "Invoke", note_invocation, (record.request_id, record.detail));
    if let Err(error) = noted.await {
        tracing::warn!(%error, "failed to put an invocation on the trace");
    }
}

/// Puts an invocation on the trace of its cause.
pub(crate) async fn note_invocation(tx: &mut Tx, (request_id, detail): (String, Document)) -> Result<()> {
    tx.note("invocation", &request_id, Some(detail));
    Ok(())
}

async fn write(kernel: &Kernel, stream: &Stream, lines: Lines) {
    let scope = Scope { account: stream.account.clone(), region: stream.region.clone() };
    // What is logged is nobody's consequence: the chain of causes would grow by a step with every line.
    let request_id = kernel.new_id();
    let principal = "lambda.amazonaws.com".to_owned();
    let caller = Caller {
        account: scope.account,
        region: scope.region,
        principal,
        trace: TraceCx::root(request_id),
        request_id,
    };
    for batch in batches(lines) {
        if let Err(fault) = put(kernel, &caller, stream, &batch).await {
            let group = &stream.group;
            match fault.code.as_ref() {
                "NotImplementedException" => {
                    tracing::debug!(group, "function output dropped: there is no log service")
                }
                _ => tracing::warn!(group, %fault, "failed to write function output"),
            }
            return;
        }
    }
}

/// Puts events; makes the group and the stream if they are missing.
async fn put(kernel: &Kernel, caller: &Caller, stream: &Stream, lines: &Lines) -> Result<(), Fault> {
    let event = |(at, line): &(Timestamp, String)| json!({ "timestamp": at.as_millis(), "message": format!("{line}\n") });
    let events: Vec<Document> = lines.iter().map(event).collect();
    let names = json!({ "logGroupName": stream.group, "logStreamName": stream.stream });
    let mut input = names.clone();
    input["logEvents"] = events.into();
    let call = |operation: &'static str, input: Document| async move {
        kernel.run_document(caller.clone(), "logs", operation, &input).await
    };
    match call("PutLogEvents", input.clone()).await {
        Err(fault) if fault.code == "ResourceNotFoundException" => {}
        answer => return answer.map(drop),
    }
    for (operation, input) in
        [("CreateLogGroup", json!({ "logGroupName": stream.group })), ("CreateLogStream", names)]
    {
        match call(operation, input).await {
            Err(fault) if fault.code != "ResourceAlreadyExistsException" => return Err(fault),
            _ => {}
        }
    }
    call("PutLogEvents", input).await.map(drop)
}

/// Lines in requests within the limits.
fn batches(lines: Lines) -> Vec<Lines> {
    let mut all: Vec<Lines> = Vec::new();
    let mut bytes = 0;
    for line in lines {
        let size = line.1.len() + 27;
        match all.last_mut() {
            Some(batch) if batch.len() < EVENTS_MAX && bytes + size <= BYTES_MAX => {
                bytes += size;
                batch.push(line);
            }
            _ => {
                bytes = size;
                all.push(vec![line]);
            }
        }
    }
    all
}

/// How long a record keeps the text of an answer, in bytes.
const ANSWER_SHOWN: usize = 2_048;

/// The start of an answer, for the trace.
pub(crate) fn shown_answer(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(&payload[..payload.len().min(ANSWER_SHOWN)]);
    text.into_owned()
}

/// A duration of milliseconds with two decimals.
pub(crate) fn shown_ms(ms: f64) -> f64 {
    (Duration::from_secs_f64(ms.max(0.0) / 1000.0).as_micros() as f64 / 10.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stay_within_their_limits() {
        let at = Timestamp::from_millis(0);
        let small: Lines = (0..EVENTS_MAX + 1).map(|_| (at, String::new())).collect();
        let sizes: Vec<usize> = batches(small).iter().map(Vec::len).collect();
        assert_eq!(sizes, [EVENTS_MAX, 1]);
        let large: Lines = (0..5).map(|_| (at, "x".repeat(250_000))).collect();
        let sizes: Vec<usize> = batches(large).iter().map(Vec::len).collect();
        assert_eq!(sizes, [3, 2]);
        assert_eq!(batches(Vec::new()).len(), 0);
    }

    #[test]
    fn durations_have_two_decimals() {
        assert_eq!(shown_ms(1.23456), 1.23);
        assert_eq!(shown_ms(-1.0), 0.0);
    }
}
