//! A schema's content: what may be registered, and the same as one JSON schema of draft 4, which is what events are
//! checked against, code is made from and versions are compared by.
//!
//! OpenAPI 3.0's schema objects are draft 4's with a few words more and a few words less; the words that differ are
//! translated, those that say nothing about values are dropped.
//! Source: <https://spec.openapis.org/oas/v3.0.3#schema-object>.

use base::Fault;
use serde_json::{Map, Value, json};

use crate::api::Type;
use crate::fault;

/// The root of an OpenAPI document that describes an event.
pub(crate) const ROOT: &str = "AWSEvent";
/// The members of an event's schema that say which events it describes.
pub(crate) const X_SOURCE: &str = "x-amazon-events-source";
pub(crate) const X_DETAIL_TYPE: &str = "x-amazon-events-detail-type";

/// Draft 4's name of itself.
const DRAFT_4: &str = "http://json-schema.org/draft-04/schema#";
/// Words of OpenAPI's schema objects that no JSON schema knows.
const DROPPED: [&str; 8] =
    ["nullable", "discriminator", "readOnly", "writeOnly", "xml", "externalDocs", "example", "deprecated"];
/// Where a schema holds schemas: one, a list of them, or a map of them.
const ONE: [&str; 4] = ["items", "additionalProperties", "not", "additionalItems"];
const LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const MAPS: [&str; 3] = ["properties", "patternProperties", "definitions"];

/// Refuses content that is no schema of its type. What is taken can be compiled.
pub(crate) fn check(kind: Type, text: &str) -> Result<(), Fault> {
    let document = parse(text)?;
    let schema = match kind {
        Type::JSONSchemaDraft4 => document,
        Type::OpenApi3 => {
            check_open_api(&document)?;
            to_draft_4(kind, text)?
        }
    };
    check_draft_4(&schema)
}

/// The content as one JSON schema of draft 4. For an OpenAPI document that is its root, with the others as definitions.
pub(crate) fn to_draft_4(kind: Type, text: &str) -> Result<Value, Fault> {
    let document = parse(text)?;
    match kind {
        Type::JSONSchemaDraft4 => Ok(document),
        Type::OpenApi3 => translate_document(&document),
    }
}

/// Whether a schema of draft 4 describes whole events. Another one describes their details.
pub(crate) fn is_of_event(schema: &Value) -> bool {
    let speaks = |name: &str| {
        schema["properties"].get(name).is_some()
            || schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name))
    };
    let (source, detail_type) = describes(schema);
    source.is_some()
        || detail_type.is_some()
        || speaks("detail") && (speaks("detail-type") || speaks("source") || speaks("version"))
}

/// Which events a schema of draft 4 describes, if it says so: source and detail type.
pub(crate) fn describes(schema: &Value) -> (Option<String>, Option<String>) {
    let find = |word: &str, member: &str| {
        let named = schema.get(word).and_then(Value::as_str);
        let listed = || match schema["properties"][member]["enum"].as_array()?.as_slice() {
            [only] => only.as_str(),
            _ => None,
        };
        named.or_else(listed).map(str::to_owned)
    };
    (find(X_SOURCE, "source"), find(X_DETAIL_TYPE, "detail-type"))
}

fn parse(text: &str) -> Result<Value, Fault> {
    let invalid = |why: String| fault::bad_request(format!("Schema is not valid: {why}."));
    let document: Value =
        serde_json::from_str(text).map_err(|error| invalid(format!("it is no JSON: {error}")))?;
    if document.is_object() { Ok(document) } else { Err(invalid("it is no JSON object".into())) }
}

fn check_open_api(document: &Value) -> Result<(), Fault> {
    let complaint = if !document["openapi"].as_str().is_some_and(|version| version.starts_with("3.0.")) {
        "openapi must be a version 3.0.x"
    } else if !document["info"]["title"].is_string() || !document["info"]["version"].is_string() {
        "info must have a title and a version"
    } else if !document["paths"].is_object() {
        "paths must be an object"
    } else if document["components"]["schemas"].as_object().is_none_or(|schemas| schemas.is_empty()) {
        "components.schemas must hold at least one schema"
    } else {
        return Ok(());
    };
    Err(fault::bad_request(format!("Schema is not valid OpenApi3: {complaint}.")))
}

fn check_draft_4(schema: &Value) -> Result<(), Fault> {
    if let Some(draft) = schema.get("$schema").and_then(Value::as_str)
        && draft.trim_end_matches('#') != DRAFT_4.trim_end_matches('#')
    {
        return Err(fault::bad_request(format!(
            "Schema is not valid: $schema is {draft} and must be {DRAFT_4}."
        )));
    }
    let refused = |path: &str, why: String| {
        let at = if path.is_empty() { String::new() } else { format!(" at {path}") };
        fault::bad_request(format!("Schema is not valid JSONSchemaDraft4{at}: {why}."))
    };
    jsonschema::draft4::meta::validate(schema)
        .map_err(|error| refused(error.instance_path().as_str(), error.to_string()))?;
    jsonschema::draft4::options()
        .offline()
        .build(schema)
        .map(drop)
        .map_err(|error| refused(error.instance_path().as_str(), error.to_string()))
}

fn translate_document(document: &Value) -> Result<Value, Fault> {
    let none = Map::new();
    let schemas = document["components"]["schemas"].as_object().unwrap_or(&none);
    let root = root_of(schemas)?;
    let mut schema = translate(&schemas[root]);
    if let Some(object) = schema.as_object_mut() {
        let mut whole = Map::new();
        whole.insert("$schema".into(), DRAFT_4.into());
        whole.insert("title".into(), root.into());
        whole.append(object);
        let others = schemas.iter().filter(|(name, _)| *name != root || refers_to(document, root));
        let definitions: Map<String, Value> =
            others.map(|(name, schema)| (name.clone(), translate(schema))).collect();
        if !definitions.is_empty() {
            whole.insert("definitions".into(), definitions.into());
        }
        *object = whole;
    }
    Ok(schema)
}

/// The schema that describes the event: `AWSEvent`, or the only one that no other refers to.
fn root_of(schemas: &Map<String, Value>) -> Result<&str, Fault> {
    if let Some((name, _)) = schemas.get_key_value(ROOT) {
        return Ok(name);
    }
    let all = Value::Object(schemas.clone());
    let mut free = schemas.keys().filter(|name| !refers_to(&all, name));
    match (free.next(), free.next()) {
        (Some(root), None) => Ok(root),
        _ => Err(fault::bad_request(format!(
            "Schema is not valid: components.schemas has no {ROOT}, and none or several schemas to which no other refers."
        ))),
    }
}

fn refers_to(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(object) => {
            let here = object.get("$ref").and_then(Value::as_str);
            here.and_then(|target| target.strip_prefix("#/components/schemas/")) == Some(name)
                || object.values().any(|value| refers_to(value, name))
        }
        Value::Array(list) => list.iter().any(|value| refers_to(value, name)),
        _ => false,
    }
}

/// A schema object of OpenAPI 3.0 as a schema of draft 4.
fn translate(schema: &Value) -> Value {
    let Value::Object(object) = schema else { return schema.clone() };
    // Beside a reference everything is ignored, in both.
    if let Some(target) = object.get("$ref").and_then(Value::as_str) {
        return json!({ "$ref": target.replacen("#/components/schemas/", "#/definitions/", 1) });
    }
    let mut out = Map::new();
    for (word, value) in object.iter().filter(|(word, _)| !DROPPED.contains(&word.as_str())) {
        let value = match (word.as_str(), value) {
            (word, Value::Object(map)) if MAPS.contains(&word) => map
                .iter()
                .map(|(name, schema)| (name.clone(), translate(schema)))
                .collect::<Map<_, _>>()
                .into(),
            (word, Value::Array(list)) if LISTS.contains(&word) => list.iter().map(translate).collect(),
            (word, value) if ONE.contains(&word) => translate(value),
            (_, value) => value.clone(),
        };
        out.insert(word.clone(), value);
    }
    if object.get("nullable") == Some(&Value::Bool(true)) {
        allow_null(&mut out);
    }
    out.into()
}

/// `null` among the types, and among the values where they are listed.
fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(kind) = schema.get("type").and_then(Value::as_str) {
        let kinds = json!([kind, "null"]);
        schema.insert("type".into(), kinds);
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut)
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
        return;
    }
    let combined = LISTS.iter().any(|word| schema.contains_key(*word));
    if combined {
        let schema_alone = Value::Object(std::mem::take(schema));
        schema.insert("anyOf".into(), json!([schema_alone, { "type": "null" }]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_api(schemas: &Value) -> String {
        json!({ "openapi": "3.0.0", "info": { "title": "T", "version": "1" }, "paths": {},
                "components": { "schemas": schemas } })
        .to_string()
    }

    #[test]
    fn open_api_becomes_draft_4() {
        let text = open_api(&json!({
            "AWSEvent": {
                "type": "object", "x-amazon-events-source": "shop", "x-amazon-events-detail-type": "Placed",
                "properties": { "detail": { "$ref": "#/components/schemas/Placed" } }, "required": ["detail"],
            },
            "Placed": { "type": "object", "example": { "a": 1 }, "properties": {
                "note": { "type": "string", "nullable": true, "example": "x" },
                "size": { "type": "string", "nullable": true, "enum": ["S", "L"] },
                "either": { "nullable": true, "oneOf": [{ "type": "string" }, { "type": "number" }] },
                "next": { "$ref": "#/components/schemas/Placed" },
            } },
        }));
        assert!(check(Type::OpenApi3, &text).is_ok());
        let schema = to_draft_4(Type::OpenApi3, &text).unwrap();
        assert_eq!(
            schema,
            json!({
                "$schema": DRAFT_4, "title": "AWSEvent", "type": "object",
                "x-amazon-events-source": "shop", "x-amazon-events-detail-type": "Placed",
                "properties": { "detail": { "$ref": "#/definitions/Placed" } }, "required": ["detail"],
                "definitions": { "Placed": { "type": "object", "properties": {
                    "note": { "type": ["string", "null"] },
                    "size": { "type": ["string", "null"], "enum": ["S", "L", null] },
                    "either": { "anyOf": [{ "oneOf": [{ "type": "string" }, { "type": "number" }] }, { "type": "null" }] },
                    "next": { "$ref": "#/definitions/Placed" },
                } } },
            })
        );
        assert_eq!(describes(&schema), (Some("shop".into()), Some("Placed".into())));
    }

    #[test]
    fn what_is_refused_and_why() {
        let draft = |value: Value| (Type::JSONSchemaDraft4, value.to_string());
        let open = |value: Value| (Type::OpenApi3, open_api(&value));
        for ((kind, text), why) in [
            ((Type::JSONSchemaDraft4, "{".to_owned()), "no JSON"),
            ((Type::OpenApi3, "[]".to_owned()), "no JSON object"),
            (draft(json!({ "type": "strin" })), "at /type"),
            (draft(json!({ "properties": { "a": { "minLength": -1 } } })), "at /properties/a/minLength"),
            (draft(json!({ "properties": { "a": { "$ref": "#/definitions/none" } } })), "none"),
            (draft(json!({ "$ref": "https://example.com/schema.json" })), "not valid"),
            (draft(json!({ "properties": { "a": { "pattern": "(" } } })), "not valid"),
            (draft(json!({ "$schema": "http://json-schema.org/draft-07/schema#" })), "draft-07"),
            ((Type::OpenApi3, json!({ "openapi": "3.1.0" }).to_string()), "3.0.x"),
            ((Type::OpenApi3, json!({ "openapi": "3.0.0", "paths": {} }).to_string()), "title"),
            (open(json!({})), "at least one schema"),
            (open(json!({ "A": {}, "B": {} })), "no AWSEvent"),
            (open(json!({ "A": { "type": "text" } })), "at /type"),
            (open(json!({ "A": { "$ref": "#/components/schemas/B" } })), "B"),
        ] {
            let fault = check(kind, &text).unwrap_err();
            assert_eq!(fault.code, "BadRequestException");
            assert!(fault.message.contains(why), "{text}: {}", fault.message);
        }
        assert!(check(Type::JSONSchemaDraft4, "{}").is_ok());
        assert!(
            check(
                Type::OpenApi3,
                &open_api(
                    &json!({ "A": { "properties": { "b": { "$ref": "#/components/schemas/B" } } }, "B": {} })
                )
            )
            .is_ok()
        );
    }
}
