//! EventBridge with the real SQS as target and as dead-letter queue.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use serde_json::{Value, json};
use testkit::World;

const QUEUES: &str = "arn:aws:sqs:eu-central-1:000000000000";

async fn world() -> World {
    let world = World::new(|| vec![events::service(), sqs::service()]).await;
    for queue in ["out", "dead"] {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": queue })).await;
    }
    world
}

/// A rule for events of `source` to the queue `target`.
async fn rule(world: &World, source: &str, target: &str) {
    let pattern = json!({ "source": [source] }).to_string();
    world.ok("events", "PutRule", json!({ "Name": source, "EventPattern": pattern })).await;
    let target = json!({ "Id": "t", "Arn": format!("{QUEUES}:{target}"),
        "DeadLetterConfig": { "Arn": format!("{QUEUES}:dead") } });
    world.ok("events", "PutTargets", json!({ "Rule": source, "Targets": [target] })).await;
}

async fn put(world: &World, source: &str) -> String {
    let entry = json!({ "Source": source, "DetailType": "T", "Detail": "{\"n\":1}" });
    let put = world.ok("events", "PutEvents", json!({ "Entries": [entry] })).await;
    put["Entries"][0]["EventId"].as_str().unwrap().to_owned()
}

async fn receive(world: &World, queue: &str) -> Vec<Value> {
    let input = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"] });
    let got = world.ok("sqs", "ReceiveMessage", input).await;
    got["Messages"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn an_event_is_in_the_queue_once_whenever_the_process_dies() {
    for commits in 0..5 {
        let mut world = world().await;
        rule(&world, "a", "out").await;
        world.die_after(commits);
        let entry = json!({ "Source": "a", "DetailType": "T", "Detail": "{}" });
        let accepted = world.call("events", "PutEvents", json!({ "Entries": [entry] })).await.is_ok();
        world.idle().await;
        world.crash().await;
        let expected = usize::from(accepted);
        assert_eq!(receive(&world, "out").await.len(), expected, "after {commits} commits");
        world.advance(Duration::from_secs(60)).await;
        assert_eq!(receive(&world, "out").await.len(), expected, "the same message, visible again");
    }
}

#[tokio::test]
async fn what_cannot_be_delivered_is_in_the_dead_letter_queue_with_its_reasons() {
    let world = world().await;
    rule(&world, "a", "gone").await;
    let id = put(&world, "a").await;
    world.idle().await;
    let message = receive(&world, "dead").await.remove(0);
    let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    assert_eq!(body["id"], json!(id));
    let attributes = &message["MessageAttributes"];
    assert_eq!(attributes["ERROR_CODE"]["StringValue"], "NO_RESOURCE");
    assert_eq!(attributes["TARGET_ARN"]["StringValue"], format!("{QUEUES}:gone"));
    assert_eq!(attributes["RETRY_ATTEMPTS"]["StringValue"], "0");
}

#[tokio::test]
async fn the_trace_leads_from_the_event_to_the_message() {
    let world = world().await;
    rule(&world, "a", "out").await;
    let id = put(&world, "a").await;
    world.idle().await;
    let spans = world.spans(&id).await;
    let operations: Vec<&str> = spans.iter().map(|span| span.operation.as_str()).collect();
    assert_eq!(operations, ["events:PutEvents", "sqs:SendMessage"]);
}

#[tokio::test]
async fn a_fifo_queue_gets_events_in_the_group_that_the_target_names() {
    let world = world().await;
    let attributes = json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" });
    world.ok("sqs", "CreateQueue", json!({ "QueueName": "q.fifo", "Attributes": attributes })).await;
    world.ok("events", "PutRule", json!({ "Name": "r", "EventPattern": "{\"source\":[\"a\"]}" })).await;
    let target =
        json!({ "Id": "t", "Arn": format!("{QUEUES}:q.fifo"), "SqsParameters": { "MessageGroupId": "g" } });
    world.ok("events", "PutTargets", json!({ "Rule": "r", "Targets": [target] })).await;
    let id = put(&world, "a").await;
    world.idle().await;
    let input = json!({ "QueueUrl": "q.fifo", "AttributeNames": ["All"] });
    let message = world.ok("sqs", "ReceiveMessage", input).await["Messages"][0].clone();
    assert_eq!(message["Attributes"]["MessageGroupId"], "g");
    let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    assert_eq!(body["id"], json!(id));
}
