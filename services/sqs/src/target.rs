//! A queue as the target of a delivery.

use std::collections::BTreeMap;

use base::{Arn, Fault};
use kernel::{Call, Delivery, TargetKind};
use serde::Serialize;
use serde_json::{Value, json};

/// Queues by their ARN.
pub(crate) const QUEUE: TargetKind = TargetKind {
    service: "sqs",
    name: "SQS queue",
    serves: |arn| !arn.resource.contains(['/', ':']),
    call,
    // Who sends to a FIFO queue gives out its next number, which one can at a time.
    at_once: |arn| !arn.resource.ends_with(".fifo"),
};

/// The members of `SendMessage` that a delivery has.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    queue_url: String,
    message_body: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_group_id: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_deduplication_id: Option<&'a Value>,
}

fn call(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let attribute = |(name, value): (String, String)| {
        // An attribute without a value cannot be sent; what it would have said is in the others.
        (!value.is_empty()).then(|| (name, json!({ "DataType": "String", "StringValue": value })))
    };
    let input = Input {
        queue_url: arn.to_string(),
        message_body: delivery.payload,
        message_attributes: delivery.attributes.into_iter().filter_map(attribute).collect(),
        message_group_id: delivery.parameters.get("MessageGroupId"),
        message_deduplication_id: delivery.parameters.get("MessageDeduplicationId"),
    };
    Call::new("sqs", "SendMessage", &input).map_err(|error| Fault::validation(error.to_string()))
}
