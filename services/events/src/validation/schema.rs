//! A schema as it is used: compiled, and what it finds wrong. Pure.

use base::Fault;
use jsonschema::Validator;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault;

/// The most failures that are told of one event.
const FAILURES_MAX: usize = 10;
/// The longest message of a failure, in characters: messages quote what they complain about.
const MESSAGE_CHARS_MAX: usize = 300;

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// The whole event, with its envelope.
    #[serde(rename = "EVENT")]
    Event,
    /// The detail alone.
    #[serde(rename = "DETAIL")]
    Detail,
}

/// A rule of a schema that an event breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Failure {
    /// Where in the whole event, as a JSON pointer: `/detail/total`; empty for the event itself.
    pub pointer: String,
    /// Which rule, as a JSON pointer into the schema: `/definitions/Order/properties/total/type`.
    pub rule: String,
    /// What is wrong, in words.
    pub message: String,
}

impl Subject {
    /// The whole event, if the schema speaks of an event's members, and its detail otherwise.
    pub(crate) fn guess(schema: &Value) -> Subject {
        let speaks = |name: &str| {
            schema["properties"].get(name).is_some()
                || schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name))
        };
        if speaks("detail") && (speaks("detail-type") || speaks("source") || speaks("version")) {
            Subject::Event
        } else {
            Subject::Detail
        }
    }
}

/// The text of a schema of draft 4, parsed and compiled. It refers to nothing outside itself.
pub(crate) fn compile(text: &str) -> Result<(Value, Validator), Fault> {
    let invalid = |why: String| fault::invalid(format!("The schema cannot be used: {why}."));
    let schema: Value = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
    let validator = jsonschema::draft4::options().offline().build(&schema);
    validator.map(|validator| (schema, validator)).map_err(|error| invalid(error.to_string()))
}

/// What is wrong with an event, given as JSON text; nothing if it is valid.
pub(crate) fn check(
    validator: &Validator,
    subject: Subject,
    envelope: &str,
) -> serde_json::Result<Vec<Failure>> {
    let event: Value = serde_json::from_str(envelope)?;
    let (instance, above) = match subject {
        Subject::Event => (&event, ""),
        Subject::Detail => (&event["detail"], "/detail"),
    };
    // Most events are valid, and saying so is cheaper than saying why not.
    if validator.is_valid(instance) {
        return Ok(Vec::new());
    }
    let failure = |error: jsonschema::ValidationError<'_>| Failure {
        pointer: format!("{above}{}", error.instance_path().as_str()),
        rule: error.schema_path().as_str().to_owned(),
        message: shortened(&error.to_string()),
    };
    Ok(validator.iter_errors(instance).take(FAILURES_MAX).map(failure).collect())
}

fn shortened(message: &str) -> String {
    match message.char_indices().nth(MESSAGE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn failures_name_the_place_and_the_rule() {
        let schema = json!({
            "properties": { "detail": { "$ref": "#/definitions/Order" }, "source": { "type": "string" } },
            "definitions": { "Order": { "type": "object", "required": ["id"], "additionalProperties": false,
                "properties": { "id": { "type": "string" }, "total": { "type": "number", "minimum": 0 } } } },
        });
        let (parsed, validator) = compile(&schema.to_string()).unwrap();
        assert_eq!(Subject::guess(&parsed), Subject::Event);
        let check = |detail: Value| {
            let envelope = json!({ "source": "s", "detail": detail }).to_string();
            let failures = check(&validator, Subject::Event, &envelope).unwrap();
            failures
                .into_iter()
                .map(|failure| format!("{} {}", failure.pointer, failure.rule))
                .collect::<Vec<_>>()
        };
        assert!(check(json!({ "id": "1", "total": 2 })).is_empty());
        assert_eq!(check(json!({ "total": 2 })), ["/detail /definitions/Order/required"]);
        assert_eq!(
            check(json!({ "id": "1", "total": "2" })),
            ["/detail/total /definitions/Order/properties/total/type"]
        );
        assert_eq!(check(json!({ "id": "1", "x": 2 })), ["/detail /definitions/Order/additionalProperties"]);
    }

    #[test]
    fn a_schema_of_the_detail_is_told_by_what_it_names() {
        let detail =
            json!({ "type": "object", "required": ["id"], "properties": { "id": {}, "source": {} } });
        let (parsed, validator) = compile(&detail.to_string()).unwrap();
        assert_eq!(Subject::guess(&parsed), Subject::Detail);
        let failures = check(&validator, Subject::Detail, r#"{"detail":{}}"#).unwrap();
        assert_eq!((failures[0].pointer.as_str(), failures[0].rule.as_str()), ("/detail", "/required"));
        assert_eq!(Subject::guess(&json!({ "required": ["detail", "detail-type"] })), Subject::Event);
    }

    #[test]
    fn what_cannot_be_compiled_is_refused_and_messages_are_bounded() {
        assert!(compile("{").is_err() && compile(r#"{"$ref":"https://example.com/x"}"#).is_err());
        assert_eq!(shortened(&"ä".repeat(400)).chars().count(), MESSAGE_CHARS_MAX + 1);
    }
}
