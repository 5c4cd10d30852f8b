//! Standard queues.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::World;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_message_is_sent_received_and_deleted() {
    let world = World::new().await;
    let url = world.queue("q", json!({})).await;
    assert_eq!(url, "http://127.0.0.1:4566/000000000000/q");
    let input = json!({
        "QueueUrl": url, "MessageBody": "hello",
        "MessageAttributes": { "kind": { "DataType": "String", "StringValue": "greeting" } },
    });
    let sent = world.ok("SendMessage", input).await;
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    let received = world.receive(&url, json!({ "MessageAttributeNames": ["All"] })).await;
    assert_eq!(received.len(), 1);
    let message = &received[0];
    assert_eq!(message["MessageId"], sent["MessageId"]);
    assert_eq!(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert_eq!(message["MessageAttributes"]["kind"]["StringValue"], "greeting");
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(message["Attributes"]["SentTimestamp"], "1767225600000");
    assert_eq!(world.counts(&url).await, ["0", "1", "0"]);
    world.ok("DeleteMessage", json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] })).await;
    assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
    world.ok("DeleteMessage", json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] })).await;
}

#[tokio::test]
async fn a_received_message_is_invisible_for_its_timeout() {
    let world = World::new().await;
    let url = world.queue("q", json!({ "VisibilityTimeout": "30" })).await;
    world.send(&url, "x").await;
    let first = world.receive(&url, json!({})).await.remove(0);
    world.0.advance(Duration::from_secs(29)).await;
    assert!(world.bodies(&url).await.is_empty());
    world.0.advance(Duration::from_secs(1)).await;
    let second = world.receive(&url, json!({})).await.remove(0);
    assert_eq!(second["Attributes"]["ApproximateReceiveCount"], "2");
    // The handle of the first receive is no longer the last one: it deletes nothing, and that is no error.
    world.ok("DeleteMessage", json!({ "QueueUrl": url, "ReceiptHandle": first["ReceiptHandle"] })).await;
    assert_eq!(world.counts(&url).await, ["0", "1", "0"]);
}

#[tokio::test]
async fn visibility_can_be_changed_and_the_handle_stays_good() {
    let world = World::new().await;
    let url = world.queue("q", json!({})).await;
    world.send(&url, "x").await;
    let message = world.receive(&url, json!({})).await.remove(0);
    let change = |seconds: u32| json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": seconds });
    world.ok("ChangeMessageVisibility", change(600)).await;
    world.ok("ChangeMessageVisibility", change(900)).await;
    world.0.advance(Duration::from_secs(899)).await;
    assert!(world.bodies(&url).await.is_empty());
    world.ok("DeleteMessage", json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] })).await;
    world.0.advance(HOUR).await;
    assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
    let (code, _) = world.refused("ChangeMessageVisibility", change(1)).await;
    assert_eq!(code, "MessageNotInflight");
}

#[tokio::test]
async fn a_message_is_invisible_for_twelve_hours_at_most() {
    for (suffix, kind) in [("", json!({})), (".fifo", json!({ "FifoQueue": "true" }))] {
        let world = World::new().await;
        let url = world.queue(&format!("q{suffix}"), kind).await;
        let mut send = json!({ "QueueUrl": url, "MessageBody": "x" });
        if !suffix.is_empty() {
            (send["MessageGroupId"], send["MessageDeduplicationId"]) = (json!("g"), json!("d"));
        }
        world.ok("SendMessage", send).await;
        let message = world.receive(&url, json!({ "VisibilityTimeout": 3_600 })).await.remove(0);
        let handle = &message["ReceiptHandle"];
        let change =
            |seconds: u32| json!({ "QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": seconds });
        world.ok("ChangeMessageVisibility", change(43_200)).await;
        world.0.advance(HOUR).await;
        let (code, message) = world.refused("ChangeMessageVisibility", change(43_200)).await;
        assert_eq!(code, "InvalidParameterValue");
        assert_eq!(
            message,
            "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]."
        );
        let entry = json!({ "Id": "a", "ReceiptHandle": handle, "VisibilityTimeout": 39_601 });
        let batch = json!({ "QueueUrl": url, "Entries": [entry] });
        let failed = world.ok("ChangeMessageVisibilityBatch", batch).await["Failed"][0].clone();
        assert_eq!(
            (&failed["Code"], &failed["SenderFault"]),
            (&json!("InvalidParameterValue"), &json!(true))
        );
        world.ok("ChangeMessageVisibility", change(39_600)).await;
    }
}

#[tokio::test]
async fn handles_and_tokens_that_are_none_are_refused() {
    let world = World::new().await;
    let (url, other) = (world.queue("q", json!({})).await, world.queue("other", json!({})).await);
    world.send(&url, "x").await;
    let handle = world.receive(&url, json!({})).await.remove(0)["ReceiptHandle"].clone();
    let delete = |url: &str| json!({ "QueueUrl": url, "ReceiptHandle": handle });
    assert_eq!(world.refused("DeleteMessage", delete(&other)).await.0, "ReceiptHandleIsInvalid");
    world.ok("DeleteMessage", delete(&url)).await;
    for (operation, mut input) in
        [("ListQueues", json!({})), ("ListDeadLetterSourceQueues", json!({ "QueueUrl": url }))]
    {
        input["NextToken"] = json!("nonsense");
        assert_eq!(world.refused(operation, input).await.0, "InvalidParameterValue", "{operation}");
    }
}

#[tokio::test]
async fn delays_of_the_queue_and_of_a_message() {
    let world = World::new().await;
    let url = world.queue("q", json!({ "DelaySeconds": "10" })).await;
    world.send(&url, "queue's").await;
    world.ok("SendMessage", json!({ "QueueUrl": url, "MessageBody": "own", "DelaySeconds": 60 })).await;
    world.ok("SendMessage", json!({ "QueueUrl": url, "MessageBody": "none", "DelaySeconds": 0 })).await;
    assert_eq!(world.counts(&url).await, ["1", "0", "2"]);
    assert_eq!(world.bodies(&url).await, ["none"]);
    world.0.advance(Duration::from_secs(10)).await;
    assert_eq!(world.bodies(&url).await, ["queue's"]);
}

#[tokio::test]
async fn a_long_poll_wakes_when_a_message_comes_and_ends_when_none_does() {
    let world = World::new().await;
    let url = world.queue("q", json!({})).await;
    let poll = world.receive(&url, json!({ "WaitTimeSeconds": 20 }));
    tokio::pin!(poll);
    assert!(futures::poll!(&mut poll).is_pending());
    world.send(&url, "x").await;
    assert_eq!(poll.await.len(), 1);

    let poll = world.receive(&url, json!({ "WaitTimeSeconds": 20 }));
    tokio::pin!(poll);
    assert!(futures::poll!(&mut poll).is_pending());
    world.0.clock().set(world.0.clock().now() + Duration::from_secs(20));
    assert!(poll.await.is_empty());
}

#[tokio::test]
async fn what_is_received_too_often_goes_to_the_dead_letter_queue() {
    let world = World::new().await;
    let dead = world.queue("dead", json!({})).await;
    let policy =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:000000000000:dead","maxReceiveCount":"2"}"#;
    let url = world.queue("q", json!({ "RedrivePolicy": policy, "VisibilityTimeout": "0" })).await;
    let id = world.send(&url, "poison").await;
    for _ in 0..2 {
        assert_eq!(world.bodies(&url).await, ["poison"]);
    }
    assert!(world.bodies(&url).await.is_empty());
    let buried = world.receive(&dead, json!({})).await.remove(0);
    assert_eq!(buried["MessageId"], id);
    assert_eq!(buried["Attributes"]["DeadLetterQueueSourceArn"], "arn:aws:sqs:eu-central-1:000000000000:q");
    let sources = world.ok("ListDeadLetterSourceQueues", json!({ "QueueUrl": dead })).await;
    assert_eq!(sources["queueUrls"], json!([url]));
}

#[tokio::test]
async fn messages_expire_after_the_retention_period() {
    let world = World::new().await;
    let url = world.queue("q", json!({ "MessageRetentionPeriod": "60" })).await;
    world.send(&url, "old").await;
    world.0.advance(Duration::from_secs(59)).await;
    world.send(&url, "new").await;
    world.0.advance(Duration::from_secs(2)).await;
    assert_eq!(world.bodies(&url).await, ["new"]);
    world.0.advance(HOUR).await;
    assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn many_receivers_share_a_queue_without_duplicates() {
    let world = World::new().await;
    let url = world.queue("q", json!({})).await;
    for batch in 0..30 {
        let entries: Vec<Value> =
            (0..10).map(|i| json!({ "Id": i.to_string(), "MessageBody": format!("{batch}-{i}") })).collect();
        let sent = world.ok("SendMessageBatch", json!({ "QueueUrl": url, "Entries": entries })).await;
        assert_eq!(sent["Successful"].as_array().unwrap().len(), 10);
    }
    let receivers = (0..16).map(|_| async {
        let mut mine = Vec::new();
        loop {
            let bodies = world.bodies(&url).await;
            if bodies.is_empty() {
                return mine;
            }
            mine.extend(bodies);
        }
    });
    let mut all: Vec<String> = futures::future::join_all(receivers).await.into_iter().flatten().collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 300);
    assert_eq!(world.counts(&url).await, ["0", "300", "0"]);
}

#[tokio::test]
async fn batches_name_what_they_refuse() {
    let world = World::new().await;
    let url = world.queue("q", json!({})).await;
    let entries = json!([
        { "Id": "good", "MessageBody": "x" },
        { "Id": "late", "MessageBody": "x", "DelaySeconds": 901 },
        { "Id": "bad", "MessageBody": "\u{0}" },
    ]);
    let sent = world.ok("SendMessageBatch", json!({ "QueueUrl": url, "Entries": entries })).await;
    assert_eq!(sent["Successful"][0]["Id"], "good");
    assert_eq!(sent["Failed"][0]["Id"], "late");
    assert_eq!(sent["Failed"][1]["Code"], "InvalidMessageContents");
    let entry = |id: &str| json!({ "Id": id, "MessageBody": "x" });
    let cases = [
        (json!([]), "EmptyBatchRequest"),
        (json!([entry("a"), entry("a")]), "BatchEntryIdsNotDistinct"),
        (json!([entry("a b")]), "InvalidBatchEntryId"),
        ((0..11).map(|i| entry(&i.to_string())).collect(), "TooManyEntriesInBatchRequest"),
    ];
    for (entries, code) in cases {
        assert_eq!(
            world.refused("SendMessageBatch", json!({ "QueueUrl": url, "Entries": entries })).await.0,
            code
        );
    }
}

#[tokio::test]
async fn purge_and_delete_remove_every_message() {
    let world = World::new().await;
    let url = world.queue("q", json!({})).await;
    for i in 0..20 {
        world.send(&url, &i.to_string()).await;
    }
    world.ok("PurgeQueue", json!({ "QueueUrl": url })).await;
    world.0.idle().await;
    assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
    assert_eq!(world.refused("PurgeQueue", json!({ "QueueUrl": url })).await.0, "PurgeQueueInProgress");
    world.send(&url, "x").await;
    world.ok("DeleteQueue", json!({ "QueueUrl": url })).await;
    world.0.idle().await;
    let (code, message) = world.refused("SendMessage", json!({ "QueueUrl": url, "MessageBody": "x" })).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("QueueDoesNotExist", "The specified queue does not exist.")
    );
    let url = world.queue("q", json!({})).await;
    assert!(world.bodies(&url).await.is_empty(), "a new queue of the same name is empty");
}

#[tokio::test]
async fn queues_are_made_once_listed_and_tagged() {
    let world = World::new().await;
    for name in ["a1", "a2", "b1"] {
        world.queue(name, json!({ "DelaySeconds": "5" })).await;
    }
    assert!(world.queue("a1", json!({ "DelaySeconds": "5" })).await.ends_with("/a1"));
    let again = json!({ "QueueName": "a1", "Attributes": { "DelaySeconds": "6" } });
    assert_eq!(world.refused("CreateQueue", again).await.0, "QueueNameExists");
    let listed = world.ok("ListQueues", json!({ "QueueNamePrefix": "a", "MaxResults": 1 })).await;
    assert_eq!(listed["QueueUrls"].as_array().unwrap().len(), 1);
    let next = json!({ "QueueNamePrefix": "a", "MaxResults": 1, "NextToken": listed["NextToken"] });
    let rest = world.ok("ListQueues", next).await;
    assert!(rest["QueueUrls"][0].as_str().unwrap().ends_with("/a2") && rest["NextToken"].is_null());
    let url = world.ok("GetQueueUrl", json!({ "QueueName": "b1" })).await["QueueUrl"].clone();
    world.ok("TagQueue", json!({ "QueueUrl": url, "Tags": { "a": "1", "b": "2" } })).await;
    world.ok("UntagQueue", json!({ "QueueUrl": url, "TagKeys": ["a"] })).await;
    assert_eq!(world.ok("ListQueueTags", json!({ "QueueUrl": url })).await["Tags"], json!({ "b": "2" }));
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused() {
    let world = World::new().await;
    let url = world.queue("q", json!({})).await;
    for (name, value, code) in [
        ("DelaySeconds", "901", "InvalidAttributeValue"),
        ("VisibilityTimeout", "-1", "InvalidAttributeValue"),
        ("MessageRetentionPeriod", "59", "InvalidAttributeValue"),
        ("RedrivePolicy", "{}", "InvalidParameterValue"),
        ("RedrivePolicy", "x", "InvalidParameterValue"),
        ("Policy", "[", "InvalidAttributeValue"),
        ("QueueArn", "x", "InvalidAttributeName"),
        ("FifoQueue", "true", "InvalidAttributeName"),
    ] {
        let set = json!({ "QueueUrl": url, "Attributes": { name: value } });
        assert_eq!(world.refused("SetQueueAttributes", set).await.0, code, "{name}");
    }
    for (value, reason) in [
        ("[]", "Redrive policy is not a valid JSON map."),
        (
            r#"{"maxReceiveCount":1}"#,
            "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.",
        ),
        (
            r#"{"deadLetterTargetArn":"a"}"#,
            "Redrive policy does not contain mandatory attribute: maxReceiveCount.",
        ),
    ] {
        let set = json!({ "QueueUrl": url, "Attributes": { "RedrivePolicy": value } });
        let expected = format!("Value {value} for parameter RedrivePolicy is invalid. Reason: {reason}");
        assert_eq!(world.refused("SetQueueAttributes", set).await.1, expected);
    }
    let nowhere =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:000000000000:nowhere","maxReceiveCount":1}"#;
    for (operation, input) in [
        ("SetQueueAttributes", json!({ "QueueUrl": url, "Attributes": { "RedrivePolicy": nowhere } })),
        ("CreateQueue", json!({ "QueueName": "other", "Attributes": { "RedrivePolicy": nowhere } })),
    ] {
        let reason = "for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.";
        let expected = ("InvalidParameterValue".to_owned(), format!("Value {nowhere} {reason}"));
        assert_eq!(world.refused(operation, input).await, expected);
    }
    for receive in [
        json!({ "MaxNumberOfMessages": 11 }),
        json!({ "WaitTimeSeconds": 21 }),
        json!({ "VisibilityTimeout": 43_201 }),
    ] {
        let mut input = json!({ "QueueUrl": url });
        input.as_object_mut().unwrap().extend(receive.as_object().unwrap().clone());
        assert_eq!(world.refused("ReceiveMessage", input).await.0, "InvalidParameterValue", "{receive}");
    }
    assert_eq!(
        world.refused("CreateQueue", json!({ "QueueName": "q.fifo" })).await.0,
        "InvalidParameterValue"
    );
    assert_eq!(world.refused("CreateQueue", json!({ "QueueName": "a b" })).await.0, "InvalidParameterValue");
    let long = "x".repeat(1_048_577);
    assert_eq!(
        world.refused("SendMessage", json!({ "QueueUrl": url, "MessageBody": long })).await.0,
        "InvalidParameterValue"
    );
    let large = "x".repeat(1_048_576);
    world.send(&url, &large).await;
    assert_eq!(world.bodies(&url).await, [large]);
}
