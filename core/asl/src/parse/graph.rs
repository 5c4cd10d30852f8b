//! Does a flow end, and can each of its states be reached?

use super::Compiler;
use crate::diagnostic::{Code, Diagnostic};
use crate::machine::{Kind, Next, State};

/// AWS reports a flow without an end instead of the states that cannot be reached in it.
pub(super) fn check(compiler: &mut Compiler, start: Option<u32>, states: &[State]) {
    if !states.iter().any(is_terminal) {
        compiler.transitions.push(Diagnostic::new(
            Code::MissingEndState,
            "Workflow has no terminal state",
            None,
        ));
        return;
    }
    let Some(start) = start else { return };
    let mut reached = vec![false; states.len()];
    let mut ahead = vec![start];
    while let Some(index) = ahead.pop() {
        let Some(seen) = reached.get_mut(index as usize) else { continue };
        if !std::mem::replace(seen, true) {
            ahead.extend(targets(&states[index as usize]));
        }
    }
    for (state, _) in states.iter().zip(&reached).filter(|(_, reached)| !**reached) {
        let message = format!("State \"{}\" is not reachable.", state.name);
        compiler.transitions.push(Diagnostic::new(
            Code::MissingTransitionTarget,
            message,
            Some(&state.location),
        ));
    }
}

fn is_terminal(state: &State) -> bool {
    match &state.kind {
        Kind::Succeed | Kind::Fail { .. } => true,
        Kind::Choice { .. } => false,
        _ => state.next == Next::End,
    }
}

fn targets(state: &State) -> Vec<u32> {
    let mut targets: Vec<u32> = state.catch.iter().map(|catcher| catcher.next).collect();
    match &state.kind {
        Kind::Choice { rules, default } => {
            targets.extend(rules.iter().map(|rule| rule.next));
            targets.extend(default);
        }
        Kind::Succeed | Kind::Fail { .. } => {}
        _ => {
            if let Next::State(next) = state.next {
                targets.push(next);
            }
        }
    }
    targets
}
