//! How data moves through a state: `InputPath`, `Parameters`, `ResultSelector`, `ResultPath`, `OutputPath`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Engine;
use super::fail::Failure;
use crate::execution::Frame;
use crate::jsonpath::Path;
use crate::machine::{Placement, Quantity, Selection, State};
use crate::scope::{EvalError, Scope};
use crate::template::Template;

impl Engine<'_, '_, '_, '_> {
    /// What `InputPath` selects of the state's input.
    pub(super) fn effective(&mut self, frame: &Frame, state: &State) -> Result<Arc<Value>, Failure> {
        self.select(frame, &state.data.input, "InputPath", Arc::clone(&frame.input))
    }

    /// What `OutputPath` selects.
    pub(super) fn output(
        &mut self,
        frame: &Frame,
        state: &State,
        value: Arc<Value>,
    ) -> Result<Arc<Value>, Failure> {
        self.select(frame, &state.data.output, "OutputPath", value)
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
        let found = self.evaluate(frame, None, None, |context, _| {
            context.select(path, input).value().map(|v| v.into_owned())
        });
        found.ok_or_else(|| {
            let error = EvalError::PathMissing { path: path.text().to_owned(), field: field.to_owned() };
            Failure::interpreter(frame, error.name(), &error.cause(input))
        })
    }

    pub(super) fn template(
        &mut self,
        frame: &Frame,
        template: &Template,
        input: &Value,
        item: Option<(u32, &Value)>,
        token: Option<&str>,
    ) -> Result<Value, Failure> {
        let result = self.evaluate(frame, item, token, |context, random| {
            template.evaluate(&mut Scope { input, context, random })
        });
        result.map_err(|error| Failure::interpreter(frame, error.name(), &error.cause(input)))
    }

    /// `Parameters` applied to the effective input.
    pub(super) fn parameters(
        &mut self,
        frame: &Frame,
        state: &State,
        effective: Arc<Value>,
        token: Option<&str>,
    ) -> Result<Arc<Value>, Failure> {
        match &state.data.parameters {
            None => Ok(effective),
            Some(template) => self.template(frame, template, &effective, None, token).map(Arc::new),
        }
    }

    /// From a state's result to its output.
    pub(super) fn result(
        &mut self,
        frame: &Frame,
        state: &State,
        result: Arc<Value>,
    ) -> Result<Arc<Value>, Failure> {
        let result = match &state.data.selector {
            None => result,
            Some(template) => Arc::new(self.template(frame, template, &result, None, None)?),
        };
        let placed = place(frame, &state.data.result, result)?;
        self.output(frame, state, placed)
    }

    /// A number of the definition, or the one that its path finds in the effective input.
    pub(super) fn quantity(
        &mut self,
        frame: &Frame,
        quantity: &Quantity,
        field: &str,
        least: i64,
        input: &Value,
    ) -> Result<i64, Failure> {
        let path = match quantity {
            Quantity::Fixed(number) => return Ok(*number),
            Quantity::Path(path) => path,
        };
        let found = self.find(frame, path, field, input)?;
        found.as_i64().filter(|number| *number >= least).ok_or_else(|| {
            let kind = if least > 0 { "a positive integer" } else { "a non-negative integer" };
            let cause = format!("The {field} parameter does not reference {kind}: {path} == {found}");
            Failure::interpreter(frame, "States.Runtime", &cause)
        })
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
