//! Intrinsic functions: `States.Format('{} is {}', $.name, States.ArrayLength($.list))`.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html>

mod functions;
mod parse;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

pub(crate) use functions::{digest, scramble, uuid};

use crate::jsonpath::Path;
use crate::scope::{EvalError, Scope};

/// A call, checked for name and number of arguments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    /// As written.
    pub(crate) text: String,
    pub(crate) function: Function,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq)]
enum Argument {
    /// Text between quotes, escapes still in it: `States.Format` has its own.
    Text(String),
    Value(Value),
    Path(Path),
    Call(Call),
}

macro_rules! functions {
    ($($name:ident $least:literal ..= $most:literal),+ $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(clippy::upper_case_acronyms, reason = "every variant is AWS's own word")]
        pub(crate) enum Function { $($name),+ }

        impl Function {
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$name),+];

            fn named(name: &str) -> Option<Self> {
                match name { $(stringify!($name) => Some(Self::$name),)+ _ => None }
            }

            /// The name without `States.`.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            fn arguments(self) -> std::ops::RangeInclusive<usize> {
                match self { $(Self::$name => $least..=$most),+ }
            }
        }
    };
}

functions! {
    Array 0..=1000, ArrayContains 2..=2, ArrayGetItem 2..=2, ArrayLength 1..=1, ArrayPartition 2..=2, ArrayRange 3..=3,
    ArrayUnique 1..=1, Base64Decode 1..=1, Base64Encode 1..=1, Format 1..=1000, Hash 2..=2, JsonMerge 3..=3,
    JsonToString 1..=1, MathAdd 2..=2, MathRandom 2..=3, StringSplit 2..=2, StringToJson 1..=1, UUID 0..=0,
}

impl Call {
    pub(crate) fn parse(text: &str) -> Result<Self, crate::jsonpath::PathError> {
        parse::call(text)
    }

    /// The paths in the arguments, nested calls included.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        for argument in &self.arguments {
            match argument {
                Argument::Path(path) => paths.push(path),
                Argument::Call(call) => paths.extend(call.paths()),
                Argument::Text(_) | Argument::Value(_) => {}
            }
        }
        paths
    }

    pub(crate) fn evaluate(&self, scope: &mut Scope<'_>) -> Result<Value, EvalError> {
        self.result(scope).map_err(|failure| match failure {
            Failure::Missing(path) => EvalError::ArgumentMissing { call: self.text.clone(), path },
            Failure::Refused(message) => EvalError::Intrinsic { call: self.text.clone(), message },
        })
    }

    fn result(&self, scope: &mut Scope<'_>) -> Result<Value, Failure> {
        let mut values = Vec::with_capacity(self.arguments.len());
        for (place, argument) in self.arguments.iter().enumerate() {
            values.push(match argument {
                Argument::Text(raw) if self.function == Function::Format && place == 0 => {
                    Value::from(raw.as_str())
                }
                Argument::Text(raw) => Value::from(unescape(raw)),
                Argument::Value(value) => value.clone(),
                Argument::Call(call) => call.result(scope)?,
                Argument::Path(path) => {
                    let found = scope.reading.template_value(path).map(Cow::into_owned);
                    found.ok_or_else(|| Failure::Missing(path.text().to_owned()))?
                }
            });
        }
        functions::apply(self.function, &values, scope.random)
    }
}

/// Why a call has no value.
enum Failure {
    /// A path that leads nowhere.
    Missing(String),
    /// Arguments that the function does not take.
    Refused(String),
}

/// `\'` is a quote, `\\` a backslash, and so on for whatever follows.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    out
}
