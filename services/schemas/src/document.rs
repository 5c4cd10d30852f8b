//! The OpenAPI document that describes an event: the envelope is the same for all, the detail is not.

use serde_json::{Map, Value, json};

use crate::content::{ROOT, X_DETAIL_TYPE, X_SOURCE};

/// A document for the events of a source and detail type. `detail` names the schema of the detail among `schemas`.
pub(crate) fn of_event(source: &str, detail_type: &str, detail: &str, schemas: Map<String, Value>) -> Value {
    let text = || json!({ "type": "string" });
    let mut all = Map::new();
    all.insert(
        ROOT.into(),
        json!({
            "type": "object",
            "required": [
                "detail-type", "resources", "detail", "id", "source", "time", "region", "version", "account",
            ],
            X_DETAIL_TYPE: detail_type,
            X_SOURCE: source,
            "properties": {
                "detail": { "$ref": format!("#/components/schemas/{detail}") },
                "account": text(),
                "detail-type": text(),
                "id": text(),
                "region": text(),
                "resources": { "type": "array", "items": text() },
                "source": text(),
                "time": { "type": "string", "format": "date-time" },
                "version": text(),
            },
        }),
    );
    all.extend(schemas);
    json!({
        "openapi": "3.0.0",
        "info": { "version": "1.0.0", "title": detail },
        "paths": {},
        "components": { "schemas": all },
    })
}
