//! Patch documents: RFC 6902 over the properties of a resource.

use base::{Document, Fault};

use crate::api_control::error;
use crate::provider::{Properties, PropertyChange, ResourceType, changes};

/// The properties behind a patch.
///
/// # Errors
/// The text is no patch, the patch does not fit, or it makes properties that the type does not have or cannot change.
pub(super) fn apply(kind: &ResourceType, before: &Properties, patch: &str) -> Result<Properties, Fault> {
    let invalid = |why: String| error::invalid_request_exception(format!("Invalid patch document: {why}"));
    let patch: json_patch::Patch = serde_json::from_str(patch).map_err(|why| invalid(why.to_string()))?;
    let mut document = Document::Object(before.clone());
    json_patch::patch(&mut document, &patch).map_err(|why| invalid(why.to_string()))?;
    let Document::Object(after) = document else {
        return Err(invalid("the properties are an object".to_owned()));
    };
    for (name, change) in changes(kind, before, &after) {
        if kind.property(name).is_none() && !kind.open {
            let why = format!("Model validation failed (#: extraneous key [{name}] is not permitted)");
            return Err(error::invalid_request_exception(why));
        }
        if change == PropertyChange::Replaces {
            let why =
                format!("Invalid patch update: createOnlyProperties [/properties/{name}] cannot be updated");
            return Err(error::not_updatable_exception(why));
        }
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(patch: &Document) -> Result<String, String> {
        let kind = ResourceType::find("AWS::SQS::Queue").unwrap();
        let before = json!({ "QueueName": "q", "DelaySeconds": 1, "Tags": [{ "Key": "a", "Value": "1" }] });
        let found = apply(kind, before.as_object().unwrap(), &patch.to_string());
        found.map(|after| Document::Object(after).to_string()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn properties_are_patched() {
        for (patch, expected) in [
            (
                json!([{ "op": "replace", "path": "/DelaySeconds", "value": 2 }]),
                Ok(r#"{"QueueName":"q","DelaySeconds":2,"Tags":[{"Key":"a","Value":"1"}]}"#),
            ),
            (
                json!([{ "op": "add", "path": "/Tags/-", "value": { "Key": "b", "Value": "2" } },
                    { "op": "remove", "path": "/DelaySeconds" }]),
                Ok(r#"{"QueueName":"q","Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]}"#),
            ),
            (
                json!([{ "op": "replace", "path": "/QueueName", "value": "other" }]),
                Err(
                    "NotUpdatableException: Invalid patch update: createOnlyProperties [/properties/QueueName]",
                ),
            ),
            (
                json!([{ "op": "add", "path": "/Nonsense", "value": 1 }]),
                Err("InvalidRequestException: Model validation failed (#: extraneous key [Nonsense]"),
            ),
            (
                json!([{ "op": "remove", "path": "/Nowhere" }]),
                Err("InvalidRequestException: Invalid patch document"),
            ),
            (json!({}), Err("InvalidRequestException: Invalid patch document: ")),
        ] {
            match (patched(&patch), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.starts_with(expected), "{found}"),
                (found, _) => panic!("{patch}: {found:?}"),
            }
        }
    }
}
