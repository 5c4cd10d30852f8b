//! Step Functions with the real SQS.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/machine";

async fn world() -> World {
    World::new(|| vec![events::service(), sqs::service(), states::service()]).await
}

async fn start(world: &World, definition: &Value) -> String {
    let machine = json!({ "name": "m", "definition": definition.to_string(), "roleArn": ROLE });
    let machine = world.ok("states", "CreateStateMachine", machine).await;
    let start = json!({ "stateMachineArn": machine["stateMachineArn"], "input": "{\"a\":1}" });
    let started = world.ok("states", "StartExecution", start).await;
    world.idle().await;
    started["executionArn"].as_str().unwrap().to_owned()
}

async fn receive(world: &World) -> Value {
    let got = world.ok("sqs", "ReceiveMessage", json!({ "QueueUrl": "q" })).await;
    got["Messages"][0].clone()
}

#[tokio::test]
async fn a_message_is_sent_and_its_answer_is_the_states_output() {
    let world = world().await;
    let url = world.ok("sqs", "CreateQueue", json!({ "QueueName": "q" })).await["QueueUrl"].clone();
    let send = json!({ "StartAt": "S", "States": { "S": { "Type": "Task", "End": true,
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": { "QueueUrl": url, "MessageBody.$": "$" } } } });
    let arn = start(&world, &send).await;
    let message = receive(&world).await;
    assert_eq!(message["Body"], "{\"a\":1}");
    let shown = world.ok("states", "DescribeExecution", json!({ "executionArn": arn })).await;
    let output: Value = serde_json::from_str(shown["output"].as_str().unwrap()).unwrap();
    assert_eq!(output["MessageId"], message["MessageId"]);
    assert_eq!(output["MD5OfMessageBody"], message["MD5OfBody"]);
}

#[tokio::test]
async fn a_token_travels_through_a_queue_and_a_crash() {
    let mut world = world().await;
    let url = world.ok("sqs", "CreateQueue", json!({ "QueueName": "q" })).await["QueueUrl"].clone();
    let ask = json!({ "StartAt": "S", "States": { "S": { "Type": "Task", "End": true,
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": { "QueueUrl": url, "MessageBody": { "token.$": "$$.Task.Token" } } } } });
    let arn = start(&world, &ask).await;
    receive(&world).await;
    world.crash().await;
    world.advance(Duration::from_secs(30)).await;
    let message = receive(&world).await;
    assert_eq!(message["Attributes"], Value::Null);
    let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    let answer = json!({ "taskToken": body["token"], "output": "\"yes\"" });
    world.ok("states", "SendTaskSuccess", answer).await;
    world.idle().await;
    let shown = world.ok("states", "DescribeExecution", json!({ "executionArn": arn })).await;
    assert_eq!((&shown["status"], &shown["output"]), (&json!("SUCCEEDED"), &json!("\"yes\"")));
}
