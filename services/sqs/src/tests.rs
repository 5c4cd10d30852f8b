//! What only an eye on the rows can bring about: rows that lack their other half, and transactions side by side.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::{Caller, Effect, Kernel, Parts, Result, Tx};
use serde_json::{Value, json};
use testkit::World;

use crate::keys::{FifoKey, HeadKey, MessageKey};
use crate::ops::remove_messages::{Remove, remove_messages};
use crate::queue::is_fifo;

const ARN: &str = "arn:aws:sqs:eu-central-1:000000000000";

async fn world() -> World {
    let service =
        || crate::service().internal("LoseMessage", lose).internal_effect("RemoveBeside", remove_beside);
    World::new(move || vec![service()]).await
}

/// Removes the first message of a queue, but not its head.
async fn lose(tx: &mut Tx, queue: String) -> Result<()> {
    let parts = Parts::of(&queue);
    let head = match is_fifo(&queue) {
        true => tx.scan::<FifoKey>(parts, 1).await?.remove(0).1.head,
        false => tx.scan::<HeadKey>(parts, 1).await?.remove(0).1,
    };
    tx.delete(&MessageKey { queue, id: head.id });
    Ok(())
}

/// Removes all messages of a queue while another client receives one of them.
async fn remove_beside(effect: &Effect, queue: String) -> Result<()> {
    let remove = json!({ "queue": queue, "sent_until": effect.now(), "after": null });
    let remove: Remove = serde_json::from_value(remove)?;
    let beside = Beside {
        kernel: effect.kernel().clone(),
        caller: effect.caller().clone(),
        queue,
        remove,
        received: Arc::default(),
    };
    effect.transact("RemoveMessages", received_before_the_commit, beside).await
}

#[derive(Clone)]
struct Beside {
    kernel: Kernel,
    caller: Caller,
    queue: String,
    remove: Remove,
    received: Arc<AtomicBool>,
}

async fn received_before_the_commit(tx: &mut Tx, beside: Beside) -> Result<()> {
    remove_messages(tx, beside.remove).await?;
    if !beside.received.swap(true, Ordering::Relaxed) {
        let receive = json!({ "QueueUrl": beside.queue });
        let got = beside.kernel.run_document(beside.caller, "sqs", "ReceiveMessage", &receive).await?;
        assert_eq!(got["Messages"][0]["Body"], "0");
    }
    Ok(())
}

/// Makes a queue and sends it so many messages, all of one group.
async fn filled(world: &World, name: &str, count: usize) {
    make(world, name).await;
    for number in 0..count {
        let mut send = json!({ "QueueUrl": name, "MessageBody": number.to_string() });
        if is_fifo(name) {
            send["MessageGroupId"] = json!("g");
            send["MessageDeduplicationId"] = json!(number.to_string());
        }
        world.ok("sqs", "SendMessage", send).await;
    }
}

async fn make(world: &World, name: &str) {
    let attributes = if is_fifo(name) { json!({ "FifoQueue": "true" }) } else { json!({}) };
    world.ok("sqs", "CreateQueue", json!({ "QueueName": name, "Attributes": attributes })).await;
}

/// Visible and in flight.
async fn counts(world: &World, name: &str) -> [Value; 2] {
    let get = json!({ "QueueUrl": name, "AttributeNames": ["All"] });
    let got = world.ok("sqs", "GetQueueAttributes", get).await;
    ["", "NotVisible"].map(|kind| got["Attributes"][format!("ApproximateNumberOfMessages{kind}")].clone())
}

#[tokio::test]
async fn a_move_goes_past_a_place_without_a_message() {
    for suffix in ["", ".fifo"] {
        let world = world().await;
        let (dead, other) = (format!("dead{suffix}"), format!("other{suffix}"));
        filled(&world, &dead, 3).await;
        make(&world, &other).await;
        world.ask("sqs", "LoseMessage", json!(dead)).await.unwrap();
        let start =
            json!({ "SourceArn": format!("{ARN}:{dead}"), "DestinationArn": format!("{ARN}:{other}") });
        world.ok("sqs", "StartMessageMoveTask", start.clone()).await;
        world.idle().await;
        assert_eq!(
            (counts(&world, &dead).await, counts(&world, &other).await),
            (["0", "0"].map(Value::from), ["2", "0"].map(Value::from))
        );
        let tasks = world.ok("sqs", "ListMessageMoveTasks", start).await;
        assert_eq!(tasks["Results"][0]["Status"], "COMPLETED");
        assert_eq!(tasks["Results"][0]["ApproximateNumberOfMessagesMoved"], 2);
    }
}

#[tokio::test]
async fn a_removal_beside_a_receive_leaves_no_place_without_a_message() {
    for name in ["q", "q.fifo"] {
        let world = world().await;
        filled(&world, name, 3).await;
        world.ask("sqs", "RemoveBeside", json!(name)).await.unwrap();
        assert_eq!(counts(&world, name).await, ["0", "0"].map(Value::from), "{name}");
    }
}
