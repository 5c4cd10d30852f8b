//! A stream as a source: its records in their order, and how far a pipe is with them.
//!
//! A pipe's place in its stream is a row, which moves behind what is done with. What has failed is tried again from there,
//! and nothing overtakes it; what fails for good goes to the dead-letter queue, and the place moves behind it.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html>

use std::time::Duration;

use base::{Arn, Document, Fault, Timestamp};
use futures::future::{Fuse, FusedFuture, select};
use kernel::{Effect, Tx};
use serde_json::json;
use store::Wake;
use uuid::Uuid;

use crate::api::{DynamoDBStreamStartPosition, PipeSourceDynamoDBStreamParameters};
use crate::compiled::Compiled;
use crate::execution::{self, Ran};
use crate::keys::{Place, PlaceKey};
use crate::record::Record;
use crate::source::ask_internal;
use crate::targets::{Item, bury};

/// The first pause after a failure; it doubles.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Where a pipe that was never read for begins. This asks for the stream, too.
///
/// # Errors
/// There is no such stream.
pub(crate) async fn beginning(
    effect: &Effect,
    arn: &Arn,
    from: DynamoDBStreamStartPosition,
) -> Result<String, Fault> {
    let input = json!({ "StreamArn": arn.to_string(), "StartingPosition": from.as_str() });
    let answer = ask_internal(effect, arn, "dynamodb", "FindStreamPosition", &input).await?;
    Ok(answer["Position"].as_str().unwrap_or_default().to_owned())
}

/// Records that were read, and where to read on behind them.
struct Batch {
    records: Vec<Record>,
    next: String,
}

/// Reads the next batch and runs it to its end, or waits until one has come. Returns when the pipe has changed, too: what is
/// not done with then is read again.
///
/// # Errors
/// The stream cannot be read, or the store does not answer.
pub(crate) async fn step(
    effect: &Effect,
    pipe: &Compiled,
    generation: Uuid,
    changed: &mut Fuse<Wake>,
) -> Result<(), Fault> {
    let key = PlaceKey { name: pipe.name.clone(), generation };
    let to_fault = |error| effect.kernel().to_fault(error);
    let Some(place) = effect.transact("LoadPlace", load, key.clone()).await.map_err(to_fault)? else {
        return Err(Fault::validation("The pipe has no place in its stream."));
    };
    let Some(batch) = gather(effect, pipe, &place.position, changed).await? else { return Ok(()) };
    let walk = Walk { effect, pipe, key: &key, batch: &batch };
    walk.run(changed).await.map_err(to_fault)
}

async fn load(tx: &mut Tx, key: PlaceKey) -> kernel::Result<Option<Place>> {
    tx.peek(&key).await
}

async fn save(tx: &mut Tx, (key, position): (PlaceKey, String)) -> kernel::Result<()> {
    // A pipe that was deleted meanwhile has no place any more.
    if tx.get(&key).await?.is_some() {
        tx.put(&key, &Place { position })?;
    }
    Ok(())
}

/// What comes within the window after the first record, or what is there when it comes; `None` if the pipe has changed.
async fn gather(
    effect: &Effect,
    pipe: &Compiled,
    position: &str,
    changed: &mut Fuse<Wake>,
) -> Result<Option<Batch>, Fault> {
    let mut deadline: Option<Timestamp> = None;
    loop {
        // Asked for before the look, so that what comes in between wakes us.
        let came = effect.watch_source(&pipe.source);
        let input =
            json!({ "StreamArn": pipe.settings.source, "Position": position, "Limit": pipe.batch_size });
        let answer = ask_internal(effect, &pipe.source, "dynamodb", "ReadStream", &input).await?;
        let records: Vec<Record> =
            answer["Records"].as_array().into_iter().flatten().map(Record::of_stream).collect();
        let now = effect.now();
        let due = *deadline.get_or_insert_with(|| now + Duration::from_secs(pipe.window_s));
        let full = records.len() >= pipe.batch_size || answer["Ended"] == true;
        if !records.is_empty() && (full || now >= due) {
            let next = answer["Next"].as_str().unwrap_or_default().to_owned();
            return Ok(Some(Batch { records, next }));
        }
        if records.is_empty() {
            deadline = None;
        }
        let until = if records.is_empty() { Timestamp::MAX } else { due };
        let waiting = std::pin::pin!(async {
            let sleeping = std::pin::pin!(effect.clock().sleep_until(until));
            match came {
                Some(came) => drop(select(came, sleeping).await),
                None => sleeping.await,
            }
        });
        if changed.is_terminated() {
            return Ok(None);
        }
        if let futures::future::Either::Left(_) = select(&mut *changed, waiting).await {
            return Ok(None);
        }
    }
}

/// A batch on its way, part by part.
struct Walk<'a> {
    effect: &'a Effect,
    pipe: &'a Compiled,
    key: &'a PlaceKey,
    batch: &'a Batch,
}

impl Walk<'_> {
    async fn run(&self, changed: &mut Fuse<Wake>) -> kernel::Result<()> {
        // Parts that are left, the next one last.
        let whole = 0..self.batch.records.len();
        let mut parts = Vec::from([whole]);
        let mut attempts = 0;
        while let Some(part) = parts.pop() {
            let now = self.effect.now();
            let records = &self.batch.records[part.clone()];
            let old = records.iter().take_while(|record| self.is_too_old(record, now)).count();
            if old > 0 {
                self.give_up(part.start..part.start + old, "RecordAgeExceeded", None).await?;
                parts.push(part.start + old..part.end);
                continue;
            }
            if records.is_empty() {
                continue;
            }
            let ran = execution::run_records(self.effect, self.pipe, records.to_vec()).await;
            let Some((failed, fault)) = first_failed(records, &ran) else {
                self.move_to(part.end).await?;
                attempts = 0;
                continue;
            };
            if failed > 0 {
                self.move_to(part.start + failed).await?;
                attempts = 0;
            }
            let rest = part.start + failed..part.end;
            if self.bisects() && rest.len() > 1 {
                let middle = rest.start + rest.len().div_ceil(2);
                parts.push(middle..rest.end);
                parts.push(rest.start..middle);
                continue;
            }
            attempts += 1;
            if self.retries_max().is_some_and(|most| attempts > most) {
                self.give_up(rest, "RetryAttemptsExhausted", Some(fault)).await?;
                attempts = 0;
                continue;
            }
            parts.push(rest);
            if changed.is_terminated() {
                return Ok(());
            }
            let pause = PAUSE.saturating_mul(1 << (attempts - 1).min(6)).min(PAUSE_MAX);
            let sleeping = std::pin::pin!(self.effect.clock().sleep_until(now + pause));
            if let futures::future::Either::Left(_) = select(&mut *changed, sleeping).await {
                return Ok(());
            }
        }
        Ok(())
    }

    fn given(&self) -> Option<&PipeSourceDynamoDBStreamParameters> {
        self.pipe.settings.source_parameters.dynamo_db_stream_parameters.as_ref()
    }

    fn bisects(&self) -> bool {
        self.given().is_some_and(|given| given.on_partial_batch_item_failure.is_some())
    }

    /// How often a failure is tried again; `None`: for ever.
    fn retries_max(&self) -> Option<u32> {
        u32::try_from(self.given()?.maximum_retry_attempts?).ok()
    }

    fn is_too_old(&self, record: &Record, now: Timestamp) -> bool {
        let most = self.given().and_then(|given| u64::try_from(given.maximum_record_age_in_seconds?).ok());
        most.is_some_and(|most| record.at.is_some_and(|at| at + Duration::from_secs(most) < now))
    }

    /// Everything in front of record number `to` is done with.
    async fn move_to(&self, to: usize) -> kernel::Result<()> {
        let position = self.batch.records.get(to).map_or(&self.batch.next, |record| &record.message_id);
        self.effect.transact("MovePlace", save, (self.key.clone(), position.clone())).await
    }

    /// These records are not tried again: their place goes to the dead-letter queue.
    async fn give_up(
        &self,
        part: std::ops::Range<usize>,
        condition: &str,
        fault: Option<Fault>,
    ) -> kernel::Result<()> {
        let records = &self.batch.records[part.clone()];
        let letter = letter(self.pipe, records, condition, self.effect.now(), fault.as_ref());
        let queue =
            self.given().and_then(|given| given.dead_letter_config.as_ref()?.arn.as_ref()?.parse().ok());
        match queue {
            Some(arn) => {
                let item = Item { payload: letter, view: Document::Null };
                if let Err(fault) = bury(self.effect, self.pipe, &arn, &item).await {
                    tracing::warn!(pipe = self.pipe.arn, %fault, "failed to bury records of a stream");
                }
            }
            None => tracing::warn!(pipe = self.pipe.arn, %letter, "records of a stream were given up"),
        }
        self.move_to(part.end).await
    }
}

/// The first record that has failed, and why.
fn first_failed(records: &[Record], ran: &Ran) -> Option<(usize, Fault)> {
    let fault = ran.why.clone()?;
    let failed = |record: &Record| ran.failed.contains(&record.message_id);
    Some((records.iter().position(failed).unwrap_or(0), fault))
}

/// What the dead-letter queue gets: where the records stand, without the records.
fn letter(
    pipe: &Compiled,
    records: &[Record],
    condition: &str,
    now: Timestamp,
    fault: Option<&Fault>,
) -> Document {
    let time = |record: Option<&Record>| record.and_then(|record| record.at).map(Timestamp::to_iso_millis);
    let id = |record: Option<&Record>| record.map(|record| record.message_id.clone());
    let mut letter = json!({
        "context": { "partnerResourceArn": pipe.arn, "condition": condition },
        "version": "1.0",
        "timestamp": now.to_iso_millis(),
        "DDBStreamBatchInfo": {
            "startSequenceNumber": id(records.first()),
            "endSequenceNumber": id(records.last()),
            "approximateArrivalOfFirstRecord": time(records.first()),
            "approximateArrivalOfLastRecord": time(records.last()),
            "batchSize": records.len(),
            "streamArn": pipe.settings.source,
        },
    });
    if let Some(fault) = fault {
        letter["responseContext"] = json!({ "errorCode": fault.code, "errorMessage": fault.message });
    }
    letter
}
