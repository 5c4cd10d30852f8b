//! Statements of a queue's policy.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn permissions_are_statements_of_the_policy() {
    let world = World::new().await;
    let url = world.queue("q", json!({})).await;
    let add = |label: &str, actions: Value| json!({ "QueueUrl": url, "Label": label, "AWSAccountIds": ["111122223333"], "Actions": actions });
    world.ok("AddPermission", add("send", json!(["SendMessage"]))).await;
    world.ok("AddPermission", add("more", json!(["ReceiveMessage", "DeleteMessage"]))).await;
    let asked = json!({ "QueueUrl": url, "AttributeNames": ["Policy"] });
    let got = world.ok("GetQueueAttributes", asked.clone()).await;
    let policy: Value = serde_json::from_str(got["Attributes"]["Policy"].as_str().unwrap()).unwrap();
    let expected = json!({
        "Sid": "send", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
        "Action": "SQS:SendMessage", "Resource": "arn:aws:sqs:eu-central-1:000000000000:q",
    });
    assert_eq!(policy["Statement"][0], expected);
    assert_eq!(policy["Statement"][1]["Action"], json!(["SQS:ReceiveMessage", "SQS:DeleteMessage"]));
    for (input, code) in [
        (add("send", json!(["SendMessage"])), "InvalidParameterValue"),
        (add("x", json!(["CreateQueue"])), "InvalidParameterValue"),
        (add("a b", json!(["*"])), "InvalidParameterValue"),
        (add("x", json!([])), "MissingParameter"),
    ] {
        assert_eq!(world.refused("AddPermission", input.clone()).await.0, code, "{input}");
    }
    for label in ["send", "more"] {
        world.ok("RemovePermission", json!({ "QueueUrl": url, "Label": label })).await;
    }
    let gone = world.refused("RemovePermission", json!({ "QueueUrl": url, "Label": "send" })).await;
    assert_eq!(gone.0, "InvalidParameterValue");
    assert!(world.ok("GetQueueAttributes", asked).await["Attributes"].is_null());
}
