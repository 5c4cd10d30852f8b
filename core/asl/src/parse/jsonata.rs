//! Reads the fields of JSONata states: templates in which texts between `{%` and `%}` are expressions.

use serde_json::Value;

use super::Compiler;
use super::fields::Fields;
use crate::diagnostic::Code;
use crate::jsonata::{Jsonata, Place, Refused, delimited, half_delimited};
use crate::machine::{Quantity, Query};
use crate::template::{Expression, Template};

/// `$states.input` and `$states.context` only.
pub(super) const BEFORE: Place = Place { result: false, error_output: false };
/// `$states.result` as well.
pub(super) const AFTER: Place = Place { result: true, error_output: false };
/// `$states.errorOutput` as well.
pub(super) const CAUGHT: Place = Place { result: false, error_output: true };

impl Compiler {
    /// The template under this name, if there is one.
    pub(super) fn query_template(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        place: Place,
    ) -> Option<Template> {
        let value = fields.get(name)?;
        Some(self.query_value(value, &fields.at(name), place))
    }

    fn query_value(&mut self, value: &Value, location: &str, place: Place) -> Template {
        match value {
            Value::Object(members) => {
                let parts: Vec<(String, Template)> = members
                    .iter()
                    .map(|(name, member)| {
                        (name.clone(), self.query_value(member, &format!("{location}/{name}"), place))
                    })
                    .collect();
                let constant = parts.iter().all(|(_, part)| matches!(part, Template::Constant(_)));
                if constant { Template::Constant(value.clone()) } else { Template::Object(parts) }
            }
            Value::Array(items) => {
                let parts: Vec<Template> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.query_value(item, &format!("{location}[{index}]"), place))
                    .collect();
                let constant = parts.iter().all(|part| matches!(part, Template::Constant(_)));
                if constant { Template::Constant(value.clone()) } else { Template::Array(parts) }
            }
            Value::String(text) => match delimited(text) {
                None => {
                    self.expect_delimiters(text, location);
                    Template::Constant(value.clone())
                }
                Some(inner) => match self.jsonata(inner, location, place) {
                    Some(query) => Template::Dynamic {
                        field: self.field(location),
                        expression: Expression::Jsonata(Box::new(query)),
                    },
                    None => Template::Constant(Value::Null),
                },
            },
            scalar => Template::Constant(scalar.clone()),
        }
    }

    fn expect_delimiters(&mut self, text: &str, location: &str) {
        if half_delimited(text) {
            let message = "Expression must begin with '{%' and end with '%}', without spaces before or after";
            self.report(Code::InvalidJsonataExpression, message, location);
        }
    }

    /// The place of a field as causes name it: within its state.
    fn field(&self, location: &str) -> String {
        let within = location.strip_prefix(self.state_location.as_str()).unwrap_or(location);
        within.trim_start_matches('/').to_owned()
    }

    fn jsonata(&mut self, text: &str, location: &str, place: Place) -> Option<Jsonata> {
        match Jsonata::parse(text, place) {
            Ok(query) => {
                self.reads_execution_input |= query.reads.states.execution_input;
                for name in &query.reads.variables {
                    self.read_variable(name, location);
                }
                Some(query)
            }
            Err(Refused::Invalid(message)) => {
                self.report(Code::InvalidJsonataExpression, message, location);
                None
            }
            Err(Refused::Unsupported(messages)) => {
                for message in messages {
                    self.report(Code::UnsupportedJsonataExpression, message, location);
                }
                None
            }
        }
    }

    /// The expression that is this field; `None` if the field is absent, is no expression, or is a bad one. The
    /// second says whether the field is meant to be one.
    pub(super) fn query(&mut self, fields: &Fields<'_>, name: &str) -> (Option<Query>, bool) {
        let Some(text) = fields.get(name).and_then(Value::as_str) else { return (None, false) };
        let location = fields.at(name);
        let Some(inner) = delimited(text) else {
            self.expect_delimiters(text, &location);
            return (None, false);
        };
        let query = self.jsonata(inner, &location, BEFORE);
        (query.map(|jsonata| Query { field: self.field(&location), jsonata: Box::new(jsonata) }), true)
    }

    /// A whole number, or an expression that gives one.
    pub(super) fn query_quantity(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        least: i64,
        most: i64,
    ) -> Option<Quantity> {
        match self.query(fields, name) {
            (query, true) => query.map(Quantity::Query),
            (_, false) => fields.integer(self, name, least, most).map(Quantity::Fixed),
        }
    }
}
