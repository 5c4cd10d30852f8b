//! FIFO topics.

use serde_json::{Value, json};

use crate::world::{QUEUES, World};

fn message(group: &str, body: &str) -> Value {
    json!({ "Message": body, "MessageGroupId": group, "MessageDeduplicationId": format!("{group}/{body}") })
}

#[tokio::test]
async fn messages_arrive_in_the_order_of_their_groups_with_rising_numbers() {
    let mut world = World::new().await;
    let topic = world.topic("t.fifo", json!({ "FifoTopic": "true" })).await;
    world.subscribe(&topic, "q.fifo", json!({})).await;
    let mut numbers = Vec::new();
    for number in 0..20 {
        let mut input = message(["a", "b"][number % 2], &number.to_string());
        input["TopicArn"] = json!(topic);
        let published = world.ok("Publish", input).await;
        numbers.push(published["SequenceNumber"].as_str().unwrap().to_owned());
        if number == 10 {
            world.0.crash().await;
        }
    }
    world.0.idle().await;
    assert!(numbers.iter().all(|number| number.len() == 20));
    let messages = world.messages("q.fifo").await;
    assert_eq!(messages.len(), 20);
    for group in ["a", "b"] {
        let mine = messages.iter().filter(|message| message["Attributes"]["MessageGroupId"] == *group);
        let bodies: Vec<Value> =
            mine.map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap()).collect();
        let seen: Vec<&str> = bodies.iter().map(|body| body["SequenceNumber"].as_str().unwrap()).collect();
        assert!(seen.len() == 10 && seen.is_sorted_by(|a, b| a < b), "{seen:?}");
        assert!(seen.iter().all(|number| numbers.iter().any(|known| known == number)));
    }
}

#[tokio::test]
async fn a_message_is_known_again_for_five_minutes() {
    let world = World::new().await;
    let by_content = json!({ "FifoTopic": "true", "ContentBasedDeduplication": "true" });
    let topic = world.topic("t.fifo", by_content).await;
    world.subscribe(&topic, "q.fifo", json!({})).await;
    let input = json!({ "Message": "same", "MessageGroupId": "g" });
    let first = world.publish(&topic, input.clone()).await;
    assert_eq!(world.publish(&topic, input.clone()).await, first);
    assert_eq!(world.messages("q.fifo").await.len(), 1);
    world.0.advance(std::time::Duration::from_secs(300)).await;
    assert_ne!(world.publish(&topic, input).await["MessageId"], first["MessageId"]);
    let messages = world.messages("q.fifo").await;
    let id = "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5";
    assert_eq!((messages.len(), &messages[0]["Attributes"]["MessageDeduplicationId"]), (1, &json!(id)));
}

#[tokio::test]
async fn what_does_not_fit_the_kind_of_topic_is_refused() {
    let world = World::new().await;
    let standard = world.topic("t", json!({})).await;
    let fifo = world.topic("t.fifo", json!({ "FifoTopic": "true" })).await;
    for (topic, input, part) in [
        (&fifo, json!({}), "The MessageGroupId parameter is required for FIFO topics"),
        (&fifo, json!({ "MessageGroupId": "g" }), "ContentBasedDeduplication enabled"),
        (&fifo, json!({ "MessageGroupId": "a b", "MessageDeduplicationId": "d" }), "MessageGroupId Reason"),
        (&standard, json!({ "MessageDeduplicationId": "d" }), "not valid for this topic type"),
    ] {
        let mut all = json!({ "TopicArn": topic, "Message": "x" });
        all.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        let refused = world.refused("Publish", all).await;
        assert!(refused.contains(part), "{refused}");
    }
    let subscribe = |topic: &str, protocol: &str, endpoint: &str, attributes: Value| json!({ "TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint, "Attributes": attributes });
    let redrive = json!({ "RedrivePolicy": format!(r#"{{"deadLetterTargetArn":"{QUEUES}:dead"}}"#) });
    for (input, part) in [
        (
            subscribe(&standard, "sqs", &format!("{QUEUES}:q.fifo"), json!({})),
            "FIFO SQS Queues can not be subscribed",
        ),
        (subscribe(&fifo, "http", "http://127.0.0.1:1/", json!({})), "deliver to SQS queues only"),
        (subscribe(&fifo, "sqs", &format!("{QUEUES}:q.fifo"), redrive), "must be a FIFO queue"),
    ] {
        let refused = world.refused("Subscribe", input).await;
        assert!(refused.contains(part), "{refused}");
    }
    for (name, attributes) in [("t", json!({ "FifoTopic": "true" })), ("x.fifo", json!({}))] {
        world.refused("CreateTopic", json!({ "Name": name, "Attributes": attributes })).await;
    }
    world.subscribe(&standard, "q", json!({})).await;
    world.publish(&standard, json!({ "Message": "x", "MessageGroupId": "fair" })).await;
    assert_eq!(world.messages("q").await[0]["Attributes"]["MessageGroupId"], "fair");
}
