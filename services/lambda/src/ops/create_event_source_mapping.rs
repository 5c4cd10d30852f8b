//! `CreateEventSourceMapping`: <https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html>

use std::collections::BTreeMap;

use base::{Arn, Document, Fault};
use kernel::{Effect, Result, Scope, Tx};
use serde_json::json;

use crate::api::{CreateEventSourceMappingInput, CreateEventSourceMappingOutput, EventSourcePosition};
use crate::fault;
use crate::function;
use crate::keys::{Checkpoint, CheckpointKey, Mapping, MappingKey, PairKey};
use crate::mapping::settings::{Settings, Wanted};
use crate::mapping::{Kind, ask, call, keep_vigils, kind_of, parse_source, shown};
use crate::name::FunctionRef;
use crate::ops::tag_resource::check_keys;

/// A mapping that is ready to be made.
#[derive(Clone)]
struct Prepared {
    mapping: Mapping,
    kind: Kind,
    /// The queue's visibility timeout, in seconds.
    visibility_s: Option<u64>,
    /// Where the stream's lanes begin.
    position: Option<String>,
}

/// Makes a mapping, whose source and function exist. With its answer it reads; the state says what clients wait for to pass.
pub(crate) async fn create_event_source_mapping(
    effect: &Effect,
    input: CreateEventSourceMappingInput,
) -> Result<CreateEventSourceMappingOutput> {
    let caller = effect.caller();
    let scope = Scope { account: caller.account.clone(), region: caller.region.clone() };
    let function = FunctionRef::parse(&input.function_name, None, &scope)?;
    let wanted = Wanted::created(&input)?;
    let Some(source) = &input.event_source_arn else {
        return Err(fault::invalid("EventSourceArn must be specified for this event source type").into());
    };
    let arn = parse_source(source)?;
    let kind = served(effect, &arn)?;
    check_starting_position(kind, &input)?;
    check_destination(effect, &wanted)?;
    let mut settings = Settings::default_for(kind, input.starting_position);
    settings.apply(kind, wanted)?;
    check_keys(input.tags.as_ref().unwrap_or(&BTreeMap::new()))?;
    let (mut visibility_s, mut position, mut shard) = (None, None, String::new());
    match kind {
        Kind::Queue | Kind::FifoQueue => visibility_s = visibility_timeout_s(effect, &arn).await?,
        Kind::Stream => {
            let found = stream_position(effect, &arn, &input).await?;
            position = found["Position"].as_str().map(str::to_owned);
            shard = found["ShardId"].as_str().unwrap_or_default().to_owned();
        }
    }
    let mapping = Mapping {
        source: source.clone(),
        function,
        enabled: input.enabled.unwrap_or(true),
        settings,
        tags: input.tags.unwrap_or_default(),
        last_modified: effect.now(),
        epoch: 0,
        shard,
    };
    let prepared = Prepared { mapping, kind, visibility_s, position };
    effect.transact("CreateEventSourceMapping", create, prepared).await
}

async fn create(tx: &mut Tx, prepared: Prepared) -> Result<CreateEventSourceMappingOutput> {
    let Prepared { mapping, kind, visibility_s, position } = prepared;
    check_function(tx, &mapping.function, visibility_s).await?;
    let uuid = tx.id().to_string();
    claim_pair(tx, kind, &mapping, &uuid).await?;
    if let Some(position) = position {
        for lane in 0..mapping.settings.lanes {
            let key = CheckpointKey { mapping: uuid.clone(), lane };
            tx.put(&key, &Checkpoint::at(position.clone()))?;
        }
    }
    keep_vigils(tx, &uuid, &mapping, 0)?;
    tx.put(&MappingKey { uuid: uuid.clone() }, &mapping)?;
    let result = mapping.settings.begins.map(|_| "No records processed".to_owned());
    Ok(shown(tx.scope(), &uuid, &mapping, result, "Creating"))
}

/// The kind of a source that is read here.
fn served(effect: &Effect, arn: &Arn) -> Result<Kind, Fault> {
    let kind = kind_of(arn).filter(|_| effect.sources().find(arn).is_some());
    kind.ok_or_else(|| {
        fault::invalid(format!(
            "Unrecognized event source: {arn}. Buswork reads SQS queues and DynamoDB streams for functions."
        ))
    })
}

fn check_starting_position(kind: Kind, input: &CreateEventSourceMappingInput) -> Result<(), Fault> {
    match (kind, input.starting_position) {
        (Kind::Stream, None) => Err(fault::invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must \
             not be null.",
        )),
        (Kind::Stream, Some(EventSourcePosition::AtTimestamp))
            if input.starting_position_timestamp.is_none() =>
        {
            Err(fault::invalid(
                "StartingPositionTimestamp must be specified for StartingPosition AT_TIMESTAMP.",
            ))
        }
        (Kind::Queue | Kind::FifoQueue, Some(_)) => {
            Err(fault::invalid("StartingPosition is not valid for SQS event sources."))
        }
        _ => Ok(()),
    }
}

/// Refuses a destination that is not served; queues and topics are.
pub(crate) fn check_destination(effect: &Effect, wanted: &Wanted) -> Result<(), Fault> {
    let Some(text) = wanted.on_failure() else { return Ok(()) };
    let arn: Option<Arn> = text.parse().ok();
    let served = arn.is_some_and(|arn| {
        matches!(arn.service.as_str(), "sqs" | "sns") && effect.kernel().targets().find(&arn).is_some()
    });
    if !served {
        return Err(fault::invalid(format!(
            "The destination {text} is not served: records that are given up go to SQS queues and SNS topics."
        )));
    }
    Ok(())
}

async fn visibility_timeout_s(effect: &Effect, queue: &Arn) -> Result<Option<u64>, Fault> {
    let input = json!({ "QueueUrl": queue.to_string(), "AttributeNames": ["VisibilityTimeout"] });
    let answer = call(effect, queue, "GetQueueAttributes", &input).await.map_err(|fault| {
        fault::invalid(format!(
            "Error occurred while ReceiveMessage. SQS Error Code: {}. SQS Error Message: {}",
            fault.code, fault.message
        ))
    })?;
    Ok(answer["Attributes"]["VisibilityTimeout"].as_str().and_then(|text| text.parse().ok()))
}

async fn stream_position(
    effect: &Effect,
    stream: &Arn,
    input: &CreateEventSourceMappingInput,
) -> Result<Document, Fault> {
    let asked = json!({
        "StreamArn": stream.to_string(),
        "StartingPosition": input.starting_position.map(EventSourcePosition::as_str),
        "TimestampMs": input.starting_position_timestamp.map(base::Timestamp::as_millis),
    });
    ask(effect, stream, "FindStreamPosition", &asked).await.map_err(|fault| match &*fault.code {
        "ResourceNotFoundException" => fault::invalid(format!("Stream not found: {stream}")),
        _ => fault,
    })
}

/// The function exists, and is done with a message before its queue gives it out again.
pub(crate) async fn check_function(
    tx: &mut Tx,
    wanted: &FunctionRef,
    visibility_s: Option<u64>,
) -> Result<()> {
    let found = function::find(tx, wanted, 0).await?;
    let timeout_s = u64::from(found.version.timeout_s);
    match visibility_s {
        Some(visibility_s) if visibility_s < timeout_s => Err(fault::invalid(format!(
            "Queue visibility timeout: {visibility_s} seconds is less than Function timeout: {timeout_s} seconds"
        ))
        .into()),
        _ => Ok(()),
    }
}

/// A source is mapped to a function once.
pub(crate) async fn claim_pair(tx: &mut Tx, kind: Kind, mapping: &Mapping, uuid: &str) -> Result<()> {
    let function = mapping.function.arn(tx.scope());
    let key = PairKey { source: mapping.source.clone(), function: function.clone() };
    match tx.get(&key).await? {
        Some(other) if other != uuid => {
            let what = if kind == Kind::Stream { "stream" } else { "SQS" };
            Err(fault::conflict(format!(
                "An event source mapping with {what} arn (\" {} \") and function (\" {function} \") already exists. \
                 Please update or delete the existing mapping with UUID {other}",
                mapping.source
            ))
            .into())
        }
        _ => tx.put(&key, &uuid.to_owned()),
    }
}
