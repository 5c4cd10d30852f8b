//! Reads a definition: text to [`Machine`], or to everything that is wrong with it.

mod choice;
mod errors;
mod fields;
mod graph;
mod json;
mod state;
mod template;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic};
use crate::jsonpath::{Path, Root};
use crate::machine::{Flow, Machine};
use fields::Fields;

/// Branches within branches.
const NESTING_MAX: usize = 16;
/// Characters of a state name.
const NAME_MAX: usize = 80;

pub(crate) fn machine(definition: &str) -> Result<Machine, Vec<Diagnostic>> {
    let refuse =
        |code, message: &str, location: Option<&str>| Err(vec![Diagnostic::new(code, message, location)]);
    if definition.trim().is_empty() {
        return refuse(Code::SchemaValidationFailed, "Definition must be a valid JSON object", None);
    }
    let value = match json::read(definition) {
        Ok(value) => value,
        Err(error) => return refuse(Code::InvalidJsonDescription, &error.message, Some(&error.location)),
    };
    if !value.is_object() {
        return refuse(Code::SchemaValidationFailed, "Definition must be a valid JSON object", None);
    }
    let mut compiler = Compiler::default();
    let machine = compiler.machine(&value);
    let mut diagnostics = compiler.diagnostics;
    if !diagnostics.iter().any(Diagnostic::is_error) {
        diagnostics.append(&mut compiler.transitions);
    }
    match machine {
        Some(machine) if !diagnostics.iter().any(Diagnostic::is_error) => {
            Ok(Machine { warnings: diagnostics, ..machine })
        }
        _ => Err(diagnostics),
    }
}

/// What is known while a definition is read.
#[derive(Default)]
struct Compiler {
    diagnostics: Vec<Diagnostic>,
    /// Targets that do not exist, states that cannot be reached: told only if nothing else is wrong, as AWS does.
    transitions: Vec<Diagnostic>,
    /// The names of all states so far, whatever their branch.
    names: HashSet<String>,
    nesting: usize,
    reads_execution_input: bool,
}

/// The states of one flow by name.
type Targets<'v> = HashMap<&'v str, u32>;

impl Compiler {
    fn report(&mut self, code: Code, message: impl Into<String>, location: &str) {
        self.diagnostics.push(Diagnostic::new(
            code,
            message,
            Some(if location.is_empty() { "/" } else { location }),
        ));
    }

    fn invalid(&mut self, message: impl Into<String>, location: &str) {
        self.report(Code::SchemaValidationFailed, message, location);
    }

    /// Remembers what a path reads of the context object.
    fn note(&mut self, path: &Path) {
        let mut names = path.leading_names();
        let reads =
            matches!((names.next(), names.next()), (None, _) | (Some("Execution"), None | Some("Input")));
        self.reads_execution_input |= path.root() == Root::Context && reads;
    }

    fn machine(&mut self, value: &Value) -> Option<Machine> {
        let fields = Fields::new(self, value, "")?;
        fields.allow(self, &["Comment", "StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage"]);
        fields.query_language(self);
        let comment = fields.text(self, "Comment").map(str::to_owned);
        if fields.text(self, "Version").is_some_and(|version| version != "1.0") {
            self.invalid("Value is not one of: [1.0]", "/Version");
        }
        let timeout_seconds = fields.integer(self, "TimeoutSeconds", 1, 99_999_999);
        let flow = self.flow(value, "")?;
        Some(Machine {
            flow,
            comment,
            timeout_seconds,
            reads_execution_input: self.reads_execution_input,
            warnings: Vec::new(),
        })
    }

    /// `StartAt` and `States`, of a machine, a branch or an item processor.
    fn flow(&mut self, value: &Value, location: &str) -> Option<Flow> {
        if self.nesting >= NESTING_MAX {
            self.report(Code::TooDeeplyNested, "States are too deeply nested", location);
            return None;
        }
        let fields = Fields::new(self, value, location)?;
        fields.require(self, &["States", "StartAt"]);
        let start = fields.text(self, "StartAt");
        let states = fields.object(self, "States")?;
        if states.is_empty() {
            self.invalid("States must hold at least one state", &fields.at("States"));
        }
        let targets: Targets<'_> = states.keys().map(String::as_str).zip(0..).collect();
        self.nesting += 1;
        let mut compiled = Vec::with_capacity(states.len());
        for (name, state) in states {
            self.name(name, &format!("{location}/States/{name}"));
            compiled.extend(self.state(name, state, location, &targets));
        }
        self.nesting -= 1;
        let start = start?;
        let start = self.target(start, &targets, &fields.at("StartAt"));
        if compiled.len() < states.len() {
            return None;
        }
        graph::check(self, start, &compiled);
        Some(Flow { start: start.unwrap_or_default(), states: compiled })
    }

    fn name(&mut self, name: &str, location: &str) {
        if name.chars().count() > NAME_MAX || name.is_empty() {
            self.report(
                Code::InvalidStateName,
                format!("State name must have 1 to {NAME_MAX} characters"),
                location,
            );
        }
        if !self.names.insert(name.to_owned()) {
            self.report(Code::DuplicateStateName, format!("Duplicate State name: {name}"), location);
        }
    }

    /// The state that a transition names.
    fn target(&mut self, name: &str, targets: &Targets<'_>, location: &str) -> Option<u32> {
        let target = targets.get(name).copied();
        if target.is_none() {
            let message = format!("Missing 'Next' target: {name}");
            self.transitions.push(Diagnostic::new(Code::MissingTransitionTarget, message, Some(location)));
        }
        target
    }
}
