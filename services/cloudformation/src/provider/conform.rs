//! Template values into the shapes that operations take.
//!
//! Templates write everything as text if they like, name members in capitals, put JSON where an operation wants JSON
//! text, and give tags as lists. The operation's schema says what is wanted, so no type needs a rule of its own.

use base::schema::{Kind, Shape};
use base::{Document, Timestamp};
use serde_json::{Map, Number};

/// `value` in the form of `shape`.
///
/// # Errors
/// A member that the shape does not have, named by its path.
pub(super) fn conform(shape: &'static Shape, value: Document, at: &str) -> Result<Document, String> {
    match (&shape.kind, value) {
        (Kind::Structure { .. }, Document::Object(members)) => structure(shape, members, at),
        (Kind::List { member, .. }, Document::Array(items)) => {
            let item = |(index, item)| conform(member, item, &format!("{at}/{index}"));
            items.into_iter().enumerate().map(item).collect::<Result<_, _>>().map(Document::Array)
        }
        (Kind::Map { value: shape, .. }, Document::Object(entries)) => entries_of(shape, entries, at),
        (Kind::Map { value: shape, .. }, Document::Array(items)) => match pairs(&items) {
            Some(entries) => entries_of(shape, entries, at),
            None => Err(unexpected("JSONObject", &Document::Array(items), at)),
        },
        (Kind::String { .. }, value) => Ok(text(value)),
        (Kind::Integer(_) | Kind::Long(_) | Kind::Float(_), Document::String(text)) => Ok(number(text)),
        (Kind::Boolean, Document::String(text)) => Ok(boolean(text)),
        (Kind::Timestamp(_), Document::String(text)) => Ok(time(text)),
        (Kind::Structure { .. } | Kind::Map { .. }, value) => Err(unexpected("JSONObject", &value, at)),
        (Kind::List { .. }, value) => Err(unexpected("JSONArray", &value, at)),
        (_, value) => Ok(value),
    }
}

fn unexpected(wanted: &str, value: &Document, at: &str) -> String {
    let found = match value {
        Document::Null => "Null",
        Document::Bool(_) => "Boolean",
        Document::Number(_) => "Number",
        Document::String(_) => "String",
        Document::Array(_) => "JSONArray",
        Document::Object(_) => "JSONObject",
    };
    format!("#{at}: expected type: {wanted}, found: {found}")
}

fn structure(shape: &'static Shape, members: Map<String, Document>, at: &str) -> Result<Document, String> {
    let mut out = Map::new();
    for (name, value) in members {
        let known = shape.members();
        let exact = known.iter().find(|member| member.name == name);
        let member = exact.or_else(|| known.iter().find(|member| member.name.eq_ignore_ascii_case(&name)));
        let Some(member) = member else {
            return Err(format!("#{at}: extraneous key [{name}] is not permitted"));
        };
        out.insert(member.name.to_owned(), conform(member.shape, value, &format!("{at}/{name}"))?);
    }
    Ok(Document::Object(out))
}

fn entries_of(shape: &'static Shape, entries: Map<String, Document>, at: &str) -> Result<Document, String> {
    let entry = |(name, value): (String, Document)| {
        let value = conform(shape, value, &format!("{at}/{name}"))?;
        Ok((name, value))
    };
    entries.into_iter().map(entry).collect::<Result<Map<_, _>, String>>().map(Document::Object)
}

/// `[{"Key": …, "Value": …}]` as an object.
fn pairs(items: &[Document]) -> Option<Map<String, Document>> {
    items
        .iter()
        .map(|item| Some((item.get("Key")?.as_str()?.to_owned(), item.get("Value")?.clone())))
        .collect()
}

fn text(value: Document) -> Document {
    match value {
        Document::Number(number) => number.to_string().into(),
        Document::Bool(truth) => truth.to_string().into(),
        Document::Object(_) | Document::Array(_) => value.to_string().into(),
        other => other,
    }
}

/// What is no number stays text, and the operation refuses it in its own words.
fn number(text: String) -> Document {
    let trimmed = text.trim();
    if let Ok(whole) = trimmed.parse::<i64>() {
        return whole.into();
    }
    match trimmed.parse::<f64>().ok().and_then(Number::from_f64) {
        Some(number) => Document::Number(number),
        None => text.into(),
    }
}

/// Templates write times in ISO 8601; what is none stays text, and the operation refuses it.
fn time(text: String) -> Document {
    let time = Timestamp::from_iso(&text).or_else(|| Timestamp::from_iso(&format!("{text}Z")));
    let seconds = time.map(Timestamp::as_epoch_seconds).and_then(Number::from_f64);
    seconds.map_or_else(|| text.into(), Document::Number)
}

fn boolean(text: String) -> Document {
    match text.as_str() {
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use base::schema::{Bounds, Member};
    use serde_json::json;

    use super::*;

    static TEXT: Shape = Shape::string("Text", Bounds::ANY, None);
    static NUMBER: Shape = Shape::new("Number", Kind::Integer(Bounds::ANY));
    static TRUTH: Shape = Shape::new("Truth", Kind::Boolean);
    static TAGS: Shape = Shape::map("Tags", &TEXT, &TEXT, Bounds::ANY);
    static INNER: Shape = Shape::structure("Inner", &[Member::new("roleArn", &TEXT)]);
    static LIST: Shape = Shape::list("List", &INNER, Bounds::ANY);
    static TIME: Shape = Shape::new("Time", Kind::Timestamp(None));
    static ROOT: Shape = Shape::structure(
        "Root",
        &[
            Member::new("count", &NUMBER),
            Member::new("on", &TRUTH),
            Member::new("tags", &TAGS),
            Member::new("all", &LIST),
            Member::new("policy", &TEXT),
            Member::new("at", &TIME),
        ],
    );

    #[test]
    fn values_take_the_operations_form() {
        for (value, expected) in [
            (json!({"Count": "5", "On": "true"}), Ok(json!({"count": 5, "on": true}))),
            (json!({"count": "five"}), Ok(json!({"count": "five"}))),
            (json!({"Tags": [{"Key": "a", "Value": 1}]}), Ok(json!({"tags": {"a": "1"}}))),
            (json!({"Tags": {"a": true}}), Ok(json!({"tags": {"a": "true"}}))),
            (json!({"All": [{"RoleArn": "r"}]}), Ok(json!({"all": [{"roleArn": "r"}]}))),
            (json!({"Policy": {"b": 1, "a": [2]}}), Ok(json!({"policy": r#"{"b":1,"a":[2]}"#}))),
            (
                json!({"All": {"RoleArn": "r"}}),
                Err("#/All: expected type: JSONArray, found: JSONObject".to_owned()),
            ),
            (json!({"All": ["r"]}), Err("#/All/0: expected type: JSONObject, found: String".to_owned())),
            (json!({"At": "2026-01-02T03:04:05Z"}), Ok(json!({"at": 1767323045.0}))),
            (
                json!({"All": [{"Frob": 1}]}),
                Err("#/All/0: extraneous key [Frob] is not permitted".to_owned()),
            ),
        ] {
            assert_eq!(conform(&ROOT, value.clone(), ""), expected, "{value}");
        }
    }
}
