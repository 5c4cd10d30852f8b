//! The thorough answer: which constraints a document breaks, where, and in which words AWS says so.

use std::fmt::Write as _;

use serde_json::Value;

use super::check::{string_holds, text_length};
use super::{Blob, Bounds, Kind, Member, Shape, ValidationStyle};
use crate::{Fault, Timestamp};

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Invalid {
    /// It is no JSON, or a value has the wrong type: the text of a `SerializationException`.
    Serialization(String),
    /// Constraints are broken; never empty.
    Violations(Vec<Violation>),
}

/// One broken constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Where, as AWS writes it: `entries.1.member.id`.
    pub path: String,
    /// The modelled name of the member.
    pub member: String,
    /// The value as Java prints it; `None` if it is null or absent.
    pub value: Option<String>,
    /// What it breaks.
    pub constraint: Constraint,
}

/// A constraint and its words.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// It is required.
    NotNull,
    /// It is none of the values of an enumeration.
    EnumValue(String),
    /// A length, a size, a pattern, or any of them on an element.
    Other(String),
}

impl Constraint {
    /// The words that follow "failed to satisfy constraint: ".
    pub fn text(&self) -> &str {
        match self {
            Constraint::NotNull => "Member must not be null",
            Constraint::EnumValue(text) | Constraint::Other(text) => text,
        }
    }
}

impl ValidationStyle {
    /// The fault that tells the caller.
    pub fn fault(&self, invalid: Invalid) -> Fault {
        let violations = match invalid {
            Invalid::Serialization(message) => return Fault::new("SerializationException", message),
            Invalid::Violations(violations) => violations,
        };
        match self {
            ValidationStyle::Listed { code } => Fault::new(*code, listed(&violations)),
            ValidationStyle::Sqs => sqs(&violations),
        }
    }
}

fn listed(violations: &[Violation]) -> String {
    let errors = if violations.len() == 1 { "error" } else { "errors" };
    let mut text = format!("{} validation {errors} detected: ", violations.len());
    for (i, violation) in violations.iter().enumerate() {
        let separator = if i == 0 { "" } else { "; " };
        let value = violation.value.as_ref().map_or_else(|| "null".to_owned(), |value| format!("'{value}'"));
        let constraint = violation.constraint.text();
        let path = &violation.path;
        let _ =
            write!(text, "{separator}Value {value} at '{path}' failed to satisfy constraint: {constraint}");
    }
    text
}

fn sqs(violations: &[Violation]) -> Fault {
    let Some(first) = violations.first() else { return Fault::validation("") };
    let value = first.value.as_deref().unwrap_or_default();
    match &first.constraint {
        Constraint::NotNull => {
            let message = format!("The request must contain the parameter {}.", first.member);
            Fault::new("MissingParameter", message)
        }
        Constraint::EnumValue(_) => Fault::new("InvalidAttributeName", format!("Unknown Attribute {value}.")),
        Constraint::Other(text) => {
            let message = format!("Value {value} for parameter {} is invalid. Reason: {text}.", first.member);
            Fault::new("InvalidParameterValue", message)
        }
    }
}

/// Why a text that failed the quick check failed it.
pub(super) fn explain_text(shape: &'static Shape, json: &[u8]) -> Invalid {
    match serde_json::from_slice::<Value>(json) {
        Err(error) => Invalid::Serialization(malformed(json, &error)),
        Ok(value) => match explain(shape, &value) {
            Err(invalid) => invalid,
            // Only a repeated member is seen by the quick check and not here.
            Ok(()) => Invalid::Serialization("Duplicate member in structure".to_owned()),
        },
    }
}

fn malformed(json: &[u8], error: &serde_json::Error) -> String {
    if json.iter().all(u8::is_ascii_whitespace) || error.is_eof() {
        return "Unexpected end of document".to_owned();
    }
    if std::str::from_utf8(json).is_err() {
        return "Invalid UTF-8 in document".to_owned();
    }
    format!("Unparseable document at line {}, column {}", error.line(), error.column())
}

/// Holds a document against a shape.
pub(super) fn explain(shape: &'static Shape, value: &Value) -> Result<(), Invalid> {
    let mut walk = Walk { path: String::new(), violations: Vec::new() };
    if value.is_null() {
        return Err(Invalid::Serialization(
            "Start of structure or map expected where null was found.".to_owned(),
        ));
    }
    walk.value(shape, value, shape.name).map_err(Invalid::Serialization)?;
    if walk.violations.is_empty() { Ok(()) } else { Err(Invalid::Violations(walk.violations)) }
}

struct Walk {
    path: String,
    violations: Vec<Violation>,
}

impl Walk {
    /// Notes what `value` breaks; an error is the text for a value of the wrong type.
    fn value(&mut self, shape: &'static Shape, value: &Value, member: &str) -> Result<(), String> {
        match (&shape.kind, value) {
            (Kind::Document, _) => Ok(()),
            (Kind::Structure { members, .. }, Value::Object(map)) => self.structure(members, map),
            (Kind::List { member: element, length, .. }, Value::Array(list)) => {
                self.length(length, list.len() as u64, value, member);
                self.elements(element, list, value, member)
            }
            (Kind::Map { key, value: shape, length, .. }, Value::Object(map)) => {
                self.length(length, map.len() as u64, value, member);
                self.entries(key, shape, map, value, member)
            }
            (Kind::Boolean, Value::Bool(_)) => Ok(()),
            _ => {
                type_holds(shape, value)?;
                for constraint in broken(shape, value) {
                    self.note(Some(value), member, constraint);
                }
                Ok(())
            }
        }
    }

    fn structure(
        &mut self,
        members: &'static [Member],
        map: &serde_json::Map<String, Value>,
    ) -> Result<(), String> {
        let base = self.path.len();
        for member in members {
            let value = map.get(member.name).unwrap_or(&Value::Null);
            if value.is_null() && !member.required {
                continue;
            }
            if base > 0 {
                self.path.push('.');
            }
            lower_first(&mut self.path, member.name);
            if value.is_null() {
                self.note(None, member.name, Constraint::NotNull);
            } else {
                self.value(member.shape, value, member.name)?;
            }
            self.path.truncate(base);
        }
        Ok(())
    }

    fn elements(
        &mut self,
        shape: &'static Shape,
        list: &[Value],
        whole: &Value,
        member: &str,
    ) -> Result<(), String> {
        let base = self.path.len();
        for (i, value) in list.iter().enumerate() {
            if is_simple(shape) && !value.is_null() {
                type_holds(shape, value)?;
                if !broken(shape, value).is_empty() {
                    let constraint = self.on_element("Member must satisfy constraint", shape);
                    self.note(Some(whole), member, constraint);
                    return Ok(());
                }
                continue;
            }
            let _ = write!(self.path, ".{}.member", i + 1);
            if value.is_null() {
                self.note(None, member, Constraint::NotNull);
            } else {
                self.value(shape, value, member)?;
            }
            self.path.truncate(base);
        }
        Ok(())
    }

    fn entries(
        &mut self,
        key: &'static Shape,
        shape: &'static Shape,
        map: &serde_json::Map<String, Value>,
        whole: &Value,
        member: &str,
    ) -> Result<(), String> {
        if let Some(name) = map.keys().find(|name| !string_holds(&key.kind, name)) {
            let constraint = self.on_element("Map keys must satisfy constraint", key);
            let shown = if matches!(constraint, Constraint::EnumValue(_)) {
                Value::from(name.as_str())
            } else {
                whole.clone()
            };
            self.note(Some(&shown), member, constraint);
        }
        let base = self.path.len();
        for (name, value) in map {
            if is_simple(shape) && !value.is_null() {
                type_holds(shape, value)?;
                if !broken(shape, value).is_empty() {
                    let constraint = self.on_element("Map value must satisfy constraint", shape);
                    self.note(Some(whole), member, constraint);
                    return Ok(());
                }
                continue;
            }
            let _ = write!(self.path, ".{name}.member");
            if value.is_null() {
                self.note(None, member, Constraint::NotNull);
            } else {
                self.value(shape, value, member)?;
            }
            self.path.truncate(base);
        }
        Ok(())
    }

    fn length(&mut self, bounds: &Bounds<u64>, length: u64, value: &Value, member: &str) {
        if let Some(text) = length_broken(bounds, length) {
            self.note(Some(value), member, Constraint::Other(text));
        }
    }

    /// What AWS says of a collection whose element breaks a constraint: all constraints of the element, in brackets.
    fn on_element(&self, lead: &str, shape: &'static Shape) -> Constraint {
        let all = all_constraints(shape);
        let text = format!("{lead}: [{}]", all.join(", "));
        match &shape.kind {
            Kind::String { values, .. } if !values.is_empty() => Constraint::EnumValue(text),
            _ => Constraint::Other(text),
        }
    }

    fn note(&mut self, value: Option<&Value>, member: &str, constraint: Constraint) {
        let value = value.map(|value| {
            let mut text = String::new();
            java_text(value, &mut text);
            text
        });
        self.violations.push(Violation {
            path: self.path.clone(),
            member: member.to_owned(),
            value,
            constraint,
        });
    }
}

fn is_simple(shape: &Shape) -> bool {
    !matches!(shape.kind, Kind::Structure { .. } | Kind::List { .. } | Kind::Map { .. } | Kind::Document)
}

fn lower_first(path: &mut String, name: &str) {
    let mut chars = name.chars();
    if let Some(first) = chars.next() {
        path.push(first.to_ascii_lowercase());
        path.push_str(chars.as_str());
    }
}

/// As Java prints it: `[a, b]`, `{k=v}`, text bare.
fn java_text(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(list) => {
            out.push('[');
            for (i, element) in list.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                java_text(element, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (i, (name, element)) in map.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                out.push_str(name);
                out.push('=');
                java_text(element, out);
            }
            out.push('}');
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

fn length_broken(bounds: &Bounds<u64>, length: u64) -> Option<String> {
    match (bounds.min, bounds.max) {
        (Some(min), _) if length < min => {
            Some(format!("Member must have length greater than or equal to {min}"))
        }
        (_, Some(max)) if length > max => {
            Some(format!("Member must have length less than or equal to {max}"))
        }
        _ => None,
    }
}

fn value_broken<T: PartialOrd + Copy + std::fmt::Display>(bounds: &Bounds<T>, value: T) -> Option<String> {
    match (bounds.min, bounds.max) {
        (Some(min), _) if value < min => {
            Some(format!("Member must have value greater than or equal to {min}"))
        }
        (_, Some(max)) if value > max => Some(format!("Member must have value less than or equal to {max}")),
        _ => None,
    }
}

/// The constraints that a simple value of the right type breaks.
fn broken(shape: &Shape, value: &Value) -> Vec<Constraint> {
    let other = |text: Option<String>| text.map(Constraint::Other).into_iter().collect();
    match (&shape.kind, value) {
        (Kind::String { length, pattern, values }, Value::String(text)) => {
            let mut found: Vec<Constraint> = other(length_broken(length, text_length(text)));
            if let Some(pattern) = pattern.filter(|pattern| !pattern.matches(text)) {
                let text = format!("Member must satisfy regular expression pattern: {}", pattern.text());
                found.push(Constraint::Other(text));
            }
            if !values.is_empty() && !values.contains(&text.as_str()) {
                let text = format!("Member must satisfy enum value set: [{}]", values.join(", "));
                found.push(Constraint::EnumValue(text));
            }
            found
        }
        (Kind::Integer(bounds) | Kind::Long(bounds), Value::Number(number)) => {
            other(number.as_i64().and_then(|number| value_broken(bounds, number)))
        }
        (Kind::Float(bounds), Value::Number(number)) => {
            other(number.as_f64().and_then(|number| value_broken(bounds, number)))
        }
        (Kind::Blob(bounds), Value::String(text)) => {
            other(Blob::measure(text).and_then(|length| length_broken(bounds, length)))
        }
        _ => Vec::new(),
    }
}

/// Every constraint of a simple shape, in the order in which AWS lists them.
fn all_constraints(shape: &Shape) -> Vec<String> {
    let mut all = Vec::new();
    let mut push = |words: &str, bound: Option<String>| {
        if let Some(bound) = bound {
            all.push(format!("{words} {bound}"));
        }
    };
    let show = |bound: Option<u64>| bound.map(|bound| bound.to_string());
    match &shape.kind {
        Kind::String { length, pattern, values } => {
            push("Member must have length less than or equal to", show(length.max));
            push("Member must have length greater than or equal to", show(length.min));
            let pattern = pattern.map(|pattern| pattern.text().to_owned());
            push("Member must satisfy regular expression pattern:", pattern);
            let values = (!values.is_empty()).then(|| format!("[{}]", values.join(", ")));
            push("Member must satisfy enum value set:", values);
        }
        Kind::Integer(bounds) | Kind::Long(bounds) => {
            push("Member must have value less than or equal to", bounds.max.map(|max| max.to_string()));
            push("Member must have value greater than or equal to", bounds.min.map(|min| min.to_string()));
        }
        Kind::Blob(bounds) => {
            push("Member must have length less than or equal to", show(bounds.max));
            push("Member must have length greater than or equal to", show(bounds.min));
        }
        _ => {}
    }
    all
}

/// Whether a value has the type of its shape; the error is the text of a `SerializationException`.
fn type_holds(shape: &Shape, value: &Value) -> Result<(), String> {
    let fits = match (&shape.kind, value) {
        (Kind::String { .. }, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => true,
        (Kind::Integer(_), Value::Number(n)) => n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        (Kind::Long(_), Value::Number(n)) => n.as_i64().is_some(),
        (Kind::Float(_), Value::Number(_)) => true,
        (Kind::Timestamp(_), Value::Number(n)) => {
            n.as_f64().is_some_and(|n| Timestamp::from_epoch_seconds(n).is_some())
        }
        (Kind::Timestamp(_), Value::String(text)) => Timestamp::from_iso(text).is_some(),
        (Kind::Blob(_), Value::String(text)) => {
            return Blob::measure(text)
                .map(|_| ())
                .ok_or_else(|| "Invalid Base64 in a blob value".to_owned());
        }
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let wanted = match &shape.kind {
        Kind::Structure { .. } | Kind::Map { .. } | Kind::List { .. }
            if !value.is_array() && !value.is_object() =>
        {
            return Err("Unexpected value where a structure, map or list is expected.".to_owned());
        }
        Kind::Structure { .. } => "Structure",
        Kind::Map { .. } => "Map",
        Kind::List { .. } => "List",
        Kind::String { .. } => "String",
        Kind::Integer(_) => "Integer",
        Kind::Long(_) => "Long",
        Kind::Float(_) => "Double",
        Kind::Boolean => "Boolean",
        Kind::Blob(_) => "Blob",
        Kind::Timestamp(_) => "Timestamp",
        Kind::Document => "Document",
    };
    let found = match value {
        Value::Object(_) => return Err("Start of structure or map found where not expected.".to_owned()),
        Value::Array(_) => return Err("Start of list found where not expected.".to_owned()),
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(n) if n.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
    };
    Err(format!("{found} cannot be converted to {wanted}"))
}
