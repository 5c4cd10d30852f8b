//! 'Step Functions Execution Status Change' on the default bus.

use serde_json::{Value, json};

use crate::world::{World, machine_arn};

fn machine(state: Value) -> Value {
    json!({ "TimeoutSeconds": 60, "StartAt": "S", "States": { "S": state } })
}

/// What the events say beyond what all of them say: the last one's part.
async fn check(state: Value, stop: Option<Value>, expected: Value) {
    let world = World::new().await;
    let input = r#"{ "amount":  50 }"#;
    let arn = world.run(&machine(state), input).await;
    if let Some(mut stop) = stop {
        stop["executionArn"] = json!(arn);
        world.ok("StopExecution", stop).await;
    }
    world.advance(100).await;
    let events = world.events().await;
    assert_eq!(events.len(), 2, "{events:?}");
    for event in &events {
        assert_eq!(event["source"], "aws.states");
        assert_eq!(event["detail_type"], "Step Functions Execution Status Change");
        assert_eq!(event["resources"], json!([arn]));
        assert_eq!(event["order"], arn);
    }
    let running = json!({
        "executionArn": arn, "stateMachineArn": machine_arn("m"), "stateMachineVersionArn": null,
        "stateMachineAliasArn": null, "name": "e", "status": "RUNNING", "startDate": 1_767_225_600_000_i64,
        "stopDate": null, "input": input, "output": null, "inputDetails": { "included": true },
        "outputDetails": null, "error": null, "cause": null, "redriveCount": 0, "redriveDate": null,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is RUNNING and cannot be redriven",
    });
    // The text itself: AWS's order of members, no blanks.
    assert_eq!(events[0]["detail"].to_string(), running.to_string());
    let mut ended = running;
    for (name, value) in expected.as_object().unwrap() {
        ended[name] = value.clone();
    }
    assert_eq!(events[1]["detail"], ended);
}

#[tokio::test]
async fn succeeded() {
    let expected = json!({
        "status": "SUCCEEDED", "stopDate": 1_767_225_600_000_i64, "output": r#"{"amount":50}"#,
        "outputDetails": { "included": true },
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    });
    check(json!({ "Type": "Pass", "End": true }), None, expected).await;
}

#[tokio::test]
async fn failed() {
    let expected = json!({
        "status": "FAILED", "stopDate": 1_767_225_600_000_i64, "error": "E", "cause": "because \"so\"",
        "redriveStatus": "REDRIVABLE",
        "redriveStatusReason": null,
    });
    check(json!({ "Type": "Fail", "Error": "E", "Cause": "because \"so\"" }), None, expected).await;
}

#[tokio::test]
async fn timed_out() {
    let expected = json!({
        "status": "TIMED_OUT", "stopDate": 1_767_225_660_000_i64, "redriveStatus": "REDRIVABLE",
        "redriveStatusReason": null,
    });
    check(json!({ "Type": "Wait", "Seconds": 90, "End": true }), None, expected).await;
}

#[tokio::test]
async fn aborted() {
    let wait = json!({ "Type": "Wait", "Seconds": 90, "End": true });
    let expected = json!({
        "status": "ABORTED", "stopDate": 1_767_225_600_000_i64, "redriveStatus": "REDRIVABLE",
        "redriveStatusReason": null,
    });
    check(wait.clone(), Some(json!({})), expected.clone()).await;
    let mut named = expected;
    named["error"] = json!("E");
    named["cause"] = json!("C");
    check(wait, Some(json!({ "error": "E", "cause": "C" })), named).await;
}

#[tokio::test]
async fn data_that_is_too_large_is_left_out() {
    let world = World::new().await;
    world.create("m", &machine(json!({ "Type": "Pass", "End": true }))).await;
    let input = format!("\"{}\"", "x".repeat(200_000));
    world.start("m", "e", &input).await;
    world.kernel.idle().await;
    let statuses = world.statuses().await;
    assert_eq!(statuses[0]["input"], input);
    assert_eq!(statuses[1]["input"], Value::Null);
    assert_eq!(statuses[1]["inputDetails"], json!({ "included": false }));
    assert_eq!(statuses[1]["output"], input);
    assert_eq!(statuses[1]["outputDetails"], json!({ "included": true }));
}

#[tokio::test]
async fn the_chain_of_causes_is_found_by_the_execution() {
    let world = World::new().await;
    let arn = world.run(&machine(json!({ "Type": "Pass", "End": true })), "{}").await;
    let chains = world.chains(&arn).await;
    assert_eq!(chains.len(), 1);
    let spans = &chains[0].spans;
    let notes: Vec<String> = spans
        .iter()
        .flat_map(|span| &span.notes)
        .map(|note| format!("{} {}", note.kind, note.detail.as_ref().unwrap()))
        .collect();
    assert_eq!(notes, [r#"execution {"status":"RUNNING"}"#, r#"execution {"status":"SUCCEEDED"}"#]);
    let mut operations: Vec<&str> = spans.iter().map(|span| span.operation.as_str()).collect();
    operations.sort_unstable();
    assert_eq!(
        operations,
        ["events:PublishServiceEvent", "events:PublishServiceEvent", "states:StartExecution"]
    );
}
