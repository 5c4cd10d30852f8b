//! A cloud with a scheduler and a mailbox, and what its tests say often.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{World, mailbox};

pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/scheduler";

pub(crate) fn queue(name: &str) -> String {
    format!("arn:aws:sqs:eu-central-1:000000000000:{name}")
}

/// A world whose mailbox has the queue `inbox`.
pub(crate) async fn world() -> World {
    let world = World::new(|| vec![scheduler::service(), mailbox::service()]).await;
    make_queue(&world, "inbox").await;
    world
}

pub(crate) async fn make_queue(world: &World, name: &str) {
    world.ok("sqs", "CreateQueue", json!({ "QueueName": name })).await;
}

/// A schedule `s` whose target is the queue `inbox`, with `changes` to it.
pub(crate) fn schedule(expression: &str, changes: Value) -> Value {
    let mut schedule = json!({
        "Name": "s",
        "ScheduleExpression": expression,
        "FlexibleTimeWindow": { "Mode": "OFF" },
        "Target": { "Arn": queue("inbox"), "RoleArn": ROLE, "Input": "<aws.scheduler.scheduled-time>" },
    });
    merge(&mut schedule, changes);
    schedule
}

pub(crate) fn merge(into: &mut Value, changes: Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (name, change) in changes {
                merge(into.entry(name).or_insert(Value::Null), change);
            }
        }
        (into, change) => *into = change,
    }
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

pub(crate) async fn bodies(world: &World, name: &str) -> Vec<String> {
    let messages = messages(world, name).await;
    messages.iter().map(|message| message["Body"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

pub(crate) fn hours(n: u64) -> Duration {
    minutes(n * 60)
}
