//! One attempt of one task, from its row to its settlement.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::{Fault, Timestamp};
use bytes::Bytes;
use futures::FutureExt;
use store::Stored;

use super::Entry;
use crate::effect::Effect;
use crate::housekeeping::UndeliveredKey;
use crate::key::Prefix;
use crate::router::Kernel;
use crate::service::{Body, ErasedEffect, ErasedTransact};
use crate::target::Delivery;
use crate::task::{
    Call, DeadLetter, DeadLetterStyle, Exhausted, NewTask, Outcome, Reply, RetryPolicy, Task, Verdict,
};
use crate::trace::{Attempt, AttemptEnd};
use crate::tx::{KERNEL, Tx, kernel_scope};
use crate::{Error, Result};

/// How long the runner waits before it tries again to settle with a store that does not answer.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// A task that has left the desk's running ones.
pub(crate) struct Done {
    pub entry: Entry,
    /// The same task again, if it is not settled for good.
    pub again: Option<Entry>,
}

/// Runs one attempt. Whatever happens, the task is settled or comes back.
pub(crate) async fn run(kernel: Kernel, mut entry: Entry) -> Done {
    let attempted = AssertUnwindSafe(attempt(&kernel, &mut entry)).catch_unwind().await;
    let error = match attempted {
        Ok(Ok(again)) => return Done { entry, again },
        Ok(Err(error)) => error,
        // Handlers are guarded by themselves; what is around them must not take the task's place with it either.
        Err(_) => Error::bug("settle a task: the runner panicked"),
    };
    tracing::error!(%error, "failed to settle a task; it stays in the store and is tried again");
    let due = kernel.clock().now() + STORE_PAUSE;
    let again = Some(Entry { due, task: None, ..entry.clone() });
    Done { entry, again }
}

async fn attempt(kernel: &Kernel, entry: &mut Entry) -> Result<Option<Entry>> {
    let task = match &entry.task {
        Some(task) => Arc::clone(task),
        None => {
            let mut tx = Tx::open(&kernel.inner, KERNEL, kernel.house_caller()).await?;
            // The row is gone: the task was cancelled.
            let Some(row) = tx.get_raw(&entry.key).await? else { return Ok(None) };
            let task = Arc::new(Task::from_bytes(&row.value)?);
            let lane: Option<Arc<str>> = task.lane.as_deref().map(Arc::from);
            if lane != entry.lane {
                return Ok(Some(Entry { lane, task: Some(task), version: row.version, ..entry.clone() }));
            }
            entry.version = row.version;
            task
        }
    };
    let (service, body) = match kernel.body(&task.call.service, &task.call.operation) {
        Ok(found) => found,
        Err(fault) => return settle_failure(kernel, entry, &task, fault, None).await,
    };
    match body {
        Body::Transact(handler) => transact(kernel, entry, &task, service, handler.as_ref()).await,
        Body::Effect(handler) => effect(kernel, entry, &task, service, handler.as_ref()).await,
    }
}

/// Inside the store: what the handler writes and the removal of the task are one commit.
async fn transact(
    kernel: &Kernel,
    entry: &Entry,
    task: &Arc<Task>,
    service: &'static str,
    handler: &dyn ErasedTransact,
) -> Result<Option<Entry>> {
    let mut guard = None;
    loop {
        let mut tx = Tx::open(&kernel.inner, service, task.caller.clone()).await?;
        tx.delete_raw(&entry.key, entry.version, entry.chunks);
        let result = AssertUnwindSafe(handler.call(&mut tx, &task.call.input)).catch_unwind().await;
        let error = match result {
            Ok(Ok(output)) => match commit_delivered(kernel, tx, task, &output).await {
                Ok(()) => return Ok(None),
                Err(error) => error,
            },
            Ok(Err(error)) => error,
            Err(_) => Error::bug(format!("finish {}: the handler panicked", task.call.operation)),
        };
        match error {
            Error::Conflict { key } if key == entry.key => return Ok(None),
            Error::Conflict { key } => {
                drop(guard.take());
                guard = Some(kernel.queue_for(&key).await);
            }
            Error::Store(error) => return Err(Error::Store(error)),
            error => return settle_failure(kernel, entry, task, kernel.to_fault(error), None).await,
        }
    }
}

async fn commit_delivered(kernel: &Kernel, mut tx: Tx, task: &Task, output: &Bytes) -> Result<()> {
    if !task.quiet {
        tx.attempt(tx.now(), None, describe(task, AttemptEnd::Delivered));
    }
    if let Some(reply) = &task.reply {
        enqueue_reply(&mut tx, reply, &succeeded(output))?;
    }
    kernel.commit(tx, &task.call.operation).await
}

/// Outside the store: at least once, with the task's id as idempotency key.
async fn effect(
    kernel: &Kernel,
    entry: &Entry,
    task: &Arc<Task>,
    service: &'static str,
    handler: &dyn ErasedEffect,
) -> Result<Option<Entry>> {
    // A payload that was kept in memory may be of a task that was cancelled while it waited.
    let mut tx = Tx::open(&kernel.inner, KERNEL, kernel.house_caller()).await?;
    if tx.get_raw(&entry.key).await?.is_none() {
        return Ok(None);
    }
    drop(tx);
    let caller = task.caller.clone();
    let effect = Effect { kernel: kernel.clone(), service, caller, task: Some(task.id), working: 0 };
    let at = kernel.clock().now();
    let began = Instant::now();
    let result = AssertUnwindSafe(handler.call(&effect, &task.call.input)).catch_unwind().await;
    let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let result = result
        .unwrap_or_else(|_| Err(Error::bug(format!("finish {}: the handler panicked", task.call.operation))));
    match result {
        Ok(output) => settle_effect(kernel, entry, task, (at, took_us), &output).await,
        Err(error) => settle_failure(kernel, entry, task, kernel.to_fault(error), Some((at, took_us))).await,
    }
}

/// Removes the task and delivers its answer, in one commit if the asker takes answers by a transaction.
async fn settle_effect(
    kernel: &Kernel,
    entry: &Entry,
    task: &Task,
    (at, took_us): (Timestamp, u64),
    output: &Bytes,
) -> Result<Option<Entry>> {
    let outcome = succeeded(output);
    settle(
        kernel,
        entry,
        task,
        |tx: &mut Tx| {
            if !task.quiet {
                tx.attempt(at, Some(took_us), describe(task, AttemptEnd::Delivered));
            }
            Ok(())
        },
        Some(&outcome),
    )
    .await?;
    Ok(None)
}

async fn settle_failure(
    kernel: &Kernel,
    entry: &Entry,
    task: &Arc<Task>,
    fault: Fault,
    took: Option<(Timestamp, u64)>,
) -> Result<Option<Entry>> {
    let failed = Task { attempts: task.attempts + 1, last_fault: Some(fault.clone()), ..Task::clone(task) };
    let now = kernel.clock().now();
    let (at, took_us) = took.map_or((now, None), |(at, us)| (at, Some(us)));
    match task.retry.after(&failed, &fault, now, kernel.inner.chance.next_u64()) {
        Verdict::RetryAt(next) => {
            let end = AttemptEnd::Retrying { fault, next };
            retry(kernel, entry, task, failed, next, (at, took_us, end)).await
        }
        Verdict::GiveUp(because) => {
            let outcome = Outcome::Failed(fault.clone());
            settle(
                kernel,
                entry,
                task,
                |tx: &mut Tx| {
                    let dead_letter = task.dead_letter.as_ref().map(|letter| letter.arn.to_string());
                    let end = AttemptEnd::GivenUp { fault: fault.clone(), because, dead_letter };
                    tx.attempt(at, took_us, describe(task, end));
                    bury(tx, &failed, &fault, because)
                },
                Some(&outcome),
            )
            .await?;
            Ok(None)
        }
    }
}

/// Moves the task's row to its next due time.
async fn retry(
    kernel: &Kernel,
    entry: &Entry,
    task: &Task,
    failed: Task,
    next: Timestamp,
    (at, took_us, end): (Timestamp, Option<u64>, AttemptEnd),
) -> Result<Option<Entry>> {
    let mut tx = Tx::open(&kernel.inner, KERNEL, task.caller.clone()).await?;
    tx.delete_raw(&entry.key, entry.version, entry.chunks);
    tx.attempt(at, took_us, describe(task, end));
    let (seq, salt) = entry.place;
    let handle = tx.place_task(next, failed, seq, salt)?;
    // The desk gets it back by this function's result and not as a new one.
    tx.take_tasks();
    let Some(finished) = tx.finish("Retry").await? else { return Ok(None) };
    match kernel.inner.engine.commit(finished.commit).await {
        Ok(version) => {
            let key = handle.0;
            let due = super::due_of(&key)?.due;
            Ok(Some(Entry { key, version, due, chunks: None, task: None, ..entry.clone() }))
        }
        // The row has gone while the attempt was running: the task was cancelled.
        Err(store::CommitError::Conflict { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes the task's row together with what `write` writes and with the answer to the asker.
async fn settle(
    kernel: &Kernel,
    entry: &Entry,
    task: &Task,
    write: impl Fn(&mut Tx) -> Result<()> + Sync,
    outcome: Option<&Outcome>,
) -> Result<()> {
    let answer = task.reply.as_ref().zip(outcome);
    let direct = answer.and_then(|(reply, outcome)| match kernel.body(&reply.service, &reply.operation) {
        Ok((service, Body::Transact(handler))) => Some((service, handler, reply_input(reply, outcome))),
        _ => None,
    });
    let mut enqueue_answer = direct.is_none();
    loop {
        let service =
            if enqueue_answer { KERNEL } else { direct.as_ref().map_or(KERNEL, |(service, ..)| *service) };
        let mut tx = Tx::open(&kernel.inner, service, task.caller.clone()).await?;
        tx.delete_raw(&entry.key, entry.version, entry.chunks);
        write(&mut tx)?;
        match (&direct, answer) {
            (Some((_, handler, input)), _) if !enqueue_answer => {
                match answered(handler.as_ref(), &mut tx, input).await {
                    Ok(_) | Err(Error::Conflict { .. }) => {}
                    Err(Error::Store(error)) => return Err(Error::Store(error)),
                    Err(error) => {
                        // The answer is not lost with it: it becomes a task of its own, which the runner retries.
                        tracing::error!(%error, operation = task.call.operation, "failed to take a task's answer");
                        enqueue_answer = true;
                        continue;
                    }
                }
            }
            (_, Some((reply, outcome))) => enqueue_reply(&mut tx, reply, outcome)?,
            (_, None) => {}
        }
        match kernel.commit(tx, &task.call.operation).await {
            Err(Error::Conflict { key }) if key != entry.key => drop(kernel.queue_for(&key).await),
            Err(Error::Conflict { .. }) => return Ok(()),
            result => return result,
        }
    }
}

async fn answered(handler: &dyn ErasedTransact, tx: &mut Tx, input: &Bytes) -> Result<Bytes> {
    let result = AssertUnwindSafe(handler.call(tx, input)).catch_unwind().await;
    result.unwrap_or_else(|_| Err(Error::bug("take a task's answer: the handler panicked")))
}

/// A task that has failed for good goes to its dead-letter queue, or is kept where an operator finds it.
fn bury(tx: &mut Tx, task: &Task, fault: &Fault, because: Exhausted) -> Result<()> {
    let Some(letter) = &task.dead_letter else {
        if task.reply.is_none() || task.kept {
            tx.put_in(&Prefix::new(KERNEL, &kernel_scope()), &UndeliveredKey { id: task.id }, task)?;
        }
        return Ok(());
    };
    let delivery = Delivery {
        payload: body(letter, task, fault, because),
        attributes: attributes(letter, task, fault, because),
        parameters: base::Document::Null,
        order: None,
        idempotency_key: task.id.to_string(),
    };
    let kind = tx.targets().find(&letter.arn).copied();
    let call = kind.map(|kind| (kind.call)(&letter.arn, delivery));
    match call {
        Some(Ok(call)) => {
            let account = letter.arn.account_id().unwrap_or_else(|| task.caller.account.clone());
            let region = letter.arn.region_name().unwrap_or_else(|| task.caller.region.clone());
            let caller = task.caller.as_service(&task.caller.principal, account, region);
            let retry =
                RetryPolicy { when: crate::task::RetryWhen::NotPermanent, ..RetryPolicy::event_bridge() };
            let note = Some("dead letter".to_owned());
            let lane = Some(letter.arn.to_string());
            // A loop that is cut must still be able to say so.
            let trace = Some(crate::caller::TraceCx { hop: 0, ..tx.trace() });
            tx.enqueue(
                tx.now(),
                NewTask { retry, lane, note, trace, caller: Some(caller), ..NewTask::new(call) },
            )?;
            Ok(())
        }
        _ => tx.put_in(&Prefix::new(KERNEL, &kernel_scope()), &UndeliveredKey { id: task.id }, task),
    }
}

fn body(letter: &DeadLetter, task: &Task, fault: &Fault, because: Exhausted) -> String {
    let given = || String::from_utf8_lossy(&task.call.input).into_owned();
    let body = letter.body.clone().unwrap_or_else(given);
    let record = match letter.style {
        DeadLetterStyle::Record => {
            serde_json::from_str::<serde_json::Map<String, base::Document>>(&body).ok()
        }
        _ => None,
    };
    let Some(mut record) = record else { return body };
    let message: String = fault.message.chars().take(1024).collect();
    record.insert("errorCode".to_owned(), crate::task::record_error_code(fault).into());
    record.insert("errorMessage".to_owned(), message.into());
    record.insert("exhaustedRetryCondition".to_owned(), because.condition().into());
    record.insert("retryAttempts".to_owned(), task.attempts.saturating_sub(1).into());
    base::Document::Object(record).to_string()
}

fn attributes(letter: &DeadLetter, task: &Task, fault: &Fault, because: Exhausted) -> Vec<(String, String)> {
    let mut attributes = letter.attributes.clone();
    let mut add = |name: &str, value: String| attributes.push((name.to_owned(), value));
    match letter.style {
        DeadLetterStyle::EventBridge | DeadLetterStyle::Scheduler => {
            let code = match letter.style {
                DeadLetterStyle::Scheduler => &fault.code,
                _ => crate::task::event_bridge_error_code(fault),
            };
            add("ERROR_CODE", code.to_owned());
            add("ERROR_MESSAGE", fault.message.clone());
            if let Some(condition) = because.condition() {
                add("EXHAUSTED_RETRY_CONDITION", condition.to_owned());
            }
            add("RETRY_ATTEMPTS", task.attempts.saturating_sub(1).to_string());
        }
        DeadLetterStyle::Lambda => {
            add("RequestID", task.id.to_string());
            add("ErrorCode", fault.status.to_string());
            add("ErrorMessage", fault.message.chars().take(1024).collect());
        }
        DeadLetterStyle::Bare | DeadLetterStyle::Record => {}
    }
    attributes
}

pub(super) fn describe(task: &Task, end: AttemptEnd) -> Attempt {
    Attempt {
        task: task.id,
        operation: format!("{}:{}", task.call.service, task.call.operation),
        number: task.attempts + 1,
        note: task.note.clone(),
        target: task.lane.clone(),
        end,
    }
}

pub(super) fn succeeded(output: &Bytes) -> Outcome {
    Outcome::Succeeded(String::from_utf8_lossy(output).into_owned())
}

pub(super) fn enqueue_reply(tx: &mut Tx, reply: &Reply, outcome: &Outcome) -> Result<()> {
    let input = reply_input(reply, outcome);
    let call = Call { service: reply.service.clone(), operation: reply.operation.clone(), input };
    // An answer is owed to whoever asked, also at the end of a chain that is cut as a loop.
    tx.go_on(tx.now(), NewTask::new(call))?;
    Ok(())
}

fn reply_input(reply: &Reply, outcome: &Outcome) -> Bytes {
    let outcome = serde_json::to_string(outcome).unwrap_or_default();
    format!(r#"{{"context":{},"outcome":{outcome}}}"#, reply.context).into()
}
