//! A batch on its way: filter, enrichment, target, and what is deleted from the queue at the end.

use std::collections::HashSet;

use base::Fault;
use kernel::{Caller, Effect, TraceCx, Tx};
use serde_json::{Value, json};

use crate::compiled::Compiled;
use crate::enrich::enrich;
use crate::journal::Journal;
use crate::record::{Record, view};
use crate::source;
use crate::targets::{self, Item, Missed, Shot};
use crate::template::Template;

/// What became of a batch.
pub(crate) struct Ran {
    /// The ids of what has failed, or follows a failure that it must not overtake.
    pub failed: HashSet<String>,
    /// Why, if anything has.
    pub why: Option<Fault>,
}

/// Runs a batch of a queue to its end. What has failed stays in its queue and comes again. Returns whether anything was done
/// with.
pub(crate) async fn run(effect: &Effect, pipe: &Compiled, batch: Vec<Record>) -> bool {
    let count = batch.len();
    run_records(effect, pipe, batch).await.failed.len() < count
}

/// Runs a batch to its end; of a queue, what was done with is deleted.
pub(crate) async fn run_records(effect: &Effect, pipe: &Compiled, batch: Vec<Record>) -> Ran {
    let id = effect.id();
    let caller = Caller { trace: TraceCx::root(id), request_id: id, ..effect.caller().clone() };
    let shot = Shot { effect, caller: &caller, pipe };
    let mut journal = Journal::new(pipe, id.to_string());
    let events = || Value::Array(batch.iter().map(|record| record.event.clone()).collect());
    journal.note(effect.now(), "ExecutionStarted", Some(&events));
    let (passed, filtered): (Vec<Record>, Vec<Record>) =
        batch.into_iter().partition(|record| passes(pipe, &record.event));
    let (failed, why) = if passed.is_empty() {
        (HashSet::new(), None)
    } else {
        match stages(&shot, &passed, &mut journal).await {
            Ok(missed) => judge(pipe, &passed, missed),
            Err(fault) => (passed.iter().map(|record| record.message_id.clone()).collect(), Some(fault)),
        }
    };
    let failed = source::with_followers(pipe, &passed, failed);
    if !pipe.is_stream() {
        source::delete(effect, pipe, &filtered, &HashSet::new()).await;
        source::delete(effect, pipe, &passed, &failed).await;
    }
    match &why {
        None => journal.note(effect.now(), "ExecutionSucceeded", None),
        Some(fault) if failed.len() < passed.len() => {
            journal.failed(effect.now(), "ExecutionPartiallyFailed", fault)
        }
        Some(fault) => journal.failed(effect.now(), "ExecutionFailed", fault),
    }
    journal.write(&shot).await;
    let outcome = json!({
        "messages": passed.len() + filtered.len(), "filtered": filtered.len(), "failed": failed.len(),
        "error": why.as_ref().map(ToString::to_string),
    });
    let noted = effect.transact("PipeExecution", note, (caller.trace, pipe.arn.clone(), outcome)).await;
    if let Err(error) = noted {
        tracing::warn!(pipe = pipe.arn, %error, "failed to note an execution on the trace");
    }
    Ran { failed, why }
}

/// Tells the trace what became of a batch; the chain is found by the pipe's ARN.
async fn note(tx: &mut Tx, (trace, arn, outcome): (TraceCx, String, Value)) -> kernel::Result<()> {
    tx.set_trace(trace);
    tx.note("pipe", &arn, Some(outcome));
    Ok(())
}

/// Whether an event passes the filter.
fn passes(pipe: &Compiled, event: &Value) -> bool {
    if pipe.filters.is_empty() {
        return true;
    }
    let text = view(event).to_string();
    pipe.filters.iter().any(|filter| filter.matches(&text).unwrap_or(false))
}

/// Enrichment and target.
async fn stages(shot: &Shot<'_>, batch: &[Record], journal: &mut Journal) -> Result<Missed, Fault> {
    let Shot { effect, pipe, .. } = shot;
    let mut events: Vec<Value> = batch.iter().map(|record| record.event.clone()).collect();
    if let Some(arn) = &pipe.enrichment {
        journal.note(effect.now(), "EnrichmentStageEntered", None);
        let asked = transformed(shot, pipe.enrichment_template.as_ref(), &events);
        journal.note(effect.now(), "EnrichmentInvocationStarted", Some(&|| payloads(&asked)));
        events = match enrich(shot, arn, &asked).await {
            Ok(events) => events,
            Err(fault) => {
                journal.failed(effect.now(), "EnrichmentInvocationFailed", &fault);
                journal.failed(effect.now(), "EnrichmentStageFailed", &fault);
                return Err(fault);
            }
        };
        journal.note(effect.now(), "EnrichmentInvocationSucceeded", Some(&|| Value::Array(events.clone())));
        journal.note(effect.now(), "EnrichmentStageSucceeded", None);
    }
    if events.is_empty() {
        journal.note(effect.now(), "TargetStageSkipped", None);
        return Ok(Missed::default());
    }
    journal.note(effect.now(), "TargetStageEntered", None);
    let items = transformed(shot, pipe.target_template.as_ref(), &events);
    journal.note(effect.now(), "TargetInvocationStarted", Some(&|| payloads(&items)));
    let missed = targets::call(shot, &items).await;
    match &missed {
        Ok(Missed { fault: None, .. }) => {
            journal.note(effect.now(), "TargetInvocationSucceeded", None);
            journal.note(effect.now(), "TargetStageSucceeded", None);
        }
        Ok(Missed { fault: Some(fault), .. }) => {
            journal.failed(effect.now(), "TargetInvocationPartiallyFailed", fault);
            journal.failed(effect.now(), "TargetStagePartiallyFailed", fault);
        }
        Err(fault) => {
            journal.failed(effect.now(), "TargetInvocationFailed", fault);
            journal.failed(effect.now(), "TargetStageFailed", fault);
        }
    }
    missed
}

fn payloads(items: &[Item]) -> Value {
    Value::Array(items.iter().map(|item| item.payload.clone()).collect())
}

fn transformed(shot: &Shot<'_>, template: Option<&Template>, events: &[Value]) -> Vec<Item> {
    let now = shot.effect.now();
    let item = |event: &Value| {
        let view = view(event);
        let payload = match template {
            Some(template) => template.fill(event, &view, &shot.pipe.context, now),
            None => event.clone(),
        };
        Item { payload, view }
    };
    events.iter().map(item).collect()
}

/// Which messages have failed. Behind an enrichment, events are no longer the messages that they came from: if one of
/// them was not taken, all messages have failed, unless the target named some.
fn judge(pipe: &Compiled, batch: &[Record], missed: Missed) -> (HashSet<String>, Option<Fault>) {
    if missed.is_empty() {
        return (HashSet::new(), None);
    }
    let all = || batch.iter().map(|record| record.message_id.clone()).collect();
    let known = missed.messages.iter().all(|id| batch.iter().any(|record| record.message_id == *id));
    let failed = if !missed.items.is_empty() && pipe.enrichment.is_some() || !known {
        all()
    } else {
        let by_number = missed.items.iter().filter_map(|number| batch.get(*number));
        by_number.map(|record| record.message_id.clone()).chain(missed.messages).collect()
    };
    (failed, missed.fault)
}
