//! Execution logs: what Step Functions writes to CloudWatch Logs.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use serde_json::{Value, json};
use testkit::World;

const GROUP: &str = "arn:aws:logs:eu-central-1:000000000000:log-group:/g:*";
const ROLE: &str = "arn:aws:iam::000000000000:role/machine";

fn configuration(level: &str, with_data: bool) -> Value {
    json!({
        "level": level, "includeExecutionData": with_data,
        "destinations": [{ "cloudWatchLogsLogGroup": { "logGroupArn": GROUP } }],
    })
}

/// Runs a machine and gives back the records of the group.
async fn logged(definition: &Value, kind: &str, level: &str, with_data: bool) -> Vec<Value> {
    let world = World::new(|| vec![events::service(), logs::service(), states::service()]).await;
    world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "/g" })).await;
    let machine = json!({
        "name": "m", "definition": definition.to_string(), "roleArn": ROLE, "type": kind,
        "loggingConfiguration": configuration(level, with_data),
    });
    let made = world.ok("states", "CreateStateMachine", machine).await;
    let start = json!({ "stateMachineArn": made["stateMachineArn"], "name": "e", "input": r#"{"a": 1}"# });
    world.ok("states", "StartExecution", start).await;
    world.idle().await;
    let streams = world.ok("logs", "DescribeLogStreams", json!({ "logGroupName": "/g" })).await;
    let mut records = Vec::new();
    for stream in streams["logStreams"].as_array().unwrap() {
        let name = stream["logStreamName"].as_str().unwrap();
        let parts: Vec<&str> = name.split('/').collect();
        assert!(matches!(parts[..], ["states", "m", _, _]), "{name}");
        let input = json!({ "logGroupName": "/g", "logStreamName": name, "startFromHead": true });
        let events = world.ok("logs", "GetLogEvents", input).await;
        let message = |event: &Value| serde_json::from_str(event["message"].as_str().unwrap()).unwrap();
        records.extend(events["events"].as_array().unwrap().iter().map(message));
    }
    records
}

fn types(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn records_are_history_events() {
    let pass = json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true } } });
    let mut records = logged(&pass, "EXPRESS", "ALL", true).await;
    assert_eq!(
        types(&records),
        ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    );
    let first = records[0].as_object_mut().unwrap();
    let arn = first.remove("execution_arn").unwrap();
    assert!(
        arn.as_str().unwrap().starts_with("arn:aws:states:eu-central-1:000000000000:express:m:e:"),
        "{arn}"
    );
    assert!(first.remove("event_timestamp").unwrap().as_str().unwrap().parse::<i64>().is_ok());
    assert_eq!(
        records[0],
        json!({
            "id": "1", "type": "ExecutionStarted",
            "details": { "input": r#"{"a": 1}"#, "inputDetails": { "truncated": false }, "roleArn": ROLE },
            "redrive_count": "0", "previous_event_id": "0",
        })
    );
    let records = logged(&pass, "STANDARD", "ALL", false).await;
    assert_eq!(records[1]["details"], json!({ "name": "A" }));
    assert_eq!(records[1]["execution_arn"], "arn:aws:states:eu-central-1:000000000000:execution:m:e");
}

#[tokio::test]
async fn levels_choose_among_them() {
    let fail = json!({ "StartAt": "F", "States": { "F": { "Type": "Fail", "Error": "E" } } });
    for kind in ["STANDARD", "EXPRESS"] {
        let all = logged(&fail, kind, "ALL", true).await;
        assert_eq!(types(&all), ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]);
        let errors = logged(&fail, kind, "ERROR", true).await;
        assert_eq!(types(&errors), ["FailStateEntered", "ExecutionFailed"]);
        assert_eq!(types(&logged(&fail, kind, "FATAL", true).await), ["ExecutionFailed"]);
    }
}

#[tokio::test]
async fn steps_are_logged_in_their_order() {
    let wait = |next: Value| {
        let mut state = json!({ "Type": "Wait", "Seconds": 0 });
        state.as_object_mut().unwrap().extend(next.as_object().unwrap().clone());
        state
    };
    let states: serde_json::Map<String, Value> = (0..250)
        .map(|i| {
            (
                format!("S{i}"),
                wait(if i == 249 {
                    json!({ "End": true })
                } else {
                    json!({ "Next": format!("S{}", i + 1) })
                }),
            )
        })
        .collect();
    let records = logged(&json!({ "StartAt": "S0", "States": states }), "EXPRESS", "ALL", true).await;
    let ids: Vec<usize> =
        records.iter().map(|record| record["id"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(ids, (1..=502).collect::<Vec<_>>());
}
