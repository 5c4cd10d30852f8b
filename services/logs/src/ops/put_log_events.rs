use std::time::Duration;

use base::{Fault, Timestamp};
use kernel::{Result, Tx};

use crate::api::{
    EntityRejectionErrorType, InputLogEvent, PutLogEventsInput, PutLogEventsOutput, RejectedEntityInfo,
    RejectedLogEventsInfo,
};
use crate::keys::{Event, EventKey, StreamKey};
use crate::ops::find_group;
use crate::token::Place;
use crate::{fault, subscription};

/// A batch's bytes: each event counts 26 more than its message.
const BATCH_BYTES_MAX: usize = 1_048_576;
/// How far apart the events of a batch may be.
const SPAN_MS_MAX: i64 = 86_400_000;
/// How far in the future an event may be.
const FUTURE_MAX: Duration = Duration::from_secs(2 * 3_600);
/// How old an event may be.
const AGE_MAX: Duration = Duration::from_secs(14 * 86_400);

/// Appends events to a stream, in one commit. Events out of bounds are named and left out, as at AWS.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
pub(crate) async fn put_log_events(tx: &mut Tx, input: PutLogEventsInput) -> Result<PutLogEventsOutput> {
    check(&input.log_events)?;
    let (group_key, group) = find_group(tx, Some(input.log_group_name), None).await?;
    let key = StreamKey { group: group_key.name, name: input.log_stream_name };
    let Some(mut stream) = tx.get(&key).await? else { return Err(fault::no_such_stream().into()) };
    let oldest = (tx.now() - AGE_MAX).max(group.horizon(tx).unwrap_or_default());
    let newest = tx.now() + FUTURE_MAX;
    let (mut too_old, mut too_new, mut lines) = (None, None, Vec::new());
    let count = u32::try_from(input.log_events.len()).unwrap_or(u32::MAX);
    let (seq, first) = (tx.seq(), stream.take_places(tx.seq(), count));
    for (event, index) in input.log_events.into_iter().zip(0_i32..) {
        let at = Timestamp::from_millis(event.timestamp);
        if at < oldest {
            too_old = Some(index + 1);
        } else if at > newest {
            too_new = too_new.or(Some(index));
        } else {
            let event_key = EventKey {
                group: key.group.clone(),
                stream: key.name.clone(),
                at,
                seq,
                index: first.saturating_add(index.unsigned_abs()),
            };
            let event = Event { message: event.message, ingested_at: tx.now() };
            tx.put(&event_key, &event)?;
            if !group.subscriptions.is_empty() {
                lines.push((Place::of(&event_key), event.message));
            }
            stream.first_event_at = Some(stream.first_event_at.map_or(at, |first| first.min(at)));
            stream.last_event_at = Some(stream.last_event_at.map_or(at, |last| last.max(at)));
        }
    }
    stream.last_ingested_at = Some(tx.now());
    tx.put(&key, &stream)?;
    subscription::forward(tx, &group, &key, &lines)?;
    let rejected = (too_old.is_some() || too_new.is_some()).then_some(RejectedLogEventsInfo {
        too_new_log_event_start_index: too_new,
        too_old_log_event_end_index: too_old,
        expired_log_event_end_index: None,
    });
    // Nothing is known of entities here; the events are kept, and the answer says that theirs was not.
    let entity = input
        .entity
        .map(|_| RejectedEntityInfo { error_type: EntityRejectionErrorType::UnsupportedLogGroupType });
    let next_sequence_token = Some(tx.now().as_millis().to_string());
    Ok(PutLogEventsOutput {
        next_sequence_token,
        rejected_log_events_info: rejected,
        rejected_entity_info: entity,
    })
}

/// Refuses a batch that is too large, in disorder or spans too long a time.
fn check(events: &[InputLogEvent]) -> Result<(), Fault> {
    let bytes: usize = events.iter().map(|event| event.message.len() + 26).sum();
    if bytes > BATCH_BYTES_MAX {
        return Err(fault::invalid(format!(
            "Upload too large: {bytes} bytes exceeds limit of {BATCH_BYTES_MAX}"
        )));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(fault::invalid(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    if let (Some(first), Some(last)) = (events.first(), events.last())
        && last.timestamp.saturating_sub(first.timestamp) > SPAN_MS_MAX
    {
        return Err(fault::invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use testkit::World;

    use super::*;
    use crate::ops::deliver::{Deliver, deliver};

    /// What tasks do that share a transaction.
    async fn put_all(tx: &mut Tx, inputs: Vec<PutLogEventsInput>) -> Result<()> {
        for input in inputs {
            put_log_events(tx, input).await?;
        }
        Ok(())
    }

    async fn deliver_all(tx: &mut Tx, inputs: Vec<Deliver>) -> Result<()> {
        for input in inputs {
            deliver(tx, input).await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn calls_in_one_transaction_keep_all_lines_in_order() {
        let service = || crate::service().internal("PutAll", put_all).internal("DeliverAll", deliver_all);
        let world = World::new(move || vec![service()]).await;
        world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "g" })).await;
        world.ok("logs", "CreateLogStream", json!({ "logGroupName": "g", "logStreamName": "s" })).await;
        let at = world.now().as_millis();
        let put = |lines: &[&str]| -> Value {
            let event = |line: &&str| json!({ "timestamp": at, "message": line });
            let events: Vec<Value> = lines.iter().map(event).collect();
            json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events })
        };
        let lines = async |stream: &str, limit: usize| {
            let mut lines = Vec::new();
            let mut token = Value::Null;
            loop {
                let mut input = json!({ "logGroupName": "g", "logStreamName": stream, "limit": limit, "startFromHead": true });
                if !token.is_null() {
                    input["nextToken"] = token.clone();
                }
                let page = world.ok("logs", "GetLogEvents", input).await;
                let events = page["events"].as_array().unwrap();
                lines.extend(events.iter().map(|event| event["message"].as_str().unwrap().to_owned()));
                if events.is_empty() {
                    return lines;
                }
                token = page["nextForwardToken"].clone();
            }
        };
        let all = json!([put(&["1", "2"]), put(&["3"]), put(&["4", "5"])]);
        world.ask("logs", "PutAll", all).await.unwrap();
        world.ok("logs", "PutLogEvents", put(&["6"])).await;
        for limit in [1, 2, 100] {
            assert_eq!(lines("s", limit).await, ["1", "2", "3", "4", "5", "6"]);
        }
        let deliver = |line: &str| json!({ "group": "g", "stream": "d", "message": line });
        world.ask("logs", "DeliverAll", json!([deliver("1"), deliver("2"), deliver("3")])).await.unwrap();
        assert_eq!(lines("d", 2).await, ["1", "2", "3"]);
    }
}
