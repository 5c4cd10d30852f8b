//! `Assign`: values for workflow variables, and the scopes that variables live in.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::Engine;
use super::data::Data;
use super::fail::Failure;
use crate::execution::{Frame, FrameId};
use crate::machine::State;
use crate::template::Template;
use crate::variables::{Assigned, VARIABLE_BYTES_MAX, VARIABLES_BYTES_MAX, Visible};

/// The variables that a frame reads: its own, and those of the frames that it hangs on.
pub(super) fn visible<'a>(frames: &'a BTreeMap<FrameId, Frame>, frame: &'a Frame) -> Visible<'a> {
    let mut scopes = Vec::new();
    let mut at = Some(frame);
    while let Some(frame) = at {
        if !frame.variables.is_empty() {
            scopes.push(&frame.variables);
        }
        at = frame.link.and_then(|link| frames.get(&link.parent));
    }
    Visible(scopes)
}

impl Engine<'_, '_, '_, '_> {
    /// What a template assigns. It reads the variables as they were when the state was entered, and so do those that are
    /// evaluated beside it; they change when the state is left.
    pub(super) fn assign(
        &mut self,
        frame: &Frame,
        state: &State,
        template: Option<&Template>,
        data: Data<'_>,
    ) -> Result<Assigned, Failure> {
        let Some(template) = template else { return Ok(Assigned::default()) };
        let Value::Object(members) = self.template(frame, template, data)? else {
            return Ok(Assigned::default());
        };
        let mut assigned = Vec::with_capacity(members.len());
        let (mut bytes, mut replaced) = (0, 0);
        for (name, value) in members {
            let text = value.to_string();
            bytes += text.len();
            replaced += frame.variables.bytes_of(&name);
            assigned.push((name, Arc::new(value), text));
        }
        let others: usize = self.run.frames.values().map(|frame| frame.variables.bytes()).sum();
        let kept = frame.variables.bytes() + others;
        if bytes > VARIABLE_BYTES_MAX || kept + bytes > VARIABLES_BYTES_MAX + replaced {
            let cause = format!(
                "The state/task '{}' assigned variables with a size exceeding the maximum number of bytes service limit.",
                state.name
            );
            return Err(Failure::fatal(super::fail::DATA_LIMIT, cause));
        }
        Ok(Assigned(assigned))
    }
}

/// Sets the variables of a frame, and gives their texts for the history.
pub(super) fn keep(frame: &mut Frame, assigned: Assigned) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (name, value, text) in assigned.0 {
        frame.variables.set(name.clone(), value, text.len());
        texts.insert(name, text);
    }
    texts
}
