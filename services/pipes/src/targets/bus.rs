//! An event bus: an event for each event.

use base::{Fault, Timestamp};
use serde_json::{Value, json};

use super::parts::{Batches, put_batches};
use super::{Item, Missed, Shot, dynamic};
use crate::record::text;

/// The bytes of all events of a call.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
const BYTES_MAX: usize = 1_048_576;

pub(super) async fn call(shot: &Shot<'_>, items: &[Item]) -> Result<Missed, Fault> {
    let entries: Vec<Value> = items.iter().map(|item| entry(shot, item)).collect();
    let batches = Batches {
        service: "events",
        operation: "PutEvents",
        input: json!({}),
        member: "Entries",
        bytes_max: BYTES_MAX,
        failures: failed_by_place,
    };
    Ok(put_batches(shot, items, &entries, &batches).await)
}

/// An answer has an entry for each event, in their order.
fn failed_by_place(answer: &Value, numbers: &[usize], missed: &mut Missed) {
    for (entry, number) in answer["Entries"].as_array().into_iter().flatten().zip(numbers) {
        if let Some(code) = entry["ErrorCode"].as_str() {
            let message = entry["ErrorMessage"].as_str().unwrap_or_default();
            missed.add(*number, Fault::new(code.to_owned(), message));
        }
    }
}

/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_PipeTargetEventBridgeEventBusParameters.html>
fn entry(shot: &Shot<'_>, item: &Item) -> Value {
    let given =
        shot.pipe.settings.target_parameters.event_bridge_event_bus_parameters.clone().unwrap_or_default();
    let chosen = |parameter: Option<String>| parameter.and_then(|value| dynamic(&value, &item.view));
    let source = chosen(given.source).unwrap_or_else(|| format!("Pipe {}", shot.pipe.name));
    let detail_type =
        chosen(given.detail_type).unwrap_or_else(|| format!("Event from aws:{}", shot.pipe.source.service));
    let resources: Vec<String> = given
        .resources
        .unwrap_or_default()
        .iter()
        .filter_map(|resource| dynamic(resource, &item.view))
        .collect();
    let mut entry = json!({
        "Source": source, "DetailType": detail_type, "Detail": text(&item.payload),
        "Resources": resources, "EventBusName": shot.pipe.target.to_string(),
    });
    if let Some(time) = chosen(given.time).as_deref().and_then(time) {
        entry["Time"] = json!(time.as_epoch_seconds());
    }
    entry
}

/// ISO 8601, or milliseconds since 1970.
fn time(text: &str) -> Option<Timestamp> {
    Timestamp::from_iso(text).or_else(|| text.parse().ok().map(Timestamp::from_millis))
}
