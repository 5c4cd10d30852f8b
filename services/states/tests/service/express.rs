//! EXPRESS machines: what they answer, what is left of them, and what they may not have.

use futures::join;
use serde_json::{Value, json};

use crate::world::{ROLE, World, function, machine_arn, plain};

async fn express(world: &World, definition: &Value) -> String {
    let input =
        json!({ "name": "m", "definition": definition.to_string(), "roleArn": ROLE, "type": "EXPRESS" });
    let made = world.ok("CreateStateMachine", input).await;
    made["stateMachineArn"].as_str().unwrap().to_owned()
}

fn states(first: &str, states: Value) -> Value {
    json!({ "StartAt": first, "States": states })
}

fn pass() -> Value {
    states(
        "A",
        json!({ "A": { "Type": "Pass", "Next": "B" }, "B": { "Type": "Pass", "Result": { "b": 2 }, "End": true } }),
    )
}

/// What our own pages see.
async fn shown(world: &World, operation: &str, input: Value) -> Value {
    let region = base::Region::parse("eu-west-1").unwrap();
    let caller = kernel::Caller::root_user(base::AccountId::default(), region, world.kernel.new_id());
    world.kernel.ask(caller, "states", operation, &input).await.unwrap()
}

#[tokio::test]
async fn a_synchronous_start_answers_with_the_end() {
    let world = World::new().await;
    let arn = express(&world, &pass()).await;
    let input =
        json!({ "stateMachineArn": arn, "name": "e", "input": r#"{"a": 1}"#, "traceHeader": "Root=1" });
    let mut answer = world.ok("StartSyncExecution", input.clone()).await;
    let execution = answer["executionArn"].as_str().unwrap().to_owned();
    assert_eq!(plain(&execution), "arn:aws:states:eu-west-1:000000000000:express:m:e:<id>");
    answer.as_object_mut().unwrap().remove("executionArn");
    assert_eq!(
        answer,
        json!({
            "stateMachineArn": arn, "name": "e", "startDate": 1_767_225_600, "stopDate": 1_767_225_600,
            "status": "SUCCEEDED", "input": r#"{"a": 1}"#, "inputDetails": { "included": true },
            "output": r#"{"b":2}"#, "outputDetails": { "included": true }, "traceHeader": "Root=1",
            "billingDetails": { "billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 100 },
        })
    );
    let mut without = input.clone();
    without["includedData"] = json!("METADATA_ONLY");
    let without = world.ok("StartSyncExecution", without).await;
    assert_eq!((without.get("output"), &without["outputDetails"]), (None, &json!({ "included": false })));
    assert_ne!(without["executionArn"], json!(execution), "one name, two executions");
    world.kernel.idle().await;
    assert_eq!(world.statuses().await, Vec::<Value>::new());
    let listed = shown(&world, "ListExpressExecutions", json!({ "stateMachineArn": arn })).await;
    assert_eq!(listed["executions"].as_array().unwrap().len(), 2);
    let one = shown(&world, "DescribeExpressExecution", json!({ "executionArn": execution })).await;
    assert_eq!((&one["status"], &one["output"]), (&json!("SUCCEEDED"), &json!(r#"{"b":2}"#)));
}

#[tokio::test]
async fn failures_are_answers() {
    let world = World::new().await;
    let arn =
        express(&world, &states("F", json!({ "F": { "Type": "Fail", "Error": "E", "Cause": "C" } }))).await;
    let answer = world.ok("StartSyncExecution", json!({ "stateMachineArn": arn })).await;
    let found = ["status", "error", "cause", "input"].map(|name| answer[name].as_str().unwrap().to_owned());
    assert_eq!(found, ["FAILED", "E", "C", "{}"]);
    assert_eq!((answer.get("output"), &answer["outputDetails"]), (None, &json!({ "included": true })));
}

#[tokio::test]
async fn a_synchronous_start_waits_for_tasks_and_waits() {
    let world = World::new().await;
    let definition = states(
        "T",
        json!({
            "T": { "Type": "Task", "Resource": function("echo"), "Next": "W" },
            "W": { "Type": "Wait", "Seconds": 7, "End": true },
        }),
    );
    let arn = express(&world, &definition).await;
    let start = world.ok("StartSyncExecution", json!({ "stateMachineArn": arn, "input": "[1]" }));
    let (answer, ()) = join!(start, world.advance(10));
    assert_eq!((&answer["status"], &answer["output"]), (&json!("SUCCEEDED"), &json!("[1]")));
    assert_eq!(answer["billingDetails"]["billedDurationInMilliseconds"], 7_000);
}

#[tokio::test]
async fn five_minutes_are_the_most() {
    let world = World::new().await;
    let definition = states("W", json!({ "W": { "Type": "Wait", "Seconds": 1000, "End": true } }));
    let arn = express(&world, &definition).await;
    let start = world.ok("StartSyncExecution", json!({ "stateMachineArn": arn }));
    let (answer, ()) = join!(start, world.advance(400));
    assert_eq!(answer["status"], "TIMED_OUT");
    assert_eq!(answer["billingDetails"]["billedDurationInMilliseconds"], 300_000);
    assert_eq!(world.kernel.next_due().map(|due| due > world.kernel.clock().now()), Some(true));
}

#[tokio::test]
async fn asynchronous_starts_leave_no_history_and_no_events() {
    let world = World::new().await;
    let arn = express(&world, &pass()).await;
    let start = json!({ "stateMachineArn": arn, "name": "e", "input": "{}" });
    let first = world.ok("StartExecution", start.clone()).await;
    let second = world.ok("StartExecution", start).await;
    assert_ne!(first["executionArn"], second["executionArn"]);
    world.kernel.idle().await;
    assert_eq!(world.statuses().await, Vec::<Value>::new());
    let execution = json!({ "executionArn": first["executionArn"] });
    let wrong = "InvalidArn: Invalid Arn: 'Resource type not valid in this context: express'";
    for operation in
        ["DescribeExecution", "StopExecution", "GetExecutionHistory", "DescribeStateMachineForExecution"]
    {
        assert_eq!(world.refused(operation, execution.clone()).await, wrong, "{operation}");
    }
    let wrong = "StateMachineTypeNotSupported: This operation is not supported by this type of state machine";
    assert_eq!(world.refused("ListExecutions", json!({ "stateMachineArn": arn })).await, wrong);
    let standard = world.create("standard", &pass()).await;
    assert_eq!(world.refused("StartSyncExecution", json!({ "stateMachineArn": standard })).await, wrong);
    let one = shown(&world, "DescribeExpressExecution", execution).await;
    assert_eq!(one["status"], "SUCCEEDED");
}

#[tokio::test]
async fn what_waits_for_others_is_refused() {
    let world = World::new().await;
    let cases = [
        ("arn:aws:states:::states:startExecution.sync", "'.sync' service integration"),
        ("arn:aws:states:::states:startExecution.sync:2", "'.sync:2' service integration"),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "'.waitForTaskToken' service integration"),
        ("arn:aws:states:eu-west-1:000000000000:activity:a", "Activity ARN"),
    ];
    for (resource, what) in cases {
        let definition = states("T", json!({ "T": { "Type": "Task", "Resource": resource, "End": true } }));
        let request = json!({
            "name": "m", "definition": definition.to_string(), "roleArn": ROLE, "type": "EXPRESS",
        });
        let refused = world.refused("CreateStateMachine", request).await;
        let expected = format!("Express state machine does not support {what}");
        assert!(refused.starts_with("InvalidDefinition: ") && refused.contains(&expected), "{refused}");
    }
}

#[tokio::test]
async fn they_go_with_their_machine_and_after_a_week() {
    let world = World::new().await;
    let wait = states("W", json!({ "W": { "Type": "Wait", "SecondsPath": "$.s", "End": true } }));
    let arn = express(&world, &wait).await;
    for seconds in [0, 0, 100] {
        let input = json!({ "stateMachineArn": arn, "input": json!({ "s": seconds }).to_string() });
        world.ok("StartExecution", input).await;
    }
    let listed = async || {
        let listed =
            shown(&world, "ListExpressExecutions", json!({ "stateMachineArn": machine_arn("m") })).await;
        let status = |one: &Value| one["status"].as_str().unwrap().to_owned();
        listed["executions"].as_array().unwrap().iter().map(status).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, ["RUNNING", "SUCCEEDED", "SUCCEEDED"]);
    world.advance(100).await;
    assert_eq!(listed().await, ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]);
    world.advance(9 * 86_400).await;
    assert_eq!(listed().await, Vec::<String>::new());
    world.ok("StartExecution", json!({ "stateMachineArn": arn, "input": r#"{"s": 0}"# })).await;
    world.ok("StartExecution", json!({ "stateMachineArn": arn, "input": r#"{"s": 50}"# })).await;
    world.ok("DeleteStateMachine", json!({ "stateMachineArn": arn })).await;
    world.kernel.idle().await;
    express(&world, &wait).await;
    assert_eq!(listed().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_restart_in_the_middle_changes_nothing() {
    let mut world = World::new().await;
    let definition = states(
        "T",
        json!({
            "T": { "Type": "Task", "Resource": function("echo"), "Next": "W" },
            "W": { "Type": "Wait", "Seconds": 60, "End": true },
        }),
    );
    let arn = express(&world, &definition).await;
    let started = world.ok("StartExecution", json!({ "stateMachineArn": arn, "input": "[1]" })).await;
    world.advance(1).await;
    world.restart().await;
    world.advance(60).await;
    let one =
        shown(&world, "DescribeExpressExecution", json!({ "executionArn": started["executionArn"] })).await;
    assert_eq!((&one["status"], &one["output"]), (&json!("SUCCEEDED"), &json!("[1]")));
}
