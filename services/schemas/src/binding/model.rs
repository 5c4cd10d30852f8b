//! What a schema's types are in any language: records with fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::name::pascal_case;

/// Deeper schemas are taken for anything.
const DEPTH_MAX: usize = 64;
/// Names that mean something else in one of the languages.
const TAKEN: [&str; 24] = [
    "Any", "Array", "Boolean", "Box", "Date", "Default", "Dict", "Err", "Error", "False", "HashMap", "List",
    "None", "Number", "Object", "Ok", "Option", "Record", "Result", "Self", "Some", "String", "True", "Vec",
];

/// The records of a schema.
#[derive(Debug, PartialEq)]
pub(crate) struct Model {
    /// The root first.
    pub records: Vec<Record>,
    /// What the root is, if it is no record.
    pub root: Kind,
}

/// An object with known members.
#[derive(Debug, PartialEq)]
pub(crate) struct Record {
    pub name: String,
    pub fields: Vec<Field>,
}

/// A member of an object.
#[derive(Debug, PartialEq)]
pub(crate) struct Field {
    /// Its name in JSON.
    pub name: String,
    pub kind: Kind,
    pub required: bool,
    /// The texts that it may be, if they are listed.
    pub values: Vec<String>,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Any,
    Boolean,
    Integer,
    Number,
    Text,
    List(Box<Kind>),
    /// From texts.
    Map(Box<Kind>),
    Nullable(Box<Kind>),
    Record(String),
}

impl Model {
    /// The records of a schema of draft 4.
    pub(crate) fn of(schema: &Value, name: &str) -> Model {
        let last = || name.rsplit('@').next().unwrap_or(name);
        let title = schema["title"].as_str().unwrap_or_else(last);
        let mut reader =
            Reader { whole: schema, named: BTreeMap::new(), taken: BTreeSet::new(), records: Vec::new() };
        let root = reader.kind(schema, title, "#", 0);
        // Records are finished inside out; the reader wants the root first.
        reader.records.reverse();
        Model { records: reader.records, root }
    }

    /// Whether a record holds another one, or itself, without a list or map between: some languages must bound that.
    pub(crate) fn holds(&self, from: &str, wanted: &str) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(name) = open.pop() {
            if !seen.insert(name) {
                continue;
            }
            let record = self.records.iter().find(|record| record.name == name);
            for held in
                record.into_iter().flat_map(|record| &record.fields).filter_map(|field| field.kind.held())
            {
                if held == wanted {
                    return true;
                }
                open.push(held);
            }
        }
        false
    }
}

impl Kind {
    /// The record that a value of this kind has in itself.
    pub(crate) fn held(&self) -> Option<&str> {
        match self {
            Kind::Record(name) => Some(name),
            Kind::Nullable(kind) => kind.held(),
            _ => None,
        }
    }

    fn or_null(self, null: bool) -> Kind {
        match self {
            Kind::Any | Kind::Nullable(_) => self,
            kind if null => Kind::Nullable(Box::new(kind)),
            kind => kind,
        }
    }
}

struct Reader<'s> {
    whole: &'s Value,
    /// Records by the pointer of their schema.
    named: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    records: Vec<Record>,
}

impl Reader<'_> {
    fn kind(&mut self, schema: &Value, hint: &str, pointer: &str, depth: usize) -> Kind {
        if depth > DEPTH_MAX {
            return Kind::Any;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return self.reference(target, depth);
        }
        for word in ["allOf", "anyOf", "oneOf"] {
            if let Some(parts) = schema[word].as_array() {
                return self.combined(word, parts, hint, pointer, depth);
            }
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind.as_str()],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ if schema["properties"].is_object() => vec!["object"],
            _ => Vec::new(),
        };
        let null = kinds.contains(&"null");
        let mut others = kinds.into_iter().filter(|kind| *kind != "null");
        match (others.next(), others.next()) {
            (Some(kind), None) => self.plain(kind, schema, hint, pointer, depth).or_null(null),
            _ => Kind::Any,
        }
    }

    fn reference(&mut self, target: &str, depth: usize) -> Kind {
        if let Some(name) = self.named.get(target) {
            return Kind::Record(name.clone());
        }
        let whole = self.whole;
        let Some(schema) = target.strip_prefix('#').and_then(|pointer| whole.pointer(pointer)) else {
            return Kind::Any;
        };
        let hint = target.rsplit('/').next().unwrap_or(target);
        self.kind(schema, hint, target, depth + 1)
    }

    /// One schema and perhaps null is that schema; anything else has no type that every language knows.
    fn combined(&mut self, word: &str, parts: &[Value], hint: &str, pointer: &str, depth: usize) -> Kind {
        let is_null = |part: &&Value| part["type"] == "null";
        let null = word != "allOf" && parts.iter().any(|part| is_null(&part));
        let mut others = parts.iter().filter(|part| !is_null(part));
        match (others.next(), others.next()) {
            (Some(part), None) => {
                self.kind(part, hint, &format!("{pointer}/{word}"), depth + 1).or_null(null)
            }
            _ => Kind::Any,
        }
    }

    fn plain(&mut self, kind: &str, schema: &Value, hint: &str, pointer: &str, depth: usize) -> Kind {
        match kind {
            "boolean" => Kind::Boolean,
            "integer" => Kind::Integer,
            "number" => Kind::Number,
            "string" => Kind::Text,
            "array" => {
                let elements = self.kind(&schema["items"], hint, &format!("{pointer}/items"), depth + 1);
                Kind::List(Box::new(elements))
            }
            "object" => match schema["properties"].as_object() {
                Some(properties) if !properties.is_empty() => self.record(schema, hint, pointer, depth),
                _ => {
                    let values = &schema["additionalProperties"];
                    Kind::Map(Box::new(self.kind(values, hint, &format!("{pointer}/values"), depth + 1)))
                }
            },
            _ => Kind::Any,
        }
    }

    fn record(&mut self, schema: &Value, hint: &str, pointer: &str, depth: usize) -> Kind {
        let name = self.reserve(hint);
        self.named.insert(pointer.to_owned(), name.clone());
        let required = |name: &str| {
            schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name))
        };
        let mut fields = Vec::new();
        for (field, part) in schema["properties"].as_object().into_iter().flatten() {
            let kind = self.kind(part, field, &format!("{pointer}/properties/{field}"), depth + 1);
            let values = part["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
            fields.push(Field {
                name: field.clone(),
                required: required(field),
                values: values.map(str::to_owned).collect(),
                kind,
            });
        }
        self.records.push(Record { name: name.clone(), fields });
        Kind::Record(name)
    }

    fn reserve(&mut self, hint: &str) -> String {
        let mut base = pascal_case(hint);
        if TAKEN.contains(&base.as_str()) {
            base.push_str("Type");
        }
        let mut name = base.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{base}{number}");
            number += 1;
        }
        name
    }
}

/// The names of a record's fields in a language with `snake_case`: words, no keyword, no name twice.
pub(crate) fn snake_names(record: &Record, keywords: &[&str]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let name = |field: &Field| {
        let mut base = snake_case(&field.name);
        if keywords.contains(&base.as_str()) {
            base.push('_');
        }
        let mut name = base.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{base}_{number}");
            number += 1;
        }
        name
    };
    record.fields.iter().map(name).collect()
}

/// `detailType`, `detail-type` and `Detail Type` are `detail_type`.
pub(crate) fn snake_case(text: &str) -> String {
    let mut name = String::with_capacity(text.len() + 4);
    let mut low = false;
    for c in text.chars() {
        if c.is_ascii_uppercase() && low {
            name.push('_');
        }
        low = c.is_ascii_lowercase() || c.is_ascii_digit();
        let good = c.is_ascii_alphanumeric();
        if good {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
    }
    let name = name.trim_end_matches('_');
    match name.chars().next() {
        None => "field".to_owned(),
        Some(c) if c.is_ascii_digit() => format!("n{name}"),
        Some(_) => name.to_owned(),
    }
}

/// A text as a literal in double quotes, which all three languages read alike.
pub(crate) fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            // Control characters cannot be written alike; they are not worth a field's name.
            c if c.is_control() => literal.push('?'),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// A text for a line of comment.
pub(crate) fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().replace("*/", "* /")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_become_words() {
        for (text, name) in [
            ("detail-type", "detail_type"),
            ("orderId", "order_id"),
            ("SKU", "sku"),
            ("a b", "a_b"),
            ("2nd", "n2nd"),
            ("ä", "field"),
            ("_x_", "x"),
        ] {
            assert_eq!(snake_case(text), name);
        }
    }

    #[test]
    fn records_are_found_and_know_whom_they_hold() {
        let model = Model::of(
            &json!({
                "title": "Node", "type": "object", "required": ["next"],
                "properties": {
                    "next": { "$ref": "#/definitions/Link" },
                    "string": { "type": "object", "properties": { "x": { "type": ["integer", "null"] } } },
                    "tags": { "type": "object", "additionalProperties": { "type": "string" } },
                    "either": { "anyOf": [{ "type": "string" }, { "type": "number" }] },
                    "some": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
                },
                "definitions": { "Link": { "type": "object", "properties": {
                    "back": { "$ref": "#/definitions/Link" }, "all": { "type": "array", "items": { "$ref": "#" } },
                } } },
            }),
            "shop@Node",
        );
        let names: Vec<&str> = model.records.iter().map(|record| record.name.as_str()).collect();
        assert_eq!(names, ["Node", "StringType", "Link"]);
        let kinds: Vec<&Kind> = model.records[0].fields.iter().map(|field| &field.kind).collect();
        assert_eq!(
            kinds,
            [
                &Kind::Record("Link".into()),
                &Kind::Record("StringType".into()),
                &Kind::Map(Box::new(Kind::Text)),
                &Kind::Any,
                &Kind::Nullable(Box::new(Kind::Text)),
            ]
        );
        assert!(model.holds("Link", "Link") && !model.holds("Node", "Node") && model.holds("Node", "Link"));
    }
}
