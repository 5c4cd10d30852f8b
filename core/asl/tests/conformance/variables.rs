//! Workflow variables: their limits, their names in `DescribeStateMachine`, and where they can be read.

use asl::{Code, Machine, Outcome};
use serde_json::{Value, json};

use crate::world::{Keep, World};

fn outcome(definition: &Value, input: &Value) -> Outcome {
    let machine = Machine::parse(&definition.to_string()).unwrap_or_else(|found| panic!("{found:?}"));
    World::new(&machine, &input.to_string(), &Value::Null, Keep::AsMsgpack).run(None).outcome.unwrap()
}

fn failure(outcome: Outcome) -> (String, String) {
    match outcome {
        Outcome::Failed { error, cause } => (error.unwrap(), cause.unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn references_are_listed_by_state() {
    let definition = json!({ "StartAt": "Set", "States": {
        "Set": { "Type": "Pass", "Assign": { "guess": 1, "answer": 2 }, "Next": "Check" },
        "Check": { "Type": "Choice", "Choices": [{ "Variable": "$guess", "NumericEqualsPath": "$answer", "Next": "Wait" }],
            "Default": "Ask" },
        "Ask": { "Type": "Pass", "QueryLanguage": "JSONata", "Assign": { "guess": "{% $answer + $sum([1]) - 1 %}" },
            "Next": "Each" },
        "Each": { "Type": "Map", "ItemProcessor": { "StartAt": "In", "States": { "In": { "Type": "Pass",
            "Parameters": { "x.$": "States.MathAdd($answer, $$.Map.Item.Index)" }, "End": true } } }, "Next": "Check" },
        "Wait": { "Type": "Wait", "SecondsPath": "$answer", "Next": "Done" },
        "Done": { "Type": "Succeed" } } });
    let machine = Machine::parse(&definition.to_string()).unwrap();
    assert_eq!(
        json!(machine.variable_references()),
        json!({ "Ask": ["answer"], "Check": ["answer", "guess"], "In": ["answer"], "Wait": ["answer"] })
    );
    assert_eq!(machine.warnings(), []);
}

#[test]
fn scopes_are_checked() {
    let inner = |mode: &Value, assign: &str, read: &str| {
        json!({ "StartAt": "Set", "States": {
            "Set": { "Type": "Pass", "Assign": { "x": 1 }, "Next": "Each" },
            "Each": { "Type": "Map", "End": true, "ItemProcessor": { "ProcessorConfig": mode, "StartAt": "In", "States": {
                "In": { "Type": "Pass", "Assign": { assign: 2 }, "Next": "Out" },
                "Out": { "Type": "Pass", "Parameters": { "v.$": read }, "End": true } } } } } })
        .to_string()
    };
    let inline = json!({ "Mode": "INLINE" });
    let distributed = json!({ "Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS" });
    let found = Machine::parse(&inner(&inline, "x", "$x")).unwrap_err();
    let message = "The variable name 'x' was already defined in a parent scope.";
    assert_eq!((found[0].code, found[0].message.as_str()), (Code::DuplicateVariableName, message));
    assert_eq!(found[0].location.as_deref(), Some("/States/Each/ItemProcessor/States/In/Assign/x"));
    assert_eq!(Machine::parse(&inner(&inline, "y", "$x")).unwrap().warnings(), []);
    let machine = Machine::parse(&inner(&distributed, "y", "$x")).unwrap();
    let warning = &machine.warnings()[0];
    assert_eq!(
        warning.message, "Variable 'x' is possibly not defined.",
        "distributed maps see nothing from outside"
    );
    assert_eq!(Machine::parse(&inner(&distributed, "x", "$x")).unwrap().warnings(), []);
}

#[test]
fn a_variable_has_a_size() {
    let assign = |assign: Value| json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "Assign": assign, "End": true } } });
    let half = json!("x".repeat(131_000));
    let one = outcome(&assign(json!({ "a.$": "$" })), &half);
    assert!(matches!(one, Outcome::Succeeded { .. }));
    let (error, cause) =
        failure(outcome(&assign(json!({ "a.$": "$", "b.$": "$", "c": 1 })), &json!("x".repeat(131_071))));
    assert_eq!(error, "States.DataLimitExceeded");
    assert!(cause.starts_with("The state/task 'A' assigned variables"), "{cause}");
}

#[test]
fn all_variables_together_have_a_size() {
    let definition = json!({ "StartAt": "First", "QueryLanguage": "JSONata", "States": {
        "First": { "Type": "Pass", "Assign": { "outer": "{% $pad('', 262000) %}" }, "Next": "Loop" },
        "Loop": { "Type": "Map", "Items": "{% [1..41] %}", "MaxConcurrency": 0, "Output": "{% $count($states.result) %}", "End": true,
            "ItemProcessor": { "StartAt": "Keep", "States": {
                "Keep": { "Type": "Pass", "Assign": { "v": "{% $pad('', 262000) %}" }, "Output": 1, "Next": "Stay" },
                "Stay": { "Type": "Wait", "Seconds": 1, "End": true } } } } } });
    let (error, _) = failure(outcome(&definition, &json!({})));
    assert_eq!(error, "States.DataLimitExceeded", "41 of 262,002 bytes are more than 10 MiB");
}
