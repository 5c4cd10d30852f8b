//! Several tasks in one transaction: what a busy lane's tasks cost is mostly the commit, and one can carry many.
//!
//! Only tasks of one operation of the store are put together, and only if all of them succeed. Whatever else happens,
//! nothing of the batch is written and each task runs by itself, as if there had been none.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use super::Entry;
use super::run::{Done, describe, enqueue_reply, run, succeeded};
use crate::router::Kernel;
use crate::service::{Body, ErasedTransact};
use crate::task::Task;
use crate::trace::AttemptEnd;
use crate::tx::Tx;
use crate::{Error, Result};

/// Tasks of one batch.
const TASKS_MAX: usize = 16;
/// Bytes of input of one batch: far below what a commit takes.
const INPUT_BYTES_MAX: usize = 256 << 10;

/// Divides what is ready into what runs together. A task whose payload is not known runs alone.
pub(crate) fn divide(kernel: &Kernel, ready: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut batches: Vec<Vec<Entry>> = Vec::new();
    let mut open: Vec<(usize, usize)> = Vec::new();
    for entry in ready {
        let Some(bytes) = input_bytes(kernel, &entry) else {
            batches.push(vec![entry]);
            continue;
        };
        let room = |&(index, held): &(usize, usize)| {
            batches[index].len() < TASKS_MAX
                && held + bytes <= INPUT_BYTES_MAX
                && batches[index].first().is_some_and(|first| alike(first, &entry))
        };
        match open.iter().position(room) {
            Some(at) => {
                open[at].1 += bytes;
                batches[open[at].0].push(entry);
            }
            None => {
                open.push((batches.len(), bytes));
                batches.push(vec![entry]);
            }
        }
    }
    batches
}

/// The size of the input of a task that may share a transaction.
fn input_bytes(kernel: &Kernel, entry: &Entry) -> Option<usize> {
    let call = &entry.task.as_ref()?.call;
    let body = kernel.body(&call.service, &call.operation).ok()?.1;
    matches!(body, Body::Transact(_)).then_some(call.input.len())
}

fn alike(one: &Entry, other: &Entry) -> bool {
    let (Some(first), Some(second)) = (&one.task, &other.task) else { return false };
    one.lane == other.lane
        && first.call.operation == second.call.operation
        && first.call.service == second.call.service
}

/// Runs what [`divide`] put together.
pub(crate) async fn run_all(kernel: Kernel, mut entries: Vec<Entry>) -> Vec<Done> {
    if entries.len() > 1 {
        let together = AssertUnwindSafe(together(&kernel, &entries)).catch_unwind().await;
        match together.unwrap_or_else(|_| Err(Error::bug("run a batch of tasks: it panicked"))) {
            Ok(()) => return entries.into_iter().map(|entry| Done { entry, again: None }).collect(),
            Err(error) => {
                tracing::debug!(%error, tasks = entries.len(), "a batch of tasks is run one by one")
            }
        }
    }
    let mut done = Vec::with_capacity(entries.len());
    for entry in entries.drain(..) {
        done.push(run(kernel.clone(), entry).await);
    }
    done
}

async fn together(kernel: &Kernel, entries: &[Entry]) -> Result<()> {
    let mut tx: Option<Tx> = None;
    let mut operation = "";
    for entry in entries {
        let Some(task) = &entry.task else {
            return Err(Error::bug("run a task in a batch: it has no payload"));
        };
        let (service, Body::Transact(handler)) = kernel.body(&task.call.service, &task.call.operation)?
        else {
            return Err(Error::bug("run a task in a batch: it is no transaction"));
        };
        let tx = match &mut tx {
            Some(tx) => tx,
            none => none.insert(Tx::open(&kernel.inner, service, task.caller.clone()).await?),
        };
        // Another task of this batch has cancelled it.
        if tx.removes(&entry.key) {
            continue;
        }
        tx.begin_task(service, task.caller.clone());
        tx.delete_raw(&entry.key, entry.version, entry.chunks);
        one(tx, task, handler.as_ref()).await?;
        operation = &task.call.operation;
    }
    match tx {
        Some(tx) => kernel.commit(tx, operation).await,
        None => Ok(()),
    }
}

/// Runs a task in a transaction that holds more than it.
pub(super) async fn one(tx: &mut Tx, task: &Task, handler: &dyn ErasedTransact) -> Result<()> {
    let result = AssertUnwindSafe(handler.call(tx, &task.call.input)).catch_unwind().await;
    let output = result.unwrap_or_else(|_| {
        Err(Error::bug(format!("finish {}: the handler panicked", task.call.operation)))
    })?;
    if !task.quiet {
        tx.attempt(tx.now(), None, describe(task, AttemptEnd::Delivered));
    }
    if let Some(reply) = &task.reply {
        enqueue_reply(tx, reply, &succeeded(&output))?;
    }
    tx.end_task(&task.call.operation)
}
