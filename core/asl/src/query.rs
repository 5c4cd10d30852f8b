//! JSONata outside a state machine: one expression that reads one value under a name of the caller's choice, with the same
//! functions and bounds as in a workflow. EventBridge's subscribers read `$events`.
//!
//! It knows no `$states`: an expression that reads it, or any other name, is refused when it is parsed.

use std::sync::Arc;

use serde_json::Value;

use crate::jsonata::{Jsonata, Place, Refused, Trouble, delimited};
use crate::scope::{Converted, LazyContext, Reading, Scope};
use crate::variables::{Variables, Visible};

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    jsonata: Jsonata,
    name: &'static str,
}

impl Query {
    /// Whether a text is meant as an expression: it stands between `{%` and `%}`.
    pub fn is_one(text: &str) -> bool {
        delimited(text).is_some()
    }

    /// The expression in `text`, delimiters included, that may read `$name`.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence without its subject.
    pub fn parse(text: &str, name: &'static str) -> Result<Query, String> {
        let inner = delimited(text).ok_or("is not enclosed in {% and %}")?;
        let jsonata = Jsonata::parse(inner, Place::default()).map_err(|refused| match refused {
            Refused::Invalid(why) => format!("cannot be parsed: {why}"),
            Refused::Unsupported(all) => format!("is not supported: {}", all.join(" ")),
        })?;
        if jsonata.reads.states.any() {
            return Err(format!("reads $states; only ${name} is there"));
        }
        match jsonata.reads.variables.iter().find(|read| *read != name) {
            Some(other) => Err(format!("reads ${other}; only ${name} is there")),
            None => Ok(Query { jsonata, name }),
        }
    }

    /// What the expression comes to; `None` if to nothing. `random` gives 64 bits of chance at each call.
    ///
    /// # Errors
    /// What it threw.
    pub fn evaluate(
        &self,
        value: &Arc<Value>,
        now_ms: i64,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Option<Value>, String> {
        let mut variables = Variables::default();
        variables.set(self.name.to_owned(), Arc::clone(value), 0);
        let context = LazyContext::new(&|| Value::Null);
        let reading =
            Reading { input: &Value::Null, context: &context, variables: Visible(vec![&variables]) };
        let mut scope = Scope {
            reading,
            result: None,
            error_output: None,
            now_ms,
            random,
            converted: Converted::default(),
        };
        match self.jsonata.evaluate(&mut scope) {
            Ok(value) => Ok(Some(value)),
            Err(Trouble::Undefined) => Ok(None),
            Err(Trouble::Unsupported) => Err("The result is of a type that JSON does not have.".to_owned()),
            Err(Trouble::Threw(message)) => Err(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(text: &str) -> Result<Option<Value>, String> {
        let events = Arc::new(json!({ "Data": { "id": 7, "tags": ["a", "b"] } }));
        Query::parse(text, "events")?.evaluate(&events, 0, &mut || 4)
    }

    #[test]
    fn an_expression_reads_its_one_name() {
        for (text, expected) in [
            ("{% $events.Data.id %}", Ok(Some(json!(7)))),
            ("{% 'order-' & $events.Data.id %}", Ok(Some(json!("order-7")))),
            ("{% { 'n': $count($events.Data.tags) } %}", Ok(Some(json!({ "n": 2 })))),
            ("{% $events.Data.absent %}", Ok(None)),
            ("{% $states.input %}", Err("reads $states; only $events is there")),
            ("{% $other %}", Err("reads $other; only $events is there")),
            ("plain", Err("is not enclosed in {% and %}")),
        ] {
            assert_eq!(run(text), expected.map_err(str::to_owned), "{text}");
        }
        assert!(run("{% ( %}").unwrap_err().starts_with("cannot be parsed: "));
        assert!(run("{% $number('x') %}").is_err());
        assert!(Query::is_one("{% 1 %}") && !Query::is_one("{% 1"));
    }
}
