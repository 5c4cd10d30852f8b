//! Parallel and Map with tasks, among the other states: what `asl` decides, done.

use serde_json::{Value, json};

use crate::world::{World, function};

fn call(name: &str, more: Value) -> Value {
    let mut state = json!({ "Type": "Task", "Resource": function(name), "End": true });
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    state
}

fn branch(state: Value) -> Value {
    json!({ "StartAt": state["Name"], "States": { state["Name"].as_str().unwrap(): state["State"] } })
}

fn named(name: &str, state: Value) -> Value {
    branch(json!({ "Name": name, "State": state }))
}

#[tokio::test]
async fn branches_of_tasks_and_waits_join() {
    let world = World::new().await;
    let definition = json!({ "StartAt": "P", "States": { "P": { "Type": "Parallel", "End": true, "Branches": [
        named("A", call("echo", json!({}))),
        named("B", json!({ "Type": "Wait", "Seconds": 5, "End": true })),
        named("C", call("fails-twice", json!({ "Retry": [{ "ErrorEquals": ["Flaky"], "IntervalSeconds": 1 }] }))),
    ] } } });
    let arn = world.run(&definition, r#"{"x":1}"#).await;
    world.advance(5).await;
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED [{"x":1},{"x":1},{"call":3}]"#);
}

#[tokio::test]
async fn a_branch_that_fails_aborts_the_others() {
    let world = World::new().await;
    let url = world.queue("q").await;
    let ask = json!({ "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true,
        "Parameters": { "QueueUrl": url, "MessageBody": { "token.$": "$$.Task.Token" } } });
    let definition = json!({ "StartAt": "P", "States": {
        "P": { "Type": "Parallel", "Branches": [
            named("Ask", ask),
            json!({ "StartAt": "W", "States": {
                "W": { "Type": "Wait", "Seconds": 3, "Next": "F" }, "F": { "Type": "Fail", "Error": "E" } } }),
        ], "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Caught" }], "End": true },
        "Caught": { "Type": "Pass", "End": true } } });
    let arn = world.run(&definition, "{}").await;
    let token = world.token(&url).await;
    world.advance(3).await;
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED {"Error":"E","Cause":""}"#);
    let late = world.refused("SendTaskSuccess", json!({ "taskToken": token, "output": "1" })).await;
    assert!(late.starts_with("TaskTimedOut: "), "{late}");
    assert!(world.types(&arn).await.contains(&"TaskStateAborted".to_owned()));
}

#[tokio::test]
async fn a_map_calls_for_every_item_so_many_at_once() {
    let world = World::new().await;
    let url = world.queue("q").await;
    let definition = json!({ "StartAt": "M", "States": { "M": {
        "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 2, "End": true,
        "ItemSelector": { "v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index" },
        "ItemProcessor": { "StartAt": "Send", "States": {
            "Send": { "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "ResultPath": null,
                "Parameters": { "QueueUrl": url, "MessageBody.$": "States.JsonToString($)" }, "Next": "Echo" },
            "Echo": call("echo", json!({})) } } } } });
    let items: Vec<Value> = (0..25).map(|i| json!(i * 10)).collect();
    let arn = world.run(&definition, &json!({ "items": items }).to_string()).await;
    let expected: Vec<Value> = (0..25).map(|i| json!({ "v": i * 10, "i": i })).collect();
    assert_eq!(world.end(&arn).await, format!("SUCCEEDED {}", json!(expected)));
    let mut sent = 0;
    loop {
        let bodies = world.receive(&url).await;
        if bodies.is_empty() {
            break;
        }
        sent += bodies.len();
    }
    assert_eq!(sent, 25, "each item is sent once");
}

#[tokio::test]
async fn the_timeout_of_the_machine_ends_everything() {
    let world = World::new().await;
    let definition = json!({ "TimeoutSeconds": 10, "StartAt": "W", "States": {
        "W": { "Type": "Wait", "Seconds": 9, "Next": "X" }, "X": { "Type": "Wait", "Seconds": 9, "End": true } } });
    let arn = world.run(&definition, "{}").await;
    world.advance(9).await;
    assert_eq!(world.end(&arn).await, "RUNNING");
    world.advance(9).await;
    assert_eq!(world.end(&arn).await, "TIMED_OUT");
    assert_eq!(world.lines(&arn).await.last().unwrap(), "5<0 +10s ExecutionTimedOut {}");
}

#[tokio::test]
async fn the_context_object_knows_the_execution() {
    let world = World::new().await;
    let definition = json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true, "Parameters": {
        "arn.$": "$$.Execution.Id", "name.$": "$$.Execution.Name", "input.$": "$$.Execution.Input.a",
        "machine.$": "$$.StateMachine.Name", "role.$": "$$.Execution.RoleArn",
        "started.$": "$$.Execution.StartTime" } } } });
    let arn = world.run(&definition, r#"{"a":7}"#).await;
    let expected = json!({ "arn": arn, "name": "e", "input": 7, "machine": "m", "role": crate::world::ROLE,
        "started": "2026-01-01T00:00:00.000Z" });
    assert_eq!(world.end(&arn).await, format!("SUCCEEDED {expected}"));
}

#[tokio::test]
async fn large_iterations_come_through_in_several_commits_or_fail_by_name() {
    let world = World::new().await;
    let definition = json!({ "StartAt": "M", "States": { "M": {
        "Type": "Map", "ItemsPath": "$.items", "End": true,
        "ItemProcessor": { "StartAt": "Grow", "States": {
            "Grow": { "Type": "Pass", "Parameters": { "big.$": "$$.Execution.Input.big" }, "Next": "Wait" },
            "Wait": { "Type": "Wait", "Seconds": 5, "Next": "Done" },
            "Done": { "Type": "Pass", "Result": 1, "End": true } } } } } });
    world.create("m", &definition).await;
    let input = |items: u32| {
        let items: Vec<u32> = (0..items).collect();
        json!({ "items": items, "big": "x".repeat(200_000) }).to_string()
    };
    let some = world.start("m", "some", &input(20)).await;
    let many = world.start("m", "many", &input(40)).await;
    world.advance(10).await;
    assert_eq!(world.end(&some).await, format!("SUCCEEDED {}", json!(vec![1; 20])));
    let end = world.end(&many).await;
    assert!(end.starts_with("FAILED States.DataLimitExceeded The branches and iterations hold"), "{end}");
}
