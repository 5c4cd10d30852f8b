//! Activities and their workers.

use futures::join;
use serde_json::{Value, json};

use crate::world::World;

const ARN: &str = "arn:aws:states:eu-west-1:000000000000:activity:a";

fn definition(more: Value) -> Value {
    let mut state = json!({ "Type": "Task", "Resource": ARN, "End": true });
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "StartAt": "T", "States": { "T": state } })
}

async fn prepare() -> World {
    let world = World::new().await;
    let made = world.ok("CreateActivity", json!({ "name": "a" })).await;
    assert_eq!(made, json!({ "activityArn": ARN, "creationDate": 1_767_225_600 }));
    world
}

async fn ask(world: &World) -> Value {
    world.ok("GetActivityTask", json!({ "activityArn": ARN, "workerName": "w" })).await
}

#[tokio::test]
async fn a_worker_does_the_task() {
    let world = prepare().await;
    let arn =
        world.run(&definition(json!({ "HeartbeatSeconds": 10, "TimeoutSeconds": 100 })), r#"{"a":1}"#).await;
    world.advance(50).await;
    let task = ask(&world).await;
    assert_eq!(task["input"], r#"{"a":1}"#);
    for _ in 0..3 {
        world.advance(9).await;
        world.ok("SendTaskHeartbeat", json!({ "taskToken": task["taskToken"] })).await;
    }
    world.ok("SendTaskSuccess", json!({ "taskToken": task["taskToken"], "output": "[2]" })).await;
    assert_eq!(world.end(&arn).await, "SUCCEEDED [2]");
    assert_eq!(
        world.lines(&arn).await[2..5],
        [
            format!(
                r#"3<2 +0s ActivityScheduled {{"resource":"{ARN}","input":"{{\"a\":1}}","timeoutInSeconds":100,"heartbeatInSeconds":10}}"#
            ),
            r#"4<3 +50s ActivityStarted {"workerName":"w"}"#.to_owned(),
            r#"5<4 +77s ActivitySucceeded {"output":"[2]"}"#.to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_worker_waits_for_a_minute() {
    let world = prepare().await;
    let (none, ()) = join!(ask(&world), world.advance(61));
    assert_eq!(none, json!({}));
    world.create("m", &definition(json!({}))).await;
    let later = async {
        world.advance(30).await;
        world.start("m", "e", "[1]").await;
        world.kernel.idle().await;
    };
    let (task, ()) = join!(ask(&world), later);
    assert_eq!(task["input"], "[1]");
}

#[tokio::test]
async fn failures_timeouts_and_silence() {
    let world = prepare().await;
    world.create("m", &definition(json!({ "TimeoutSeconds": 20, "HeartbeatSeconds": 5 }))).await;
    let failed = world.start("m", "failed", "{}").await;
    world.kernel.idle().await;
    let task = ask(&world).await;
    world.ok("SendTaskFailure", json!({ "taskToken": task["taskToken"], "error": "E", "cause": "C" })).await;
    assert_eq!(world.end(&failed).await, "FAILED E C");
    let silent = world.start("m", "silent", "{}").await;
    world.kernel.idle().await;
    let task = ask(&world).await;
    world.advance(6).await;
    assert_eq!(world.end(&silent).await, "FAILED States.Timeout");
    let late =
        world.refused("SendTaskSuccess", json!({ "taskToken": task["taskToken"], "output": "{}" })).await;
    assert_eq!(late, "TaskTimedOut: Task Timed Out: 'Provided task does not exist anymore'");
    let unheard = world.start("m", "unheard", "{}").await;
    world.advance(21).await;
    assert_eq!(world.end(&unheard).await, "FAILED States.Timeout");
    assert_eq!(world.types(&unheard).await[3], "ActivityTimedOut");
    // What timed out is offered to nobody.
    let (none, ()) = join!(ask(&world), world.advance(61));
    assert_eq!(none, json!({}));
}

#[tokio::test]
async fn each_task_goes_to_one_worker_in_the_order_of_their_scheduling() {
    let world = prepare().await;
    world.create("m", &definition(json!({}))).await;
    for i in 0..3 {
        world.start("m", &format!("e{i}"), &i.to_string()).await;
        world.advance(1).await;
    }
    let (a, b, c) = join!(ask(&world), ask(&world), ask(&world));
    let mut inputs = [a, b, c].map(|task| task["input"].as_str().unwrap().to_owned());
    inputs.sort();
    assert_eq!(inputs, ["0", "1", "2"]);
}

#[tokio::test]
async fn activities_are_listed_tagged_and_deleted() {
    let world = prepare().await;
    world.ok("CreateActivity", json!({ "name": "b", "tags": [{ "key": "k", "value": "v" }] })).await;
    let page = world.ok("ListActivities", json!({ "maxResults": 1 })).await;
    assert_eq!(page["activities"][0]["activityArn"], ARN);
    let rest = world.ok("ListActivities", json!({ "nextToken": page["nextToken"] })).await;
    assert_eq!(rest["activities"][0]["name"], "b");
    let b = rest["activities"][0]["activityArn"].clone();
    let tags = world.ok("ListTagsForResource", json!({ "resourceArn": b })).await;
    assert_eq!(tags["tags"], json!([{ "key": "k", "value": "v" }]));
    let described = world.ok("DescribeActivity", json!({ "activityArn": ARN })).await;
    assert_eq!((&described["name"], &described["creationDate"]), (&json!("a"), &json!(1_767_225_600)));
    world.ok("DeleteActivity", json!({ "activityArn": ARN })).await;
    let gone = format!("ActivityDoesNotExist: Activity Does Not Exist: '{ARN}'");
    assert_eq!(world.refused("DescribeActivity", json!({ "activityArn": ARN })).await, gone);
    assert_eq!(world.refused("GetActivityTask", json!({ "activityArn": ARN })).await, gone);
    let arn = world.run(&definition(json!({})), "{}").await;
    assert_eq!(
        world.end(&arn).await,
        format!("FAILED ActivityDoesNotExist Activity Does Not Exist: '{ARN}'")
    );
    assert_eq!(world.types(&arn).await[3], "ActivityScheduleFailed");
}

#[tokio::test]
async fn a_task_survives_a_restart() {
    let mut world = prepare().await;
    let arn = world.run(&definition(json!({})), "[1]").await;
    world.restart().await;
    let task = ask(&world).await;
    world.restart().await;
    world.ok("SendTaskSuccess", json!({ "taskToken": task["taskToken"], "output": "[2]" })).await;
    assert_eq!(world.end(&arn).await, "SUCCEEDED [2]");
}
