//! What targets are given.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::World;

use crate::flaky::{self, Log};
use crate::support::{ROLE, bodies, hours, make_queue, messages, queue, schedule, world};

#[tokio::test]
async fn a_target_without_an_input_gets_a_standard_event() {
    let log = Arc::new(Log::default());
    let services = Arc::clone(&log);
    let world = World::new(move || vec![scheduler::service(), flaky::service(&services)]).await;
    let mut input = schedule("at(2026-01-01T01:00:00)", json!({ "Target": { "Arn": flaky::ARN } }));
    input["Target"].as_object_mut().unwrap().remove("Input");
    world.ok("scheduler", "CreateSchedule", input).await;
    world.advance(hours(1)).await;
    let given: Value = serde_json::from_str(&log.given.lock().unwrap()[0]).unwrap();
    let arn = "arn:aws:scheduler:eu-central-1:000000000000:schedule/default/s";
    assert_eq!(given["source"], "aws.scheduler");
    assert_eq!(given["detail-type"], "Scheduled Event");
    assert_eq!(given["time"], "2026-01-01T01:00:00Z");
    assert_eq!((&given["resources"], &given["detail"]), (&json!([arn]), &json!("{}")));
    // The chain of causes is found by the schedule's ARN.
    assert_eq!(world.chains(arn).await.len(), 1);
}

#[tokio::test]
async fn a_fifo_queue_gets_its_group() {
    let world = world().await;
    make_queue(&world, "in.fifo").await;
    let target = json!({ "Arn": queue("in.fifo"), "SqsParameters": { "MessageGroupId": "g" }, "Input": "x" });
    world.ok("scheduler", "CreateSchedule", schedule("rate(1 day)", json!({ "Target": target }))).await;
    world.idle().await;
    let sent = messages(&world, "in.fifo").await;
    assert_eq!((&sent[0]["Body"], &sent[0]["Attributes"]["MessageGroupId"]), (&json!("x"), &json!("g")));
}

#[tokio::test]
async fn a_universal_target_is_any_operation_that_is_served() {
    let world = world().await;
    let input = json!({ "QueueName": "made" }).to_string();
    let target = json!({
        "Arn": "arn:aws:scheduler:::aws-sdk:sqs:createQueue", "RoleArn": ROLE, "Input": input,
    });
    world.ok("scheduler", "CreateSchedule", schedule("rate(1 day)", json!({ "Target": target }))).await;
    world.idle().await;
    world.ok("sqs", "GetQueueUrl", json!({ "QueueName": "made" })).await;
    // A schedule that makes schedules.
    let made = schedule("rate(1 day)", json!({ "Name": "made" })).to_string();
    let target = json!({
        "Arn": "arn:aws:scheduler:::aws-sdk:scheduler:createSchedule", "RoleArn": ROLE, "Input": made,
    });
    let changes = json!({ "Name": "maker", "Target": target });
    world.ok("scheduler", "CreateSchedule", schedule("at(2026-01-01T06:00:00)", changes)).await;
    world.advance(hours(6)).await;
    assert_eq!(bodies(&world, "inbox").await, ["2026-01-01T06:00:00Z"]);
}

#[tokio::test]
async fn another_regions_queue_is_reached() {
    let world = world().await;
    let mut caller = world.caller();
    caller.region = base::Region::parse("us-east-1").unwrap();
    world.call_as(caller.clone(), "sqs", "CreateQueue", json!({ "QueueName": "far" })).await.unwrap();
    let target = json!({ "Arn": "arn:aws:sqs:us-east-1:000000000000:far" });
    let changes = json!({ "Target": target, "ActionAfterCompletion": "DELETE" });
    world.ok("scheduler", "CreateSchedule", schedule("at(2026-01-01T01:00:00)", changes)).await;
    world.advance(hours(1)).await;
    let received =
        world.call_as(caller, "sqs", "ReceiveMessage", json!({ "QueueUrl": "far" })).await.unwrap();
    assert_eq!(received["Messages"][0]["Body"], "2026-01-01T01:00:00Z");
    let listed = world.ok("scheduler", "ListSchedules", json!({})).await;
    assert_eq!(listed["Schedules"], json!([]), "it is deleted where it stands, not where its target does");
}
