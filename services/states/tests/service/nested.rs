//! Executions that are tasks of executions.

use serde_json::{Value, json};

use crate::world::{World, machine_arn, plain};

fn parent(pattern: &str, parameters: Value) -> Value {
    let mut all = json!({ "StateMachineArn": machine_arn("child") });
    all.as_object_mut().unwrap().extend(parameters.as_object().unwrap().clone());
    json!({ "StartAt": "T", "States": { "T": {
        "Type": "Task", "Resource": format!("arn:aws:states:::states:startExecution{pattern}"),
        "Parameters": all, "End": true } } })
}

fn child() -> Value {
    json!({ "StartAt": "C", "States": {
        "C": { "Type": "Choice", "Choices": [
            { "Variable": "$.wait", "IsPresent": true, "Next": "W" },
            { "Variable": "$.fail", "IsPresent": true, "Next": "F" }], "Default": "S" },
        "W": { "Type": "Wait", "SecondsPath": "$.wait", "Next": "S" },
        "F": { "Type": "Fail", "Error": "E", "Cause": "C" },
        "S": { "Type": "Pass", "Result": { "done": true }, "End": true } } })
}

async fn world_with_child() -> World {
    let world = World::new().await;
    world.create("child", &child()).await;
    world
}

#[tokio::test]
async fn a_request_answers_at_once() {
    let world = world_with_child().await;
    let arn = world.run(&parent("", json!({ "Input": { "wait": 10 }, "Name": "c" })), "{}").await;
    let end = plain(&world.end(&arn).await);
    assert!(end.starts_with(r#"SUCCEEDED {"ExecutionArn":"arn:aws:states:eu-west-1:000000000000:execution:child:c","SdkHttpMetadata""#), "{end}");
    assert!(end.ends_with(r#""StartDate":1767225600}"#), "{end}");
    let child = arn.replace(":m:e", ":child:c");
    assert_eq!(world.describe(&child).await["input"], r#"{"wait":10}"#);
    world.advance(10).await;
    assert_eq!(world.end(&child).await, r#"SUCCEEDED {"done":true}"#);
}

#[tokio::test]
async fn a_request_for_a_machine_that_is_not_there_fails() {
    let world = World::new().await;
    let arn = world.run(&parent("", json!({})), "{}").await;
    let end = plain(&world.end(&arn).await);
    assert!(
        end.starts_with("FAILED StepFunctions.StateMachineDoesNotExistException State Machine Does Not"),
        "{end}"
    );
    world.create("sync", &parent(".sync:2", json!({}))).await;
    let arn = world.start("sync", "e", "{}").await;
    world.kernel.idle().await;
    assert_eq!(
        world.types(&arn).await[2..],
        ["TaskScheduled", "TaskStarted", "TaskSubmitFailed", "ExecutionFailed"]
    );
}

#[tokio::test]
async fn the_end_of_the_child_is_the_result() {
    let mut world = world_with_child().await;
    let input = json!({ "Input": { "wait": 10 }, "Name": "c" });
    world.create("text", &parent(".sync", input.clone())).await;
    let text = world.start("text", "e", "{}").await;
    world.kernel.idle().await;
    world.advance(5).await;
    world.restart().await;
    assert_eq!(world.end(&text).await, "RUNNING");
    world.advance(5).await;
    let described = |input: &str, output: &str, stop: i64| {
        format!(
            r#"SUCCEEDED {{"ExecutionArn":"arn:aws:states:eu-west-1:000000000000:execution:child:c","Input":{input},"InputDetails":{{"Included":true}},"Name":"c","Output":{output},"OutputDetails":{{"Included":true}},"StartDate":1767225600000,"StateMachineArn":"arn:aws:states:eu-west-1:000000000000:stateMachine:child","Status":"SUCCEEDED","StopDate":{stop}}}"#
        )
    };
    let stop = 1_767_225_610_000;
    assert_eq!(world.end(&text).await, described(r#""{\"wait\":10}""#, r#""{\"done\":true}""#, stop));
    assert_eq!(
        world.types(&text).await,
        [
            "ExecutionStarted",
            "TaskStateEntered",
            "TaskScheduled",
            "TaskStarted",
            "TaskSubmitted",
            "TaskSucceeded",
            "TaskStateExited",
            "ExecutionSucceeded"
        ]
    );
    let world = world_with_child().await;
    let arn = world.run(&parent(".sync:2", input), "{}").await;
    world.advance(10).await;
    assert_eq!(world.end(&arn).await, described(r#"{"wait":10}"#, r#"{"done":true}"#, stop));
}

#[tokio::test]
async fn a_child_that_ends_at_once_was_submitted_first() {
    let world = world_with_child().await;
    let arn = world.run(&parent(".sync:2", json!({ "Input": {} })), "{}").await;
    let types = world.types(&arn).await;
    assert_eq!(types[3..6], ["TaskStarted", "TaskSubmitted", "TaskSucceeded"]);
    assert!(world.end(&arn).await.starts_with("SUCCEEDED "));
}

#[tokio::test]
async fn the_failure_of_the_child_is_the_cause() {
    let world = world_with_child().await;
    let arn = world.run(&parent(".sync:2", json!({ "Input": { "fail": 1 }, "Name": "c" })), "{}").await;
    let end = world.end(&arn).await;
    assert!(end.starts_with(r#"FAILED States.TaskFailed {"Cause":"C","Error":"E","ExecutionArn":"#), "{end}");
    assert!(end.contains(r#""Status":"FAILED""#), "{end}");
}

#[tokio::test]
async fn a_parent_that_is_stopped_or_times_out_stops_its_child() {
    let world = world_with_child().await;
    let input = json!({ "Input": { "wait": 100 }, "Name": "c" });
    let arn = world.run(&parent(".sync", input), "{}").await;
    world.advance(1).await;
    world.ok("StopExecution", json!({ "executionArn": arn })).await;
    world.kernel.idle().await;
    assert_eq!(world.end(&arn.replace(":m:e", ":child:c")).await, "ABORTED");
    assert_eq!(world.end(&arn).await, "ABORTED");

    let mut slow = parent(".sync", json!({ "Input": { "wait": 100 }, "Name": "d" }));
    slow["States"]["T"]["TimeoutSeconds"] = json!(5);
    world.create("slow", &slow).await;
    let arn = world.start("slow", "e", "{}").await;
    world.advance(5).await;
    assert_eq!(world.end(&arn).await, "FAILED States.Timeout");
    assert_eq!(world.end(&arn.replace(":slow:e", ":child:d")).await, "ABORTED");
}

#[tokio::test]
async fn a_parent_whose_child_is_deleted_with_its_machine_fails() {
    let world = world_with_child().await;
    let arn = world.run(&parent(".sync", json!({ "Input": { "wait": 100 }, "Name": "c" })), "{}").await;
    world.ok("DeleteStateMachine", json!({ "stateMachineArn": machine_arn("child") })).await;
    world.kernel.idle().await;
    let child = arn.replace(":m:e", ":child:c");
    let expected = format!("FAILED States.TaskFailed Execution Does Not Exist: '{child}'");
    assert_eq!(world.end(&arn).await, expected);
}

#[tokio::test]
async fn somebody_elses_execution_is_not_stopped() {
    let world = world_with_child().await;
    let theirs = world.start("child", "c", r#"{"wait":100}"#).await;
    let mut slow = parent(".sync", json!({ "Input": { "wait": 50 }, "Name": "c" }));
    slow["States"]["T"]["Catch"] =
        json!([{ "ErrorEquals": ["StepFunctions.ExecutionAlreadyExistsException"], "Next": "S" }]);
    slow["States"]["S"] = json!({ "Type": "Succeed" });
    let arn = world.run(&slow, "{}").await;
    assert!(world.end(&arn).await.starts_with("SUCCEEDED "));
    assert_eq!(world.end(&theirs).await, "RUNNING");
}

#[tokio::test]
async fn a_machine_that_starts_itself_for_ever_is_stopped_by_the_length_of_the_chain() {
    let world = World::new().await;
    let itself = json!({ "StartAt": "T", "States": { "T": {
        "Type": "Task", "Resource": "arn:aws:states:::states:startExecution", "End": true,
        "Parameters": { "StateMachineArn": machine_arn("m") } } } });
    let arn = world.run(&itself, "{}").await;
    assert!(world.end(&arn).await.starts_with("SUCCEEDED "));
    let failed = json!({ "stateMachineArn": machine_arn("m"), "statusFilter": "FAILED" });
    let failed = world.ok("ListExecutions", failed).await;
    assert_eq!(failed["executions"].as_array().unwrap().len(), 1);
    let last = failed["executions"][0]["executionArn"].as_str().unwrap();
    let end = world.end(last).await;
    assert!(end.starts_with("FAILED StepFunctions.RecursiveInvocationException "), "{end}");
}
