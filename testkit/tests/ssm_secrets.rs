//! Parameter Store with the real KMS and the real EventBridge.

use serde_json::{Value, json};
use testkit::{World, mailbox};

async fn world() -> World {
    World::new(|| vec![ssm::service(), kms::service(), events::service(), mailbox::service()]).await
}

async fn put(world: &World, name: &str, key: Value) {
    let mut input = json!({ "Name": name, "Value": "hidden", "Type": "SecureString" });
    if !key.is_null() {
        input["KeyId"] = key;
    }
    world.ok("ssm", "PutParameter", input).await;
}

fn open(name: &str) -> Value {
    json!({ "Name": name, "WithDecryption": true })
}

#[tokio::test]
async fn a_secure_string_is_as_safe_as_its_key() {
    let world = world().await;
    put(&world, "/default", Value::Null).await;
    let key = world.ok("kms", "DescribeKey", json!({ "KeyId": "alias/aws/ssm" })).await;
    assert_eq!(key["KeyMetadata"]["KeyManager"], "AWS", "AWS's key was made for it");
    let own = world.ok("kms", "CreateKey", json!({})).await["KeyMetadata"]["KeyId"].clone();
    put(&world, "/own", own.clone()).await;
    let shown = world.ok("ssm", "GetParameter", json!({ "Name": "/own" })).await["Parameter"].clone();
    let opened = world.ok(
        "kms",
        "Decrypt",
        json!({ "CiphertextBlob": shown["Value"],
        "EncryptionContext": { "PARAMETER_ARN": shown["ARN"] } }),
    );
    assert_eq!(opened.await["Plaintext"], "aGlkZGVu", "the ciphertext is KMS's, bound to the parameter");
    assert_eq!(world.ok("ssm", "GetParameter", open("/own")).await["Parameter"]["Value"], "hidden");
    world.ok("kms", "DisableKey", json!({ "KeyId": own })).await;
    assert_eq!(world.refused("ssm", "GetParameter", open("/own")).await.code, "InvalidKeyId");
    let put = json!({ "Name": "/own", "Value": "next", "Overwrite": true });
    assert_eq!(world.refused("ssm", "PutParameter", put).await.code, "InvalidKeyId");
    assert_eq!(world.ok("ssm", "GetParameter", open("/default")).await["Parameter"]["Value"], "hidden");
}

#[tokio::test]
async fn a_rule_hears_of_changes() {
    let world = world().await;
    let queue = world.ok("sqs", "CreateQueue", json!({ "QueueName": "heard" })).await["QueueUrl"].clone();
    let pattern = json!({ "source": ["aws.ssm"], "detail": { "operation": ["Update"] } }).to_string();
    world.ok("events", "PutRule", json!({ "Name": "changes", "EventPattern": pattern })).await;
    let target = json!([{ "Id": "1", "Arn": "arn:aws:sqs:eu-central-1:000000000000:heard" }]);
    world.ok("events", "PutTargets", json!({ "Rule": "changes", "Targets": target })).await;
    for value in ["one", "two"] {
        let input = json!({ "Name": "/p", "Value": value, "Type": "String", "Overwrite": true });
        world.ok("ssm", "PutParameter", input).await;
    }
    world.idle().await;
    let received = world.ok("sqs", "ReceiveMessage", json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10 }));
    let received = received.await;
    let messages = received["Messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    let event: Value = serde_json::from_str(messages[0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(event["detail-type"], "Parameter Store Change");
    assert_eq!(event["detail"]["name"], "/p");
}
