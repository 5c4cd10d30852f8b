//! Tasks that wait for a token to come back.

use serde_json::{Value, json};

use crate::world::World;

fn ask(url: &str, more: Value) -> Value {
    let mut state = json!({
        "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": { "QueueUrl": url, "MessageBody": { "token.$": "$$.Task.Token", "q.$": "$.q" } },
        "End": true });
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "StartAt": "Ask", "States": { "Ask": state } })
}

#[tokio::test]
async fn the_holder_of_the_token_answers() {
    let mut world = World::new().await;
    let url = world.queue("q").await;
    let arn = world.run(&ask(&url, json!({})), r#"{"q":1}"#).await;
    let token = world.token(&url).await;
    world.advance(100).await;
    world.restart().await;
    let answer = json!({ "taskToken": token, "output": r#"{ "answer": [1, null] }"# });
    assert_eq!(world.ok("SendTaskSuccess", answer.clone()).await, json!({}));
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED {"answer":[1,null]}"#);
    let types = world.types(&arn).await;
    let expected = [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ];
    assert_eq!(types, expected);
    let gone = "TaskTimedOut: Task Timed Out: 'Provided task does not exist anymore'";
    assert_eq!(world.refused("SendTaskSuccess", answer).await, gone);
    assert_eq!(world.refused("SendTaskHeartbeat", json!({ "taskToken": token })).await, gone);
}

#[tokio::test]
async fn the_holder_of_the_token_gives_up() {
    let world = World::new().await;
    let url = world.queue("q").await;
    let caught = json!({ "Catch": [{ "ErrorEquals": ["NoIdea"], "Next": "Caught" }] });
    let mut definition = ask(&url, caught);
    definition["States"]["Caught"] = json!({ "Type": "Succeed" });
    let arn = world.run(&definition, r#"{"q":1}"#).await;
    let token = world.token(&url).await;
    world.ok("SendTaskFailure", json!({ "taskToken": token, "error": "NoIdea", "cause": "none" })).await;
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED {"Error":"NoIdea","Cause":"none"}"#);
}

#[tokio::test]
async fn bad_tokens_and_outputs_are_refused() {
    let world = World::new().await;
    let url = world.queue("q").await;
    let arn = world.run(&ask(&url, json!({})), r#"{"q":1}"#).await;
    let token = world.token(&url).await;
    let invalid = "InvalidToken: Invalid Token: 'Invalid token'";
    let made_up = json!({ "taskToken": "made up", "output": "1" });
    assert_eq!(world.refused("SendTaskSuccess", made_up).await, invalid);
    // Another number in the place of the secret one.
    let forged = format!("AQAA{}", &token[4..]);
    let forged = json!({ "taskToken": forged, "output": "1" });
    assert!(world.refused("SendTaskSuccess", forged).await.starts_with("TaskTimedOut: "));
    let broken = world.refused("SendTaskSuccess", json!({ "taskToken": token, "output": "{" })).await;
    assert!(broken.starts_with("InvalidOutput: Invalid Output: '"), "{broken}");
    assert_eq!(world.end(&arn).await, "RUNNING");
}

#[tokio::test]
async fn heartbeats_keep_a_task_alive_until_they_stop() {
    let world = World::new().await;
    let url = world.queue("q").await;
    let timing = json!({ "HeartbeatSeconds": 10, "TimeoutSeconds": 100 });
    let arn = world.run(&ask(&url, timing), r#"{"q":1}"#).await;
    let token = world.token(&url).await;
    for _ in 0..5 {
        world.advance(9).await;
        world.ok("SendTaskHeartbeat", json!({ "taskToken": token })).await;
    }
    world.advance(9).await;
    assert_eq!(world.end(&arn).await, "RUNNING");
    world.advance(1).await;
    assert_eq!(world.end(&arn).await, "FAILED States.Timeout");
    let lines = world.lines(&arn).await;
    assert_eq!(
        lines[5..],
        [
            r#"6<5 +55s TaskTimedOut {"resourceType":"sqs","resource":"sendMessage.waitForTaskToken","error":"States.Timeout"}"#,
            r#"7<6 +55s ExecutionFailed {"error":"States.Timeout"}"#,
        ]
    );
}

#[tokio::test]
async fn a_timeout_holds_whatever_beats() {
    let world = World::new().await;
    let url = world.queue("q").await;
    let timing = json!({ "HeartbeatSeconds": 10, "TimeoutSeconds": 15,
        "Retry": [{ "ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 1 }] });
    let arn = world.run(&ask(&url, timing), r#"{"q":1}"#).await;
    let first = world.token(&url).await;
    world.advance(9).await;
    world.ok("SendTaskHeartbeat", json!({ "taskToken": first })).await;
    world.advance(7).await;
    let second = world.token(&url).await;
    let late = world.refused("SendTaskSuccess", json!({ "taskToken": first, "output": "1" })).await;
    assert!(late.starts_with("TaskTimedOut: "), "{late}");
    world.ok("SendTaskSuccess", json!({ "taskToken": second, "output": "2" })).await;
    world.advance(100).await;
    assert_eq!(world.end(&arn).await, "SUCCEEDED 2");
}

#[tokio::test]
async fn a_request_that_is_not_taken_fails_the_task() {
    let world = World::new().await;
    let arn = world.run(&ask("http://127.0.0.1:4566/000000000000/gone", json!({})), r#"{"q":1}"#).await;
    assert_eq!(
        world.types(&arn).await[2..],
        ["TaskScheduled", "TaskStarted", "TaskSubmitFailed", "ExecutionFailed"]
    );
    assert!(world.end(&arn).await.starts_with("FAILED SQS.QueueDoesNotExistException "));
}

#[tokio::test]
async fn functions_and_executions_may_hold_tokens() {
    let world = World::new().await;
    let lambda = json!({ "StartAt": "T", "States": { "T": {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": true,
        "Parameters": { "FunctionName": "echo", "Payload": { "token.$": "$$.Task.Token" } } } } });
    let arn = world.run(&lambda, "{}").await;
    let history = world.history(&arn).await;
    let submitted = &history[4]["taskSubmittedEventDetails"];
    let output: Value = serde_json::from_str(submitted["output"].as_str().unwrap()).unwrap();
    let token = output["Payload"]["token"].as_str().unwrap();
    world.ok("SendTaskSuccess", json!({ "taskToken": token, "output": "\"done\"" })).await;
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED "done""#);

    world.create("echo", &json!({ "StartAt": "S", "States": { "S": { "Type": "Succeed" } } })).await;
    let nested = json!({ "StartAt": "T", "States": { "T": {
        "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.waitForTaskToken", "End": true,
        "Parameters": { "StateMachineArn": crate::world::machine_arn("echo"), "Name": "child",
            "Input": { "token.$": "$$.Task.Token" } } } } });
    world.create("nested", &nested).await;
    let arn = world.start("nested", "e", "{}").await;
    world.kernel.idle().await;
    assert_eq!(world.end(&arn).await, "RUNNING");
    let child = world.describe(&arn.replace("nested:e", "echo:child")).await;
    let input: Value = serde_json::from_str(child["input"].as_str().unwrap()).unwrap();
    world.ok("SendTaskSuccess", json!({ "taskToken": input["token"], "output": "{}" })).await;
    assert_eq!(world.end(&arn).await, "SUCCEEDED {}");
}
