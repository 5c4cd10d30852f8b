//! Messages that are moved out of dead-letter queues.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::World;

const ARN: &str = "arn:aws:sqs:eu-central-1:000000000000";

/// Queues `q` and `dead`, of which the second holds `count` messages of the first.
async fn buried(world: &World, suffix: &str, count: usize) -> (String, String) {
    let fifo = if suffix.is_empty() { json!({}) } else { json!({ "FifoQueue": "true" }) };
    let dead = world.queue(&format!("dead{suffix}"), fifo.clone()).await;
    let mut attributes = fifo;
    attributes["RedrivePolicy"] =
        json!(format!(r#"{{"deadLetterTargetArn":"{ARN}:dead{suffix}","maxReceiveCount":1}}"#));
    attributes["VisibilityTimeout"] = json!("0");
    let url = world.queue(&format!("q{suffix}"), attributes).await;
    for number in 0..count {
        let mut send = json!({ "QueueUrl": url, "MessageBody": number.to_string() });
        if !suffix.is_empty() {
            send["MessageGroupId"] = json!("g");
            send["MessageDeduplicationId"] = json!(number.to_string());
        }
        world.ok("SendMessage", send).await;
    }
    while world.counts(&url).await[0] != "0" {
        world.receive(&url, json!({})).await;
    }
    assert_eq!(world.counts(&dead).await[0], count.to_string());
    (url, dead)
}

async fn listed(world: &World, queue: &str) -> Value {
    let list = json!({ "SourceArn": format!("{ARN}:{queue}"), "MaxResults": 10 });
    world.ok("ListMessageMoveTasks", list).await["Results"].clone()
}

#[tokio::test]
async fn messages_go_back_to_where_they_came_from() {
    for suffix in ["", ".fifo"] {
        let world = World::new().await;
        let (url, dead) = buried(&world, suffix, 12).await;
        let source = format!("dead{suffix}");
        world.ok("StartMessageMoveTask", json!({ "SourceArn": format!("{ARN}:{source}") })).await;
        world.0.idle().await;
        assert_eq!((&world.counts(&url).await[0][..], &world.counts(&dead).await[0][..]), ("12", "0"));
        let tasks = listed(&world, &source).await;
        assert_eq!((&tasks[0]["Status"], &tasks[0]["TaskHandle"]), (&json!("COMPLETED"), &Value::Null));
        assert_eq!(tasks[0]["ApproximateNumberOfMessagesMoved"], 12);
        assert_eq!(tasks[0]["ApproximateNumberOfMessagesToMove"], 12);
        if !suffix.is_empty() {
            assert_eq!(world.bodies(&url).await, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        }
    }
}

#[tokio::test]
async fn a_task_keeps_to_its_rate_and_can_be_called_off() {
    let world = World::new().await;
    let (_, dead) = buried(&world, "", 10).await;
    let other = world.queue("other", json!({})).await;
    let start = json!({ "SourceArn": format!("{ARN}:dead"), "DestinationArn": format!("{ARN}:other"),
        "MaxNumberOfMessagesPerSecond": 2 });
    let handle = world.ok("StartMessageMoveTask", start.clone()).await["TaskHandle"].clone();
    world.0.advance(Duration::from_millis(1_500)).await;
    assert_eq!((&world.counts(&other).await[0][..], &world.counts(&dead).await[0][..]), ("4", "6"));
    assert_eq!(listed(&world, "dead").await[0]["TaskHandle"], handle);
    assert_eq!(world.refused("StartMessageMoveTask", start).await.0, "UnsupportedOperation");
    let cancelled = world.ok("CancelMessageMoveTask", json!({ "TaskHandle": handle })).await;
    assert_eq!(cancelled["ApproximateNumberOfMessagesMoved"], 4);
    world.0.advance(Duration::from_secs(10)).await;
    assert_eq!(world.counts(&dead).await[0], "6");
    assert_eq!(listed(&world, "dead").await[0]["Status"], "CANCELLED");
    assert_eq!(
        world.refused("CancelMessageMoveTask", json!({ "TaskHandle": handle })).await.0,
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn what_has_nowhere_to_go_stays_and_the_task_says_why() {
    let world = World::new().await;
    let (url, dead) = buried(&world, "", 3).await;
    world.send(&dead, "sent there by hand").await;
    let start = json!({ "SourceArn": format!("{ARN}:dead") });
    world.ok("DeleteQueue", json!({ "QueueUrl": url })).await;
    assert_eq!(
        world.refused("StartMessageMoveTask", start.clone()).await.0,
        "InvalidParameterValue",
        "nobody's dead-letter queue any more"
    );
    let policy = format!(r#"{{"deadLetterTargetArn":"{ARN}:dead","maxReceiveCount":1}}"#);
    world.queue("another", json!({ "RedrivePolicy": policy })).await;
    world.ok("StartMessageMoveTask", start).await;
    world.0.idle().await;
    let tasks = listed(&world, "dead").await;
    assert_eq!(tasks[0]["Status"], "FAILED");
    assert_eq!(tasks[0]["FailureReason"], "AWS.SimpleQueueService.NonExistentQueue");
    assert_eq!(world.counts(&dead).await[0], "4");
}

#[tokio::test]
async fn a_move_goes_on_after_a_crash_and_moves_each_message_once() {
    for commits in 1..6 {
        let mut world = World::new().await;
        let (url, dead) = buried(&world, "", 6).await;
        world.0.die_after(commits);
        let start = json!({ "SourceArn": format!("{ARN}:dead"), "MaxNumberOfMessagesPerSecond": 2 });
        world.ok("StartMessageMoveTask", start).await;
        world.0.advance(Duration::from_secs(5)).await;
        world.0.crash().await;
        world.0.advance(Duration::from_secs(5)).await;
        let counts = (world.counts(&url).await[0].clone(), world.counts(&dead).await[0].clone());
        assert_eq!(counts, ("6".to_owned(), "0".to_owned()), "after {commits} commits");
    }
}

#[tokio::test]
async fn a_move_takes_as_many_commits_as_its_bytes_and_its_rate_need() {
    let world = World::new().await;
    let dead = world.queue("dead", json!({})).await;
    let other = world.queue("other", json!({})).await;
    let large = "x".repeat(1_048_576);
    for _ in 0..10 {
        world.send(&dead, &large).await;
    }
    let start = json!({ "SourceArn": format!("{ARN}:dead"), "DestinationArn": format!("{ARN}:other") });
    world.ok("StartMessageMoveTask", start).await;
    world.0.idle().await;
    assert_eq!((&world.counts(&other).await[0][..], &world.counts(&dead).await[0][..]), ("10", "0"));

    // As deep in a chain of causes as anything can be: the parts of one move are no further hops.
    let back = json!({ "SourceArn": format!("{ARN}:other"), "DestinationArn": format!("{ARN}:dead"),
        "MaxNumberOfMessagesPerSecond": 1 });
    let mut caller = world.0.caller();
    caller.trace.hop = 255;
    world.0.call_as(caller, "sqs", "StartMessageMoveTask", back).await.unwrap();
    world.0.advance(Duration::from_secs(12)).await;
    assert_eq!((&world.counts(&other).await[0][..], &world.counts(&dead).await[0][..]), ("0", "10"));
    assert_eq!(listed(&world, "other").await[0]["Status"], "COMPLETED");
}

#[tokio::test]
async fn a_slow_move_goes_past_groups_whose_messages_are_newer() {
    let world = World::new().await;
    let fifo = json!({ "FifoQueue": "true" });
    let dead = world.queue("dead.fifo", fifo.clone()).await;
    let other = world.queue("other.fifo", fifo).await;
    let send = async |group: &str, count: usize| {
        for number in 0..count {
            let send = json!({ "QueueUrl": dead, "MessageBody": "x", "MessageGroupId": group,
                "MessageDeduplicationId": format!("{group}{number}") });
            world.ok("SendMessage", send).await;
        }
    };
    send("a", 3).await;
    send("b", 3).await;
    world.0.advance(Duration::from_secs(1)).await;
    let start = json!({ "SourceArn": format!("{ARN}:dead.fifo"), "DestinationArn": format!("{ARN}:other.fifo"),
        "MaxNumberOfMessagesPerSecond": 2 });
    world.ok("StartMessageMoveTask", start).await;
    world.0.advance(Duration::from_millis(500)).await;
    for number in 0..120 {
        send(&format!("new{number}"), 1).await;
    }
    world.0.advance(Duration::from_secs(10)).await;
    assert_eq!((&world.counts(&other).await[0][..], &world.counts(&dead).await[0][..]), ("6", "120"));
    assert_eq!(listed(&world, "dead.fifo").await[0]["Status"], "COMPLETED");
}

#[tokio::test]
async fn queues_of_others_are_no_source_and_no_destination() {
    let world = World::new().await;
    buried(&world, "", 1).await;
    world.queue("other", json!({})).await;
    let elsewhere =
        ["arn:aws:sqs:eu-central-1:111122223333", "arn:aws:sqs:us-east-1:000000000000"].map(str::to_owned);
    for far in elsewhere {
        let start = |source: String, destination: String| json!({ "SourceArn": source, "DestinationArn": destination });
        for (input, parameter) in [
            (start(format!("{far}:dead"), format!("{ARN}:other")), "SourceArn"),
            (start(format!("{ARN}:dead"), format!("{far}:other")), "DestinationArn"),
        ] {
            let (code, message) = world.refused("StartMessageMoveTask", input).await;
            assert_eq!(code, "ResourceNotFoundException");
            assert!(message.contains(parameter), "{message}");
        }
    }
    assert_eq!(listed(&world, "dead").await, json!([]));
}
