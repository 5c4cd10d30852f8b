//! Which variables there are where, and which are read: for the validator's diagnostics, and for `variableReferences`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Compiler;
use crate::diagnostic::Code;
use crate::jsonpath::{Path, Root};
use crate::machine::Language;
use crate::variables::is_name;

/// The variables that the states of one flow assign.
#[derive(Default)]
pub(super) struct Scope {
    names: BTreeSet<String>,
    /// The processor of a distributed map: its executions do not see what is around it.
    isolated: bool,
}

impl Compiler {
    /// Enters a flow: everything that its states assign is known from its start, whatever the order of the states.
    pub(super) fn enter_scope(&mut self, states: &Map<String, Value>, location: &str, isolated: bool) {
        self.scopes.push(Scope { names: BTreeSet::new(), isolated });
        for (name, state) in states {
            let Some(state) = state.as_object() else { continue };
            let at = format!("{location}/States/{name}");
            let jsonata = self.language_of(state) == Language::Jsonata;
            self.declare(state, &at, jsonata);
            for list in ["Choices", "Catch"] {
                for (index, entry) in
                    state.get(list).and_then(Value::as_array).into_iter().flatten().enumerate()
                {
                    if let Some(entry) = entry.as_object() {
                        self.declare(entry, &format!("{at}/{list}[{index}]"), jsonata);
                    }
                }
            }
        }
    }

    pub(super) fn leave_scope(&mut self) {
        self.scopes.pop();
    }

    /// The scopes that can be read from here, the innermost first.
    fn visible(&self) -> impl Iterator<Item = &Scope> {
        let last = self.scopes.iter().rposition(|scope| scope.isolated).unwrap_or_default();
        self.scopes.iter().skip(last).rev()
    }

    fn declare(&mut self, holder: &Map<String, Value>, at: &str, jsonata: bool) {
        let Some(assign) = holder.get("Assign").and_then(Value::as_object) else { return };
        for key in assign.keys() {
            let name = if jsonata { key } else { key.strip_suffix(".$").unwrap_or(key) };
            let location = format!("{at}/Assign/{key}");
            if !is_name(name) {
                let message = format!(
                    "Variable name '{name}' is not valid: it must start with a letter, hold letters, digits and '_' \
                     only, and have at most 80 characters"
                );
                self.invalid(message, &location);
            } else if name == "states" {
                self.invalid("The variable name 'states' is reserved", &location);
            } else if self.visible().skip(1).any(|scope| scope.names.contains(name)) {
                let message = format!("The variable name '{name}' was already defined in a parent scope.");
                self.report(Code::DuplicateVariableName, message, &location);
            }
            if let Some(scope) = self.scopes.last_mut() {
                scope.names.insert(name.to_owned());
            }
        }
    }

    /// A state reads a variable.
    pub(super) fn read_variable(&mut self, name: &str, location: &str) {
        self.reads.insert(name.to_owned());
        if !self.visible().any(|scope| scope.names.contains(name)) {
            let message = format!("Variable '{name}' is possibly not defined.");
            self.report(Code::PossiblyUndefinedVariable, message, location);
        }
    }

    /// Remembers what a path reads of the context object and of the variables.
    pub(super) fn note(&mut self, path: &Path, location: &str) {
        let mut names = path.leading_names();
        let reads =
            matches!((names.next(), names.next()), (None, _) | (Some("Execution"), None | Some("Input")));
        self.reads_execution_input |= path.root() == Root::Context && reads;
        if let Some(name) = path.variable() {
            self.read_variable(name, location);
        }
    }
}
