//! JSONata as the States Language uses it: an expression without a context item, that reads `$states` and the workflow's
//! variables, with AWS's functions added, `$eval` taken away, and bounds on time, depth and size.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>
//!
//! It knows values. It must not know states, frames or templates: whoever evaluates hands in a [`Scope`]. Time and chance
//! come from there as well, so that the same step gives the same value.

mod analyze;
mod convert;
mod functions;
mod words;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::parser;
use jsonata_core::value::JValue;
use serde_json::Value;

pub(crate) use analyze::{Reads, StatesReads};
pub(crate) use convert::to_jsonata;

use crate::scope::Scope;

/// The time that one evaluation may take. AWS has such a bound and does not name it.
const TIME_MS_MAX: u64 = 1_000;
/// The levels that one evaluation may nest: AWS's own bound.
const DEPTH_MAX: usize = 100;
/// The elements of one sequence: AWS refuses values of more than 6,990,256 bytes, a number counting eight.
const SEQUENCE_MAX: usize = 873_782;
/// The levels of an expression's tree. No evaluation of a deeper one could succeed.
const TREE_DEPTH_MAX: usize = 256;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Jsonata {
    /// As written between `{%` and `%}`, without blanks around it.
    pub(crate) text: String,
    tree: AstNode,
    pub(crate) reads: Reads,
}

/// Why a text is no expression that may be used here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refused {
    /// It cannot be read.
    Invalid(String),
    /// It can be read, but means something that has no meaning in a state machine; one message for each such thing.
    Unsupported(Vec<String>),
}

/// Which members of `$states` there are where an expression stands, beside `input` and `context`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) result: bool,
    pub(crate) error_output: bool,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It returned nothing.
    Undefined,
    /// It returned what JSON does not have: a function.
    Unsupported,
    /// It threw; the code and the message.
    Threw(String),
}

/// The expression in a text, if the text is one: `{%` at its very beginning and `%}` at its very end.
pub(crate) fn delimited(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{%")?.strip_suffix("%}")?;
    Some(inner.trim())
}

/// Is this text meant to be an expression, and is none: a delimiter at its very beginning or end without the other? With
/// blanks around both it is a text like any other.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>
pub(crate) fn half_delimited(text: &str) -> bool {
    delimited(text).is_none() && (text.starts_with("{%") || text.ends_with("%}"))
}

impl Jsonata {
    /// Reads what stands between the delimiters.
    pub(crate) fn parse(text: &str, place: Place) -> Result<Self, Refused> {
        let parsed = catch_unwind(AssertUnwindSafe(|| parser::parse(text)));
        let mut tree = match parsed {
            Ok(Ok(tree)) => tree,
            Ok(Err(error)) => return Err(Refused::Invalid(words::of_parser(text, &error))),
            Err(_) => return Err(Refused::Invalid("Unexpected expression".to_owned())),
        };
        let reads = analyze::analyze(&mut tree, place)?;
        Ok(Self { text: text.to_owned(), tree, reads })
    }

    /// The value of the expression.
    pub(crate) fn evaluate(&self, scope: &mut Scope<'_>) -> Result<Value, Trouble> {
        let found = catch_unwind(AssertUnwindSafe(|| self.run(scope)));
        match found {
            Ok(Ok(JValue::Undefined)) => Err(Trouble::Undefined),
            Ok(Ok(value)) => convert::to_json(&value),
            Ok(Err(error)) => Err(Trouble::Threw(words::of_evaluator(&error))),
            Err(_) => Err(Trouble::Threw("The expression could not be evaluated".to_owned())),
        }
    }

    fn run(&self, scope: &mut Scope<'_>) -> Result<JValue, EvaluatorError> {
        let mut context = Context::new();
        if self.reads.states.any() {
            context.bind("states".to_owned(), scope.states(&self.reads.states));
        }
        for name in &self.reads.variables {
            if let Some(value) = scope.reading.variables.get(name) {
                context.bind(name.clone(), to_jsonata(value));
            }
        }
        let options = EvaluatorOptions {
            timeout_ms: Some(TIME_MS_MAX),
            cancel: None,
            max_stack_depth: Some(DEPTH_MAX),
            max_sequence_length: Some(SEQUENCE_MAX),
        };
        let mut evaluator = Evaluator::with_options(context, options);
        functions::register(&mut evaluator, &self.reads, scope)?;
        evaluator.evaluate(&self.tree, &JValue::Undefined)
    }
}
