//! Event source mappings: who reads a queue or a table's stream for a function, in batches.
//!
//! A mapping is a row. While it is enabled it keeps a vigil for its queue, or one for each lane of its stream: the look
//! ([`look`]) reads what is there and leaves the batch as work, which invokes the function and takes in how it went. Nothing of
//! it is in memory only: messages are deleted from their queue behind the answer, and a stream's lane has a [`Checkpoint`]
//! that is committed with the outcome, records for the on-failure destination included. Whatever dies on the way is read again.
//!
//! Knows no source but by the operations that everybody has, and by the two internal ones of SQS and of DynamoDB that name
//! the causes of what is read.

pub(crate) mod batch;
pub(crate) mod checkpoint;
pub(crate) mod invoke;
pub(crate) mod queue;
pub(crate) mod settings;
pub(crate) mod stream;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::{Arn, Document, Fault};
use bytes::Bytes;
use kernel::{Caller, Effect, Rest, Result, Scope, Tx};
use serde::{Deserialize, Serialize};

use crate::NAME;
use crate::api::EventSourceMappingConfiguration;
use crate::fault;
use crate::keys::{Checkpoint, CheckpointKey, Mapping, MappingKey};

/// The look of every mapping's vigils.
pub(crate) const LOOK: &str = "LookForMapping";

/// What a vigil looks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Lane {
    /// The mapping's UUID.
    pub mapping: String,
    /// Which of the stream's lanes; 0 for a queue.
    pub number: u32,
}

impl Lane {
    fn name(&self) -> String {
        format!("{}/{}", self.mapping, self.number)
    }
}

/// The kinds of sources that mappings read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Queue,
    FifoQueue,
    Stream,
}

/// The kind of the source that an ARN names, as far as mappings read it.
pub(crate) fn kind_of(source: &Arn) -> Option<Kind> {
    match source.service.as_str() {
        "sqs" if source.resource.ends_with(".fifo") => Some(Kind::FifoQueue),
        "sqs" => Some(Kind::Queue),
        "dynamodb" if source.resource.contains("/stream/") => Some(Kind::Stream),
        _ => None,
    }
}

/// Looks for a mapping's lane, if it is still enabled.
pub(crate) async fn look(effect: &Effect, lane: Lane) -> Result<Rest> {
    let Some(mapping) = effect.transact("FindMapping", find, lane.mapping.clone()).await? else {
        return Ok(Rest::new());
    };
    if !mapping.enabled {
        return Ok(Rest::new());
    }
    let source: Arn = parse_source(&mapping.source)?;
    match kind_of(&source) {
        Some(Kind::Stream) => Box::pin(stream::look(effect, lane, mapping, source)).await,
        Some(Kind::Queue | Kind::FifoQueue) => Box::pin(queue::look(effect, lane, mapping, source)).await,
        None => Ok(Rest::new()),
    }
}

async fn find(tx: &mut Tx, uuid: String) -> Result<Option<Mapping>> {
    tx.peek(&MappingKey { uuid }).await
}

/// The mapping of a caller's UUID; guarded.
pub(crate) async fn existing(tx: &mut Tx, uuid: &str) -> Result<Mapping> {
    let found = tx.get(&MappingKey { uuid: uuid.to_owned() }).await?;
    Ok(found.ok_or_else(fault::no_such_resource)?)
}

pub(crate) fn parse_source(text: &str) -> Result<Arn, Fault> {
    text.parse().map_err(|_| fault::invalid(format!("Invalid event source ARN: {text}")))
}

/// Keeps the vigils that an enabled mapping needs, and ends others of the `lanes` that it had.
pub(crate) fn keep_vigils(tx: &mut Tx, uuid: &str, mapping: &Mapping, lanes: u32) -> Result<()> {
    let needed = if mapping.enabled { mapping.settings.lanes } else { 0 };
    for number in 0..needed.max(lanes) {
        let lane = Lane { mapping: uuid.to_owned(), number };
        if number < needed {
            tx.keep_vigil(&lane.name(), LOOK, &lane)?;
        } else {
            tx.end_vigil(&lane.name());
        }
    }
    Ok(())
}

/// All checkpoints of a mapping.
pub(crate) async fn checkpoints(tx: &mut Tx, uuid: &str) -> Result<Vec<(CheckpointKey, Checkpoint)>> {
    let mut found = Vec::new();
    for lane in 0..settings::LANES_MAX {
        let key = CheckpointKey { mapping: uuid.to_owned(), lane };
        if let Some(checkpoint) = tx.get(&key).await? {
            found.push((key, checkpoint));
        }
    }
    Ok(found)
}

/// `arn:aws:lambda:…:event-source-mapping:UUID`.
pub(crate) fn arn(scope: &Scope, uuid: &str) -> String {
    Arn::new(NAME, &scope.region, &scope.account, format!("event-source-mapping:{uuid}")).to_string()
}

/// The UUID in a mapping's ARN.
pub(crate) fn uuid_of(arn: &str) -> Option<String> {
    let arn: Arn = arn.parse().ok()?;
    arn.resource_after("event-source-mapping").map(str::to_owned)
}

/// A mapping as the API shows it, in a state of the caller's choice.
pub(crate) fn shown(
    scope: &Scope,
    uuid: &str,
    mapping: &Mapping,
    result: Option<String>,
    state: &str,
) -> EventSourceMappingConfiguration {
    EventSourceMappingConfiguration {
        uuid: Some(uuid.to_owned()),
        event_source_arn: Some(mapping.source.clone()),
        function_arn: Some(mapping.function.arn(scope)),
        last_modified: Some(mapping.last_modified),
        last_processing_result: result,
        state: Some(state.to_owned()),
        state_transition_reason: Some("USER_INITIATED".to_owned()),
        event_source_mapping_arn: Some(arn(scope, uuid)),
        ..mapping.settings.shown(parse_source(&mapping.source).ok().as_ref().and_then(kind_of))
    }
}

/// The state between two changes.
pub(crate) fn state(mapping: &Mapping) -> &'static str {
    if mapping.enabled { "Enabled" } else { "Disabled" }
}

/// What was shown last of how records were processed; queues show nothing.
pub(crate) async fn result(tx: &mut Tx, uuid: &str, mapping: &Mapping) -> Result<Option<String>> {
    if mapping.settings.begins.is_none() {
        return Ok(None);
    }
    let first = tx.peek(&CheckpointKey { mapping: uuid.to_owned(), lane: 0 }).await?;
    Ok(Some(first.map_or_else(|| "No records processed".to_owned(), |checkpoint| checkpoint.result)))
}

/// Calls an operation as Lambda, where an ARN says that its resource is.
pub(crate) async fn call(
    effect: &Effect,
    source: &Arn,
    operation: &str,
    input: &Document,
) -> Result<Document, Fault> {
    let input = Bytes::from(input.to_string());
    let output = effect.call_as(caller(effect, source), &source.service, operation, input).await?;
    serde_json::from_slice(&output).map_err(Fault::internal)
}

/// The same with an internal operation.
pub(crate) async fn ask(
    effect: &Effect,
    source: &Arn,
    operation: &str,
    input: &Document,
) -> Result<Document, Fault> {
    effect.kernel().ask(caller(effect, source), &source.service, operation, input).await
}

fn caller(effect: &Effect, source: &Arn) -> Caller {
    let own = effect.caller();
    let account = source.account_id().unwrap_or_else(|| own.account.clone());
    let region = source.region_name().unwrap_or_else(|| own.region.clone());
    Caller { request_id: effect.id(), ..own.as_service(&format!("{NAME}.amazonaws.com"), account, region) }
}

/// What lanes know between two looks. Losing it loses nothing: messages come again, records are read again.
#[derive(Default)]
pub(crate) struct Readers {
    queues: Mutex<HashMap<String, queue::Gathering>>,
    streams: Mutex<HashMap<String, stream::Reading>>,
}

impl Readers {
    fn queues(&self) -> MutexGuard<'_, HashMap<String, queue::Gathering>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<String, stream::Reading>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lane's name among those of all accounts and regions.
fn place(effect: &Effect, lane: &Lane) -> String {
    format!("{}/{}/{}", effect.caller().account, effect.caller().region, lane.name())
}
