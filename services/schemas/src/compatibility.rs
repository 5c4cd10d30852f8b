//! What a change of a schema breaks: pure, two schemas of draft 4 and the fields that consumers read.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Deeper schemas are not looked into.
const DEPTH_MAX: usize = 32;
/// The most fields of a schema that are compared.
const FIELDS_MAX: usize = 5_000;

/// A field that a consumer reads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Read {
    /// The consumer's ARN.
    pub consumer: String,
    /// How it reads: `RulePattern`, `InputPath`, `InputTransformer` or `StateMachine`.
    pub kind: &'static str,
    /// The rule that brings it the event.
    pub rule: String,
    /// The steps to the field from the whole event on; lists are passed through.
    pub path: Vec<String>,
    /// The values that it waits for, if it waits for some.
    pub wanted: Vec<Value>,
}

/// A consumer that a change breaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Break {
    /// The consumer's ARN: a rule, or a rule's target.
    pub consumer: String,
    /// How it reads the field: `RulePattern`, `InputPath`, `InputTransformer` or `StateMachine`.
    pub kind: String,
    /// The ARN of the rule that brings it the event.
    pub rule: String,
    /// The field, from the whole event on: `$.detail.total`.
    pub path: String,
    /// What becomes of the field, in words.
    pub problem: String,
}

/// A change that a reader of the field would notice, whether or not there is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Change {
    /// The field, from the whole event on: `$.detail.total`.
    pub path: String,
    /// What becomes of it, in words.
    pub problem: String,
}

/// What a schema says of a field.
#[derive(Clone, Debug, PartialEq)]
enum Look {
    /// It has no such field.
    Absent,
    /// It says nothing about it.
    Unknown,
    Found(Found),
}

#[derive(Clone, Debug, PartialEq)]
struct Found {
    /// The types that it may have; none named means any.
    kinds: BTreeSet<String>,
    /// The values that it may have, if they are listed.
    values: Option<Vec<Value>>,
    /// Whether it is always there.
    always: bool,
}

/// Who breaks when `old` becomes `new`. What the old schema does not describe is nobody's to rely on.
pub(crate) fn breaks(old: &Value, new: &Value, reads: &[Read]) -> Vec<Break> {
    let mut found = BTreeSet::new();
    for read in reads {
        for problem in problems(old, new, &read.path, &read.wanted) {
            found.insert(Break {
                consumer: read.consumer.clone(),
                kind: read.kind.to_owned(),
                rule: read.rule.clone(),
                path: shown(&read.path),
                problem,
            });
        }
    }
    found.into_iter().collect()
}

/// Every change that a reader would notice, whoever that is.
pub(crate) fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut paths = Vec::new();
    fields(old, old, &mut Vec::new(), &mut paths);
    let change = |path: &Vec<String>| {
        // What is below a field that is gone is gone with it.
        let gone_above = (1..path.len()).any(|end| {
            matches!(look(old, &path[..end], old, 0), Look::Found(_))
                && !matches!(look(new, &path[..end], new, 0), Look::Found(_))
        });
        let problems = if gone_above { Vec::new() } else { problems(old, new, path, &[]) };
        problems.into_iter().map(|problem| Change { path: shown(path), problem }).collect::<Vec<_>>()
    };
    paths.iter().flat_map(change).collect()
}

fn shown(path: &[String]) -> String {
    path.iter().fold("$".to_owned(), |shown, step| format!("{shown}.{step}"))
}

fn problems(old: &Value, new: &Value, path: &[String], wanted: &[Value]) -> Vec<String> {
    let Look::Found(was) = look(old, path, old, 0) else { return Vec::new() };
    let is = match look(new, path, new, 0) {
        Look::Absent => return vec![removed(old, new, path, &was)],
        Look::Unknown => return vec!["is no longer described".to_owned()],
        Look::Found(is) => is,
    };
    let mut problems = Vec::new();
    problems.extend(retyped(&was.kinds, &is.kinds));
    problems.extend(wanted.iter().filter_map(|value| impossible(value, &was, &is)));
    if was.always && !is.always {
        problems.push("is no longer required: it may be absent".to_owned());
    }
    problems
}

fn removed(old: &Value, new: &Value, path: &[String], was: &Found) -> String {
    let Some((name, parent)) = path.split_last() else { return "is removed".to_owned() };
    let known = members(old, parent, old);
    let same = |candidate: &&String| {
        let path: Vec<String> = parent.iter().chain([*candidate]).cloned().collect();
        matches!(look(new, &path, new, 0), Look::Found(found) if found.kinds == was.kinds)
    };
    let fresh: Vec<String> =
        members(new, parent, new).into_iter().filter(|name| !known.contains(name)).collect();
    match fresh.iter().filter(same).collect::<Vec<_>>().as_slice() {
        [] => "is removed".to_owned(),
        [one] => {
            format!("is removed; {one} is new beside it and of the same type: {name} may have been renamed")
        }
        several => {
            let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            format!("is removed; new beside it and of the same type: {}", names.join(", "))
        }
    }
}

fn retyped(was: &BTreeSet<String>, is: &BTreeSet<String>) -> Option<String> {
    // An integer is a number: narrowing to it surprises no reader.
    let narrower = |kind: &str| kind == "integer" && was.contains("number");
    let gained: Vec<&String> =
        is.iter().filter(|kind| !was.contains(*kind) && !narrower(kind.as_str())).collect();
    let kept = |kind: &str| match kind {
        "number" | "integer" => is.contains("number") || is.contains("integer"),
        other => is.contains(other),
    };
    let lost: Vec<&String> = was.iter().filter(|kind| !kept(kind.as_str())).collect();
    let words = |kinds: &BTreeSet<String>| {
        if kinds.is_empty() {
            "any".to_owned()
        } else {
            kinds.iter().cloned().collect::<Vec<_>>().join(" or ")
        }
    };
    if was == is || (gained.is_empty() && lost.is_empty()) {
        None
    } else if is.is_empty() || (lost.is_empty() && !was.is_empty()) {
        Some(format!(
            "may now be {} besides {}",
            if is.is_empty() { "anything".to_owned() } else { join(&gained) },
            words(was)
        ))
    } else if was.is_empty() || gained.is_empty() {
        Some(format!("is narrowed from {} to {}", words(was), words(is)))
    } else {
        Some(format!("changes its type from {} to {}", words(was), words(is)))
    }
}

fn join(kinds: &[&String]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" or ")
}

/// A value that a consumer waits for and that can come no more.
fn impossible(value: &Value, was: &Found, is: &Found) -> Option<String> {
    let listed = |found: &Found| found.values.as_ref().is_none_or(|values| values.contains(value));
    (listed(was) && !listed(is)).then(|| format!("can no longer be {value}"))
}

/// What `schema` says of the field that `path` leads to.
fn look(schema: &Value, path: &[String], whole: &Value, depth: usize) -> Look {
    if depth > DEPTH_MAX {
        return Look::Unknown;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let found = target.strip_prefix('#').and_then(|pointer| whole.pointer(pointer));
        return found.map_or(Look::Unknown, |schema| look(schema, path, whole, depth + 1));
    }
    let parts = |word: &str| -> Option<Vec<Look>> {
        let parts = schema[word].as_array()?;
        Some(parts.iter().map(|part| look(part, path, whole, depth + 1)).collect())
    };
    if let Some(parts) = parts("allOf") {
        return parts.into_iter().chain([look_plain(schema, path, whole, depth)]).fold(Look::Unknown, both);
    }
    if let Some(parts) = parts("anyOf").or_else(|| parts("oneOf")) {
        return parts.into_iter().reduce(either).unwrap_or(Look::Unknown);
    }
    look_plain(schema, path, whole, depth)
}

fn look_plain(schema: &Value, path: &[String], whole: &Value, depth: usize) -> Look {
    let kinds: BTreeSet<String> = match &schema["type"] {
        Value::String(kind) => [kind.clone()].into(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    };
    let Some((step, rest)) = path.split_first() else {
        let values = schema["enum"].as_array().cloned();
        let says_nothing = kinds.is_empty() && values.is_none() && !schema["properties"].is_object();
        let found = Found { kinds, values, always: true };
        return if says_nothing && depth > 0 && schema.get("allOf").is_some() {
            Look::Unknown
        } else {
            Look::Found(found)
        };
    };
    if kinds.contains("array") || (kinds.is_empty() && schema["items"].is_object()) {
        return look(&schema["items"], path, whole, depth + 1);
    }
    if !kinds.is_empty() && !kinds.contains("object") {
        return Look::Absent;
    }
    let only_objects = kinds.len() <= 1;
    let required = only_objects
        && schema["required"].as_array().is_some_and(|names| names.iter().any(|name| name == step));
    let found = match (schema["properties"].get(step), &schema["additionalProperties"]) {
        (Some(part), _) => look(part, rest, whole, depth + 1),
        (None, values @ Value::Object(_)) => look(values, rest, whole, depth + 1),
        (None, Value::Bool(false)) => Look::Absent,
        (None, _) if schema["properties"].is_object() => Look::Absent,
        (None, _) => Look::Unknown,
    };
    match found {
        Look::Found(found) => Look::Found(Found { always: found.always && required, ..found }),
        other => other,
    }
}

/// Both schemas hold.
fn both(a: Look, b: Look) -> Look {
    match (a, b) {
        (Look::Found(a), Look::Found(b)) => Look::Found(Found {
            kinds: if a.kinds.is_empty() { b.kinds } else { a.kinds },
            values: a.values.or(b.values),
            always: a.always || b.always,
        }),
        (Look::Found(found), _) | (_, Look::Found(found)) => Look::Found(found),
        (Look::Absent, _) | (_, Look::Absent) => Look::Absent,
        (Look::Unknown, Look::Unknown) => Look::Unknown,
    }
}

/// One of the two holds.
fn either(a: Look, b: Look) -> Look {
    match (a, b) {
        (Look::Found(a), Look::Found(b)) => Look::Found(Found {
            kinds: if a.kinds.is_empty() || b.kinds.is_empty() {
                BTreeSet::new()
            } else {
                a.kinds.union(&b.kinds).cloned().collect()
            },
            values: a.values.zip(b.values).map(|(a, b)| a.into_iter().chain(b).collect()),
            always: a.always && b.always,
        }),
        (Look::Found(found), _) | (_, Look::Found(found)) => Look::Found(Found { always: false, ..found }),
        (Look::Unknown, _) | (_, Look::Unknown) => Look::Unknown,
        (Look::Absent, Look::Absent) => Look::Absent,
    }
}

/// The names of the members of what `path` leads to.
fn members(schema: &Value, path: &[String], whole: &Value) -> BTreeSet<String> {
    let mut all = Vec::new();
    fields(schema, whole, &mut Vec::new(), &mut all);
    let below = |found: &Vec<String>| found.len() == path.len() + 1 && found.starts_with(path);
    all.into_iter().filter(below).filter_map(|mut found| found.pop()).collect()
}

/// The paths of all fields that a schema describes. A schema within itself is followed once.
fn fields(schema: &Value, whole: &Value, at: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    if at.len() > DEPTH_MAX || out.len() > FIELDS_MAX {
        return;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        if let Some(found) = target.strip_prefix('#').and_then(|pointer| whole.pointer(pointer)) {
            fields(found, whole, at, out);
        }
        return;
    }
    for word in ["allOf", "anyOf", "oneOf"] {
        for part in schema[word].as_array().into_iter().flatten() {
            fields(part, whole, at, out);
        }
    }
    if schema["items"].is_object() {
        fields(&schema["items"], whole, at, out);
    }
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        // The same name twice on the way is taken for a schema within itself.
        if at.iter().filter(|step| *step == name).count() > 1 {
            continue;
        }
        at.push(name.clone());
        if !out.contains(at) {
            out.push(at.clone());
        }
        fields(part, whole, at, out);
        at.pop();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Schemas of a detail, a path below it, the values waited for, and what is said.
    fn check(old: &Value, new: &Value, path: &str, wanted: &[Value], expected: &[&str]) {
        let event = |detail: &Value| {
            json!({ "type": "object", "required": ["detail"], "properties": { "detail": { "$ref": "#/definitions/D" } },
                    "definitions": { "D": detail } })
        };
        let path: Vec<String> = ["detail"].into_iter().chain(path.split('.')).map(str::to_owned).collect();
        assert_eq!(problems(&event(old), &event(new), &path, wanted), expected, "{old} -> {new} at {path:?}");
    }

    fn object(required: &[&str], properties: Value) -> Value {
        json!({ "type": "object", "required": required, "properties": properties })
    }

    #[test]
    fn what_becomes_of_a_field() {
        let text = json!({ "type": "string" });
        let old = object(&["a"], json!({ "a": text, "b": { "type": "number" } }));
        let with =
            |required: &[&str], a: Value| object(required, json!({ "a": a, "b": { "type": "number" } }));
        check(&old, &old, "a", &[], &[]);
        check(
            &old,
            &with(&["a"], json!({ "type": "integer" })),
            "a",
            &[],
            &["changes its type from string to integer"],
        );
        check(&old, &with(&[], text.clone()), "a", &[], &["is no longer required: it may be absent"]);
        check(
            &old,
            &with(&["a"], json!({ "type": ["string", "null"] })),
            "a",
            &[],
            &["may now be null besides string"],
        );
        check(
            &with(&["a"], json!({ "type": ["string", "null"] })),
            &old,
            "a",
            &[],
            &["is narrowed from null or string to string"],
        );
        check(&old, &with(&["a"], json!({})), "a", &[], &["may now be anything besides string"]);
        check(&old, &object(&[], json!({ "b": { "type": "number" } })), "a", &[], &["is removed"]);
        check(
            &old,
            &object(&[], json!({ "b": { "type": "number" }, "c": text })),
            "a",
            &[],
            &["is removed; c is new beside it and of the same type: a may have been renamed"],
        );
        check(&old, &json!({ "type": "object" }), "a", &[], &["is no longer described"]);
        check(&old, &json!({ "type": "string" }), "a", &[], &["is removed"]);
        check(&old, &old, "unknown.below", &[], &[]);
    }

    #[test]
    fn numbers_may_become_integers_but_not_the_other_way() {
        let of = |kind: &str| object(&[], json!({ "n": { "type": kind } }));
        check(&of("number"), &of("integer"), "n", &[], &[]);
        check(&of("integer"), &of("number"), "n", &[], &["may now be number besides integer"]);
    }

    #[test]
    fn values_that_are_waited_for() {
        let of = |values: Value| object(&[], json!({ "s": { "type": "string", "enum": values } }));
        let wanted = [json!("A"), json!("C")];
        check(&of(json!(["A", "B"])), &of(json!(["B"])), "s", &wanted, &["can no longer be \"A\""]);
        check(&object(&[], json!({ "s": { "type": "string" } })), &of(json!(["A", "C"])), "s", &wanted, &[]);
    }

    #[test]
    fn through_lists_references_and_combinations() {
        let old = object(
            &[],
            json!({ "items": { "type": "array", "items": object(&["sku"], json!({ "sku": { "type": "string" } })) } }),
        );
        let new = object(
            &[],
            json!({ "items": { "type": "array", "items": object(&[], json!({ "id": { "type": "string" } })) } }),
        );
        check(
            &old,
            &new,
            "items.sku",
            &[],
            &["is removed; id is new beside it and of the same type: sku may have been renamed"],
        );
        let one = object(&["x"], json!({ "x": { "type": "string" } }));
        let either = json!({ "anyOf": [one, object(&["x"], json!({ "x": { "type": "number" } }))] });
        check(&one, &either, "x", &[], &["may now be number besides string"]);
        let both = json!({ "allOf": [{ "type": "object" }, one] });
        check(&one, &both, "x", &[], &[]);
        let sometimes = json!({ "oneOf": [one, { "type": "object", "properties": {} }] });
        check(&one, &sometimes, "x", &[], &["is no longer required: it may be absent"]);
    }

    #[test]
    fn all_changes_are_listed_once() {
        let old = object(
            &["a"],
            json!({ "a": object(&[], json!({ "b": { "type": "string" } })), "c": { "type": "string" } }),
        );
        let new = object(&[], json!({ "c": { "type": "boolean" } }));
        let found = changes(&old, &new);
        let shown: Vec<String> =
            found.iter().map(|change| format!("{} {}", change.path, change.problem)).collect();
        assert_eq!(shown, ["$.a is removed", "$.c changes its type from string to boolean"]);
    }
}
