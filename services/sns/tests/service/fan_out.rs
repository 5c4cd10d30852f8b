//! Messages that are too much for one commit.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{QUEUES, World};

/// As many subscriptions with dead-letter queues make 13 MB of a message of 256 KiB.
const QUEUES_MANY: usize = 25;

async fn many(world: &World, suffix: &str) -> (String, Vec<String>) {
    let fifo = suffix == ".fifo";
    let attributes = if fifo { json!({ "FifoTopic": "true" }) } else { json!({}) };
    let topic = world.topic(&format!("t{suffix}"), attributes).await;
    let queues: Vec<String> = (0..QUEUES_MANY).map(|number| format!("many-{number}{suffix}")).collect();
    for queue in &queues {
        world.0.ok("sqs", "CreateQueue", json!({ "QueueName": queue })).await;
        let dead = format!(r#"{{"deadLetterTargetArn":"{QUEUES}:dead{suffix}"}}"#);
        world.subscribe(&topic, queue, json!({ "RedrivePolicy": dead })).await;
    }
    (topic, queues)
}

/// The first letter of every message, in the order of its group's numbers.
async fn letters(world: &World, queue: &str) -> String {
    let letter = |body: &Value| body["Message"].as_str().unwrap().chars().next().unwrap();
    world.bodies(queue).await.iter().map(letter).collect()
}

#[tokio::test]
async fn a_large_message_reaches_all_of_many_subscriptions_once() {
    for commits in [1, 2, 3, 100] {
        let mut world = World::new().await;
        let (topic, queues) = many(&world, "").await;
        let before = world.rows().await;
        let binary = json!({ "data": { "DataType": "Binary", "BinaryValue": "AQI=" } });
        let message =
            json!({ "TopicArn": topic, "Message": "a".repeat(260_000), "MessageAttributes": binary });
        world.0.die_after(commits);
        let published = world.0.call("sns", "Publish", message).await.unwrap();
        world.0.idle().await;
        world.0.crash().await;
        world.0.advance(Duration::from_secs(60)).await;
        for queue in &queues {
            assert_eq!(letters(&world, queue).await, "a", "{queue} after {commits} commits");
        }
        assert_eq!(world.rows().await, before, "nothing is left of the message");
        let spans = world.0.spans(published["MessageId"].as_str().unwrap()).await;
        let parts = spans.iter().filter(|span| span.operation == "sns:FanOut").count();
        assert!(parts >= 2, "{parts}");
    }
}

#[tokio::test]
async fn a_batch_of_many_messages_is_served_in_parts() {
    let world = World::new().await;
    let (topic, queues) = many(&world, "").await;
    let entries: Vec<Value> =
        ('a'..='j').map(|id| json!({ "Id": id, "Message": id.to_string().repeat(26_000) })).collect();
    let batch = json!({ "TopicArn": topic, "PublishBatchRequestEntries": entries });
    assert_eq!(world.ok("PublishBatch", batch).await["Successful"].as_array().unwrap().len(), 10);
    world.0.idle().await;
    for queue in &queues {
        let mut got: Vec<char> = letters(&world, queue).await.chars().collect();
        got.sort_unstable();
        assert_eq!(got, ('a'..='j').collect::<Vec<_>>(), "{queue}");
    }
}

#[tokio::test]
async fn nobody_passes_a_message_of_his_group_that_is_still_on_its_way() {
    let mut world = World::new().await;
    let (topic, queues) = many(&world, ".fifo").await;
    let entry = |id: &str, bytes: usize| json!({ "Id": id, "Message": id.repeat(bytes), "MessageGroupId": "g", "MessageDeduplicationId": id });
    let publish = async |entries: Value| {
        let batch = json!({ "TopicArn": topic, "PublishBatchRequestEntries": entries });
        assert_eq!(world.ok("PublishBatch", batch).await["Failed"], json!([]));
    };
    publish(json!([entry("a", 200_000), entry("b", 10)])).await;
    publish(json!([entry("c", 10), entry("d", 250_000)])).await;
    publish(json!([entry("e", 10)])).await;
    world.0.die_after(2);
    world.0.idle().await;
    world.0.crash().await;
    world.0.advance(Duration::from_secs(60)).await;
    for queue in &queues {
        assert_eq!(letters(&world, queue).await, "abcde", "{queue}");
    }
}
