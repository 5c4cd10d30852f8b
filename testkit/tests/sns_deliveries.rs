//! SNS with the real SQS and EventBridge around it.

use serde_json::{Value, json};
use testkit::World;

const QUEUES: &str = "arn:aws:sqs:eu-central-1:000000000000";

async fn world() -> World {
    World::new(|| vec![events::service(), sns::service(), sqs::service()]).await
}

/// A topic with a subscribed queue of the same name; the topic's ARN.
async fn topic(world: &World, name: &str, kind: Option<&str>, subscription: Value) -> Value {
    let fifo = kind.is_some();
    let attributes = |member: &str| if fifo { json!({ member: "true" }) } else { json!({}) };
    let queue = json!({ "QueueName": name, "Attributes": attributes("FifoQueue") });
    world.ok("sqs", "CreateQueue", queue).await;
    let made =
        world.ok("sns", "CreateTopic", json!({ "Name": name, "Attributes": attributes("FifoTopic") })).await;
    let subscribe = json!({ "TopicArn": made["TopicArn"], "Protocol": "sqs", "Endpoint": format!("{QUEUES}:{name}"), "Attributes": subscription });
    world.ok("sns", "Subscribe", subscribe).await;
    made["TopicArn"].clone()
}

async fn receive(world: &World, queue: &str) -> Vec<Value> {
    let input = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"],
        "AttributeNames": ["All"] });
    let got = world.ok("sqs", "ReceiveMessage", input).await;
    got["Messages"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_rule_publishes_to_a_topic_which_sends_to_a_queue() {
    let world = world().await;
    let arn = topic(&world, "t", None, json!({})).await;
    world.ok("events", "PutRule", json!({ "Name": "r", "EventPattern": "{\"source\":[\"a\"]}" })).await;
    world.ok("events", "PutTargets", json!({ "Rule": "r", "Targets": [{ "Id": "t", "Arn": arn }] })).await;
    let entry = json!({ "Source": "a", "DetailType": "T", "Detail": "{\"n\":1}" });
    let put = world.ok("events", "PutEvents", json!({ "Entries": [entry] })).await;
    world.idle().await;
    let message = receive(&world, "t").await.remove(0);
    let envelope: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    let event: Value = serde_json::from_str(envelope["Message"].as_str().unwrap()).unwrap();
    assert_eq!((&envelope["TopicArn"], &event["id"]), (&arn, &put["Entries"][0]["EventId"]));
    let spans = world.spans(event["id"].as_str().unwrap()).await;
    let operations: Vec<&str> = spans.iter().map(|span| span.operation.as_str()).collect();
    assert_eq!(operations, ["events:PutEvents", "sns:Publish", "sqs:SendMessage"]);
}

#[tokio::test]
async fn a_fifo_topic_and_its_fifo_queue_agree_on_order_and_ids() {
    let mut world = world().await;
    let raw = json!({ "RawMessageDelivery": "true" });
    let arn = topic(&world, "t.fifo", Some("fifo"), raw).await;
    for number in 0..6 {
        let input = json!({ "TopicArn": arn, "Message": number.to_string(), "MessageGroupId": "g",
            "MessageDeduplicationId": number.to_string(),
            "MessageAttributes": { "n": { "DataType": "Number", "StringValue": "1" } } });
        world.ok("sns", "Publish", input.clone()).await;
        world.ok("sns", "Publish", input).await;
        if number == 3 {
            world.crash().await;
        }
    }
    world.idle().await;
    let messages = receive(&world, "t.fifo").await;
    let bodies: Vec<&str> = messages.iter().map(|message| message["Body"].as_str().unwrap()).collect();
    assert_eq!(bodies, ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(messages[0]["Attributes"]["MessageDeduplicationId"], "0");
    assert_eq!(messages[0]["MessageAttributes"]["n"], json!({ "DataType": "Number", "StringValue": "1" }));
}
