//! S3 with the real EventBridge, SQS and SNS around it: what buckets tell of their objects.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use serde_json::{Value, json};
use testkit::World;

const QUEUES: &str = "arn:aws:sqs:eu-central-1:000000000000";

async fn world() -> World {
    let world = World::new(|| vec![events::service(), s3::service(), sns::service(), sqs::service()]).await;
    for queue in ["direct", "bus"] {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": queue })).await;
    }
    world.ok("s3", "CreateBucket", json!({ "Bucket": "box" })).await;
    world
}

async fn configure(world: &World, configuration: Value) {
    let input = json!({ "Bucket": "box", "NotificationConfiguration": configuration });
    world.ok("s3", "PutBucketNotificationConfiguration", input).await;
}

async fn put(world: &World, key: &str) {
    world.ok("s3", "PutObject", json!({ "Bucket": "box", "Key": key, "Body": "aGVsbG8=" })).await;
}

/// The bodies of all messages, which are removed.
async fn receive(world: &World, queue: &str) -> Vec<Value> {
    world.idle().await;
    let input = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10 });
    let got = world.ok("sqs", "ReceiveMessage", input).await;
    let mut bodies = Vec::new();
    for message in got["Messages"].as_array().into_iter().flatten() {
        bodies.push(serde_json::from_str(message["Body"].as_str().unwrap()).unwrap());
        let handle = json!({ "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"] });
        world.ok("sqs", "DeleteMessage", handle).await;
    }
    bodies
}

#[tokio::test]
async fn a_queue_hears_of_the_objects_that_it_asked_for() {
    let world = world().await;
    let rules = json!([{ "Name": "prefix", "Value": "in/" }, { "Name": "suffix", "Value": ".txt" }]);
    let events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"];
    let to = json!({ "Id": "n", "QueueArn": format!("{QUEUES}:direct"), "Events": events,
        "Filter": { "Key": { "FilterRules": rules } } });
    configure(&world, json!({ "QueueConfigurations": [to] })).await;
    let test = receive(&world, "direct").await;
    assert_eq!((&test[0]["Event"], &test[0]["Bucket"]), (&json!("s3:TestEvent"), &json!("box")));
    for key in ["in/a b.txt", "in/a.csv", "a.txt"] {
        put(&world, key).await;
    }
    let told = receive(&world, "direct").await;
    assert_eq!(told.len(), 1);
    let record = &told[0]["Records"][0];
    assert_eq!(
        (&record["eventName"], &record["eventSource"]),
        (&json!("ObjectCreated:Put"), &json!("aws:s3"))
    );
    let object = &record["s3"]["object"];
    assert_eq!((&object["key"], &object["size"]), (&json!("in/a+b.txt"), &json!(5)));
    assert_eq!(object["eTag"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(
        (&record["s3"]["configurationId"], &record["s3"]["bucket"]["name"]),
        (&json!("n"), &json!("box"))
    );
    world.ok("s3", "DeleteObject", json!({ "Bucket": "box", "Key": "in/a b.txt" })).await;
    let removed = receive(&world, "direct").await;
    assert_eq!(removed[0]["Records"][0]["eventName"], "ObjectRemoved:Delete");
    let later = removed[0]["Records"][0]["s3"]["object"]["sequencer"].as_str().unwrap();
    assert!(later > object["sequencer"].as_str().unwrap());
}

#[tokio::test]
async fn the_bus_hears_of_everything() {
    let world = world().await;
    configure(&world, json!({ "EventBridgeConfiguration": {} })).await;
    let pattern = json!({ "source": ["aws.s3"], "detail": { "bucket": { "name": ["box"] } } }).to_string();
    world.ok("events", "PutRule", json!({ "Name": "r", "EventPattern": pattern })).await;
    let target = json!({ "Id": "t", "Arn": format!("{QUEUES}:bus") });
    world.ok("events", "PutTargets", json!({ "Rule": "r", "Targets": [target] })).await;
    let versioning = json!({ "Bucket": "box", "VersioningConfiguration": { "Status": "Enabled" } });
    world.ok("s3", "PutBucketVersioning", versioning).await;
    put(&world, "a b").await;
    let created = receive(&world, "bus").await;
    let (event, detail) = (&created[0], &created[0]["detail"]);
    assert_eq!(
        (&event["detail-type"], &event["resources"][0]),
        (&json!("Object Created"), &json!("arn:aws:s3:::box"))
    );
    assert_eq!((&detail["reason"], &detail["object"]["key"]), (&json!("PutObject"), &json!("a b")));
    let version = detail["object"]["version-id"].as_str().unwrap().to_owned();
    let tags = json!({ "TagSet": [{ "Key": "k", "Value": "v" }] });
    world.ok("s3", "PutObjectTagging", json!({ "Bucket": "box", "Key": "a b", "Tagging": tags })).await;
    assert_eq!(receive(&world, "bus").await[0]["detail-type"], "Object Tags Added");
    world.ok("s3", "DeleteObject", json!({ "Bucket": "box", "Key": "a b" })).await;
    let hidden = receive(&world, "bus").await;
    assert_eq!(hidden[0]["detail"]["deletion-type"], "Delete Marker Created");
    world.ok("s3", "DeleteObject", json!({ "Bucket": "box", "Key": "a b", "VersionId": version })).await;
    let removed = receive(&world, "bus").await;
    assert_eq!(removed[0]["detail"]["deletion-type"], "Permanently Deleted");
}

#[tokio::test]
async fn a_change_is_told_once_whenever_the_process_dies() {
    for commits in 0..4 {
        let mut world = world().await;
        let events = ["s3:ObjectCreated:*"];
        let to = json!({ "QueueArn": format!("{QUEUES}:direct"), "Events": events });
        configure(&world, json!({ "QueueConfigurations": [to] })).await;
        receive(&world, "direct").await;
        world.die_after(commits);
        let input = json!({ "Bucket": "box", "Key": "a", "Body": "aGVsbG8=" });
        let accepted = world.call("s3", "PutObject", input).await.is_ok();
        world.idle().await;
        world.crash().await;
        assert_eq!(receive(&world, "direct").await.len(), usize::from(accepted), "after {commits} commits");
    }
}

#[tokio::test]
async fn who_cannot_be_reached_is_refused() {
    let world = world().await;
    let put = async |name: &str, to: Value| {
        let input = json!({ "Bucket": "box", "NotificationConfiguration": { name: [to] } });
        world.refused("s3", "PutBucketNotificationConfiguration", input).await
    };
    let gone = json!({ "QueueArn": format!("{QUEUES}:gone"), "Events": ["s3:ObjectCreated:*"] });
    let fault = put("QueueConfigurations", gone).await;
    assert_eq!(fault.message, "Unable to validate the following destination configurations");
    let topic = json!({ "TopicArn": format!("{QUEUES}:direct"), "Events": ["s3:ObjectCreated:*"] });
    assert_eq!(put("TopicConfigurations", topic).await.code, "InvalidArgument");
    let never = json!({ "QueueArn": format!("{QUEUES}:direct"), "Events": ["s3:ObjectRestore:*"] });
    assert_eq!(put("QueueConfigurations", never).await.code, "NotImplemented");
    let kept = world.ok("s3", "GetBucketNotificationConfiguration", json!({ "Bucket": "box" })).await;
    assert_eq!(kept, json!({}));
}
