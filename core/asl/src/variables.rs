//! Workflow variables: what `Assign` keeps.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The bytes of one variable, and of all that one `Assign` sets.
pub(crate) const VARIABLE_BYTES_MAX: usize = 262_144;
/// The bytes of all variables of an execution.
pub(crate) const VARIABLES_BYTES_MAX: usize = 10 * 1_048_576;
/// The characters of a variable's name.
const NAME_CHARS_MAX: usize = 80;

/// The variables of one scope: of the machine, of a branch or of an iteration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Variables {
    values: BTreeMap<String, Variable>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Variable {
    value: Arc<Value>,
    /// Its size as JSON text.
    bytes: u32,
}

/// What an `Assign` came to: values with their texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Assigned(pub(crate) Vec<(String, Arc<Value>, String)>);

impl Variables {
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(|variable| &*variable.value)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.values.values().map(|variable| variable.bytes as usize).sum()
    }

    pub(crate) fn bytes_of(&self, name: &str) -> usize {
        self.values.get(name).map_or(0, |variable| variable.bytes as usize)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, variable)| (name.as_str(), &*variable.value))
    }

    pub(crate) fn set(&mut self, name: String, value: Arc<Value>, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.values.insert(name, Variable { value, bytes });
    }
}

/// The variables that a state may read: those of its own scope, then those around it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visible<'a>(pub(crate) Vec<&'a Variables>);

impl<'a> Visible<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.iter().find_map(|scope| scope.get(name))
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> BTreeMap<&'a str, &'a Value> {
        let mut all = BTreeMap::new();
        for scope in self.0.iter().rev() {
            all.extend(scope.iter());
        }
        all
    }
}

/// Unicode identifiers, as far as the standard library knows them; `states` is AWS's.
pub(crate) fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(starts_name)
        && chars.all(continues_name)
        && name.chars().count() <= NAME_CHARS_MAX
}

pub(crate) fn starts_name(c: char) -> bool {
    c.is_alphabetic()
}

pub(crate) fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
