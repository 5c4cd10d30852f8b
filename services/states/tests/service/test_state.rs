//! `TestState`: one state by itself.

use serde_json::{Value, json};

use crate::world::{ROLE, World, function, plain};

/// The answer's status, next state, output or error.
async fn check(definition: Value, more: Value, expected: &str) {
    let world = World::new().await;
    let mut input = json!({ "definition": definition.to_string(), "roleArn": ROLE });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = world.ok("TestState", input).await;
    let text = |name: &str| answer[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    let shown = ["nextState", "output", "error", "cause"].map(text).concat();
    assert_eq!(plain(&format!("{}{shown}", answer["status"].as_str().unwrap())), expected);
}

fn task() -> Value {
    json!({ "Type": "Task", "Resource": function("echo"), "ResultPath": "$.r", "Next": "B",
        "Retry": [{ "ErrorEquals": ["Flaky"], "IntervalSeconds": 3, "MaxAttempts": 2 }],
        "Catch": [{ "ErrorEquals": ["Error"], "Next": "C", "ResultPath": "$.e" }] })
}

fn parallel() -> Value {
    json!({ "Type": "Parallel", "End": true, "Branches": [
        { "StartAt": "Inner", "States": { "Inner": { "Type": "Fail", "Error": "E" } } }] })
}

#[tokio::test]
async fn an_error_comes_from_a_state_within() {
    let more = json!({ "mock": { "errorOutput": { "error": "E", "cause": "c" } },
        "stateConfiguration": { "errorCausedByState": "Inner" } });
    check(parallel(), more, "FAILED E c").await;
}

#[tokio::test]
async fn what_a_reader_would_read_is_given() {
    let world = World::new().await;
    let state = json!({ "Type": "Map", "Label": "L", "End": true, "ToleratedFailurePercentage": 50,
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject", "Parameters": { "Bucket": "b", "Key": "k" },
            "ReaderConfig": { "InputType": "JSON", "ItemsPointer": "/rows" } },
        "ItemSelector": { "v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index" },
        "ItemBatcher": { "MaxItemsPerBatch": 2 },
        "ItemProcessor": { "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS" },
            "StartAt": "I", "States": { "I": { "Type": "Pass", "End": true } } } });
    let input = json!({ "definition": state.to_string(), "inspectionLevel": "DEBUG", "mock": { "result": "[]" },
        "stateConfiguration": { "mapItemReaderData": r#"{"rows":["a","b","c"]}"# } });
    let answer = world.ok("TestState", input).await;
    let data = &answer["inspectionData"];
    assert_eq!(data["afterItemsPointer"], r#"["a","b","c"]"#);
    assert_eq!(data["afterItemSelector"], r#"[{"v":"a","i":0},{"v":"b","i":1},{"v":"c","i":2}]"#);
    assert_eq!(
        data["afterItemBatcher"],
        r#"[{"Items":[{"v":"a","i":0},{"v":"b","i":1}]},{"Items":[{"v":"c","i":2}]}]"#
    );
    assert_eq!(data["toleratedFailurePercentage"], 50.0);
}

#[tokio::test]
async fn a_state_runs_by_itself() {
    check(json!({ "Type": "Pass", "Result": 1, "Next": "B" }), json!({}), "SUCCEEDED B 1").await;
    check(task(), json!({ "input": r#"{"a":1}"# }), r#"SUCCEEDED B {"a":1,"r":{"a":1}}"#).await;
    let fails = json!({ "Type": "Fail", "Error": "E", "Cause": "C" });
    check(fails, json!({}), "FAILED E C").await;
}

#[tokio::test]
async fn a_mock_stands_in_for_the_task() {
    let mock = |mock: Value| json!({ "input": r#"{"a":1}"#, "mock": mock });
    check(task(), mock(json!({ "result": "7" })), r#"SUCCEEDED B {"a":1,"r":7}"#).await;
    let flaky = mock(json!({ "errorOutput": { "error": "Flaky", "cause": "c" } }));
    check(task(), flaky.clone(), "RETRIABLE Flaky c").await;
    let mut spent = flaky;
    spent["stateConfiguration"] = json!({ "retrierRetryCount": 2 });
    check(task(), spent, "FAILED Flaky c").await;
    let caught = mock(json!({ "errorOutput": { "error": "Error", "cause": "c" } }));
    check(task(), caught, r#"CAUGHT_ERROR C {"a":1,"e":{"Error":"Error","Cause":"c"}} Error c"#).await;
}

#[tokio::test]
async fn a_mocked_result_is_one_that_the_called_api_gives() {
    let world = World::new().await;
    let nested = |result: Value, mode: Option<&str>| {
        let state = json!({ "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:startExecution", "End": true,
            "Parameters": { "StateMachineArn": "m" } });
        let mut mock = json!({ "result": result.to_string() });
        if let Some(mode) = mode {
            mock["fieldValidationMode"] = json!(mode);
        }
        json!({ "definition": state.to_string(), "mock": mock })
    };
    let refused = "ValidationException: Mock result schema validation error: ";
    for mode in [None, Some("STRICT")] {
        let missing = world.refused("TestState", nested(json!({}), mode)).await;
        assert_eq!(missing, format!("{refused}Required field 'ExecutionArn' is missing"));
    }
    let wrong = nested(json!({ "ExecutionArn": 1 }), Some("PRESENT"));
    assert_eq!(
        world.refused("TestState", wrong).await,
        format!("{refused}Field 'ExecutionArn' must be a string")
    );
    for (result, mode) in [
        (json!({ "ExecutionArn": "a", "StartDate": "2026-01-01T00:00:00Z" }), "STRICT"),
        (json!({ "ExecutionArn": "a" }), "PRESENT"),
        (json!({ "ExecutionArn": 1 }), "NONE"),
    ] {
        let answer = world.ok("TestState", nested(result.clone(), Some(mode))).await;
        assert_eq!(answer["output"], result.to_string());
    }
}

#[tokio::test]
async fn a_given_context_is_one_that_there_could_be() {
    let world = World::new().await;
    let input =
        json!({ "definition": task().to_string(), "mock": { "result": "1" }, "context": r#"{"Map":{}}"# });
    assert_eq!(
        world.refused("TestState", input).await,
        "ValidationException: Invalid Context object provided: 'Map' field is not supported when mocking a Context object"
    );
}

#[tokio::test]
async fn its_data_flow_is_shown() {
    let world = World::new().await;
    let state = json!({ "Type": "Pass", "InputPath": "$.a", "Parameters": { "x.$": "$.b" }, "ResultPath": "$.r",
        "End": true });
    let input =
        json!({ "definition": state.to_string(), "input": r#"{"a":{"b":1}}"#, "inspectionLevel": "DEBUG" });
    let answer = world.ok("TestState", input).await;
    let data = &answer["inspectionData"];
    assert_eq!(data["input"], r#"{"a":{"b":1}}"#);
    assert_eq!(data["afterInputPath"], r#"{"b":1}"#);
    assert_eq!(data["afterParameters"], r#"{"x":1}"#);
    assert_eq!(answer["output"], r#"{"a":{"b":1},"r":{"x":1}}"#);
}

#[tokio::test]
async fn what_is_refused() {
    let world = World::new().await;
    let cases = [
        (json!({ "definition": "{}" }), "InvalidDefinition: "),
        (
            json!({ "definition": task().to_string() }),
            "ValidationException: RoleArn must be specified when testing a Task state",
        ),
        (
            json!({ "definition": task().to_string(), "mock": { "result": "1" }, "revealSecrets": true }),
            "ValidationException: TestState does not support RevealSecrets when a mock is specified.",
        ),
        (
            json!({ "definition": task().to_string(), "mock": { "result": "{" } }),
            "ValidationException: Mocked result must be valid JSON",
        ),
        (
            json!({ "definition": parallel().to_string(), "mock": { "result": "{}" } }),
            "ValidationException: Mocked result must be an array.",
        ),
        (
            json!({ "definition": parallel().to_string(), "mock": { "result": "[1,2]" } }),
            "ValidationException: Mocked result must contain the same number of items as number of Parallel branches.",
        ),
        (
            json!({ "definition": parallel().to_string(), "stateConfiguration": { "errorCausedByState": "Elsewhere" },
                "mock": { "errorOutput": { "error": "E" } } }),
            "ValidationException: errorCausedByState 'Elsewhere' is no state within",
        ),
        (
            json!({ "definition": parallel().to_string(), "stateConfiguration": { "errorCausedByState": "Inner" },
                "mock": { "result": "[1]" } }),
            "ValidationException: errorCausedByState can only be specified with a mocked error",
        ),
        (
            json!({ "definition": json!({ "Type": "Succeed" }).to_string(), "mock": { "result": "1" } }),
            "ValidationException: State type 'Succeed' is not supported when a mock is specified",
        ),
        (
            json!({ "definition": parallel().to_string() }),
            "InvalidDefinition: TestState API does not support Map or Parallel states. Supported state types include: ",
        ),
        (
            json!({ "definition": json!({ "Type": "Succeed" }).to_string(), "context": "{}" }),
            "ValidationException: context may only be specified if a mock is specified",
        ),
        (
            json!({ "definition": task().to_string(), "mock": {} }),
            "ValidationException: A test mock should have only one of the following fields: [result, errorOutput].",
        ),
    ];
    for (input, expected) in cases {
        let refused = world.refused("TestState", input).await;
        assert!(refused.starts_with(expected), "{refused}\ninstead of {expected}");
    }
}
