//! What paths, intrinsic functions and JSONata expressions are evaluated against, and how that fails.

use std::borrow::Cow;
use std::cell::OnceCell;

use jsonata_core::value::JValue;
use serde_json::Value;

use crate::jsonata::{StatesReads, Trouble, to_jsonata};
use crate::jsonpath::{Path, Root, Selected};
use crate::variables::Visible;

/// The values that an expression may read, and the time and the chance that it may use.
pub(crate) struct Scope<'a> {
    pub(crate) reading: Reading<'a>,
    /// `$states.result`.
    pub(crate) result: Option<&'a Value>,
    /// `$states.errorOutput`.
    pub(crate) error_output: Option<&'a Value>,
    pub(crate) now_ms: i64,
    pub(crate) random: &'a mut dyn FnMut() -> u64,
    pub(crate) converted: Converted,
}

/// What paths read.
pub(crate) struct Reading<'a> {
    /// `$`, and `$states.input`.
    pub(crate) input: &'a Value,
    /// `$$`, and `$states.context`.
    pub(crate) context: &'a LazyContext<'a>,
    /// `$name`.
    pub(crate) variables: Visible<'a>,
}

/// The members of `$states` as JSONata's values, once an expression of a template has asked for them.
#[derive(Default)]
pub(crate) struct Converted {
    input: OnceCell<JValue>,
    result: OnceCell<JValue>,
    error_output: OnceCell<JValue>,
    context: OnceCell<JValue>,
}

/// The context object, made when the first expression asks for it.
pub(crate) struct LazyContext<'a> {
    made: OnceCell<Value>,
    make: &'a dyn Fn() -> Value,
}

impl<'a> LazyContext<'a> {
    pub(crate) fn new(make: &'a dyn Fn() -> Value) -> Self {
        Self { made: OnceCell::new(), make }
    }

    pub(crate) fn value(&self) -> &Value {
        self.made.get_or_init(self.make)
    }
}

impl Reading<'_> {
    pub(crate) fn select<'v>(&'v self, path: &Path) -> Selected<'v> {
        match path.root() {
            Root::Input => path.select(self.input),
            Root::Context => path.select(self.context.value()),
            Root::Variable => match path.variable().and_then(|name| self.variables.get(name)) {
                Some(value) => path.select(value),
                None => Selected::Missing { past_end: false },
            },
        }
    }

    /// The value for a template or an intrinsic function. AWS gives null for an index behind the end of an array, and
    /// fails only for absent members.
    pub(crate) fn template_value(&self, path: &Path) -> Option<Cow<'_, Value>> {
        match self.select(path) {
            Selected::Missing { past_end: true } => Some(Cow::Owned(Value::Null)),
            selected => selected.value(),
        }
    }
}

impl Scope<'_> {
    /// `$states`, with the members that are read and are there.
    pub(crate) fn states(&self, reads: &StatesReads) -> JValue {
        let mut members = Vec::with_capacity(4);
        let converted = &self.converted;
        let mut add =
            |name: &str, value: Option<JValue>| members.extend(value.map(|value| (name.to_owned(), value)));
        if reads.input {
            add("input", Some(converted.input.get_or_init(|| to_jsonata(self.reading.input)).clone()));
        }
        if reads.result {
            add(
                "result",
                self.result.map(|value| converted.result.get_or_init(|| to_jsonata(value)).clone()),
            );
        }
        if reads.error_output {
            let value = |value| converted.error_output.get_or_init(|| to_jsonata(value)).clone();
            add("errorOutput", self.error_output.map(value));
        }
        if reads.context {
            let value = || to_jsonata(self.reading.context.value());
            add("context", Some(converted.context.get_or_init(value).clone()));
        }
        JValue::object(members.into_iter().collect())
    }
}

/// Why a template could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EvalError {
    /// A template's path leads nowhere.
    PathMissing { path: String, field: String },
    /// The path of an argument leads nowhere.
    ArgumentMissing { call: String, path: String },
    /// An intrinsic function refuses its arguments.
    Intrinsic { call: String, message: String },
    /// A JSONata expression has no value.
    Query { expression: String, field: String, trouble: Trouble },
    /// A JSONata expression has a value that the field does not take.
    QueryType { expression: String, field: String, expected: &'static str, found: Box<Value> },
    /// A JSONata expression has a number that the field does not take.
    QueryRange { field: String, message: String },
}

/// AWS's name for what a query comes to that has no value, or the wrong one.
pub(crate) const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";

impl EvalError {
    /// AWS's error name. A path that leads nowhere ends the execution (`States.Runtime` is never caught); a function
    /// that refuses its arguments, and a query that fails, can be caught.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::PathMissing { .. } | Self::ArgumentMissing { .. } => "States.Runtime",
            Self::Intrinsic { .. } => "States.IntrinsicFailure",
            Self::Query { .. } | Self::QueryType { .. } | Self::QueryRange { .. } => QUERY_EVALUATION_ERROR,
        }
    }

    /// The field of a query that failed.
    pub(crate) fn query_field(&self) -> Option<&str> {
        match self {
            Self::Query { field, .. } | Self::QueryType { field, .. } | Self::QueryRange { field, .. } => {
                Some(field)
            }
            _ => None,
        }
    }

    pub(crate) fn cause(&self, input: &Value) -> String {
        let the = |expression: &str, field: &str| {
            format!("The JSONata expression '{expression}' specified for the field '{field}'")
        };
        match self {
            Self::PathMissing { path, field } => format!(
                "The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{input}'"
            ),
            Self::ArgumentMissing { call, path } => format!(
                "The function '{call}' had the following error: The JsonPath argument for the field '{path}' could \
                 not be found in the input '{input}'"
            ),
            Self::Intrinsic { call, message } => {
                format!("The function '{call}' had the following error: {message}")
            }
            Self::Query { expression, field, trouble } => match trouble {
                Trouble::Undefined => format!("{} returned nothing (undefined).", the(expression, field)),
                Trouble::Unsupported => {
                    format!("{} returned an unsupported result type.", the(expression, field))
                }
                Trouble::Threw(message) => {
                    format!("{} threw an error during evaluation. {message}", the(expression, field))
                }
            },
            Self::QueryType { expression, field, expected, found } => format!(
                "{} returned an unexpected result type. Expected '{expected}', but was '{}' for value: {found}",
                the(expression, field),
                type_name(found)
            ),
            Self::QueryRange { message, .. } => message.clone(),
        }
    }
}

/// The type of a value in JSONata's words.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
