//! The context object that a test of a state is given.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>

use serde_json::{Map, Value};

/// What a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Text,
    Number,
    Anything,
}

/// The members of each part of the context object.
const PARTS: &[(&str, &[(&str, Holds)])] = &[
    (
        "Execution",
        &[
            ("Id", Holds::Text),
            ("Input", Holds::Anything),
            ("Name", Holds::Text),
            ("RoleArn", Holds::Text),
            ("StartTime", Holds::Text),
            ("RedriveCount", Holds::Number),
            ("RedriveTime", Holds::Text),
        ],
    ),
    ("State", &[("EnteredTime", Holds::Text), ("Name", Holds::Text), ("RetryCount", Holds::Number)]),
    ("StateMachine", &[("Id", Holds::Text), ("Name", Holds::Text)]),
    ("Task", &[("Token", Holds::Text)]),
];

/// Why AWS could not have made this context object, in AWS's words. `waits`: the state is a task that waits for a job or a
/// token.
pub(super) fn unfit(context: &Value, waits: bool) -> Option<String> {
    let Some(parts) = context.as_object() else {
        return Some("Context object must be a JSON object".to_owned());
    };
    parts.iter().find_map(|(part, members)| {
        if part == "Map" {
            return Some("'Map' field is not supported when mocking a Context object".to_owned());
        }
        let Some((_, known)) = PARTS.iter().find(|(known, _)| known == part) else {
            return Some(format!("Field '{part}' is not allowed"));
        };
        if part == "Task" && !waits {
            return Some(
                "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' \
                 service integration pattern"
                    .to_owned(),
            );
        }
        match members.as_object() {
            Some(members) => unfit_member((part, known), members),
            None => Some(format!("{part} must be an object")),
        }
    })
}

fn unfit_member((part, known): (&str, &[(&str, Holds)]), members: &Map<String, Value>) -> Option<String> {
    members.iter().find_map(|(name, value)| match known.iter().find(|(known, _)| known == name) {
        None => Some(format!("Field '{name}' is not allowed")),
        Some((_, Holds::Text)) if !value.is_string() => Some(format!("{part}.{name} must be a string")),
        Some((_, Holds::Number)) if !value.is_number() => Some(format!("{part}.{name} must be a number")),
        Some(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_context_is_as_aws_makes_it() {
        for (context, waits, why) in [
            (json!({ "Execution": { "Id": "a", "Input": { "n": 1 }, "RedriveCount": 1 } }), false, None),
            (json!({ "Task": { "Token": "t" } }), true, None),
            (json!([1]), false, Some("Context object must be a JSON object")),
            (json!({ "pokemon": 1 }), false, Some("Field 'pokemon' is not allowed")),
            (json!({ "Execution": { "pokemon": 1 } }), false, Some("Field 'pokemon' is not allowed")),
            (json!({ "Execution": { "Id": 1 } }), false, Some("Execution.Id must be a string")),
            (json!({ "State": { "RetryCount": "1" } }), false, Some("State.RetryCount must be a number")),
            (json!({ "State": 1 }), false, Some("State must be an object")),
            (json!({ "Map": {} }), false, Some("'Map' field is not supported when mocking a Context object")),
            (
                json!({ "Task": { "Token": "t" } }),
                false,
                Some(
                    "Context object contains 'Task' when state is not a Task state with a '.sync' or \
                     '.waitForTaskToken' service integration pattern",
                ),
            ),
        ] {
            assert_eq!(unfit(&context, waits).as_deref(), why, "{context}");
        }
    }
}
