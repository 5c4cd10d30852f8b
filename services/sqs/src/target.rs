//! A queue as the target of a delivery.

use std::collections::BTreeMap;

use base::{Arn, Fault};
use kernel::{Call, Delivery, TargetKind};
use serde_json::json;

/// Queues by their ARN.
pub(crate) const QUEUE: TargetKind = TargetKind {
    service: "sqs",
    name: "SQS queue",
    serves: |arn| !arn.resource.contains(['/', ':']),
    call,
    // Who sends to a FIFO queue gives out its next number, which one can at a time.
    at_once: |arn| !arn.resource.ends_with(".fifo"),
};

fn call(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let attribute = |(name, value): (String, String)| {
        // An attribute without a value cannot be sent; what it would have said is in the others.
        (!value.is_empty()).then(|| (name, json!({ "DataType": "String", "StringValue": value })))
    };
    let attributes: BTreeMap<_, _> = delivery.attributes.into_iter().filter_map(attribute).collect();
    let mut input = json!({ "QueueUrl": arn.to_string(), "MessageBody": delivery.payload });
    if !attributes.is_empty() {
        input["MessageAttributes"] = json!(attributes);
    }
    for name in ["MessageGroupId", "MessageDeduplicationId"] {
        if let Some(value) = delivery.parameters.get(name) {
            input[name] = value.clone();
        }
    }
    Call::new("sqs", "SendMessage", &input).map_err(|error| Fault::validation(error.to_string()))
}
