//! Parameters of a target whose texts may be expressions: `{% … %}` stands for what it comes to with the event at hand.
//!
//! Expressions are found in the block as a document, so that every member of every block is treated alike; only a message
//! attribute's data type and its binary value are never expressions.

use std::collections::HashMap;
use std::sync::Arc;

use asl::Query;
use base::Fault;
use serde_json::{Map, Value};

use crate::fault;

/// The name by which an expression reads the event.
pub(crate) const EVENTS: &str = "events";

/// Members that are forwarded as they are written.
const LITERAL: [&str; 2] = ["DataType", "BinaryValue"];

/// A block of parameters with its expressions.
#[derive(Clone, Debug)]
pub(crate) struct Params {
    block: Value,
    queries: HashMap<String, Query>,
}

/// What expressions are evaluated with.
pub(crate) struct Around<'a> {
    pub events: &'a Arc<Value>,
    pub now_ms: i64,
    pub random: &'a mut dyn FnMut() -> u64,
}

impl Params {
    /// The block, called `name` in messages.
    ///
    /// # Errors
    /// An expression cannot be parsed, or stands where none may.
    pub(crate) fn compile(name: &str, block: Value) -> Result<Params, Fault> {
        let mut queries = HashMap::new();
        collect(name, &block, &mut queries)?;
        Ok(Params { block, queries })
    }

    /// The block with the values of its expressions. One that comes to nothing leaves its member out.
    ///
    /// # Errors
    /// An expression throws, or names nothing.
    pub(crate) fn resolve(&self, around: &mut Around<'_>) -> Result<Value, Fault> {
        if self.queries.is_empty() {
            return Ok(self.block.clone());
        }
        Ok(self.value(&self.block, around)?.unwrap_or(Value::Null))
    }

    fn value(&self, value: &Value, around: &mut Around<'_>) -> Result<Option<Value>, Fault> {
        match value {
            Value::String(text) => match self.queries.get(text) {
                Some(query) => Ok(evaluate(query, text, around)?.map(|value| Value::from(as_text(value)))),
                None => Ok(Some(value.clone())),
            },
            Value::Object(members) => {
                let mut resolved = Map::with_capacity(members.len());
                for (name, member) in members {
                    let found = if LITERAL.contains(&name.as_str()) {
                        Some(member.clone())
                    } else {
                        self.value(member, around)?
                    };
                    let Some(found) = found else { continue };
                    let name = self.name(name, around)?;
                    if resolved.insert(name.clone(), found).is_some() {
                        return Err(failed(&format!("Two names of a map come to {name}.")));
                    }
                }
                Ok(Some(Value::Object(resolved)))
            }
            Value::Array(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for item in items {
                    resolved.extend(self.value(item, around)?);
                }
                Ok(Some(Value::Array(resolved)))
            }
            other => Ok(Some(other.clone())),
        }
    }

    fn name(&self, name: &str, around: &mut Around<'_>) -> Result<String, Fault> {
        let Some(query) = self.queries.get(name) else { return Ok(name.to_owned()) };
        let found = evaluate(query, name, around)?.map(as_text);
        found.ok_or_else(|| failed(&format!("The name {name} comes to nothing.")))
    }
}

/// The value of an expression.
///
/// # Errors
/// It throws.
pub(crate) fn evaluate(query: &Query, text: &str, around: &mut Around<'_>) -> Result<Option<Value>, Fault> {
    query
        .evaluate(around.events, around.now_ms, around.random)
        .map_err(|why| failed(&format!("The expression {text} failed: {why}")))
}

/// A delivery that fails before its target is called. It is the customer's fault, and retried like every other.
pub(crate) fn failed(why: &str) -> Fault {
    Fault::new("ValidationException", why)
}

fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The expression in a text, if it is meant as one.
pub(crate) fn query(name: &str, text: &str) -> Result<Option<Query>, Fault> {
    if !Query::is_one(text) {
        return Ok(None);
    }
    let parsed = Query::parse(text, EVENTS);
    parsed.map(Some).map_err(|why| fault::invalid(format!("{name}: the JSONata expression {why}")))
}

fn collect(name: &str, value: &Value, queries: &mut HashMap<String, Query>) -> Result<(), Fault> {
    let add = |name: &str, text: &String, queries: &mut HashMap<String, Query>| {
        if let Some(query) = query(name, text)? {
            queries.insert(text.clone(), query);
        }
        Ok(())
    };
    match value {
        Value::String(text) => add(name, text, queries),
        Value::Array(items) => items.iter().try_for_each(|item| collect(name, item, queries)),
        Value::Object(members) => members.iter().try_for_each(|(member, value)| {
            let path = format!("{name}.{member}");
            if member == "BinaryValue"
                && value.as_str().is_some_and(|text| text.contains("{%") || text.contains("%}"))
            {
                return Err(fault::invalid(format!("{path} must be a literal.")));
            }
            if LITERAL.contains(&member.as_str()) {
                return Ok(());
            }
            add(&path, member, queries)?;
            collect(&path, value, queries)
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolved(block: Value) -> Result<Value, Fault> {
        let events = Arc::new(json!({ "Data": { "id": 7, "name": "n" } }));
        let params = Params::compile("SqsParameters", block)?;
        params.resolve(&mut Around { events: &events, now_ms: 0, random: &mut || 4 })
    }

    #[test]
    fn expressions_become_texts() {
        let block = json!({
            "MessageGroupId": "{% $events.Data.name %}", "DelaySeconds": "{% $events.Data.id %}", "Gone": "{% $events.Data.x %}",
            "MessageAttributes": { "{% $events.Data.name %}": { "DataType": "{% no %}", "StringValue": "{% $events.Data.id %}" } },
            "Plain": "text",
        });
        let expected = json!({
            "MessageGroupId": "n", "DelaySeconds": "7",
            "MessageAttributes": { "n": { "DataType": "{% no %}", "StringValue": "7" } }, "Plain": "text",
        });
        assert_eq!(resolved(block).unwrap(), expected);
    }

    #[test]
    fn what_is_refused_and_what_fails() {
        for (block, message) in [
            (json!({ "A": "{% ( %}" }), "SqsParameters.A: the JSONata expression cannot be parsed"),
            (
                json!({ "M": { "a": { "BinaryValue": "{%" } } }),
                "SqsParameters.M.a.BinaryValue must be a literal.",
            ),
            (json!({ "A": "{% $number('x') %}" }), "The expression {% $number('x') %} failed: "),
            (
                json!({ "M": { "{% $events.Data.x %}": "v" } }),
                "The name {% $events.Data.x %} comes to nothing.",
            ),
            (json!({ "M": { "n": "v", "{% $events.Data.name %}": "w" } }), "Two names of a map come to n."),
        ] {
            let fault = resolved(block).unwrap_err();
            assert!(fault.message.starts_with(message), "{}", fault.message);
        }
    }
}
