//! A topic: a message for each event.

use serde_json::{Value, json};

use super::parts::{Batches, failed_by_id, put_batches};
use super::{Item, Missed, Shot};
use crate::record::text;

/// The bytes of all messages of a call.
/// <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>
const BYTES_MAX: usize = 262_144;

pub(super) async fn call(shot: &Shot<'_>, items: &[Item]) -> Result<Missed, base::Fault> {
    let entry =
        |(number, item): (usize, &Item)| json!({ "Id": number.to_string(), "Message": text(&item.payload) });
    let entries: Vec<Value> = items.iter().enumerate().map(entry).collect();
    let batches = Batches {
        service: "sns",
        operation: "PublishBatch",
        input: json!({ "TopicArn": shot.pipe.target.to_string() }),
        member: "PublishBatchRequestEntries",
        bytes_max: BYTES_MAX,
        failures: failed_by_id,
    };
    Ok(put_batches(shot, items, &entries, &batches).await)
}
