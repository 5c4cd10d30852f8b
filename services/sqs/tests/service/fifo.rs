//! FIFO queues: order, groups, deduplication, attempts, and that none of it is lost.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::World;

const MINUTE: Duration = Duration::from_secs(60);

async fn queue(world: &World, attributes: Value) -> String {
    let mut all = json!({ "FifoQueue": "true" });
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    world.queue("q.fifo", all).await
}

/// Sends `body` to `group`, known again by the body itself.
async fn send(world: &World, url: &str, group: &str, body: &str) -> Value {
    let input = json!({ "QueueUrl": url, "MessageBody": body, "MessageGroupId": group,
        "MessageDeduplicationId": format!("{group}/{body}") });
    world.ok("SendMessage", input).await
}

async fn delete(world: &World, url: &str, message: &Value) {
    let input = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
    world.ok("DeleteMessage", input).await;
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["Body"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_group_is_blocked_while_one_of_its_messages_is_in_flight() {
    let world = World::new().await;
    let url = queue(&world, json!({})).await;
    for body in ["a1", "a2", "a3"] {
        send(&world, &url, "a", body).await;
    }
    send(&world, &url, "b", "b1").await;
    let one = json!({ "MaxNumberOfMessages": 1 });
    let first = world.receive(&url, one.clone()).await.remove(0);
    assert_eq!(first["Body"], "a1");
    assert_eq!(first["Attributes"]["MessageGroupId"], "a");
    assert_eq!(first["Attributes"]["MessageDeduplicationId"], "a/a1");
    assert_eq!(bodies(&world.receive(&url, json!({})).await), ["b1"], "the other group is free");
    assert!(world.receive(&url, json!({})).await.is_empty());
    delete(&world, &url, &first).await;
    assert_eq!(bodies(&world.receive(&url, json!({})).await), ["a2", "a3"], "several of one group, in order");
    world.0.advance(Duration::from_secs(30)).await;
    let again = world.receive(&url, json!({})).await;
    assert_eq!(bodies(&again), ["a2", "a3", "b1"], "nothing was deleted, so it begins with the first");
    assert_eq!(again[0]["Attributes"]["ApproximateReceiveCount"], "2");
}

#[tokio::test]
async fn numbers_rise_within_a_group_and_have_twenty_digits() {
    let world = World::new().await;
    let url = queue(&world, json!({})).await;
    let mut numbers = Vec::new();
    for number in 0..3 {
        let sent = send(&world, &url, "g", &number.to_string()).await;
        numbers.push(sent["SequenceNumber"].as_str().unwrap().to_owned());
    }
    let entries: Vec<Value> = (3..13)
        .map(|n| json!({ "Id": n.to_string(), "MessageBody": n.to_string(), "MessageGroupId": "g", "MessageDeduplicationId": n.to_string() }))
        .collect();
    let sent = world.ok("SendMessageBatch", json!({ "QueueUrl": url, "Entries": entries })).await;
    let batch = sent["Successful"].as_array().unwrap().iter();
    numbers.extend(batch.map(|entry| entry["SequenceNumber"].as_str().unwrap().to_owned()));
    assert!(numbers.is_sorted_by(|a, b| a < b) && numbers.iter().all(|number| number.len() == 20));
    let mut seen = Vec::new();
    while seen.len() < 13 {
        for message in world.receive(&url, json!({})).await {
            delete(&world, &url, &message).await;
            seen.push(message["Attributes"]["SequenceNumber"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen, numbers);
    let later = send(&world, &url, "g", "later").await;
    assert!(
        later["SequenceNumber"].as_str().unwrap() > numbers[12].as_str(),
        "also when the group was empty"
    );
}

#[tokio::test]
async fn a_message_is_known_again_for_five_minutes() {
    let world = World::new().await;
    let url = queue(&world, json!({})).await;
    let first = send(&world, &url, "g", "x").await;
    let message = world.receive(&url, json!({})).await.remove(0);
    delete(&world, &url, &message).await;
    world.0.advance(4 * MINUTE).await;
    let again = send(&world, &url, "g", "x").await;
    assert_eq!(again, first, "accepted as the message that it is");
    assert!(world.receive(&url, json!({})).await.is_empty());
    world.0.advance(MINUTE).await;
    let anew = send(&world, &url, "g", "x").await;
    assert_ne!(anew["MessageId"], first["MessageId"]);
    assert_eq!(world.counts(&url).await[0], "1");
    world.ok("DeleteQueue", json!({ "QueueUrl": url })).await;
    world.0.advance(Duration::from_secs(1)).await;
    let url = queue(&world, json!({})).await;
    send(&world, &url, "g", "x").await;
    assert_eq!(world.counts(&url).await[0], "1", "a queue made anew knows nothing of it");
}

#[tokio::test]
async fn content_and_scope_decide_what_is_the_same() {
    for (scope, expected) in [("queue", "2"), ("messageGroup", "3")] {
        let world = World::new().await;
        let attributes = json!({ "ContentBasedDeduplication": "true", "DeduplicationScope": scope });
        let url = queue(&world, attributes).await;
        for (group, body) in [("a", "same"), ("a", "same"), ("b", "same"), ("a", "other")] {
            let input = json!({ "QueueUrl": url, "MessageBody": body, "MessageGroupId": group });
            world.ok("SendMessage", input).await;
        }
        assert_eq!(world.counts(&url).await[0], expected, "{scope}");
        let got = world.receive(&url, json!({})).await;
        // SHA-256 of the body.
        let id = "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5";
        assert_eq!(got[0]["Attributes"]["MessageDeduplicationId"], id);
    }
}

#[tokio::test]
async fn an_attempt_that_is_made_again_gets_the_same_messages() {
    let world = World::new().await;
    let url = queue(&world, json!({})).await;
    for body in ["1", "2", "3"] {
        send(&world, &url, "g", body).await;
    }
    let attempt = json!({ "ReceiveRequestAttemptId": "try-1", "MaxNumberOfMessages": 2 });
    let first = world.receive(&url, attempt.clone()).await;
    world.0.advance(Duration::from_secs(20)).await;
    let again = world.receive(&url, attempt.clone()).await;
    assert_eq!(again, first, "with the same handles");
    world.0.advance(Duration::from_secs(20)).await;
    assert!(world.receive(&url, json!({})).await.is_empty(), "their time began anew");
    delete(&world, &url, &first[0]).await;
    assert!(
        world.receive(&url, attempt).await.is_empty(),
        "one of them was changed: this is another receive"
    );
    delete(&world, &url, &first[1]).await;
    assert_eq!(bodies(&world.receive(&url, json!({})).await), ["3"]);
}

#[tokio::test]
async fn a_handle_is_good_until_its_time_has_passed() {
    let world = World::new().await;
    let url = queue(&world, json!({})).await;
    send(&world, &url, "g", "x").await;
    let message = world.receive(&url, json!({})).await.remove(0);
    let change = |seconds: u32| json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": seconds });
    world.ok("ChangeMessageVisibility", change(100)).await;
    world.0.advance(Duration::from_secs(99)).await;
    assert!(world.receive(&url, json!({})).await.is_empty());
    world.0.advance(Duration::from_secs(1)).await;
    let input = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
    let (code, text) = world.refused("DeleteMessage", input.clone()).await;
    assert!(code == "InvalidParameterValue" && text.ends_with("The receipt handle has expired."), "{text}");
    assert_eq!(world.refused("ChangeMessageVisibility", change(1)).await.0, "MessageNotInflight");
    let second = world.receive(&url, json!({})).await.remove(0);
    assert_eq!(world.refused("DeleteMessage", input.clone()).await.0, "InvalidParameterValue");
    delete(&world, &url, &second).await;
    world.ok("DeleteMessage", input).await;
    assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn visibility_zero_gives_a_message_back_to_its_place() {
    let world = World::new().await;
    let url = queue(&world, json!({})).await;
    for body in ["1", "2"] {
        send(&world, &url, "g", body).await;
    }
    let first = world.receive(&url, json!({ "MaxNumberOfMessages": 1 })).await.remove(0);
    let poll = world.receive(&url, json!({ "WaitTimeSeconds": 20 }));
    tokio::pin!(poll);
    assert!(futures::poll!(&mut poll).is_pending());
    let input = json!({ "QueueUrl": url, "ReceiptHandle": first["ReceiptHandle"], "VisibilityTimeout": 0 });
    world.ok("ChangeMessageVisibility", input).await;
    assert_eq!(bodies(&poll.await), ["1", "2"], "the group is free again, and who waits learns of it");
}

#[tokio::test]
async fn a_queue_delays_and_a_message_cannot() {
    let world = World::new().await;
    let url = queue(&world, json!({ "DelaySeconds": "10" })).await;
    send(&world, &url, "g", "1").await;
    assert_eq!(world.counts(&url).await, ["0", "0", "1"]);
    assert!(world.receive(&url, json!({})).await.is_empty());
    world.0.advance(Duration::from_secs(10)).await;
    assert_eq!(bodies(&world.receive(&url, json!({})).await), ["1"]);
    let input = json!({ "QueueUrl": url, "MessageBody": "x", "MessageGroupId": "g",
        "MessageDeduplicationId": "d", "DelaySeconds": 5 });
    assert_eq!(world.refused("SendMessage", input).await.0, "InvalidParameterValue");
}

#[tokio::test]
async fn poison_goes_to_the_fifo_dead_letter_queue_and_frees_its_group() {
    let world = World::new().await;
    let dead = world.queue("dead.fifo", json!({ "FifoQueue": "true" })).await;
    let policy = |queue: &str| {
        json!(format!(
            r#"{{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:000000000000:{queue}","maxReceiveCount":2}}"#
        ))
    };
    let url = queue(&world, json!({ "RedrivePolicy": policy("dead.fifo"), "VisibilityTimeout": "0" })).await;
    send(&world, &url, "g", "poison").await;
    send(&world, &url, "g", "good").await;
    for _ in 0..2 {
        assert_eq!(bodies(&world.receive(&url, json!({ "MaxNumberOfMessages": 1 })).await), ["poison"]);
    }
    assert_eq!(bodies(&world.receive(&url, json!({})).await), ["good"]);
    let buried = world.receive(&dead, json!({})).await.remove(0);
    assert_eq!((&buried["Body"], &buried["Attributes"]["MessageGroupId"]), (&json!("poison"), &json!("g")));
    let set = json!({ "QueueUrl": url, "Attributes": { "RedrivePolicy": policy("standard") } });
    let (_, text) = world.refused("SetQueueAttributes", set).await;
    assert!(text.ends_with("Dead-letter queue must be same type of queue as the source."), "{text}");
}

#[tokio::test]
async fn old_messages_go_and_purge_frees_every_group() {
    let world = World::new().await;
    let url = queue(&world, json!({ "MessageRetentionPeriod": "60" })).await;
    send(&world, &url, "g", "old").await;
    world.0.advance(Duration::from_secs(59)).await;
    send(&world, &url, "g", "new").await;
    world.0.advance(Duration::from_secs(1)).await;
    let got = world.receive(&url, json!({})).await;
    assert_eq!(bodies(&got), ["new"]);
    for group in 0..20 {
        send(&world, &url, &group.to_string(), "x").await;
    }
    world.ok("PurgeQueue", json!({ "QueueUrl": url })).await;
    world.0.idle().await;
    assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
    world.0.advance(Duration::from_secs(1)).await;
    send(&world, &url, "g", "after").await;
    assert_eq!(bodies(&world.receive(&url, json!({})).await), ["after"], "the purged message blocks nothing");
}

#[tokio::test]
async fn what_does_not_fit_the_kind_of_queue_is_refused() {
    let world = World::new().await;
    for (name, attributes) in [
        ("q", json!({ "FifoQueue": "true" })),
        (".fifo", json!({ "FifoQueue": "true" })),
        ("q.fifo", json!({})),
        ("q.fifo", json!({ "FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId" })),
    ] {
        let create = json!({ "QueueName": name, "Attributes": attributes });
        assert_eq!(world.refused("CreateQueue", create).await.0, "InvalidParameterValue", "{name}");
    }
    let standard = world.queue("standard", json!({})).await;
    let url = queue(&world, json!({})).await;
    for (url, extra, code) in [
        (&url, json!({}), "MissingParameter"),
        (&url, json!({ "MessageGroupId": "g" }), "InvalidParameterValue"),
        (&url, json!({ "MessageGroupId": "a b", "MessageDeduplicationId": "d" }), "InvalidParameterValue"),
        (&url, json!({ "MessageGroupId": "g", "MessageDeduplicationId": "é" }), "InvalidParameterValue"),
        (&standard, json!({ "MessageDeduplicationId": "d" }), "InvalidParameterValue"),
        (&standard, json!({ "MessageGroupId": "x".repeat(129) }), "InvalidParameterValue"),
    ] {
        let mut input = json!({ "QueueUrl": url, "MessageBody": "x" });
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert_eq!(world.refused("SendMessage", input).await.0, code, "{extra}");
    }
    for (url, name, value, code) in [
        (&standard, "ContentBasedDeduplication", "true", "InvalidAttributeName"),
        (&url, "FifoQueue", "false", "InvalidAttributeValue"),
        (&url, "DeduplicationScope", "all", "InvalidAttributeValue"),
    ] {
        let set = json!({ "QueueUrl": url, "Attributes": { name: value } });
        assert_eq!(world.refused("SetQueueAttributes", set).await.0, code, "{name}");
    }
    let got = world.ok("GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": ["All"] })).await;
    let shown = ["FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"]
        .map(|name| got["Attributes"][name].as_str().unwrap().to_owned());
    assert_eq!(shown, ["true", "false", "queue", "perQueue"]);
    world
        .ok("SendMessage", json!({ "QueueUrl": standard, "MessageBody": "x", "MessageGroupId": "fair" }))
        .await;
    assert_eq!(world.receive(&standard, json!({})).await[0]["Attributes"]["MessageGroupId"], "fair");
}

/// A receive costs the same whether blocked groups hold ten messages or thousands: it never comes to them.
#[tokio::test]
async fn a_deep_backlog_behind_blocked_groups_is_not_looked_at() {
    let world = World::new().await;
    let url = queue(&world, json!({ "VisibilityTimeout": "43200" })).await;
    for batch in 0..200 {
        let entries: Vec<Value> = (0..10)
            .map(|n| json!({ "Id": n.to_string(), "MessageBody": "x", "MessageGroupId": format!("g{}", n % 5), "MessageDeduplicationId": format!("{batch}-{n}") }))
            .collect();
        world.ok("SendMessageBatch", json!({ "QueueUrl": url, "Entries": entries })).await;
    }
    for _ in 0..5 {
        assert_eq!(world.receive(&url, json!({ "MaxNumberOfMessages": 1 })).await.len(), 1);
    }
    send(&world, &url, "free", "found").await;
    assert_eq!(bodies(&world.receive(&url, json!({})).await), ["found"]);
    assert_eq!(world.counts(&url).await, ["1995", "6", "0"]);
}

#[tokio::test]
async fn many_receivers_keep_every_groups_order() {
    let world = World::new().await;
    let url = queue(&world, json!({})).await;
    for number in 0..20 {
        for group in ["a", "b", "c", "d"] {
            send(&world, &url, group, &number.to_string()).await;
        }
    }
    let seen = std::sync::Mutex::new(std::collections::BTreeMap::<String, Vec<u32>>::new());
    let receivers = (0..8).map(|_| async {
        for _ in 0..40 {
            for message in world.receive(&url, json!({ "MaxNumberOfMessages": 3 })).await {
                let group = message["Attributes"]["MessageGroupId"].as_str().unwrap().to_owned();
                let number = message["Body"].as_str().unwrap().parse().unwrap();
                seen.lock().unwrap().entry(group).or_default().push(number);
                delete(&world, &url, &message).await;
            }
        }
    });
    futures::future::join_all(receivers).await;
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 4);
    for (group, numbers) in seen {
        assert_eq!(numbers, (0..20).collect::<Vec<_>>(), "{group}");
    }
}

/// Sends, receives and deletes with a process that dies after every number of commits: what was accepted is received
/// in order and once, and a send that is made again is known again.
#[tokio::test]
async fn nothing_is_lost_doubled_or_disordered_by_a_crash() {
    for commits in 0..14 {
        let mut world = World::new().await;
        let url = queue(&world, json!({})).await;
        world.0.die_after(commits);
        let (mut seen, mut dead) = (Vec::new(), false);
        for number in 0..5 {
            let input = json!({ "QueueUrl": url, "MessageBody": number.to_string(), "MessageGroupId": "g",
                "MessageDeduplicationId": number.to_string() });
            // A client that gets no answer sends again.
            if world.call("SendMessage", input.clone()).await.is_err() {
                world.0.crash().await;
                dead = true;
                world.ok("SendMessage", input).await;
            }
            let receive = json!({ "QueueUrl": url });
            let got = match world.call("ReceiveMessage", receive.clone()).await {
                Ok(got) => got,
                Err(_) => {
                    world.0.crash().await;
                    dead = true;
                    world.ok("ReceiveMessage", receive).await
                }
            };
            let message = got["Messages"][0].clone();
            let delete = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
            if world.call("DeleteMessage", delete.clone()).await.is_err() {
                world.0.crash().await;
                dead = true;
                world.ok("DeleteMessage", delete).await;
            }
            seen.push(message["Body"].as_str().unwrap().to_owned());
        }
        assert_eq!(seen, ["0", "1", "2", "3", "4"], "after {commits} commits");
        assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
        assert!(dead, "after {commits} commits");
    }
}
