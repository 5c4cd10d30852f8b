//! How parameters differ from the documents of the calls, and results from their answers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Asker;
use super::table::Integration;

/// Text as documents carry bytes.
pub(super) fn blob(text: &str) -> String {
    STANDARD.encode(text)
}

/// Bytes of a document as text; empty if there are none.
pub(super) fn unblob(document: &Value) -> String {
    let bytes = document.as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The document of an optimised integration's call.
pub(super) fn adapt(integration: &Integration, asker: &Asker<'_>, mut members: Map<String, Value>) -> Value {
    for name in integration.stringified {
        if let Some(value) = members.get_mut(*name) {
            stringify(value);
        }
    }
    if integration.service == "events"
        && let Some(Value::Array(entries)) = members.get_mut("Entries")
    {
        entries.iter_mut().for_each(|entry| adapt_entry(entry, asker));
    }
    Value::Object(members)
}

/// AWS turns an entry's `Detail` into text and names the execution and its machine among the resources.
fn adapt_entry(entry: &mut Value, asker: &Asker<'_>) {
    let Value::Object(entry) = entry else { return };
    if let Some(detail) = entry.get_mut("Detail") {
        stringify(detail);
    }
    let resources = entry.entry("Resources").or_insert_with(|| json!([]));
    if let Value::Array(resources) = resources {
        resources.extend([json!(asker.execution_arn), json!(asker.machine_arn)]);
    }
}

/// A text stays, everything else becomes its JSON.
pub(super) fn stringify(value: &mut Value) {
    if !value.is_string() {
        *value = Value::String(value.to_string());
    }
}

/// An answer as the machine sees it: members in order, with what the SDK tells about the call.
pub(super) fn dressed(mut members: Map<String, Value>, status: u16, request_id: &str) -> Value {
    let content_type = "application/json";
    let metadata = json!({
        "AllHttpHeaders": { "Content-Type": [content_type], "x-amzn-RequestId": [request_id] },
        "HttpHeaders": { "Content-Type": content_type, "x-amzn-RequestId": request_id },
        "HttpStatusCode": status,
    });
    members.insert("SdkHttpMetadata".to_owned(), metadata);
    members.insert("SdkResponseMetadata".to_owned(), json!({ "RequestId": request_id }));
    members.sort_keys();
    Value::Object(members)
}

/// The members of an object under names that begin with a small letter; what they hold stays as it is.
pub(super) fn camel_top(members: Map<String, Value>) -> Value {
    let member = |(name, value): (String, Value)| (with_first(&name, |c| c.to_ascii_lowercase()), value);
    Value::Object(members.into_iter().map(member).collect())
}

/// A time as the SDK for Java shows it: milliseconds only if there are some.
pub(super) fn iso(seconds: f64) -> Option<Value> {
    let at = base::Timestamp::from_epoch_seconds(seconds)?;
    let whole = at.as_millis().rem_euclid(1000) == 0;
    Some(if whole { at.to_iso_seconds() } else { at.to_iso_millis() }.into())
}

pub(super) fn with_first(text: &str, change: impl Fn(char) -> char) -> String {
    let mut chars = text.chars();
    chars.next().map(change).into_iter().chain(chars).collect()
}
