//! Mappings of tables' streams: each lane reads the records of its keys in order and invokes the function with one batch at
//! a time. Where it is stands in its [`Checkpoint`], committed with the outcome of every batch.

use std::time::Duration;

use base::{Arn, Document, Fault, Timestamp};
use kernel::{Effect, Rest, Result, TraceCx, Tx};
use serde_json::json;

use super::batch::{BATCH_BYTES_MAX, Filters, Undone};
use super::checkpoint::{Outcome, Settled};
use super::invoke::{Called, End, invoke};
use super::queue::tell_all;
use super::{Lane, arn, ask, place};
use crate::keys::{Checkpoint, CheckpointKey, Mapping, MappingKey};
use crate::ops::end_event::send_to;
use crate::state::Functions;

/// The rest after a stream could not be read.
const PAUSE: Duration = Duration::from_secs(5);
/// The rest after the stream was gone.
const GONE_PAUSE: Duration = Duration::from_secs(60);
/// Records that are not the lane's, or that no filter lets pass, after which the lane's place is committed all the same.
const SKIPPED_MAX: usize = 1_000;

/// What a lane has read without a batch having come of it.
#[derive(Default)]
pub(crate) struct Reading {
    /// The checkpoint that this is about, and how far its stream was read.
    from: String,
    to: String,
    skipped: usize,
    /// When the first record of the batch that is gathered was seen.
    since: Option<Timestamp>,
    /// Until when the lane rests because the store did not take an outcome.
    blocked: Option<Timestamp>,
}

/// A record of the batch.
struct Record {
    number: String,
    value: Document,
    cause: Option<TraceCx>,
    /// Seconds since the epoch.
    at: i64,
}

/// What a reading has brought.
struct Gathered {
    records: Vec<Record>,
    /// Where the next batch begins.
    end: String,
    /// Whether the batch takes no more.
    full: bool,
    skipped: usize,
    /// Whether nothing will ever follow.
    over: bool,
}

/// Reads until a batch is full, its window is over or there are no more records.
pub(crate) async fn look(effect: &Effect, lane: Lane, mapping: Mapping, source: Arn) -> Result<Rest> {
    // One batch at a time: the look after its end goes on.
    if effect.working() > 0 {
        return Ok(Rest::new());
    }
    let Some(wake) = effect.watch_source(&source) else { return Ok(Rest::new()) };
    let Some(checkpoint) = effect.transact("FindCheckpoint", find, lane.clone()).await? else {
        return Ok(Rest::new());
    };
    if let Some(at) = checkpoint.not_before.filter(|at| *at > effect.now()) {
        return Ok(Rest::new().until(at));
    }
    let functions = effect.state::<Functions>()?;
    let place = place(effect, &lane);
    let known = functions.0.readers.streams().remove(&place);
    let mut reading = known.filter(|reading| reading.from == checkpoint.position).unwrap_or_default();
    if let Some(until) = reading.blocked.filter(|until| *until > effect.now()) {
        functions.0.readers.streams().insert(place, reading);
        return Ok(Rest::new().until(until));
    }
    let from =
        if reading.to > checkpoint.position { reading.to.clone() } else { checkpoint.position.clone() };
    let gathered = match gather(effect, &lane, &mapping, &source, (&checkpoint, from)).await {
        Ok(gathered) => gathered,
        Err(fault) => {
            tracing::warn!(mapping = lane.mapping, %fault, "failed to read a mapping's stream");
            let pause = if fault.code.contains("NotFound") { GONE_PAUSE } else { PAUSE };
            return Ok(Rest::new().on(wake).until(effect.now() + pause));
        }
    };
    if gathered.records.is_empty() {
        reading.skipped += gathered.skipped;
        if checkpoint.end().is_some() || reading.skipped >= SKIPPED_MAX {
            let settled = Settled {
                checkpoint: checkpoint
                    .after(&[], &gathered.end, &Outcome::Done, &mapping.settings, effect.now())
                    .checkpoint,
                given_up: None,
            };
            let told =
                Told { lane, epoch: mapping.epoch, settled, causes: Vec::new(), detail: None, record: None };
            effect.transact("EventSourceMapping", settle, told).await?;
            return Ok(Rest::again());
        }
        let over = gathered.over;
        reading = Reading { from: checkpoint.position, to: gathered.end, since: None, ..reading };
        functions.0.readers.streams().insert(place, reading);
        return Ok(if over { Rest::new() } else { Rest::new().on(wake) });
    }
    let window = Duration::from_secs(u64::from(mapping.settings.window_s));
    let closes = *reading.since.get_or_insert_with(|| effect.now()) + window;
    if !gathered.full && !gathered.over && closes > effect.now() {
        reading.from = checkpoint.position;
        functions.0.readers.streams().insert(place, reading);
        return Ok(Rest::new().on(wake).until(closes));
    }
    Ok(Rest::new().with_work(run(effect.clone(), lane, mapping, checkpoint, gathered, place)))
}

/// Takes a batch to its end. If the store does not take the outcome, the lane rests before the batch is run again.
async fn run(
    effect: Effect,
    lane: Lane,
    mapping: Mapping,
    checkpoint: Checkpoint,
    batch: Gathered,
    place: String,
) {
    let Err(error) = process(&effect, &lane, &mapping, &checkpoint, batch).await else { return };
    tracing::error!(%error, mapping = lane.mapping, "failed to take a batch of a stream to its end");
    if let Ok(functions) = effect.state::<Functions>() {
        let blocked = Some(effect.now() + PAUSE);
        let reading = Reading { from: checkpoint.position, blocked, ..Reading::default() };
        functions.0.readers.streams().insert(place, reading);
    }
}

/// The lane's checkpoint; `None` if the mapping has none, because it was deleted.
async fn find(tx: &mut Tx, lane: Lane) -> Result<Option<Checkpoint>> {
    tx.peek(&CheckpointKey { mapping: lane.mapping, lane: lane.number }).await
}

/// Reads the next batch of a lane, no further than its checkpoint allows.
async fn gather(
    effect: &Effect,
    lane: &Lane,
    mapping: &Mapping,
    source: &Arn,
    (checkpoint, mut from): (&Checkpoint, String),
) -> Result<Gathered, Fault> {
    let filters = Filters::new(&mapping.settings.filters);
    let wanted = mapping.settings.batch_size as usize;
    let mut gathered =
        Gathered { records: Vec::new(), end: from.clone(), full: false, skipped: 0, over: false };
    let mut bytes = 0;
    loop {
        let input =
            json!({ "StreamArn": mapping.source, "Position": from, "Limit": wanted.clamp(100, 1_000) });
        let page = ask(effect, source, "ReadStream", &input).await?;
        let records = page["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (index, value) in records.iter().enumerate() {
            let number = value["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default();
            let size = value.to_string().len();
            let is_behind = checkpoint.end().is_some_and(|end| number >= end);
            let too_many = gathered.records.len() >= wanted || bytes + size > BATCH_BYTES_MAX;
            if is_behind || too_many && !gathered.records.is_empty() {
                gathered.end = checkpoint.end().filter(|_| is_behind).unwrap_or(number).to_owned();
                gathered.full = true;
                return Ok(gathered);
            }
            if !is_of_lane(value, lane.number, mapping.settings.lanes) || !filters.pass(value) {
                gathered.skipped += 1;
                continue;
            }
            bytes += size;
            gathered.records.push(Record {
                number: number.to_owned(),
                value: value.clone(),
                cause: page["Traces"][index].as_str().and_then(TraceCx::from_header),
                at: value["dynamodb"]["ApproximateCreationDateTime"].as_i64().unwrap_or_default(),
            });
        }
        from = page["Next"].as_str().unwrap_or_default().to_owned();
        gathered.end.clone_from(&from);
        gathered.over = page["Ended"].as_bool().unwrap_or(false);
        if checkpoint.end().is_some_and(|end| from.as_str() >= end) {
            gathered.end = checkpoint.end().unwrap_or_default().to_owned();
            gathered.full = true;
        } else if gathered.records.len() >= wanted {
            gathered.full = true;
        }
        if gathered.full || gathered.over || records.is_empty() {
            return Ok(gathered);
        }
    }
}

/// Whether a record is of this lane: all records of an item are of one. FNV-1a over the item's keys.
fn is_of_lane(record: &Document, lane: u32, lanes: u32) -> bool {
    if lanes <= 1 {
        return true;
    }
    let keys = record["dynamodb"]["Keys"].to_string();
    let hash = keys.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash >> 32) % u64::from(lanes) == u64::from(lane)
}

/// What is committed with a batch's outcome.
#[derive(Clone)]
struct Told {
    lane: Lane,
    epoch: u64,
    settled: Settled,
    causes: Vec<TraceCx>,
    detail: Option<Document>,
    /// For the on-failure destination: its ARN and the record.
    record: Option<(String, Document)>,
}

async fn process(
    effect: &Effect,
    lane: &Lane,
    mapping: &Mapping,
    checkpoint: &Checkpoint,
    batch: Gathered,
) -> Result<()> {
    let numbers: Vec<String> = batch.records.iter().map(|record| record.number.clone()).collect();
    let mut causes: Vec<TraceCx> = batch.records.iter().filter_map(|record| record.cause).collect();
    if causes.is_empty() {
        causes.push(TraceCx::root(effect.id()));
    }
    let mut called = None;
    let outcome = match first_young(&batch, mapping.settings.age_s_max, effect.now()) {
        Some(number) => Outcome::TooOld(number),
        None => {
            let records: Vec<&Document> = batch.records.iter().map(|record| &record.value).collect();
            let known = |id: &str| numbers.iter().any(|number| number == id);
            let made = called.insert(invoke(effect, mapping, causes[0], &records, known).await?);
            outcome_of(&made.end)
        }
    };
    let settled = checkpoint.after(&numbers, &batch.end, &outcome, &mapping.settings, effect.now());
    let detail = match &called {
        Some(called) => called.detail(numbers.len()),
        None => json!({ "records": numbers.len(), "given up": "they are too old" }),
    };
    let given_up = settled.given_up.filter(|(_, count)| *count > 0);
    let record = match (given_up, mapping.settings.on_failure.clone()) {
        (Some((first, count)), Some(destination)) => {
            let records = &batch.records[first..first + count];
            let invokes = settled_invokes(checkpoint, called.as_ref());
            Some((destination, failure(effect, mapping, records, called.as_ref(), invokes)))
        }
        _ => None,
    };
    let told =
        Told { lane: lane.clone(), epoch: mapping.epoch, settled, causes, detail: Some(detail), record };
    effect.transact("EventSourceMapping", settle, told).await
}

fn outcome_of(end: &End) -> Outcome {
    match end {
        End::Answered(_, Undone::Nothing) => Outcome::Done,
        End::Answered(_, Undone::All) => Outcome::Failed,
        End::Answered(_, Undone::Some(ids)) => {
            ids.iter().min().map_or(Outcome::Failed, |first| Outcome::FailedAt(first.clone()))
        }
        End::Refused(_) => Outcome::Refused,
    }
}

/// Behind the records that are too old, if the first is.
fn first_young(batch: &Gathered, age_s_max: i32, now: Timestamp) -> Option<String> {
    let oldest = now.as_secs() - i64::from(u32::try_from(age_s_max).ok()?);
    let old = batch.records.iter().take_while(|record| record.at < oldest).count();
    let young = batch.records.get(old).map_or(&batch.end, |record| &record.number);
    (old > 0).then(|| young.clone())
}

fn settled_invokes(checkpoint: &Checkpoint, called: Option<&Called>) -> u32 {
    checkpoint.attempts + u32::from(called.is_some())
}

/// What the on-failure destination learns of records that are given up.
fn failure(
    effect: &Effect,
    mapping: &Mapping,
    records: &[Record],
    called: Option<&Called>,
    invokes: u32,
) -> Document {
    let at = |record: Option<&Record>| {
        record.map(|record| Timestamp::from_millis(record.at * 1_000).to_iso_seconds())
    };
    let number = |record: Option<&Record>| record.map(|record| record.number.clone());
    let own = effect.caller();
    let scope = kernel::Scope { account: own.account.clone(), region: own.region.clone() };
    let mut context = json!({
        "requestId": called.map_or_else(|| effect.id().to_string(), |called| called.request_id.clone()),
        "functionArn": mapping.function.arn(&scope),
        "condition": if called.is_some() { "RetryAttemptsExhausted" } else { "RecordAgeExceeded" },
        "approximateInvokeCount": invokes,
    });
    let mut document = json!({
        "version": "1.0",
        "timestamp": effect.now().to_iso_millis(),
        "DDBStreamBatchInfo": {
            "shardId": mapping.shard,
            "startSequenceNumber": number(records.first()),
            "endSequenceNumber": number(records.last()),
            "approximateArrivalOfFirstRecord": at(records.first()),
            "approximateArrivalOfLastRecord": at(records.last()),
            "batchSize": records.len(),
            "streamArn": mapping.source,
        },
    });
    if let Some(End::Answered(ran, _)) = called.map(|called| &called.end) {
        context["functionArn"] = ran.arn.clone().into();
        let mut response = json!({ "statusCode": 200, "executedVersion": ran.invoked.executed_version });
        if let Some(error) = ran.invoked.function_error {
            response["functionError"] = error.as_str().into();
        }
        document["responseContext"] = response;
    }
    document["requestContext"] = context;
    document
}

/// Commits an outcome, unless the mapping is gone or its lanes have been laid anew meanwhile.
async fn settle(tx: &mut Tx, told: Told) -> Result<()> {
    let Lane { mapping, number } = told.lane;
    let present = tx.get(&MappingKey { uuid: mapping.clone() }).await?;
    if present.is_none_or(|present| present.epoch != told.epoch) {
        return Ok(());
    }
    tell_all(tx, &told.causes);
    if let Some(detail) = told.detail {
        let arn = arn(tx.scope(), &mapping);
        tx.note("event source mapping", &arn, Some(detail));
    }
    tx.put(&CheckpointKey { mapping, lane: number }, &told.settled.checkpoint)?;
    match told.record {
        Some((destination, record)) => send_to(tx, &destination, record.to_string()),
        None => Ok(()),
    }
}
