//! Definitions that must be refused, with the first diagnostic of each; and what is refused or warned of elsewhere.

use asl::{Code, Diagnostic, Machine, invalid_definition_message};
use serde_json::{Value, json};

fn parse(definition: &Value) -> Result<Machine, Vec<Diagnostic>> {
    Machine::parse(&definition.as_str().map_or_else(|| definition.to_string(), str::to_owned))
}

#[test]
fn refused_with_code_and_location() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../invalid.json")).unwrap();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let found = parse(&case["definition"]).err().unwrap_or_default();
        let first = found.iter().find(|diagnostic| diagnostic.is_error());
        let matches = first.is_some_and(|first| {
            (first.code.as_str(), first.location.as_deref())
                == (case["code"].as_str().unwrap(), case["at"].as_str())
                && first.message.contains(case["says"].as_str().unwrap())
        });
        if !matches {
            wrong.push(format!("{case}\n  gave {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn transitions_are_judged_together() {
    let definition = json!({ "StartAt": "pass1", "States": {
        "pass1": { "Type": "Pass", "Next": "pass3" }, "pass2": { "Type": "Pass", "End": true } } });
    let found = parse(&definition).unwrap_err();
    assert_eq!(
        invalid_definition_message(&found),
        "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: pass3 at \
         /States/pass1/Next, MISSING_TRANSITION_TARGET: State \"pass2\" is not reachable. at /States/pass2'"
    );
    let endless = json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "Next": "NOPE" } } });
    assert_eq!(
        invalid_definition_message(&parse(&endless).unwrap_err()),
        "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: NOPE at \
         /States/A/Next, MISSING_END_STATE: Workflow has no terminal state at null'"
    );
}

#[test]
fn warnings_do_not_refuse() {
    let definition = json!({ "StartAt": "A", "States": {
        "A": { "Type": "Pass", "Result": { "x.$": "$.y" }, "Next": "B" },
        "B": { "Type": "Pass", "Parameters": { "deep": { "path": "$.y", "call": "States.UUID()", "no": "$5" } }, "Next": "C" },
        "C": { "Type": "Fail", "Cause": "$.cause" } } });
    let machine = parse(&definition).unwrap();
    let shown: Vec<(Code, &str)> = machine
        .warnings()
        .iter()
        .map(|warning| (warning.code, warning.location.as_deref().unwrap()))
        .collect();
    assert_eq!(
        shown,
        [
            (Code::PassResultIsStatic, "/States/A/Result"),
            (Code::NoDollar, "/States/B/Parameters/deep/path"),
            (Code::NoDollar, "/States/B/Parameters/deep/call"),
            (Code::NoPath, "/States/C/Cause"),
        ]
    );
}

#[test]
fn express_machines_do_not_wait_for_others() {
    let definition = json!({ "StartAt": "A", "States": {
        "A": { "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Next": "B" },
        "B": { "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Next": "C" },
        "C": { "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Next": "D" },
        "D": { "Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:a", "End": true } } });
    let found = parse(&definition).unwrap().express_diagnostics();
    let shown: Vec<String> = found.iter().map(Diagnostic::to_string).collect();
    let refusal = |what: &str, at: &str| {
        format!("SCHEMA_VALIDATION_FAILED: Express state machine does not support {what} at {at}")
    };
    assert_eq!(
        shown,
        [
            refusal("'.waitForTaskToken' service integration ", "/States/A/Resource"),
            refusal("'.sync:2' service integration", "/States/C/Resource"),
            refusal("Activity ARN", "/States/D/Resource"),
        ]
    );
}

mod any_text {
    use asl::Machine;
    use proptest::prelude::*;

    /// Definitions that are nearly right: known members with known and unknown values.
    fn member() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec![
            "Type",
            "Next",
            "End",
            "StartAt",
            "States",
            "Choices",
            "Branches",
            "ItemProcessor",
            "Retry",
            "Catch",
            "Parameters",
            "x.$",
            "ResultPath",
            "InputPath",
            "Resource",
            "ErrorEquals",
            "Variable",
            "And",
            "Not",
            "StringMatches",
            "Seconds",
            "TimeoutSeconds",
            "A",
            "B",
        ]);
        let scalar = prop::sample::select(vec![
            "\"A\"",
            "\"B\"",
            "\"Task\"",
            "\"Choice\"",
            "\"Parallel\"",
            "\"Map\"",
            "\"Wait\"",
            "\"Pass\"",
            "true",
            "null",
            "1",
            "-1",
            "1e400",
            "\"$.a[?(@.b)]\"",
            "\"$$\"",
            "\"States.Format('{}', $.a)\"",
            "\"States.Array(\"",
            "[]",
            "{}",
            "\"arn:aws:states:::lambda:invoke\"",
            "\"\\ud800\"",
        ]);
        let leaf = (name.clone(), scalar).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        leaf.prop_recursive(5, 40, 5, move |inner| {
            (name.clone(), prop::collection::vec(inner, 0..5), any::<bool>()).prop_map(
                |(name, members, list)| {
                    let members = members.join(",");
                    if list {
                        format!("\"{name}\":[{{{members}}}]")
                    } else {
                        format!("\"{name}\":{{{members}}}")
                    }
                },
            )
        })
    }

    proptest! {
        #[test]
        fn never_panics(members in prop::collection::vec(member(), 0..6)) {
            let _ = Machine::parse(&format!("{{{}}}", members.join(",")));
        }

        #[test]
        fn never_panics_on_noise(text in "\\PC{0,60}") {
            let _ = Machine::parse(&text);
            let state = serde_json::json!({ "Type": "Pass", "InputPath": text, "Parameters": { "a.$": text }, "End": true });
            let _ = Machine::parse(&serde_json::json!({ "StartAt": "A", "States": { "A": state } }).to_string());
        }
    }
}
