//! The queue that a pipe reads: batches from it, and what is done with is deleted.

use std::collections::HashSet;
use std::time::Duration;

use base::{Document, Fault, Timestamp};
use bytes::Bytes;
use futures::future::{Either, Fuse, FusedFuture as _, select};
use kernel::{Caller, Effect};
use serde_json::json;
use store::Wake;

use crate::PRINCIPAL;
use crate::compiled::Compiled;
use crate::record::Record;

/// The most messages that a queue gives, or lets delete, at once.
const AT_ONCE_MAX: usize = 10;
/// The longest wait before the next look: a source that is gone tells nobody.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// A batch is full, too, when its bodies have so many bytes. It may pass this by one receive: what an enrichment or a target
/// takes in one call is looked at when they are called.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html>
const BATCH_BYTES_MAX: usize = 6 * 1_048_576 - 1_048_576;

/// The next batch: what comes within the window after the first message, or what is there when it comes. Empty if nothing
/// has come for as long as a look lasts.
///
/// What was received is given out whatever happens then, for its receive is counted: when a later look fails, and when
/// `changed` completes, which ends the gathering. A receive itself is never given up half-way: a pipe that changes waits for
/// its answer, since its commit may be on its way already.
///
/// # Errors
/// Why the source could not be read, if nothing had been received.
pub(crate) async fn gather(
    effect: &Effect,
    pipe: &Compiled,
    changed: &mut Fuse<Wake>,
) -> Result<Vec<Record>, Fault> {
    let mut batch: Vec<Record> = Vec::new();
    let mut bytes = 0;
    let began = effect.now();
    let mut deadline: Option<Timestamp> = None;
    loop {
        // Asked for before the look, so that what comes in between wakes us.
        let came = effect.watch_source(&pipe.source);
        let room = (pipe.batch_size - batch.len()).min(AT_ONCE_MAX);
        let received = match receive(effect, pipe, room).await {
            Ok(received) => received,
            Err(fault) if batch.is_empty() => return Err(fault),
            Err(fault) => {
                tracing::warn!(pipe = pipe.arn, %fault, "failed to read more of a batch; it runs as it is");
                return Ok(batch);
            }
        };
        let is_all = received.len() < room;
        bytes += received.iter().map(body_len).sum::<usize>();
        batch.extend(received);
        if batch.len() >= pipe.batch_size || bytes >= BATCH_BYTES_MAX {
            return Ok(batch);
        }
        if !batch.is_empty() {
            deadline.get_or_insert_with(|| effect.now() + Duration::from_secs(pipe.window_s));
        }
        let until = deadline.unwrap_or(began + WAIT_MAX);
        if is_all && (effect.now() >= until || !more_comes(effect, pipe, came, until, changed).await) {
            return Ok(batch);
        }
    }
}

/// Waits until more may have come, but no longer than until a time, or than a look lasts. Returns whether the pipe is still
/// as it was.
async fn more_comes(
    effect: &Effect,
    pipe: &Compiled,
    came: Option<Wake>,
    until: Timestamp,
    changed: &mut Fuse<Wake>,
) -> bool {
    if changed.is_terminated() {
        return false;
    }
    // What hides or is delayed comes without a commit.
    let next = effect.next_of_source(&pipe.source).await.unwrap_or_default();
    let until = until.min(effect.now() + WAIT_MAX).min(next.unwrap_or(Timestamp::MAX));
    let waiting = std::pin::pin!(async {
        let sleeping = std::pin::pin!(effect.clock().sleep_until(until));
        match came {
            Some(came) => drop(select(came, sleeping).await),
            None => sleeping.await,
        }
    });
    matches!(select(&mut *changed, waiting).await, Either::Right(_))
}

fn body_len(record: &Record) -> usize {
    record.event["body"].as_str().map_or(0, str::len)
}

async fn receive(effect: &Effect, pipe: &Compiled, room: usize) -> Result<Vec<Record>, Fault> {
    let input = json!({
        "QueueUrl": pipe.settings.source,
        "MaxNumberOfMessages": room,
        "WaitTimeSeconds": 0,
        "MessageSystemAttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    });
    let answer = call(effect, pipe, "ReceiveMessage", &input).await?;
    let messages = answer["Messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let region = pipe.source.region.as_str();
    Ok(messages.iter().map(|message| Record::of(message, &pipe.settings.source, region)).collect())
}

/// Deletes all of a batch but what has failed. What is not deleted comes again when its visibility timeout has passed.
pub(crate) async fn delete(effect: &Effect, pipe: &Compiled, batch: &[Record], failed: &HashSet<String>) {
    let done: Vec<&Record> = batch.iter().filter(|record| !failed.contains(&record.message_id)).collect();
    for chunk in done.chunks(AT_ONCE_MAX) {
        let entry = |(index, record): (usize, &&Record)| json!({ "Id": index.to_string(), "ReceiptHandle": record.receipt_handle });
        let entries: Vec<Document> = chunk.iter().enumerate().map(entry).collect();
        let input = json!({ "QueueUrl": pipe.settings.source, "Entries": entries });
        if let Err(fault) = call(effect, pipe, "DeleteMessageBatch", &input).await {
            tracing::warn!(pipe = pipe.arn, %fault, "failed to delete messages that are done with; they come again");
        }
    }
}

/// Of a FIFO queue, what follows a failure in its group has failed, too, so that it is not overtaken.
pub(crate) fn with_followers(
    pipe: &Compiled,
    batch: &[Record],
    mut failed: HashSet<String>,
) -> HashSet<String> {
    if pipe.is_ordered() {
        let mut blocked = HashSet::new();
        for record in batch {
            if failed.contains(&record.message_id) || blocked.contains(&record.group) {
                failed.insert(record.message_id.clone());
                blocked.insert(record.group.clone());
            }
        }
    }
    failed
}

async fn call(
    effect: &Effect,
    pipe: &Compiled,
    operation: &str,
    input: &Document,
) -> Result<Document, Fault> {
    ask(effect, effect.caller(), &pipe.source, "sqs", operation, input).await
}

/// The same of an internal operation.
pub(crate) async fn ask_internal(
    effect: &Effect,
    arn: &base::Arn,
    service: &str,
    operation: &str,
    input: &Document,
) -> Result<Document, Fault> {
    let caller = effect.caller();
    let account = arn.account_id().unwrap_or_else(|| caller.account.clone());
    let region = arn.region_name().unwrap_or_else(|| caller.region.clone());
    let caller = Caller { request_id: effect.id(), ..caller.as_service(PRINCIPAL, account, region) };
    effect.kernel().ask(caller, service, operation, input).await
}

/// Calls an operation as the service, where an ARN says that its resource is.
pub(crate) async fn ask(
    effect: &Effect,
    caller: &Caller,
    arn: &base::Arn,
    service: &str,
    operation: &str,
    input: &Document,
) -> Result<Document, Fault> {
    let account = arn.account_id().unwrap_or_else(|| caller.account.clone());
    let region = arn.region_name().unwrap_or_else(|| caller.region.clone());
    let caller = Caller { request_id: effect.id(), ..caller.as_service(PRINCIPAL, account, region) };
    let input = Bytes::from(input.to_string());
    let output = effect.call_as(caller, service, operation, input).await?;
    serde_json::from_slice(&output).map_err(Fault::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{PipeSourceParameters, PipeTargetParameters};
    use crate::keys::Settings;

    #[test]
    fn what_follows_a_failure_in_its_group_fails() {
        let pipe = |queue: &str| {
            let settings = Settings {
                description: None,
                source: format!("arn:aws:sqs:eu-central-1:000000000000:{queue}"),
                source_parameters: PipeSourceParameters::default(),
                enrichment: None,
                enrichment_parameters: None,
                target: "arn:aws:sqs:eu-central-1:000000000000:t".to_owned(),
                target_parameters: PipeTargetParameters::default(),
                role_arn: String::new(),
                log: None,
            };
            Compiled::new("p", "arn".to_owned(), settings).unwrap()
        };
        let record = |id: &str, group: &str| Record {
            message_id: id.to_owned(),
            receipt_handle: String::new(),
            group: Some(group.to_owned()),
            event: Document::Null,
            at: None,
        };
        let batch = [record("1", "a"), record("2", "b"), record("3", "a"), record("4", "b")];
        let failed = |queue: &str| {
            let mut failed: Vec<String> =
                with_followers(&pipe(queue), &batch, HashSet::from(["1".to_owned()])).into_iter().collect();
            failed.sort();
            failed
        };
        assert_eq!(failed("q.fifo"), ["1", "3"]);
        assert_eq!(failed("q"), ["1"]);
    }
}
