//! Schedules whose targets are the real services.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/scheduler";

fn queue(name: &str) -> String {
    format!("arn:aws:sqs:eu-central-1:000000000000:{name}")
}

async fn world() -> World {
    let services = || vec![scheduler::service(), sqs::service(), events::service(), logs::service()];
    let world = World::new(services).await;
    for name in ["out", "dead"] {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": name })).await;
    }
    world
}

/// Makes a schedule that calls `target` once, and lets it do so.
async fn fire(world: &World, name: &str, mut target: Value) {
    target["RoleArn"] = ROLE.into();
    target["DeadLetterConfig"] = json!({ "Arn": queue("dead") });
    let schedule = json!({
        "Name": name, "ScheduleExpression": "at(2026-01-01T00:10:00)", "FlexibleTimeWindow": { "Mode": "OFF" },
        "ActionAfterCompletion": "DELETE", "Target": target,
    });
    world.ok("scheduler", "CreateSchedule", schedule).await;
    world.advance(Duration::from_secs(600)).await;
    assert_eq!(world.ok("scheduler", "ListSchedules", json!({})).await["Schedules"], json!([]));
}

async fn messages(world: &World, name: &str) -> Vec<Value> {
    let input = json!({
        "QueueUrl": queue(name), "MaxNumberOfMessages": 10, "AttributeNames": ["All"], "MessageAttributeNames": ["All"],
    });
    let answer = world.ok("sqs", "ReceiveMessage", input).await;
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_fifo_queue_takes_calls_in_a_group() {
    let world = world().await;
    let attributes = json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" });
    world.ok("sqs", "CreateQueue", json!({ "QueueName": "out.fifo", "Attributes": attributes })).await;
    let target = json!({
        "Arn": queue("out.fifo"), "SqsParameters": { "MessageGroupId": "g" },
        "Input": "at <aws.scheduler.scheduled-time>",
    });
    fire(&world, "s", target).await;
    let taken = messages(&world, "out.fifo").await;
    assert_eq!(taken[0]["Body"], "at 2026-01-01T00:10:00Z");
    assert_eq!(taken[0]["Attributes"]["MessageGroupId"], "g");
}

#[tokio::test]
async fn a_bus_gets_an_event() {
    let world = world().await;
    let rule = json!({ "Name": "r", "EventPattern": r#"{"source":["clock"],"detail-type":["Tick"]}"# });
    world.ok("events", "PutRule", rule).await;
    let targets = json!([{ "Id": "t", "Arn": queue("out"), "InputPath": "$.detail" }]);
    world.ok("events", "PutTargets", json!({ "Rule": "r", "Targets": targets })).await;
    let target = |bus: &str| {
        json!({
            "Arn": format!("arn:aws:events:eu-central-1:000000000000:event-bus/{bus}"),
            "EventBridgeParameters": { "Source": "clock", "DetailType": "Tick" }, "Input": r#"{"n":1}"#,
            "RetryPolicy": { "MaximumRetryAttempts": 0 },
        })
    };
    fire(&world, "s", target("default")).await;
    assert_eq!(messages(&world, "out").await[0]["Body"], r#"{"n":1}"#);
    // What a bus refuses in its answer is a failure.
    fire(&world, "t", target("gone")).await;
    let dead = messages(&world, "dead").await;
    assert_eq!(dead[0]["Body"], r#"{"n":1}"#);
    let attribute = |name: &str| dead[0]["MessageAttributes"][name]["StringValue"].clone();
    assert_eq!(attribute("SCHEDULED_TIME"), "2026-01-01T00:10:00Z");
    assert_eq!(attribute("TARGET_ARN"), "arn:aws:events:eu-central-1:000000000000:event-bus/gone");
}

#[tokio::test]
async fn a_bus_gets_what_an_update_says() {
    let world = world().await;
    let rule = json!({ "Name": "r", "EventPattern": r#"{"source":["new"],"detail-type":["Newer"]}"# });
    world.ok("events", "PutRule", rule).await;
    world
        .ok("events", "PutTargets", json!({ "Rule": "r", "Targets": [{ "Id": "t", "Arn": queue("out") }] }))
        .await;
    for (operation, source, kind) in [("CreateSchedule", "old", "Older"), ("UpdateSchedule", "new", "Newer")]
    {
        let target = json!({
            "Arn": "arn:aws:events:eu-central-1:000000000000:event-bus/default", "RoleArn": ROLE, "Input": "{}",
            "EventBridgeParameters": { "Source": source, "DetailType": kind },
        });
        let schedule = json!({
            "Name": "s", "ScheduleExpression": "at(2026-01-01T00:10:00)", "FlexibleTimeWindow": { "Mode": "OFF" },
            "Target": target,
        });
        world.ok("scheduler", operation, schedule).await;
    }
    world.advance(Duration::from_secs(600)).await;
    assert_eq!(messages(&world, "out").await.len(), 1);
}

#[tokio::test]
async fn universal_targets_are_written_as_the_sdks_write_them() {
    let world = world().await;
    let target = json!({
        "Arn": "arn:aws:scheduler:::aws-sdk:cloudwatchlogs:createLogGroup", "Input": r#"{"LogGroupName":"made"}"#,
    });
    fire(&world, "s", target).await;
    let groups = world.ok("logs", "DescribeLogGroups", json!({ "logGroupNamePrefix": "made" })).await;
    assert_eq!(groups["logGroups"][0]["logGroupName"], "made");
    let input = json!({ "QueueUrl": queue("out"), "MessageBody": "by the API" }).to_string();
    let target = json!({ "Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": input });
    fire(&world, "t", target).await;
    assert_eq!(messages(&world, "out").await[0]["Body"], "by the API");
    let schedule = |operation: &str| {
        json!({
            "Name": "x", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": { "Mode": "OFF" },
            "Target": { "Arn": format!("arn:aws:scheduler:::aws-sdk:sqs:{operation}"), "RoleArn": ROLE },
        })
    };
    for (operation, message) in [
        ("listQueues", "sqs:listQueues is not supported as a universal target: it is a read-only API."),
        ("brewCoffee", "BrewCoffee is no API of sqs."),
    ] {
        let fault = world.refused("scheduler", "CreateSchedule", schedule(operation)).await;
        assert_eq!((fault.code.as_ref(), fault.message.as_str()), ("ValidationException", message));
    }
}
