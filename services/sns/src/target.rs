//! A topic as the target of a delivery: rules, schedules, pipes and dead letters publish to it.

use std::collections::BTreeMap;

use base::{Arn, Fault};
use kernel::{Call, Delivery, TargetKind};
use serde_json::json;

/// Standard topics by their ARN. A FIFO topic needs a message group with every message, which no delivery gives: it is
/// refused when it is configured.
pub(crate) const TOPIC: TargetKind = TargetKind {
    service: "sns",
    name: "SNS topic",
    serves: |arn| !arn.resource.contains(['/', ':']) && !arn.resource.ends_with(".fifo"),
    call,
    at_once: |_| true,
};

fn call(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let mut input = json!({ "TopicArn": arn.to_string(), "Message": delivery.payload });
    let attribute = |(name, value): (String, String)| {
        // An attribute without a value cannot be sent; what it would have said is in the others.
        (!value.is_empty()).then(|| (name, json!({ "DataType": "String", "StringValue": value })))
    };
    let attributes: BTreeMap<_, _> = delivery.attributes.into_iter().filter_map(attribute).collect();
    if !attributes.is_empty() {
        input["MessageAttributes"] = json!(attributes);
    }
    for name in ["MessageGroupId", "MessageDeduplicationId", "Subject"] {
        if let Some(value) = delivery.parameters.get(name) {
            input[name] = value.clone();
        }
    }
    Call::new("sns", "Publish", &input).map_err(|error| Fault::validation(error.to_string()))
}
