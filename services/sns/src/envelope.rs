//! What a subscriber gets: the message in its envelope, as AWS writes it. Messages are not signed: the members of the
//! signature are there and empty.
//!
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>

use base::{Arn, Timestamp};
use serde_json::{Map, Value, json};

use crate::message::Message;
use crate::order::sequence_number;

/// Where and when a message is delivered.
pub(crate) struct Place<'a> {
    pub topic: &'a Arn,
    pub subscription: &'a str,
    pub endpoint: &'a str,
    pub at: Timestamp,
    pub signature_version: &'a str,
    pub protocol: &'a str,
}

impl Place<'_> {
    fn unsubscribe_url(&self) -> String {
        url(self.endpoint, &[("Action", "Unsubscribe"), ("SubscriptionArn", self.subscription)])
    }

    fn signature_version(&self) -> &str {
        if self.signature_version.is_empty() { "1" } else { self.signature_version }
    }
}

/// The envelope for queues and HTTP endpoints.
pub(crate) fn notification(place: &Place<'_>, message: &Message) -> String {
    let mut members = vec![("Type", json!("Notification")), ("MessageId", json!(message.id.to_string()))];
    if let Some(number) = message.number {
        members.push(("SequenceNumber", json!(sequence_number(number))));
    }
    members.push(("TopicArn", json!(place.topic.to_string())));
    if let Some(subject) = &message.subject {
        members.push(("Subject", json!(subject)));
    }
    members.extend([
        ("Message", json!(message.text_for(place.protocol))),
        ("Timestamp", json!(place.at.to_iso_millis())),
        ("SignatureVersion", json!(place.signature_version())),
        ("Signature", json!("")),
        ("SigningCertURL", json!("")),
        ("UnsubscribeURL", json!(place.unsubscribe_url())),
    ]);
    if !message.attributes.is_empty() {
        members.push(("MessageAttributes", Value::Object(attributes(message))));
    }
    written(&members)
}

/// The event of a function: one record.
pub(crate) fn record(place: &Place<'_>, message: &Message) -> String {
    json!({ "Records": [{
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": place.subscription,
        "Sns": {
            "Type": "Notification",
            "MessageId": message.id.to_string(),
            "TopicArn": place.topic.to_string(),
            "Subject": message.subject,
            "Message": message.text_for(place.protocol),
            "Timestamp": place.at.to_iso_millis(),
            "SignatureVersion": place.signature_version(),
            "Signature": "",
            "SigningCertUrl": "",
            "UnsubscribeUrl": place.unsubscribe_url(),
            "MessageAttributes": attributes(message),
        },
    }] })
    .to_string()
}

/// What asks an HTTP endpoint to confirm that it wants to be subscribed.
pub(crate) fn confirmation(place: &Place<'_>, id: &str, token: &str) -> String {
    let topic = place.topic.to_string();
    let confirm = [("Action", "ConfirmSubscription"), ("TopicArn", topic.as_str()), ("Token", token)];
    written(&[
        ("Type", json!("SubscriptionConfirmation")),
        ("MessageId", json!(id)),
        ("Token", json!(token)),
        ("TopicArn", json!(topic)),
        (
            "Message",
            json!(format!(
                "You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the \
                 SubscribeURL included in this message."
            )),
        ),
        ("SubscribeURL", json!(url(place.endpoint, &confirm))),
        ("Timestamp", json!(place.at.to_iso_millis())),
        ("SignatureVersion", json!(place.signature_version())),
        ("Signature", json!("")),
        ("SigningCertURL", json!("")),
    ])
}

fn attributes(message: &Message) -> Map<String, Value> {
    let shown = |value: &crate::message::Attribute| json!({ "Type": value.data_type, "Value": value.text() });
    message.attributes.iter().map(|(name, value)| (name.clone(), shown(value))).collect()
}

/// A link that calls an operation of this server.
fn url(endpoint: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters).append_pair("Version", "2010-03-31");
    format!("{endpoint}/?{}", query.finish())
}

/// One member a line, with spaces around the colon, as AWS writes it.
fn written(members: &[(&str, Value)]) -> String {
    let line = |(name, value): &(&str, Value)| match value {
        Value::Object(inner) => {
            let inner: Vec<String> =
                inner.iter().map(|(name, value)| format!("    {} : {value}", json!(name))).collect();
            format!("  \"{name}\" : {{\n{}\n  }}", inner.join(",\n"))
        }
        value => format!("  \"{name}\" : {value}"),
    };
    let lines: Vec<String> = members.iter().map(line).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}
