//! What buckets tell of their objects, to a queue and a bus that only take down what they get.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::{Arc, Mutex};

use base::{AccountId, Arn, Fault, Region, Timestamp};
use kernel::{
    Call, Caller, Chance, Clock, Delivery, Kernel, PUBLISH, Result, Service, ServiceEvent, TargetKind, Tx,
};
use serde_json::{Value, json};
use store::Location;

const QUEUE: &str = "arn:aws:sqs:eu-central-1:000000000000:q";

/// What came, in its order.
#[derive(Default)]
struct Log(Mutex<Vec<Value>>);

fn queue(log: &Arc<Log>) -> Service {
    let kind = TargetKind { service: "sqs", name: "queue", serves: |_| true, call, at_once: |_| false };
    Service::internal_only("sqs").state(Arc::clone(log)).internal("Take", take).targets(&[kind])
}

fn call(_: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    Call::new("sqs", "Take", &delivery.payload).map_err(|error| Fault::validation(error.to_string()))
}

async fn take(tx: &mut Tx, payload: String) -> Result<()> {
    let log = tx.state::<Log>()?;
    log.0.lock().unwrap().push(serde_json::from_str(&payload)?);
    Ok(())
}

fn bus(log: &Arc<Log>) -> Service {
    Service::internal_only("events").state(Arc::clone(log)).internal(PUBLISH, publish)
}

async fn publish(tx: &mut Tx, event: ServiceEvent) -> Result<()> {
    let log = tx.state::<Log>()?;
    let detail: Value = serde_json::from_str(&event.detail)?;
    let told = json!({ "type": event.detail_type, "source": event.source, "detail": detail });
    log.0.lock().unwrap().push(told);
    Ok(())
}

struct World {
    kernel: Kernel,
    log: Arc<Log>,
}

impl World {
    async fn with(configuration: Value) -> World {
        let log = Arc::new(Log::default());
        let clock = Clock::virtual_at(Timestamp::from_iso("2026-01-01T00:00:00Z").unwrap());
        let services = vec![s3::service(), queue(&log), bus(&log)];
        let kernel = Kernel::new(store::open(&Location::Memory).unwrap(), clock, Chance::seeded(1), services);
        kernel.start().await.unwrap();
        let world = World { kernel, log };
        world.call("CreateBucket", json!({ "Bucket": "box" })).await;
        let input = json!({ "Bucket": "box", "NotificationConfiguration": configuration,
            "SkipDestinationValidation": true });
        world.call("PutBucketNotificationConfiguration", input).await;
        world
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        let region = Region::parse("eu-central-1").unwrap();
        let caller = Caller::root_user(AccountId::default(), region, self.kernel.new_id());
        let answer = self.kernel.run_document(caller, "s3", operation, &input).await;
        answer.unwrap_or_else(|fault| panic!("{operation}: {fault}"))
    }

    async fn put(&self, key: &str) {
        self.call("PutObject", json!({ "Bucket": "box", "Key": key, "Body": "aGVsbG8=" })).await;
    }

    /// What came since the last time.
    async fn told(&self) -> Vec<Value> {
        self.kernel.idle().await;
        std::mem::take(&mut *self.log.0.lock().unwrap())
    }
}

#[tokio::test]
async fn a_queue_hears_of_the_objects_that_it_asked_for() {
    let rules = json!([{ "Name": "prefix", "Value": "in/" }, { "Name": "suffix", "Value": ".txt" }]);
    let world = World::with(json!({ "QueueConfigurations": [{
        "Id": "n", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"],
        "Filter": { "Key": { "FilterRules": rules } },
    }] }))
    .await;
    for key in ["in/a b.txt", "in/a.csv", "a.txt"] {
        world.put(key).await;
    }
    let told = world.told().await;
    assert_eq!(told.len(), 1);
    let record = &told[0]["Records"][0];
    assert_eq!(
        (&record["eventName"], &record["awsRegion"]),
        (&json!("ObjectCreated:Put"), &json!("eu-central-1"))
    );
    let object = &record["s3"]["object"];
    assert_eq!((&object["key"], &object["size"]), (&json!("in/a+b.txt"), &json!(5)));
    assert_eq!(record["s3"]["configurationId"], "n");
    world.call("DeleteObject", json!({ "Bucket": "box", "Key": "in/a b.txt" })).await;
    let removed = world.told().await.remove(0);
    let removed = &removed["Records"][0];
    assert_eq!(removed["eventName"], "ObjectRemoved:Delete");
    let order = |record: &Value| record["s3"]["object"]["sequencer"].as_str().unwrap().to_owned();
    assert!(order(removed) > order(record));
}

#[tokio::test]
async fn two_destinations_cannot_share_a_change() {
    let world = World::with(json!({})).await;
    let to = |events: &str, prefix: &str, suffix: &str| {
        let rules = json!([{ "Name": "prefix", "Value": prefix }, { "Name": "suffix", "Value": suffix }]);
        json!({ "Events": [events], "Filter": { "Key": { "FilterRules": rules } } })
    };
    let all = to("s3:ObjectCreated:*", "", "");
    for (one, other, overlap) in [
        (all.clone(), all.clone(), true),
        (all.clone(), to("s3:ObjectCreated:Put", "", ".txt"), true),
        (all, to("s3:ObjectRemoved:*", "", ""), false),
        (to("s3:ObjectCreated:*", "in/", ""), to("s3:ObjectCreated:*", "out/", ""), false),
        (to("s3:ObjectCreated:*", "in/", ".a"), to("s3:ObjectCreated:*", "in/x", ".b"), false),
        (to("s3:ObjectCreated:*", "in/", ".a"), to("s3:ObjectCreated:*", "in/x", "b.a"), true),
    ] {
        let (mut one, mut other) = (one, other);
        one["QueueArn"] = QUEUE.into();
        other["TopicArn"] = QUEUE.replace(":sqs:", ":sns:").into();
        let configuration = json!({ "QueueConfigurations": [one], "TopicConfigurations": [other] });
        let input = json!({ "Bucket": "box", "NotificationConfiguration": configuration,
            "SkipDestinationValidation": true });
        let region = Region::parse("eu-central-1").unwrap();
        let caller = Caller::root_user(AccountId::default(), region, world.kernel.new_id());
        let answer =
            world.kernel.run_document(caller, "s3", "PutBucketNotificationConfiguration", &input).await;
        let message = answer.err().map(|fault| fault.message);
        let expected =
            "Configurations overlap. Configurations on the same bucket cannot share a common event type.";
        assert_eq!(message.as_deref(), overlap.then_some(expected), "{input}");
    }
}

#[tokio::test]
async fn the_bus_hears_of_everything() {
    let world = World::with(json!({ "EventBridgeConfiguration": {} })).await;
    let versioning = json!({ "Bucket": "box", "VersioningConfiguration": { "Status": "Enabled" } });
    world.call("PutBucketVersioning", versioning).await;
    world.put("a b").await;
    let tags = json!({ "TagSet": [{ "Key": "k", "Value": "v" }] });
    world.call("PutObjectTagging", json!({ "Bucket": "box", "Key": "a b", "Tagging": tags })).await;
    let told = world.told().await;
    assert_eq!((&told[0]["type"], &told[1]["type"]), (&json!("Object Created"), &json!("Object Tags Added")));
    let detail = &told[0]["detail"];
    assert_eq!((&detail["reason"], &detail["object"]["key"]), (&json!("PutObject"), &json!("a b")));
    let version = &detail["object"]["version-id"];
    world.call("DeleteObject", json!({ "Bucket": "box", "Key": "a b" })).await;
    world.call("DeleteObject", json!({ "Bucket": "box", "Key": "a b", "VersionId": version })).await;
    let told = world.told().await;
    let how: Vec<&Value> = told.iter().map(|told| &told["detail"]["deletion-type"]).collect();
    assert_eq!(how, ["Delete Marker Created", "Permanently Deleted"]);
}
