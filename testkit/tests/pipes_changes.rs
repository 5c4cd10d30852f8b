//! Pipes that are changed while messages come to them: what was received is delivered once, and nothing is hidden by it.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/pipe";
/// How far the pipe's loop and the change have come when they meet differs from message to message.
const MESSAGES: usize = 120;

fn queue(name: &str) -> String {
    format!("arn:aws:sqs:eu-central-1:000000000000:{name}")
}

/// A pipe from `in` to `out`. What it receives and does not deliver goes to `dead`, as soon as it would come again.
async fn world() -> World {
    let world = World::new(|| vec![pipes::service(), sqs::service()]).await;
    for name in ["dead", "out"] {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": name })).await;
    }
    let redrive = json!({ "deadLetterTargetArn": queue("dead"), "maxReceiveCount": 1 }).to_string();
    let attributes = json!({ "VisibilityTimeout": "60", "RedrivePolicy": redrive });
    world.ok("sqs", "CreateQueue", json!({ "QueueName": "in", "Attributes": attributes })).await;
    let pipe = json!({
        "Name": "p", "Source": queue("in"), "Target": queue("out"), "RoleArn": ROLE,
        "TargetParameters": { "InputTemplate": "<$.body>" },
    });
    world.ok("pipes", "CreatePipe", pipe).await;
    world.idle().await;
    world
}

async fn state(world: &World) -> Value {
    world.idle().await;
    world.ok("pipes", "DescribePipe", json!({ "Name": "p" })).await["CurrentState"].clone()
}

/// All messages that a queue shows.
async fn taken(world: &World, name: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    for _ in 0..MESSAGES {
        let input = json!({ "QueueUrl": queue(name), "MaxNumberOfMessages": 10 });
        let answer = world.ok("sqs", "ReceiveMessage", input).await;
        let Some(messages) = answer["Messages"].as_array() else { break };
        bodies.extend(messages.iter().map(|message| message["Body"].as_str().unwrap().to_owned()));
    }
    bodies
}

async fn go_on() {
    for _ in 0..300 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_received_while_the_pipe_changes_is_delivered_once() {
    let world = world().await;
    for n in 0..MESSAGES {
        let send = json!({ "QueueUrl": queue("in"), "MessageBody": n.to_string() });
        world.ok("sqs", "SendMessage", send).await;
        for _ in 0..n % 40 {
            tokio::task::yield_now().await;
        }
        let update = json!({ "Name": "p", "RoleArn": ROLE, "Description": n.to_string() });
        match n / 40 {
            0 => drop(world.ok("pipes", "UpdatePipe", update).await),
            _ => {
                world.ok("pipes", "StopPipe", json!({ "Name": "p" })).await;
                assert_eq!(state(&world).await, "STOPPED");
                world.ok("pipes", "StartPipe", json!({ "Name": "p" })).await;
            }
        }
        assert_eq!(state(&world).await, "RUNNING");
    }
    go_on().await;
    // A receive whose messages nobody had would be seen now.
    for _ in 0..3 {
        world.advance(Duration::from_secs(61)).await;
        go_on().await;
    }
    let mut numbers: Vec<usize> =
        taken(&world, "out").await.iter().map(|body| body.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..MESSAGES).collect::<Vec<_>>());
    assert_eq!(taken(&world, "dead").await, Vec::<String>::new());
}
