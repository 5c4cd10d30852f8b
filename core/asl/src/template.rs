//! Payload templates: `Parameters`, `ItemSelector`, `ResultSelector`, `Credentials`, `Assign`, and JSONata's `Arguments` and `Output`.

use serde_json::{Map, Value};

use crate::intrinsic::Call;
use crate::jsonata::Jsonata;
use crate::jsonpath::Path;
use crate::scope::{EvalError, Scope};

/// A value with places to fill in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Template {
    Constant(Value),
    Array(Vec<Template>),
    /// Names without their `.$`.
    Object(Vec<(String, Template)>),
    Dynamic {
        /// For messages: the name with its `.$`, or for JSONata the place within the state, like `Output/a/b[0]`.
        field: String,
        expression: Expression,
    },
}

/// What may stand in a member whose name ends with `.$`, or between `{%` and `%}`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Path(Path),
    Call(Call),
    Jsonata(Box<Jsonata>),
}

impl Expression {
    pub(crate) fn evaluate(&self, field: &str, scope: &mut Scope<'_>) -> Result<Value, EvalError> {
        match self {
            Self::Call(call) => call.evaluate(scope),
            Self::Jsonata(query) => query.evaluate(scope).map_err(|trouble| EvalError::Query {
                expression: query.text.clone(),
                field: field.to_owned(),
                trouble,
            }),
            Self::Path(path) => {
                scope.reading.template_value(path).map(|value| value.into_owned()).ok_or_else(|| {
                    EvalError::PathMissing { path: path.text().to_owned(), field: field.to_owned() }
                })
            }
        }
    }
}

impl Template {
    pub(crate) fn evaluate(&self, scope: &mut Scope<'_>) -> Result<Value, EvalError> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Dynamic { field, expression } => expression.evaluate(field, scope),
            Self::Array(items) => {
                let items: Result<Vec<Value>, EvalError> =
                    items.iter().map(|item| item.evaluate(scope)).collect();
                Ok(Value::Array(items?))
            }
            Self::Object(members) => {
                let mut object = Map::with_capacity(members.len());
                for (name, member) in members {
                    object.insert(name.clone(), member.evaluate(scope)?);
                }
                Ok(Value::Object(object))
            }
        }
    }
}
