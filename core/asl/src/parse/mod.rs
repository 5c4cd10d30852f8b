//! Reads a definition: text to [`Machine`], or to everything that is wrong with it.

mod choice;
mod distributed;
mod errors;
mod fields;
mod graph;
mod json;
mod jsonata;
mod map;
mod scopes;
mod state;
mod template;
mod wait;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::diagnostic::{Code, Diagnostic};
use crate::machine::{Flow, Language, Machine};
use fields::Fields;

/// Branches within branches.
const NESTING_MAX: usize = 16;
/// Characters of a state name.
const NAME_MAX: usize = 80;

pub(crate) fn machine(definition: &str) -> Result<Machine, Vec<Diagnostic>> {
    let value = object(definition)?;
    compile(&value, Compiler::default())
}

/// Reads one state by itself: whatever it leads to is there.
pub(crate) fn state(definition: &str) -> Result<Machine, Vec<Diagnostic>> {
    const NAME: &str = "StateName";
    let state = object(definition)?;
    let mut states = Map::new();
    let lists = ["Choices", "Catch"].into_iter().filter_map(|list| state.get(list)?.as_array()).flatten();
    let targets =
        lists.filter_map(|entry| entry.get("Next")).chain(state.get("Next")).chain(state.get("Default"));
    for target in targets.filter_map(Value::as_str).filter(|target| *target != NAME) {
        states.insert(target.to_owned(), json!({ "Type": "Succeed" }));
    }
    states.insert("End of the test".to_owned(), json!({ "Type": "Succeed" }));
    states.insert(NAME.to_owned(), state);
    let machine = compile(
        &json!({ "StartAt": NAME, "States": states }),
        Compiler { alone: true, ..Compiler::default() },
    );
    machine.map_err(|diagnostics| {
        let prefix = format!("/States/{NAME}");
        let within = |mut diagnostic: Diagnostic| {
            let place = diagnostic.location.as_deref().and_then(|at| at.strip_prefix(prefix.as_str()));
            diagnostic.location = place.map(|place| if place.is_empty() { "/" } else { place }.to_owned());
            diagnostic
        };
        diagnostics.into_iter().map(within).collect()
    })
}

fn object(definition: &str) -> Result<Value, Vec<Diagnostic>> {
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
    Ok(value)
}

fn compile(value: &Value, mut compiler: Compiler) -> Result<Machine, Vec<Diagnostic>> {
    let machine = compiler.machine(value);
    let mut diagnostics = compiler.diagnostics;
    if !compiler.alone && !diagnostics.iter().any(Diagnostic::is_error) {
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
    /// A single state is read: what leads where does not count.
    alone: bool,
    reads_execution_input: bool,
    /// The machine's language, and that of the state that is being read.
    machine_language: Language,
    language: Language,
    /// Where the state stands that is being read.
    state_location: String,
    /// The variables of the flows around.
    scopes: Vec<scopes::Scope>,
    /// The variables that the state reads.
    reads: BTreeSet<String>,
    variable_references: BTreeMap<String, Vec<String>>,
    /// The labels of distributed maps.
    labels: HashSet<String>,
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

    fn machine(&mut self, value: &Value) -> Option<Machine> {
        let fields = Fields::new(self, value, "")?;
        fields.allow(self, &["Comment", "StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage"]);
        self.machine_language = fields.query_language(self).unwrap_or_default();
        let comment = fields.text(self, "Comment").map(str::to_owned);
        if fields.text(self, "Version").is_some_and(|version| version != "1.0") {
            self.invalid("Value is not one of: [1.0]", "/Version");
        }
        let timeout_seconds = fields.integer(self, "TimeoutSeconds", 1, 99_999_999);
        let flow = self.flow(value, "", false)?;
        Some(Machine {
            flow,
            comment,
            timeout_seconds,
            reads_execution_input: self.reads_execution_input,
            warnings: Vec::new(),
            variable_references: std::mem::take(&mut self.variable_references),
        })
    }

    /// `StartAt` and `States`, of a machine, a branch or an item processor.
    /// `isolated`: of a distributed map, whose executions see no variables from around it.
    fn flow(&mut self, value: &Value, location: &str, isolated: bool) -> Option<Flow> {
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
        self.enter_scope(states, location, isolated);
        let mut compiled = Vec::with_capacity(states.len());
        for (name, state) in states {
            self.name(name, &format!("{location}/States/{name}"));
            compiled.extend(self.state(name, state, location, &targets));
        }
        self.leave_scope();
        self.nesting -= 1;
        let start = start?;
        let start = self.target(start, &targets, &fields.at("StartAt"));
        if compiled.len() < states.len() {
            return None;
        }
        graph::check(self, start, &compiled);
        Some(Flow { start: start.unwrap_or_default(), states: compiled })
    }

    /// The language of a state, or of what looks like one. What is neither name is JSONata to AWS.
    fn language_of(&self, state: &Map<String, Value>) -> Language {
        match state.get("QueryLanguage") {
            None => self.machine_language,
            Some(Value::String(name)) if name == "JSONPath" => Language::JsonPath,
            Some(_) => Language::Jsonata,
        }
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
