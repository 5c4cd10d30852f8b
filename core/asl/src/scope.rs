//! What paths and intrinsic functions are evaluated against, and how that fails.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde_json::Value;

use crate::jsonpath::{Path, Root, Selected};

/// The values that an expression may read, and the chance that it may use.
pub(crate) struct Scope<'a> {
    pub(crate) input: &'a Value,
    pub(crate) context: &'a LazyContext<'a>,
    pub(crate) random: &'a mut dyn FnMut() -> u64,
}

/// The context object, made when the first `$$` path asks for it.
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

    pub(crate) fn select<'v>(&'v self, path: &Path, input: &'v Value) -> Selected<'v> {
        path.select(match path.root() {
            Root::Input => input,
            Root::Context => self.value(),
        })
    }
}

impl Scope<'_> {
    /// The value for a template or an intrinsic function. AWS gives null for an index behind the end of an array, and
    /// fails only for absent members.
    pub(crate) fn template_value(&self, path: &Path) -> Option<Cow<'_, Value>> {
        match self.context.select(path, self.input) {
            Selected::Missing { past_end: true } => Some(Cow::Owned(Value::Null)),
            selected => selected.value(),
        }
    }
}

/// Why a template could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EvalError {
    /// A template's path leads nowhere.
    PathMissing {
        path: String,
        field: String,
    },
    /// The path of an argument leads nowhere.
    ArgumentMissing {
        call: String,
        path: String,
    },
    Intrinsic {
        call: String,
        message: String,
    },
}

impl EvalError {
    /// AWS's error name. A path that leads nowhere ends the execution (`States.Runtime` is never caught); a function
    /// that refuses its arguments can be caught.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::PathMissing { .. } | Self::ArgumentMissing { .. } => "States.Runtime",
            Self::Intrinsic { .. } => "States.IntrinsicFailure",
        }
    }

    pub(crate) fn cause(&self, input: &Value) -> String {
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
        }
    }
}
