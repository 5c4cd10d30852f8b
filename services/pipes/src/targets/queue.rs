//! A queue: a message for each event.

use serde_json::{Value, json};

use super::parts::{Batches, failed_by_id, put_batches};
use super::{Item, Missed, Shot, dynamic};
use crate::record::text;

/// The bytes of all messages of a call.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>
const BYTES_MAX: usize = 1_048_576;

pub(super) async fn call(shot: &Shot<'_>, items: &[Item]) -> Result<Missed, base::Fault> {
    let parameters = shot.pipe.settings.target_parameters.sqs_queue_parameters.clone().unwrap_or_default();
    let entry = |(number, item): (usize, &Item)| {
        let mut entry = json!({ "Id": number.to_string(), "MessageBody": text(&item.payload) });
        let chosen = [
            ("MessageGroupId", &parameters.message_group_id),
            ("MessageDeduplicationId", &parameters.message_deduplication_id),
        ];
        for (name, parameter) in chosen {
            if let Some(value) = parameter.as_deref().and_then(|value| dynamic(value, &item.view)) {
                entry[name] = value.into();
            }
        }
        entry
    };
    let entries: Vec<Value> = items.iter().enumerate().map(entry).collect();
    let batches = Batches {
        service: "sqs",
        operation: "SendMessageBatch",
        input: json!({ "QueueUrl": shot.pipe.target.to_string() }),
        member: "Entries",
        bytes_max: BYTES_MAX,
        failures: failed_by_id,
    };
    Ok(put_batches(shot, items, &entries, &batches).await)
}
