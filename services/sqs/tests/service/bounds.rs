//! What is bounded: commits, rows, counts, and whose queues a caller reaches.

use std::time::Duration;

use kernel::Caller;
use serde_json::{Value, json};

use crate::world::World;

const ARN: &str = "arn:aws:sqs:eu-central-1:000000000000";
const KINDS: [&str; 2] = ["", ".fifo"];

/// Queues `q` and `dead` of one kind.
async fn queues(world: &World, suffix: &str) -> (String, String) {
    let fifo = if suffix.is_empty() { json!({}) } else { json!({ "FifoQueue": "true" }) };
    let dead = world.queue(&format!("dead{suffix}"), fifo.clone()).await;
    (world.queue(&format!("q{suffix}"), fifo).await, dead)
}

/// Sends a message, in a FIFO queue in a group of its own.
async fn send(world: &World, url: &str, name: &str, body: &str) {
    let mut send = json!({ "QueueUrl": url, "MessageBody": body });
    if url.ends_with(".fifo") {
        send["MessageGroupId"] = json!(name);
        send["MessageDeduplicationId"] = json!(name);
    }
    world.ok("SendMessage", send).await;
}

/// From now on, what was received once goes to the dead-letter queue.
async fn bury_after_one_receive(world: &World, url: &str, suffix: &str) {
    let redrive = format!(r#"{{"deadLetterTargetArn":"{ARN}:dead{suffix}","maxReceiveCount":1}}"#);
    let set = json!({ "QueueUrl": url, "Attributes": { "RedrivePolicy": redrive } });
    world.ok("SetQueueAttributes", set).await;
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["Body"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn burying_much_takes_several_commits() {
    for suffix in KINDS {
        let world = World::new().await;
        let (url, dead) = queues(&world, suffix).await;
        let large = "x".repeat(1_048_576);
        for number in 0..10 {
            send(&world, &url, &number.to_string(), &large).await;
        }
        let hidden = json!({ "VisibilityTimeout": 60 });
        assert_eq!(world.receive(&url, hidden).await.len(), 10);
        world.0.advance(Duration::from_secs(61)).await;
        send(&world, &url, "fresh", "fresh").await;
        bury_after_one_receive(&world, &url, suffix).await;
        assert!(world.receive(&url, json!({})).await.is_empty(), "who does not wait looks once");
        assert_eq!((&world.counts(&url).await[0][..], &world.counts(&dead).await[0][..]), ("9", "2"));
        let received = world.receive(&url, json!({ "WaitTimeSeconds": 20 })).await;
        assert_eq!(bodies(&received), ["fresh"], "who waits looks again at once");
        assert_eq!(world.counts(&dead).await[0], "10");
    }
}

#[tokio::test]
async fn a_receive_with_a_timeout_of_0_gives_a_message_out_once() {
    for (suffix, page) in [("", 18), (".fifo", 26)] {
        let world = World::new().await;
        let (url, dead) = queues(&world, suffix).await;
        for number in 1..page {
            send(&world, &url, &number.to_string(), "old").await;
        }
        let mut received = 0;
        while received < page - 1 {
            received += world.receive(&url, json!({ "VisibilityTimeout": 20 })).await.len();
        }
        world.0.advance(Duration::from_secs(10)).await;
        send(&world, &url, "fresh", "fresh").await;
        world.0.advance(Duration::from_secs(20)).await;
        bury_after_one_receive(&world, &url, suffix).await;
        // The fresh one is first; with the others it fills the first page, and then it stands behind them.
        let two = json!({ "MaxNumberOfMessages": 2, "VisibilityTimeout": 0 });
        assert_eq!(bodies(&world.receive(&url, two).await), ["fresh"]);
        assert_eq!(world.counts(&url).await, ["1", "0", "0"]);
        assert_eq!(world.counts(&dead).await[0], (page - 1).to_string());
    }
}

async fn send_many(world: &World, url: &str, count: usize) {
    for batch in 0..count.div_ceil(10) {
        let entry = |i: usize| match url.ends_with(".fifo") {
            true => json!({ "Id": i.to_string(), "MessageBody": "x", "MessageGroupId": "g",
                "MessageDeduplicationId": format!("{batch}-{i}") }),
            false => json!({ "Id": i.to_string(), "MessageBody": "x" }),
        };
        let entries: Vec<Value> = (0..10).map(entry).collect();
        world.ok("SendMessageBatch", json!({ "QueueUrl": url, "Entries": entries })).await;
    }
}

#[tokio::test]
async fn a_removal_goes_on_however_deep_in_a_chain_of_causes_it_began() {
    for suffix in KINDS {
        let world = World::new().await;
        let (url, _) = queues(&world, suffix).await;
        send_many(&world, &url, 520).await;
        let mut caller = world.0.caller();
        caller.trace.hop = 255;
        world.0.call_as(caller, "sqs", "PurgeQueue", json!({ "QueueUrl": url })).await.unwrap();
        world.0.idle().await;
        assert_eq!(world.counts(&url).await, ["0", "0", "0"], "{suffix}");
    }
}

#[tokio::test]
async fn the_count_of_a_long_queue_is_forgotten_with_its_messages() {
    let world = World::new().await;
    let (url, _) = queues(&world, "").await;
    send_many(&world, &url, 1_010).await;
    assert_eq!(world.counts(&url).await, ["1010", "0", "0"]);
    world.ok("PurgeQueue", json!({ "QueueUrl": url })).await;
    world.0.idle().await;
    assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
    send_many(&world, &url, 1_010).await;
    assert_eq!(world.counts(&url).await, ["1010", "0", "0"]);
    world.ok("DeleteQueue", json!({ "QueueUrl": url })).await;
    world.0.idle().await;
    let url = world.queue("q", json!({})).await;
    assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn attributes_and_tags_are_bounded() {
    let world = World::new().await;
    let (url, _) = queues(&world, "").await;
    let policy = |bytes: usize| format!(r#"{{"Id":"{}"}}"#, "x".repeat(bytes - 9));
    for name in ["Policy", "RedriveAllowPolicy"] {
        let set = |bytes| json!({ "QueueUrl": url, "Attributes": { name: policy(bytes) } });
        world.ok("SetQueueAttributes", set(8_192)).await;
        for bytes in [8_193, 200_000] {
            assert_eq!(
                world.refused("SetQueueAttributes", set(bytes)).await.0,
                "InvalidAttributeValue",
                "{name}"
            );
        }
    }
    let long = format!(r#"{{"deadLetterTargetArn":"{ARN}:{}","maxReceiveCount":1}}"#, "x".repeat(100_000));
    let set = json!({ "QueueUrl": url, "Attributes": { "RedrivePolicy": long } });
    assert_eq!(world.refused("SetQueueAttributes", set).await.0, "InvalidParameterValue");
    let add = json!({ "QueueUrl": url, "Label": "l", "AWSAccountIds": ["111122223333"], "Actions": ["*"] });
    assert_eq!(world.refused("AddPermission", add).await.0, "OverLimit");

    let (key, value) = ("é".repeat(128), "é".repeat(256));
    world.ok("TagQueue", json!({ "QueueUrl": url, "Tags": { key: value } })).await;
    let many: serde_json::Map<String, Value> = (0..51).map(|i| (i.to_string(), json!("x"))).collect();
    for tags in [
        json!({ "x".repeat(129): "x" }),
        json!({ "": "x" }),
        json!({ "x": "x".repeat(257) }),
        json!({ "x": "x".repeat(1_000_000) }),
        json!(many),
    ] {
        let tag = json!({ "QueueUrl": url, "Tags": tags });
        assert_eq!(world.refused("TagQueue", tag).await.0, "InvalidParameterValue");
        let create = json!({ "QueueName": "tagged", "tags": tags });
        assert_eq!(world.refused("CreateQueue", create).await.0, "InvalidParameterValue");
    }
    // The most of everything is one queue.
    let most: serde_json::Map<String, Value> =
        (0..50).map(|i| (format!("{i:02}{}", "𝄞".repeat(126)), json!("𝄞".repeat(256)))).collect();
    let attributes = json!({ "Policy": policy(8_192), "RedriveAllowPolicy": policy(8_192) });
    let create = json!({ "QueueName": "most", "Attributes": attributes, "tags": most });
    let made = world.ok("CreateQueue", create).await;
    assert_eq!(world.ok("ListQueueTags", json!({ "QueueUrl": made["QueueUrl"] })).await["Tags"], json!(most));
}

#[tokio::test]
async fn nobody_is_given_his_own_queue_for_anothers() {
    let world = World::new().await;
    let (theirs, _) = queues(&world, "").await;
    let account = base::AccountId::parse("111122223333").unwrap();
    let region = base::Region::parse("eu-central-1").unwrap();
    let mine = || Caller::root_user(account.clone(), region.clone(), world.0.caller().trace.root);
    let call = |operation: &'static str, input: Value| world.0.call_as(mine(), "sqs", operation, input);
    let own = call("CreateQueue", json!({ "QueueName": "q" })).await.unwrap()["QueueUrl"].clone();
    assert_eq!(own, "http://127.0.0.1:4566/111122223333/q");
    let far = "arn:aws:sqs:us-east-1:111122223333:q".to_owned();
    let missing = theirs.replace("/q", "/missing");
    for (url, code, status) in [
        (theirs.clone(), "AccessDenied", 403),
        (format!("{ARN}:q"), "AccessDenied", 403),
        (missing, "QueueDoesNotExist", 400),
        (far, "QueueDoesNotExist", 400),
    ] {
        for (operation, rest) in [
            ("SendMessage", json!({ "MessageBody": "x" })),
            ("ReceiveMessage", json!({ "WaitTimeSeconds": 20 })),
            ("PurgeQueue", json!({})),
            ("DeleteQueue", json!({})),
        ] {
            let mut input = rest;
            input["QueueUrl"] = json!(url);
            let fault = call(operation, input).await.unwrap_err();
            assert_eq!((&fault.code[..], fault.status), (code, status), "{operation} {url}");
        }
    }
    for url in [own, json!("q"), json!("/q"), json!("arn:aws:sqs:eu-central-1:111122223333:q")] {
        call("SendMessage", json!({ "QueueUrl": url, "MessageBody": "x" })).await.unwrap();
    }
    assert_eq!(world.counts(&theirs).await[0], "0");
}
