//! What subscribers inside get, and when.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{QUEUES, TOPICS, World};

#[tokio::test]
async fn a_queue_gets_the_envelope_or_the_message_alone() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    let subscription = world.subscribe(&topic, "q", json!({})).await;
    world.subscribe(&topic, "other", json!({ "RawMessageDelivery": "true" })).await;
    let attributes = json!({
        "kind": { "DataType": "String", "StringValue": "greeting" },
        "data": { "DataType": "Binary", "BinaryValue": "AQI=" },
    });
    let input = json!({ "Message": "hello \"you\"", "Subject": "Hi", "MessageAttributes": attributes });
    let published = world.publish(&topic, input).await;
    let text = world.messages("q").await[0]["Body"].as_str().unwrap().to_owned();
    assert!(text.starts_with("{\n  \"Type\" : \"Notification\",\n  \"MessageId\" : \""), "{text}");
    let envelope: Value = serde_json::from_str(&text).unwrap();
    let unsubscribe = format!(
        "http://127.0.0.1:4566/?Action=Unsubscribe&SubscriptionArn={}&Version=2010-03-31",
        subscription.replace(':', "%3A")
    );
    let expected = json!({
        "Type": "Notification", "MessageId": published["MessageId"], "TopicArn": topic, "Subject": "Hi",
        "Message": "hello \"you\"", "Timestamp": "2026-01-01T00:00:00.000Z", "SignatureVersion": "1",
        "Signature": "", "SigningCertURL": "", "UnsubscribeURL": unsubscribe,
        "MessageAttributes": {
            "kind": { "Type": "String", "Value": "greeting" }, "data": { "Type": "Binary", "Value": "AQI=" },
        },
    });
    assert_eq!(envelope, expected);
    let raw = world.messages("other").await.remove(0);
    assert_eq!((&raw["Body"], &raw["MessageAttributes"]), (&json!("hello \"you\""), &attributes));
    let spans = world.0.spans(published["MessageId"].as_str().unwrap()).await;
    let operations: Vec<&str> = spans.iter().map(|span| span.operation.as_str()).collect();
    assert_eq!(operations, ["sns:Publish", "sqs:SendMessage", "sqs:SendMessage"]);
}

#[tokio::test]
async fn a_function_gets_a_record() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    let function = "arn:aws:lambda:eu-central-1:000000000000:function:f";
    let subscribe = json!({ "TopicArn": topic, "Protocol": "lambda", "Endpoint": function });
    let subscription = world.ok("Subscribe", subscribe).await["SubscriptionArn"].clone();
    world.publish(&topic, json!({ "Message": "hello" })).await;
    let record = world.bodies("invoked").await.remove(0)["Records"][0].clone();
    assert_eq!((&record["EventSource"], &record["EventSubscriptionArn"]), (&json!("aws:sns"), &subscription));
    assert_eq!((&record["Sns"]["Message"], &record["Sns"]["Subject"]), (&json!("hello"), &Value::Null));
    assert_eq!(record["Sns"]["MessageAttributes"], json!({}));
}

#[tokio::test]
async fn filters_decide_who_gets_a_message() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    let by_attribute = json!({ "FilterPolicy": r#"{"store":["corp"]}"# });
    let subscription = world.subscribe(&topic, "q", by_attribute).await;
    let by_body =
        json!({ "FilterPolicy": r#"{"n":[{"numeric":[">",5]}]}"#, "FilterPolicyScope": "MessageBody" });
    world.subscribe(&topic, "other", by_body).await;
    let corp = json!({ "store": { "DataType": "String", "StringValue": "corp" } });
    world.publish(&topic, json!({ "Message": "text", "MessageAttributes": corp })).await;
    world.publish(&topic, json!({ "Message": "{\"n\":6}" })).await;
    let last = world.publish(&topic, json!({ "Message": "{\"n\":1}" })).await;
    let texts = |bodies: Vec<Value>| bodies.iter().map(|body| body["Message"].clone()).collect::<Vec<_>>();
    assert_eq!(texts(world.bodies("q").await), ["text"]);
    assert_eq!(texts(world.bodies("other").await), ["{\"n\":6}"]);
    let spans = world.0.spans(last["MessageId"].as_str().unwrap()).await;
    let filtered: Vec<&str> = spans[0]
        .notes
        .iter()
        .filter(|note| note.kind == "filtered out")
        .map(|note| note.subject.as_str())
        .collect();
    assert!(filtered.len() == 2 && filtered.contains(&subscription.as_str()), "the trace says why not");
    let set =
        json!({ "SubscriptionArn": subscription, "AttributeName": "FilterPolicy", "AttributeValue": "{}" });
    world.ok("SetSubscriptionAttributes", set).await;
    world.publish(&topic, json!({ "Message": "all" })).await;
    assert_eq!(texts(world.bodies("q").await), ["all"]);
}

#[tokio::test]
async fn what_a_queue_refuses_goes_to_the_dead_letter_queue() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    let redrive = json!({ "RedrivePolicy": format!(r#"{{"deadLetterTargetArn":"{QUEUES}:dead"}}"#) });
    world.subscribe(&topic, "gone", redrive).await;
    world.publish(&topic, json!({ "Message": "x" })).await;
    let buried = world.bodies("dead").await;
    assert_eq!(buried.len(), 1);
    assert_eq!(buried[0]["Message"], "x");
    let topic = world.topic("t.fifo", json!({ "FifoTopic": "true" })).await;
    let redrive = json!({ "RedrivePolicy": format!(r#"{{"deadLetterTargetArn":"{QUEUES}:dead.fifo"}}"#) });
    world.subscribe(&topic, "gone.fifo", redrive).await;
    let input = json!({ "Message": "y", "MessageGroupId": "g", "MessageDeduplicationId": "d" });
    world.publish(&topic, input).await;
    let buried = world.messages("dead.fifo").await.remove(0);
    assert_eq!(buried["Attributes"], json!({ "MessageGroupId": "g", "MessageDeduplicationId": "d" }));
}

#[tokio::test]
async fn every_subscriber_gets_a_published_message_once_whenever_the_process_dies() {
    for commits in 0..5 {
        let mut world = World::new().await;
        let topic = world.topic("t", json!({})).await;
        world.subscribe(&topic, "q", json!({})).await;
        world.subscribe(&topic, "other", json!({})).await;
        world.0.die_after(commits);
        let publish = json!({ "TopicArn": topic, "Message": "x" });
        let accepted = world.0.call("sns", "Publish", publish).await.is_ok();
        assert_eq!(accepted, commits > 0);
        world.0.idle().await;
        world.0.crash().await;
        world.0.advance(Duration::from_secs(60)).await;
        for queue in ["q", "other"] {
            assert_eq!(world.messages(queue).await.len(), usize::from(accepted), "after {commits} commits");
        }
    }
}

#[tokio::test]
async fn one_message_may_read_differently_for_each_protocol() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    world.subscribe(&topic, "q", json!({})).await;
    let texts = json!({ "default": "short", "sqs": "for queues", "http": 5 }).to_string();
    world.publish(&topic, json!({ "Message": texts, "MessageStructure": "json" })).await;
    assert_eq!(world.bodies("q").await[0]["Message"], "for queues");
    for (message, part) in [("{}", "No default entry"), ("[", "failed to parse")] {
        let input = json!({ "TopicArn": topic, "Message": message, "MessageStructure": "json" });
        assert!(world.refused("Publish", input).await.contains(part), "{message}");
    }
}

#[tokio::test]
async fn a_batch_names_what_it_refuses() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    world.subscribe(&topic, "q", json!({})).await;
    let entries = json!([
        { "Id": "good", "Message": "1" },
        { "Id": "bad", "Message": "2", "Subject": "two\nlines" },
        { "Id": "fine", "Message": "3" },
    ]);
    let published =
        world.ok("PublishBatch", json!({ "TopicArn": topic, "PublishBatchRequestEntries": entries })).await;
    world.0.idle().await;
    assert_eq!(published["Successful"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&published["Failed"][0]["Id"], &published["Failed"][0]["Code"]),
        (&json!("bad"), &json!("InvalidParameter"))
    );
    assert_eq!(world.messages("q").await.len(), 2);
    let entry = |id: &str| json!({ "Id": id, "Message": "x" });
    for (entries, code) in [
        (json!([]), "EmptyBatchRequest"),
        (json!([entry("a"), entry("a")]), "BatchEntryIdsNotDistinct"),
        (json!([entry("a b")]), "InvalidBatchEntryId"),
        ((0..11).map(|i| entry(&i.to_string())).collect(), "TooManyEntriesInBatchRequest"),
    ] {
        let input = json!({ "TopicArn": format!("{TOPICS}:t"), "PublishBatchRequestEntries": entries });
        assert!(world.refused("PublishBatch", input).await.starts_with(code), "{code}");
    }
}
