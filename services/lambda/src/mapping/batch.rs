//! Batches: which records pass, how functions get them, and which of them a function says it has not done. Pure.

use std::collections::HashSet;

use base::Document;
use pattern::Pattern;
use serde_json::{Map, json};

/// The most bytes of a batch's records: what an invocation takes, less the envelope.
pub(crate) const BATCH_BYTES_MAX: usize = 6_291_456 - 32_768;

/// The patterns of a mapping, compiled.
#[derive(Debug, Default)]
pub(crate) struct Filters(Vec<Pattern>);

impl Filters {
    /// Patterns that were accepted when the mapping was made.
    pub(crate) fn new(patterns: &[String]) -> Filters {
        Filters(patterns.iter().filter_map(|pattern| Pattern::parse(pattern).ok()).collect())
    }

    /// Whether a record passes: one pattern matches, or there is none.
    pub(crate) fn pass(&self, record: &Document) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let text = view(record).to_string();
        self.0.iter().any(|pattern| pattern.matches(&text).unwrap_or(false))
    }
}

/// A record as filters see it: a message's body that is JSON is looked into.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html>
fn view(record: &Document) -> Document {
    let body = record["body"].as_str().and_then(|body| serde_json::from_str::<Document>(body).ok());
    match body.filter(|body| body.is_object() || body.is_array()) {
        Some(body) => {
            let mut view = record.clone();
            view["body"] = body;
            view
        }
        None => record.clone(),
    }
}

/// A message as `ReceiveMessage` answers it, as functions get it.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
pub(crate) fn message(received: &Document, source: &str, region: &str) -> Document {
    let given = received["MessageAttributes"].as_object().cloned().unwrap_or_default();
    let attributes: Map<String, Document> =
        given.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
    let mut record = json!({
        "messageId": received["MessageId"],
        "receiptHandle": received["ReceiptHandle"],
        "body": received["Body"],
        "attributes": received.get("Attributes").cloned().unwrap_or_else(|| json!({})),
        "messageAttributes": attributes,
        "md5OfBody": received["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": source,
        "awsRegion": region,
    });
    if let Some(digest) = received.get("MD5OfMessageAttributes") {
        record["md5OfMessageAttributes"] = digest.clone();
    }
    record
}

fn attribute(value: &Document) -> Document {
    let mut shown = json!({ "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"] });
    for (name, member) in [("stringValue", "StringValue"), ("binaryValue", "BinaryValue")] {
        if let Some(value) = value.get(member) {
            shown[name] = value.clone();
        }
    }
    shown
}

/// What a function has left undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// Nothing.
    Nothing,
    /// Records by their identifiers.
    Some(HashSet<String>),
    /// All of it: the function failed, or its answer is no report.
    All,
}

/// What an answer reports, if the mapping asks for reports. `known` says whether an identifier is one of the batch's.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
pub(crate) fn undone(payload: &[u8], known: impl Fn(&str) -> bool) -> Undone {
    let Ok(answer) = serde_json::from_slice::<Document>(payload) else { return Undone::All };
    let failures = match &answer {
        Document::Null => return Undone::Nothing,
        Document::Object(members) => members.get("batchItemFailures"),
        _ => return Undone::All,
    };
    let failures = match failures {
        None | Some(Document::Null) => return Undone::Nothing,
        Some(Document::Array(failures)) => failures,
        Some(_) => return Undone::All,
    };
    let mut named = HashSet::new();
    for failure in failures {
        match failure["itemIdentifier"].as_str() {
            Some(id) if known(id) => _ = named.insert(id.to_owned()),
            _ => return Undone::All,
        }
    }
    if named.is_empty() { Undone::Nothing } else { Undone::Some(named) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_report_what_is_undone() {
        let known = |id: &str| id.len() == 1;
        let some = |ids: &[&str]| Undone::Some(ids.iter().map(|id| (*id).to_owned()).collect());
        for (answer, expected) in [
            ("null", Undone::Nothing),
            ("{}", Undone::Nothing),
            (r#"{"batchItemFailures": null}"#, Undone::Nothing),
            (r#"{"batchItemFailures": []}"#, Undone::Nothing),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}"#,
                some(&["a", "b"]),
            ),
            (r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#, Undone::All),
            (r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#, Undone::All),
            (r#"{"batchItemFailures": [{"itemIdentifiers": "a"}]}"#, Undone::All),
            (r#"{"batchItemFailures": [{"itemIdentifier": "unknown"}]}"#, Undone::All),
            (r#"{"batchItemFailures": "a"}"#, Undone::All),
            ("text", Undone::All),
            ("7", Undone::All),
        ] {
            assert_eq!(undone(answer.as_bytes(), known), expected, "{answer}");
        }
    }

    #[test]
    fn filters_look_into_bodies_that_are_json() {
        let filters = Filters::new(&[r#"{"body": {"kind": ["order"]}}"#.to_owned()]);
        let record = |body: &str| json!({ "messageId": "1", "body": body });
        assert!(filters.pass(&record(r#"{"kind": "order"}"#)));
        assert!(!filters.pass(&record(r#"{"kind": "other"}"#)));
        assert!(!filters.pass(&record("order")));
        let plain = Filters::new(&[r#"{"body": ["order"]}"#.to_owned()]);
        assert!(plain.pass(&record("order")));
        assert!(Filters::default().pass(&record("anything")));
    }

    #[test]
    fn messages_read_as_functions_get_them() {
        let received = json!({
            "MessageId": "m", "ReceiptHandle": "r", "Body": "b", "MD5OfBody": "d",
            "Attributes": { "ApproximateReceiveCount": "1" },
            "MessageAttributes": { "a": { "DataType": "String", "StringValue": "x" } },
        });
        let expected = json!({
            "messageId": "m", "receiptHandle": "r", "body": "b", "md5OfBody": "d",
            "attributes": { "ApproximateReceiveCount": "1" },
            "messageAttributes": {
                "a": { "stringValue": "x", "stringListValues": [], "binaryListValues": [], "dataType": "String" },
            },
            "eventSource": "aws:sqs", "eventSourceARN": "arn", "awsRegion": "eu-central-1",
        });
        assert_eq!(message(&received, "arn", "eu-central-1"), expected);
    }
}
