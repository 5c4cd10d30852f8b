//! A message, or a record of a stream, on its way through a pipe.

use base::Timestamp;
use serde_json::{Map, Value, json};

/// A received message.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub message_id: String,
    pub receipt_handle: String,
    /// The group of a FIFO queue's message.
    pub group: Option<String>,
    /// The event: the message as pipes show it.
    pub event: Value,
    /// When a stream's record came.
    pub at: Option<Timestamp>,
}

impl Record {
    /// From a message as `ReceiveMessage` answers it.
    pub(crate) fn of(message: &Value, source_arn: &str, region: &str) -> Record {
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let attributes = message.get("Attributes").cloned().unwrap_or_else(|| json!({}));
        let group = attributes["MessageGroupId"].as_str().map(str::to_owned);
        let given = message["MessageAttributes"].as_object().cloned().unwrap_or_default();
        let message_attributes: Map<String, Value> =
            given.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
        let event = json!({
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": attributes,
            "messageAttributes": message_attributes,
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": source_arn,
            "awsRegion": region,
        });
        let (message_id, receipt_handle) = (text("MessageId"), text("ReceiptHandle"));
        Record { message_id, receipt_handle, group, event, at: None }
    }

    /// From a record of a stream, whose id is its sequence number.
    pub(crate) fn of_stream(record: &Value) -> Record {
        let change = &record["dynamodb"];
        let at = change["ApproximateCreationDateTime"].as_f64().and_then(Timestamp::from_epoch_seconds);
        Record {
            message_id: change["SequenceNumber"].as_str().unwrap_or_default().to_owned(),
            receipt_handle: String::new(),
            group: None,
            event: record.clone(),
            at,
        }
    }
}

fn attribute(value: &Value) -> Value {
    let mut shown = json!({ "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"] });
    for (name, member) in [("stringValue", "StringValue"), ("binaryValue", "BinaryValue")] {
        if let Some(value) = value.get(member) {
            shown[name] = value.clone();
        }
    }
    shown
}

/// The event as filters and templates see it: a body that is JSON is looked into.
pub(crate) fn view(event: &Value) -> Value {
    let parsed = event.get("body").and_then(Value::as_str).and_then(|body| {
        let parsed: Option<Value> = serde_json::from_str(body).ok();
        parsed.filter(|parsed| parsed.is_object() || parsed.is_array())
    });
    match parsed {
        Some(body) => {
            let mut view = event.clone();
            view["body"] = body;
            view
        }
        None => event.clone(),
    }
}

/// An event as text: a text as it is, everything else as JSON.
pub(crate) fn text(event: &Value) -> String {
    event.as_str().map_or_else(|| event.to_string(), str::to_owned)
}
