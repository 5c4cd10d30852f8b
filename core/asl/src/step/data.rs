//! How data moves through a state: `InputPath`, `Parameters`, `ResultSelector`, `ResultPath`, `OutputPath`; `Arguments` and
//! `Output` in JSONata; and the numbers and texts that a state computes.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Engine;
use super::context::ItemAt;
use super::fail::Failure;
use super::run::Progress;
use crate::execution::Frame;
use crate::jsonpath::Path;
use crate::machine::{Language, Placement, Quantity, Query, Selection, State};
use crate::scope::EvalError;
use crate::template::Template;

/// What something is evaluated against, beside context and variables.
#[derive(Clone, Copy)]
pub(super) struct Data<'a> {
    /// `$`, and `$states.input`.
    pub(super) input: &'a Value,
    /// `$states.result`.
    pub(super) result: Option<&'a Value>,
    /// `$states.errorOutput`.
    pub(super) error_output: Option<&'a Value>,
    pub(super) item: Option<ItemAt<'a>>,
    pub(super) token: Option<&'a str>,
}

impl<'a> Data<'a> {
    pub(super) fn of(input: &'a Value) -> Self {
        Self { input, result: None, error_output: None, item: None, token: None }
    }
}

impl Engine<'_, '_, '_, '_> {
    /// What `InputPath` selects of the state's input.
    pub(super) fn effective(&mut self, frame: &Frame, state: &State) -> Result<Arc<Value>, Failure> {
        let effective = self.select(frame, &state.data.input, "InputPath", Arc::clone(&frame.input))?;
        if state.language == Language::JsonPath {
            self.note(|data| data.after_input_path = Some(Arc::clone(&effective)));
        }
        Ok(effective)
    }

    fn select(
        &mut self,
        frame: &Frame,
        selection: &Selection,
        field: &str,
        value: Arc<Value>,
    ) -> Result<Arc<Value>, Failure> {
        match selection {
            Selection::Everything => Ok(value),
            Selection::Nothing => Ok(Arc::new(Value::Object(Map::new()))),
            Selection::Path(path) => self.find(frame, path, field, &value).map(Arc::new),
        }
    }

    /// The value at a path that must lead somewhere.
    pub(super) fn find(
        &mut self,
        frame: &Frame,
        path: &Path,
        field: &str,
        input: &Value,
    ) -> Result<Value, Failure> {
        let found = self.evaluate(frame, Data::of(input), |scope| {
            scope.reading.select(path).value().map(|value| value.into_owned())
        });
        found.ok_or_else(|| {
            let error = EvalError::PathMissing { path: path.text().to_owned(), field: field.to_owned() };
            Failure::of(frame, &error, input)
        })
    }

    pub(super) fn template(
        &mut self,
        frame: &Frame,
        template: &Template,
        data: Data<'_>,
    ) -> Result<Value, Failure> {
        let result = self.evaluate(frame, data, |scope| template.evaluate(scope));
        result.map_err(|error| Failure::of(frame, &error, data.input))
    }

    /// `Parameters` or `Arguments` applied to the effective input.
    pub(super) fn parameters(
        &mut self,
        frame: &Frame,
        state: &State,
        effective: Arc<Value>,
        token: Option<&str>,
    ) -> Result<Arc<Value>, Failure> {
        let made = match &state.data.parameters {
            None => effective,
            Some(template) => {
                Arc::new(self.template(frame, template, Data { token, ..Data::of(&effective) })?)
            }
        };
        self.note(|data| match state.language {
            Language::JsonPath => data.after_parameters = Some(Arc::clone(&made)),
            Language::Jsonata => data.after_arguments = Some(Arc::clone(&made)),
        });
        Ok(made)
    }

    /// From a state's result to its output and to what it assigns.
    pub(super) fn result(
        &mut self,
        frame: &Frame,
        state: &State,
        result: Arc<Value>,
    ) -> Result<Progress, Failure> {
        if state.language == Language::Jsonata {
            let data = Data { result: Some(&result), ..Data::of(&frame.input) };
            let assigned = self.assign(frame, state, state.assign.as_ref(), data)?;
            let output = match &state.data.query_output {
                None => Arc::clone(&result),
                Some(template) => Arc::new(self.template(frame, template, data)?),
            };
            return Ok(Progress::Done { output, next: state.next, assigned });
        }
        let result = match &state.data.selector {
            None => result,
            Some(template) => Arc::new(self.template(frame, template, Data::of(&result))?),
        };
        self.note(|data| data.after_result_selector = Some(Arc::clone(&result)));
        let assigned = self.assign(frame, state, state.assign.as_ref(), Data::of(&result))?;
        let placed = place(frame, &state.data.result, result)?;
        self.note(|data| data.after_result_path = Some(Arc::clone(&placed)));
        let output = self.select(frame, &state.data.output, "OutputPath", placed)?;
        Ok(Progress::Done { output, next: state.next, assigned })
    }

    /// The output of a state without a result, and what it assigns: what its templates, or those of a rule of it, make of
    /// the effective input.
    pub(super) fn passed(
        &mut self,
        frame: &Frame,
        state: &State,
        effective: Arc<Value>,
        (assign, output): (Option<&Template>, Option<&Template>),
    ) -> Result<Progress, Failure> {
        let assigned = self.assign(frame, state, assign, Data::of(&effective))?;
        let output = match (state.language, output) {
            (Language::Jsonata, Some(template)) => {
                Arc::new(self.template(frame, template, Data::of(&effective))?)
            }
            (Language::Jsonata, None) => effective,
            (Language::JsonPath, _) => self.select(frame, &state.data.output, "OutputPath", effective)?,
        };
        Ok(Progress::Done { output, next: state.next, assigned })
    }

    /// A whole number of the definition, the one that its path finds in the effective input, or the one that it computes.
    pub(super) fn quantity(
        &mut self,
        frame: &Frame,
        quantity: &Quantity,
        field: &str,
        (least, most): (i64, i64),
        input: &Value,
    ) -> Result<i64, Failure> {
        let path = match quantity {
            Quantity::Fixed(number) => return Ok(*number),
            Quantity::Query(query) => return self.query_integer(frame, query, most, input),
            Quantity::Path(path) => path,
        };
        let found = self.find(frame, path, field, input)?;
        found.as_i64().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
            if found.as_i64().is_some_and(|number| number > most) {
                let cause = format!("{field} must be between {least} and {most} but was: {found}");
                return Failure::interpreter(frame, "States.Runtime", &cause);
            }
            let kind = if least > 0 { "a positive integer" } else { "a non-negative integer" };
            let cause = format!("The {field} parameter does not reference {kind}: {path} == {found}");
            Failure::interpreter(frame, "States.Runtime", &cause)
        })
    }

    fn query_integer(
        &mut self,
        frame: &Frame,
        query: &Query,
        most: i64,
        input: &Value,
    ) -> Result<i64, Failure> {
        let found = self.query(frame, query, "number", Value::is_number, input)?;
        let field = &query.field;
        let refuse = |message: String| {
            let error = EvalError::QueryRange { field: field.clone(), message };
            Failure::of(frame, &error, input)
        };
        let Some(number) = found.as_i64() else {
            return Err(refuse(format!("The {field} field cannot be parsed as an integer: {found}")));
        };
        if !(0..=most).contains(&number) {
            return Err(refuse(format!("{field} must be between 0 and {most} but was: {number}")));
        }
        Ok(number)
    }

    /// The value of an expression that must have a type.
    pub(super) fn query(
        &mut self,
        frame: &Frame,
        query: &Query,
        expected: &'static str,
        fits: impl FnOnce(&Value) -> bool,
        input: &Value,
    ) -> Result<Value, Failure> {
        let found = self.evaluate(frame, Data::of(input), |scope| query.jsonata.evaluate(scope));
        let (expression, field) = (query.jsonata.text.clone(), query.field.clone());
        let error = match found {
            Ok(value) if fits(&value) => return Ok(value),
            Ok(found) => EvalError::QueryType { expression, field, expected, found: Box::new(found) },
            Err(trouble) => EvalError::Query { expression, field, trouble },
        };
        Err(Failure::of(frame, &error, input))
    }
}

/// Puts a result into a state's input, where `ResultPath` says.
pub(super) fn place(frame: &Frame, placement: &Placement, result: Arc<Value>) -> Result<Arc<Value>, Failure> {
    match placement {
        Placement::Replace => Ok(result),
        Placement::Discard => Ok(Arc::clone(&frame.input)),
        Placement::Path(path) => {
            let result = Arc::try_unwrap(result).unwrap_or_else(|shared| (*shared).clone());
            path.write((*frame.input).clone(), result).map(Arc::new).ok_or_else(|| {
                let cause = format!("Unable to apply ReferencePath {path} to input {}", frame.input);
                Failure::interpreter(frame, "States.ResultPathMatchFailure", &cause)
            })
        }
    }
}
