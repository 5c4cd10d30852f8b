//! Which fields of an event its consumers read, as far as their configuration says: patterns of rules, paths of targets,
//! definitions of state machines. Pure.

use pattern::Pattern;
use serde_json::{Map, Value, json};

/// A field that a pattern asks for.
#[derive(Debug, PartialEq)]
pub(crate) struct Asked {
    pub path: Vec<String>,
    /// The literal values among its alternatives.
    pub wanted: Vec<Value>,
}

/// Whether a rule of this pattern may match events of a source and a detail type, as far as these are known.
pub(crate) fn may_match(pattern: &Value, source: Option<&str>, detail_type: Option<&str>) -> bool {
    let mut event = Map::new();
    let mut part = Map::new();
    for (name, value) in [("source", source), ("detail-type", detail_type)] {
        if let (Some(value), Some(wanted)) = (value, pattern.get(name)) {
            event.insert(name.to_owned(), value.into());
            part.insert(name.to_owned(), wanted.clone());
        }
    }
    if part.is_empty() {
        return true;
    }
    let event = Value::Object(event).to_string();
    let pattern = Pattern::parse(&Value::Object(part).to_string());
    pattern.is_ok_and(|pattern| pattern.matches(event).unwrap_or(true))
}

/// The fields that a pattern reads. One that must be absent is not read.
pub(crate) fn asked(pattern: &Value) -> Vec<Asked> {
    let mut found = Vec::new();
    ask(pattern, &mut Vec::new(), &mut found);
    found
}

fn ask(pattern: &Value, at: &mut Vec<String>, out: &mut Vec<Asked>) {
    match pattern {
        Value::Object(members) => {
            for (name, part) in members {
                match part {
                    Value::Array(branches) if name == "$or" => {
                        branches.iter().for_each(|branch| ask(branch, at, out));
                    }
                    part => {
                        at.push(name.clone());
                        ask(part, at, out);
                        at.pop();
                    }
                }
            }
        }
        Value::Array(alternatives) => {
            if alternatives.iter().all(|alternative| *alternative == json!({ "exists": false })) {
                return;
            }
            let wanted =
                alternatives.iter().filter(|alternative| !alternative.is_object()).cloned().collect();
            out.push(Asked { path: at.clone(), wanted });
        }
        _ => {}
    }
}

/// The steps of a JSON path by name; positions and filters are passed over. `None` if it is none, or reads everything
/// below (`..`).
pub(crate) fn steps(path: &str) -> Option<Vec<String>> {
    Some(leading_steps(path.strip_prefix('$')?)).filter(|(_, rest)| rest.is_empty()).map(|(steps, _)| steps)
}

/// The steps with which a text goes on behind `$`, and what follows them.
fn leading_steps(text: &str) -> (Vec<String>, &str) {
    let (mut steps, mut rest) = (Vec::new(), text);
    loop {
        if let Some(after) = rest.strip_prefix('[') {
            let Some(end) = closing(after) else { break };
            let inside = after[..end].trim();
            if inside.len() > 1 && (inside.starts_with('\'') || inside.starts_with('"')) {
                steps.push(inside[1..inside.len() - 1].to_owned());
            }
            rest = &after[end + 1..];
            continue;
        }
        let Some(after) = rest.strip_prefix('.') else { break };
        let letters = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let end = after.find(|c| !letters(c)).unwrap_or(after.len());
        match &after[..end] {
            "" if after.starts_with('*') => rest = &after[1..],
            "" => break,
            // `$.list.length()` reads the list.
            _ if after[end..].starts_with("()") => rest = &after[end + 2..],
            name => {
                steps.push(name.to_owned());
                rest = &after[end..];
            }
        }
    }
    (steps, rest)
}

/// Where the bracket that is open ends.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

/// The paths that a state machine's definition reads of its input, wherever they stand. A state's result may stand at the
/// same place; then more is found than is read, never less.
pub(crate) fn of_machine(definition: &Value) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    walk(definition, None, &mut found);
    found.sort();
    found.dedup();
    found
}

fn walk(value: &Value, name: Option<&str>, out: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| walk(value, Some(name), out)),
        Value::Array(list) => list.iter().for_each(|value| walk(value, name, out)),
        Value::String(text) if text.trim_start().starts_with("{%") => {
            for start in ["$states.input", "$states.context.Execution.Input"] {
                out.extend(after_each(text, start).map(|rest| leading_steps(rest).0));
            }
        }
        Value::String(text) => {
            let reads = name.is_some_and(|name| {
                name.ends_with(".$") || name == "Variable" || (name.ends_with("Path") && name != "ResultPath")
            });
            if reads {
                read_paths(text, out);
            }
        }
        _ => {}
    }
}

/// The paths of a JSON path or of an intrinsic function's arguments.
fn read_paths(text: &str, out: &mut Vec<Vec<String>>) {
    out.extend(after_each(text, "$$.Execution.Input").map(|rest| leading_steps(rest).0));
    for (at, _) in text.match_indices('$') {
        let context = text[..at].ends_with('$') || text[at + 1..].starts_with('$');
        if !context {
            out.push(leading_steps(&text[at + 1..]).0);
        }
    }
    out.retain(|path| !path.is_empty());
}

fn after_each<'t>(text: &'t str, start: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(start).map(move |(at, _)| &text[at + start.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dotted(paths: Vec<Vec<String>>) -> Vec<String> {
        paths.into_iter().map(|path| path.join(".")).collect()
    }

    #[test]
    fn patterns() {
        let pattern = json!({
            "source": ["shop"],
            "detail": {
                "total": [{ "numeric": [">", 1] }], "state": ["A", null, { "prefix": "B" }],
                "gone": [{ "exists": false }],
                "$or": [{ "a": [1] }, { "b": { "c": [true] } }],
            },
        });
        let found: Vec<(String, usize)> =
            asked(&pattern).into_iter().map(|asked| (asked.path.join("."), asked.wanted.len())).collect();
        let expected =
            [("source", 1), ("detail.total", 0), ("detail.state", 2), ("detail.a", 1), ("detail.b.c", 1)];
        assert_eq!(found, expected.map(|(path, wanted)| (path.to_owned(), wanted)));
        for (source, detail_type, matches) in
            [(Some("shop"), Some("x"), true), (Some("other"), None, false), (None, None, true)]
        {
            assert_eq!(may_match(&pattern, source, detail_type), matches, "{source:?}");
        }
        assert!(may_match(&json!({ "detail-type": [{ "prefix": "Or" }] }), Some("s"), Some("Order")));
    }

    #[test]
    fn paths() {
        for (path, expected) in [
            ("$", Some("")),
            ("$.detail.a", Some("detail.a")),
            ("$['detail']['a b'][0].c", Some("detail.a b.c")),
            ("$.detail.items[*].sku", Some("detail.items.sku")),
            ("$.detail.items[?(@.a == ']')].b", Some("detail.items.b")),
            ("$.detail.items.length()", Some("detail.items")),
            ("$..a", None),
            ("detail", None),
        ] {
            assert_eq!(steps(path).map(|steps| steps.join(".")).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn machines() {
        let definition = json!({ "StartAt": "A", "States": {
            "A": { "Type": "Task", "InputPath": "$.detail", "ResultPath": "$.detail.result", "Comment": "$.no",
                   "Parameters": { "id.$": "$.detail.id", "text.$": "States.Format('{} {}', $.detail.name, $$.Execution.Input.detail.lang)",
                                    "plain": "$.no" } },
            "B": { "Type": "Choice", "Choices": [{ "And": [{ "Variable": "$.detail.total", "NumericGreaterThanPath": "$.detail.limit" }] }] },
            "C": { "Type": "Map", "ItemsPath": "$.detail.items[0:2]" },
            "D": { "QueryLanguage": "JSONata", "Output": { "x": "{% $states.input.detail.price * 2 %}" } },
        } });
        assert_eq!(
            dotted(of_machine(&definition)),
            [
                "detail",
                "detail.id",
                "detail.items",
                "detail.lang",
                "detail.limit",
                "detail.name",
                "detail.price",
                "detail.total",
            ]
        );
    }
}
