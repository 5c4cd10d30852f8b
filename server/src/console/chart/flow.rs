//! The states of a definition and what leads from one to the next.

use serde::Deserialize;
use serde_json::{Map, Value};

/// States that follow one another: a machine, a branch, or what a Map state does with each item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flow {
    /// The first state.
    pub start: String,
    /// The states, as the definition orders them.
    pub states: Vec<State>,
}

/// A state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// What may come next.
    pub next: Vec<Arrow>,
    /// Whether the flow may end with it.
    pub ends: bool,
    /// Branches, or what is done with each item.
    pub inner: Vec<Flow>,
    /// The state as it is written.
    pub written: Value,
}

/// What leads to another state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrow {
    /// Its name.
    pub to: String,
    /// Whether an error leads there.
    pub on_error: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenFlow {
    start_at: String,
    #[serde(default)]
    states: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenState {
    r#type: String,
    next: Option<String>,
    #[serde(default)]
    end: bool,
    default: Option<String>,
    #[serde(default)]
    choices: Vec<WrittenArrow>,
    #[serde(default)]
    catch: Vec<WrittenArrow>,
    #[serde(default)]
    branches: Vec<WrittenFlow>,
    item_processor: Option<WrittenFlow>,
    iterator: Option<WrittenFlow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenArrow {
    next: Option<String>,
}

impl Flow {
    /// Reads a definition; `None` if it is none.
    pub(crate) fn parse(definition: &str) -> Option<Flow> {
        Flow::of(serde_json::from_str(definition).ok()?)
    }

    fn of(written: WrittenFlow) -> Option<Flow> {
        let states = written.states.into_iter().map(|(name, state)| State::of(name, state));
        Some(Flow { start: written.start_at, states: states.collect::<Option<_>>()? })
    }

    /// The state of that name, on whatever level: names are unique in a machine.
    pub(crate) fn find(&self, name: &str) -> Option<&State> {
        self.all().into_iter().find(|state| state.name == name)
    }

    /// All states, those within a state behind it.
    pub(crate) fn all(&self) -> Vec<&State> {
        let mut all = Vec::new();
        for state in &self.states {
            all.push(state);
            all.extend(state.inner.iter().flat_map(Flow::all));
        }
        all
    }
}

impl State {
    fn of(name: String, written: Value) -> Option<State> {
        let state: WrittenState = serde_json::from_value(written.clone()).ok()?;
        let mut next: Vec<Arrow> = Vec::new();
        let mut lead = |to: Option<String>, on_error| {
            if let Some(to) = to.filter(|to| !next.iter().any(|known| known.to == *to)) {
                next.push(Arrow { to, on_error });
            }
        };
        state.choices.into_iter().for_each(|choice| lead(choice.next, false));
        lead(state.default, false);
        lead(state.next, false);
        state.catch.into_iter().for_each(|catch| lead(catch.next, true));
        let ends = state.end || matches!(state.r#type.as_str(), "Succeed" | "Fail");
        let within = state.branches.into_iter().chain(state.item_processor).chain(state.iterator);
        let inner = within.map(Flow::of).collect::<Option<_>>()?;
        Some(State { name, kind: state.r#type, next, ends, inner, written })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_is_states_and_arrows() {
        let definition = json!({ "StartAt": "Each", "States": {
            "Each": {
                "Type": "Map", "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Sorry" }], "Next": "Which",
                "ItemProcessor": { "StartAt": "One", "States": { "One": { "Type": "Pass", "End": true } } },
            },
            "Which": { "Type": "Choice", "Choices": [{ "Next": "Done" }, { "Next": "Each" }], "Default": "Done" },
            "Done": { "Type": "Succeed" },
            "Sorry": { "Type": "Fail" },
        }});
        let flow = Flow::parse(&definition.to_string()).unwrap();
        let arrows = |name: &str| {
            let arrows = flow.find(name).unwrap().next.iter();
            arrows.map(|arrow| (arrow.to.clone(), arrow.on_error)).collect::<Vec<_>>()
        };
        assert_eq!(arrows("Each"), [("Which".to_owned(), false), ("Sorry".to_owned(), true)]);
        assert_eq!(arrows("Which"), [("Done".to_owned(), false), ("Each".to_owned(), false)]);
        let names: Vec<&str> = flow.all().into_iter().map(|state| state.name.as_str()).collect();
        assert_eq!(names, ["Each", "One", "Which", "Done", "Sorry"]);
        assert!(flow.find("Done").unwrap().ends && flow.find("One").unwrap().ends);
        assert!(Flow::parse("{}").is_none());
    }
}
