//! A cloud with buses and a mailbox, and what its tests say often.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{World, mailbox};

pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/delivery";

pub(crate) fn queue(name: &str) -> String {
    format!("arn:aws:sqs:eu-central-1:000000000000:{name}")
}

/// A world whose mailbox has the queues `inbox` and `dead`, and the ARN of a bus in it.
pub(crate) async fn world() -> (World, String) {
    let world = World::new(|| vec![eventsv2::service(), mailbox::service()]).await;
    let bus = furnish(&world).await;
    (world, bus)
}

pub(crate) async fn furnish(world: &World) -> String {
    for name in ["inbox", "dead"] {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": name })).await;
    }
    make_bus(world, "orders").await
}

pub(crate) async fn make_bus(world: &World, name: &str) -> String {
    let input = json!({ "Name": name, "StorageConfiguration": { "RetentionPeriodInDays": 7 } });
    text(&world.ok("eventsv2", "CreateEventBus", input).await["EventBusArn"])
}

/// A subscriber `s` of the bus that sends to `inbox`, with `changes` to it.
pub(crate) fn subscriber(bus: &str, changes: Value) -> Value {
    let mut subscriber = json!({
        "Name": "s", "EventBusArn": bus,
        "InvokeConfiguration": { "TargetArn": queue("inbox"), "RoleArn": ROLE },
    });
    merge(&mut subscriber, changes);
    subscriber
}

pub(crate) async fn subscribe(world: &World, bus: &str, changes: Value) -> String {
    let made = world.ok("eventsv2", "CreateSubscriber", subscriber(bus, changes)).await;
    text(&made["SubscriberArn"])
}

fn merge(into: &mut Value, changes: Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (name, change) in changes {
                merge(into.entry(name).or_insert(Value::Null), change);
            }
        }
        (into, change) => *into = change,
    }
}

/// An entry of `PutRawEvents`.
pub(crate) fn raw(data: &Value) -> Value {
    let data = base::schema::Blob::from(data.to_string().into_bytes()).to_base64();
    json!({ "Data": data, "SystemMetadata": { "ContentType": "application/json" } })
}

/// An entry of an event group.
pub(crate) fn grouped(data: &Value, group: &str) -> Value {
    let mut entry = raw(data);
    entry["SystemMetadata"]["EventGroupId"] = group.into();
    entry
}

pub(crate) async fn publish(world: &World, bus: &str, entries: &[Value]) -> Vec<Value> {
    let input = json!({ "EventBusArn": bus, "Entries": entries });
    let answer = world.ok("eventsv2", "PutRawEvents", input).await;
    assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
    answer["Entries"].as_array().unwrap().clone()
}

/// Publishes numbers and lets all that follows happen.
pub(crate) async fn publish_numbers(world: &World, bus: &str, numbers: impl IntoIterator<Item = u32>) {
    for n in numbers {
        publish(world, bus, &[raw(&json!({ "n": n }))]).await;
    }
    world.idle().await;
}

/// Takes all messages that are visible in a queue; none of them is seen again by this.
pub(crate) async fn messages(world: &World, name: &str) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let input =
            json!({ "QueueUrl": name, "MaxNumberOfMessages": 10, "VisibilityTimeout": 1_000_000_000 });
        let answer = world.ok("sqs", "ReceiveMessage", input).await;
        match answer["Messages"].as_array() {
            Some(messages) => all.extend(messages.iter().cloned()),
            None => return all,
        }
    }
}

/// The same as documents.
pub(crate) async fn bodies(world: &World, name: &str) -> Vec<Value> {
    let messages = messages(world, name).await;
    messages.iter().map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap()).collect()
}

/// The numbers that came to a queue, in the order of their values.
pub(crate) async fn numbers(world: &World, name: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> =
        bodies(world, name).await.iter().map(|body| body["n"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(crate) fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3_600)
}
