//! Filter policies: which messages a subscription gets.
//!
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html>

use base::Fault;
use pattern::Pattern;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::message::Message;
use crate::{fault, message};

/// The most keys of a policy.
const KEYS_MAX: usize = 5;
/// The most combinations of values of a policy: those of one key are counted, and multiplied with those of the others. Within
/// nested keys, the depth of the key counts as a factor, too.
const COMBINATIONS_MAX: usize = 150;
/// The largest policy, in bytes.
const BYTES_MAX: usize = 262_144;

/// What a policy looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scope {
    #[default]
    MessageAttributes,
    MessageBody,
}

impl Scope {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Scope::MessageAttributes => "MessageAttributes",
            Scope::MessageBody => "MessageBody",
        }
    }
}

/// A compiled policy.
pub(crate) struct Filter {
    pattern: Pattern,
    scope: Scope,
}

impl Filter {
    /// The filter of a policy; none if the policy is empty and lets everything pass.
    pub(crate) fn parse(policy: &str, scope: Scope) -> Result<Option<Filter>, Fault> {
        if policy.is_empty() || policy.trim() == "{}" {
            return Ok(None);
        }
        let invalid = |reason: String| fault::invalid(format!("FilterPolicy: {reason}"));
        if policy.len() > BYTES_MAX {
            return Err(invalid("Filter policy is too large".to_owned()));
        }
        let parsed: Map<String, Value> = serde_json::from_str(policy)
            .map_err(|_| invalid("failed to parse JSON. Filter policy must be a JSON object.".to_owned()))?;
        let keys = parsed.iter().filter(|(name, _)| *name != "$or");
        if keys.clone().count() > KEYS_MAX {
            return Err(invalid(format!("Filter policy can not have more than {KEYS_MAX} keys")));
        }
        if scope == Scope::MessageAttributes && keys.clone().any(|(_, value)| value.is_object()) {
            let reason = "Filter policy scope MessageAttributes does not support nested filter policy";
            return Err(invalid(reason.to_owned()));
        }
        let pattern = Pattern::parse(policy).map_err(|error| invalid(error.to_string()))?;
        if combinations(&parsed, 1) > COMBINATIONS_MAX {
            return Err(invalid("Filter policy is too complex".to_owned()));
        }
        Ok(Some(Filter { pattern, scope }))
    }

    /// Whether the message passes. A body that is no JSON object passes no filter of bodies.
    pub(crate) fn passes(&self, message: &Message) -> bool {
        let matched = match self.scope {
            Scope::MessageBody => self.pattern.matches(&message.body),
            Scope::MessageAttributes => self.pattern.matches(Value::Object(fields(message)).to_string()),
        };
        matched.unwrap_or(false)
    }
}

/// How many combinations the keys of a level and those below make.
///
/// <https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html>
fn combinations(keys: &Map<String, Value>, depth: usize) -> usize {
    let of = |(name, value): (&String, &Value)| match value {
        // Alternatives are looked at one beside the other.
        Value::Array(all) if name == "$or" => {
            let sum = |sum: usize, keys| sum.saturating_add(combinations(keys, depth));
            all.iter().filter_map(Value::as_object).fold(0, sum).max(1)
        }
        Value::Array(values) => values.len().max(1).saturating_mul(depth),
        Value::Object(keys) => combinations(keys, depth + 1),
        _ => 1,
    };
    keys.iter().map(of).fold(1, usize::saturating_mul)
}

/// The attributes as the pattern language reads them: texts, numbers and arrays; binary ones cannot be matched.
fn fields(message: &Message) -> Map<String, Value> {
    let field = |(name, attribute): (&String, &message::Attribute)| {
        let text = attribute.string.as_deref()?;
        let value = match attribute.data_type.as_str() {
            "String.Array" => serde_json::from_str(text).ok()?,
            kind if kind.starts_with("Number") => number(text)?,
            _ => Value::from(text),
        };
        Some((name.clone(), value))
    };
    message.attributes.iter().filter_map(field).collect()
}

/// A number as AWS takes it: also with a plus sign, leading zeros, or nothing before or after the point.
fn number(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| text.parse::<f64>().ok().map(Value::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(policy: &str, scope: Scope, attributes: &[(&str, &str, &str)], body: &str) -> bool {
        let attribute = |(name, data_type, text): &(&str, &str, &str)| {
            let value = message::Attribute {
                data_type: (*data_type).to_owned(),
                string: Some((*text).to_owned()),
                binary: None,
            };
            ((*name).to_owned(), value)
        };
        let attributes = attributes.iter().map(attribute).collect();
        let message = Message { attributes, body: body.to_owned(), ..Message::default() };
        Filter::parse(policy, scope).unwrap().unwrap().passes(&message)
    }

    #[test]
    fn attributes_are_matched_by_their_types() {
        let check = |policy: &str, attributes: &[(&str, &str, &str)], expected| {
            let found = passes(policy, Scope::MessageAttributes, attributes, "x");
            assert_eq!(found, expected, "{policy} {attributes:?}");
        };
        let store = r#"{"store":["corp"],"price":[{"numeric":[">=",100]}]}"#;
        check(store, &[("store", "String", "corp"), ("price", "Number", "100")], true);
        check(store, &[("store", "String", "corp"), ("price", "Number", "99.5")], false);
        check(store, &[("store", "String", "corp"), ("price", "String", "100")], false);
        check(store, &[("store", "String", "corp")], false);
        for text in ["5", "05", "+5", "5.", "5.0", "0.5e1", "+05.0"] {
            check(r#"{"n":[{"numeric":["=",5]}]}"#, &[("n", "Number", text)], true);
            check(r#"{"n":[5]}"#, &[("n", "Number.int", text)], true);
        }
        check(r#"{"n":[{"numeric":["<",0.6]}]}"#, &[("n", "Number", ".5")], true);
        let sport = r#"{"sport":[{"prefix":"bas"},{"anything-but":["rugby"]}]}"#;
        check(sport, &[("sport", "String.Array", r#"["rugby","soccer"]"#)], true);
        check(sport, &[("sport", "String", "rugby")], false);
        check(r#"{"gone":[{"exists":false}]}"#, &[], true);
        check(r#"{"$or":[{"a":["1"]},{"b":["2"]}]}"#, &[("b", "String", "2")], true);
    }

    #[test]
    fn bodies_are_matched_as_json() {
        let policy = r#"{"order":{"total":[{"numeric":[">",5]}]}}"#;
        assert!(passes(policy, Scope::MessageBody, &[], r#"{"order":{"total":6}}"#));
        assert!(!passes(policy, Scope::MessageBody, &[], r#"{"order":{"total":5}}"#));
        assert!(!passes(policy, Scope::MessageBody, &[], "no json"));
    }

    #[test]
    fn combinations_are_bounded() {
        let values = |n: usize| (0..n).map(|i| format!("\"{i}\"")).collect::<Vec<_>>().join(",");
        let flat = |a, b| format!(r#"{{"a":[{}],"b":[{}]}}"#, values(a), values(b));
        // (3 x 3) x (1 x 3) x (3 x 2).
        let nested = r#"{"a":{"b":{"c":["1","2","3"]}},"d":{"e":{"f":["1"]}},"g":{"h":["1","2","3"]}}"#;
        for (policy, scope, fits) in [
            (flat(15, 10), Scope::MessageAttributes, true),
            (flat(151, 1), Scope::MessageAttributes, false),
            (flat(16, 10), Scope::MessageBody, false),
            (nested.to_owned(), Scope::MessageBody, false),
        ] {
            let found = Filter::parse(&policy, scope).err().map(|fault| fault.message);
            let refused = "Invalid parameter: FilterPolicy: Filter policy is too complex";
            assert_eq!(found.as_deref(), (!fits).then_some(refused), "{policy}");
        }
    }

    #[test]
    fn policies_are_judged() {
        let parse = |policy: &str, scope| Filter::parse(policy, scope).err().map(|fault| fault.message);
        assert!(Filter::parse("{}", Scope::MessageBody).unwrap().is_none());
        for (policy, scope) in [
            ("[", Scope::MessageBody),
            (r#"{"a":"b"}"#, Scope::MessageAttributes),
            (r#"{"a":{"b":["c"]}}"#, Scope::MessageAttributes),
            (r#"{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}"#, Scope::MessageBody),
        ] {
            assert!(parse(policy, scope).is_some_and(|text| text.contains("FilterPolicy: ")), "{policy}");
        }
    }
}
