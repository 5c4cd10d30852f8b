//! What values look like, learned from values: merged over events, written as a schema, read back from one.
//!
//! A shape only widens: merging with what it already describes leaves it as it is, so that a discoverer makes a new
//! version only when an event shows something new. Reading back what was written gives the same shape.

use std::collections::BTreeMap;

use base::Timestamp;
use serde_json::{Map, Value, json};

use crate::content::ROOT;
use crate::document;
use crate::name::pascal_case;

/// Deeper values are taken for anything.
const DEPTH_MAX: usize = 64;

/// The kinds of values that were seen at one place. None at all: nothing was seen, or nothing is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shape {
    null: bool,
    boolean: bool,
    number: Option<Number>,
    text: Option<Text>,
    list: Option<Box<Shape>>,
    object: Option<BTreeMap<String, Field>>,
}

/// Ordered from the narrower to the wider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Number {
    Integer,
    Any,
}

/// Ordered from the narrower to the wider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Text {
    DateTime,
    Any,
}

#[derive(Clone, Debug, PartialEq)]
struct Field {
    shape: Shape,
    /// Whether every object had it.
    required: bool,
}

impl Shape {
    /// What one value looks like.
    pub(crate) fn of(value: &Value) -> Shape {
        Shape::of_at(value, 0)
    }

    fn of_at(value: &Value, depth: usize) -> Shape {
        let mut shape = Shape::default();
        if depth > DEPTH_MAX {
            return shape;
        }
        match value {
            Value::Null => shape.null = true,
            Value::Bool(_) => shape.boolean = true,
            Value::Number(number) => {
                let whole = number.is_i64() || number.is_u64();
                shape.number = Some(if whole { Number::Integer } else { Number::Any });
            }
            Value::String(text) => {
                shape.text = Some(if is_date_time(text) { Text::DateTime } else { Text::Any });
            }
            Value::Array(list) => {
                let elements = list.iter().map(|element| Shape::of_at(element, depth + 1));
                shape.list = Some(Box::new(elements.fold(Shape::default(), Shape::or)));
            }
            Value::Object(object) => {
                let field = |(name, value): (&String, &Value)| {
                    let shape = Shape::of_at(value, depth + 1);
                    (name.clone(), Field { shape, required: true })
                };
                shape.object = Some(object.iter().map(field).collect());
            }
        }
        shape
    }

    /// What is described by the one or by the other.
    pub(crate) fn or(self, other: Shape) -> Shape {
        let lists = match (self.list, other.list) {
            (Some(a), Some(b)) => Some(Box::new(a.or(*b))),
            (a, b) => a.or(b),
        };
        let objects = match (self.object, other.object) {
            (Some(a), Some(b)) => Some(either(a, b)),
            (a, b) => a.or(b),
        };
        Shape {
            null: self.null || other.null,
            boolean: self.boolean || other.boolean,
            number: self.number.max(other.number),
            text: self.text.max(other.text),
            list: lists,
            object: objects,
        }
    }

    /// The shape of an event's detail in a schema's content, of either type; nothing is known where it says nothing.
    pub(crate) fn of_detail(content: &Value) -> Shape {
        let root = content.get("components").map_or(content, |components| &components["schemas"][ROOT]);
        Shape::read(&root["properties"]["detail"], content, 0)
    }

    fn read(schema: &Value, content: &Value, depth: usize) -> Shape {
        if depth > DEPTH_MAX {
            return Shape::default();
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let found = target.strip_prefix('#').and_then(|pointer| content.pointer(pointer));
            return found.map_or_else(Shape::default, |schema| Shape::read(schema, content, depth + 1));
        }
        let mut shape = Shape { null: schema["nullable"] == true, ..Shape::default() };
        for word in ["anyOf", "oneOf", "allOf"] {
            let parts = schema[word].as_array().into_iter().flatten();
            shape = parts.map(|part| Shape::read(part, content, depth + 1)).fold(shape, Shape::or);
        }
        let kinds = match &schema["type"] {
            Value::String(kind) => vec![kind.as_str()],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        kinds.into_iter().map(|kind| Shape::read_kind(kind, schema, content, depth)).fold(shape, Shape::or)
    }

    fn read_kind(kind: &str, schema: &Value, content: &Value, depth: usize) -> Shape {
        let mut shape = Shape::default();
        match kind {
            "null" => shape.null = true,
            "boolean" => shape.boolean = true,
            "integer" => shape.number = Some(Number::Integer),
            "number" => shape.number = Some(Number::Any),
            "string" if schema["format"] == "date-time" => shape.text = Some(Text::DateTime),
            "string" => shape.text = Some(Text::Any),
            "array" => shape.list = Some(Box::new(Shape::read(&schema["items"], content, depth + 1))),
            "object" => {
                let required = |name: &str| {
                    schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name))
                };
                let field = |(name, part): (&String, &Value)| {
                    let shape = Shape::read(part, content, depth + 1);
                    (name.clone(), Field { shape, required: required(name) })
                };
                let fields = schema["properties"].as_object().into_iter().flatten();
                shape.object = Some(fields.map(field).collect());
            }
            _ => {}
        }
        shape
    }

    /// An OpenAPI document for events of which this is the detail.
    pub(crate) fn document(&self, source: &str, detail_type: &str) -> Value {
        let mut writer = Writer(Map::new());
        let name = writer.reserve(detail_type);
        let no_fields = BTreeMap::new();
        let detail = writer.object(self.object.as_ref().unwrap_or(&no_fields));
        writer.0.insert(name.clone(), detail);
        document::of_event(source, detail_type, &name, writer.0)
    }
}

fn either(mut a: BTreeMap<String, Field>, b: BTreeMap<String, Field>) -> BTreeMap<String, Field> {
    for (name, field) in &mut a {
        field.required &= b.contains_key(name);
    }
    for (name, theirs) in b {
        match a.remove(&name) {
            Some(ours) => {
                let required = ours.required && theirs.required;
                a.insert(name, Field { shape: ours.shape.or(theirs.shape), required });
            }
            None => {
                a.insert(name, Field { required: false, ..theirs });
            }
        }
    }
    a
}

fn is_date_time(text: &str) -> bool {
    text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T') && Timestamp::from_iso(text).is_some()
}

/// Writes shapes as schema objects of OpenAPI 3.0; every object becomes a schema of its own.
struct Writer(Map<String, Value>);

impl Writer {
    fn shape(&mut self, shape: &Shape, name: &str) -> Value {
        let mut kinds = Vec::new();
        if shape.boolean {
            kinds.push(json!({ "type": "boolean" }));
        }
        kinds.extend(shape.number.map(|number| match number {
            Number::Integer => json!({ "type": "integer" }),
            Number::Any => json!({ "type": "number" }),
        }));
        kinds.extend(shape.text.map(|text| match text {
            Text::DateTime => json!({ "type": "string", "format": "date-time" }),
            Text::Any => json!({ "type": "string" }),
        }));
        if let Some(elements) = &shape.list {
            kinds.push(json!({ "type": "array", "items": self.shape(elements, name) }));
        }
        if let Some(fields) = &shape.object {
            let name = self.reserve(name);
            let object = self.object(fields);
            self.0.insert(name.clone(), object);
            kinds.push(json!({ "$ref": format!("#/components/schemas/{name}") }));
        }
        let mut schema = match kinds.len() {
            0 => json!({}),
            // Words beside a reference say nothing.
            1 if shape.null && shape.object.is_some() => json!({ "allOf": kinds }),
            1 => kinds.remove(0),
            _ => json!({ "anyOf": kinds }),
        };
        if shape.null {
            schema["nullable"] = true.into();
        }
        schema
    }

    fn object(&mut self, fields: &BTreeMap<String, Field>) -> Value {
        let required: Vec<&String> =
            fields.iter().filter(|(_, field)| field.required).map(|(name, _)| name).collect();
        let mut schema = json!({ "type": "object" });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        let properties: Map<String, Value> =
            fields.iter().map(|(name, field)| (name.clone(), self.shape(&field.shape, name))).collect();
        schema["properties"] = properties.into();
        schema
    }

    /// A name that no other schema of the document has; its place is kept.
    fn reserve(&mut self, text: &str) -> String {
        let base = pascal_case(text);
        let mut name = base.clone();
        let mut number = 2;
        while name == ROOT || self.0.contains_key(&name) {
            name = format!("{base}{number}");
            number += 1;
        }
        self.0.insert(name.clone(), Value::Null);
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(details: &[Value]) -> Shape {
        details.iter().map(Shape::of).reduce(Shape::or).unwrap()
    }

    #[test]
    fn a_document_is_learned_from_events() {
        let shape = learned(&[
            json!({ "id": "1", "at": "2026-01-01T00:00:00Z", "n": 1, "items": [{ "sku": "a" }], "to": { "zip": "1" } }),
            json!({ "id": "2", "at": "2026-01-01T00:00:00Z", "n": 1.5, "items": [], "to": null, "gift": true }),
        ]);
        let document = shape.document("shop", "order placed");
        assert_eq!(document["info"]["title"], "OrderPlaced");
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["AWSEvent"]["properties"]["detail"]["$ref"], "#/components/schemas/OrderPlaced");
        assert_eq!(
            schemas["OrderPlaced"],
            json!({ "type": "object", "required": ["at", "id", "items", "n", "to"], "properties": {
                "at": { "type": "string", "format": "date-time" },
                "gift": { "type": "boolean" },
                "id": { "type": "string" },
                "items": { "type": "array", "items": { "$ref": "#/components/schemas/Items" } },
                "n": { "type": "number" },
                "to": { "allOf": [{ "$ref": "#/components/schemas/To" }], "nullable": true },
            } })
        );
        assert_eq!(schemas["Items"]["required"], json!(["sku"]));
    }

    #[test]
    fn what_is_written_is_read_back_and_only_news_changes_it() {
        let details = [
            json!({}),
            json!({ "a": null, "b": [], "c": {}, "d": [[1], ["x"]], "e": "2026-01-01T00:00:00Z", "f": false }),
            json!({ "a": { "a": { "a": 1 } }, "b": [null, 1.5, { "x": 1 }], "AWSEvent": { "a": 1 } }),
            json!({ "c": "now a text", "d": 1, "e": "later" }),
        ];
        let mut shape = Shape::of(&details[0]);
        for detail in &details {
            shape = shape.or(Shape::of(detail));
            let document = shape.document("s", "AWS event");
            assert_eq!(Shape::of_detail(&document), shape, "{document}");
            assert_eq!(shape.clone().or(Shape::of(detail)), shape, "{detail} is known");
        }
        for news in [json!({ "g": 1 }), json!({ "f": "no longer a boolean" }), json!({ "d": [[true]] })] {
            assert_ne!(shape.clone().or(Shape::of(&news)), shape, "{news}");
        }
    }
}
