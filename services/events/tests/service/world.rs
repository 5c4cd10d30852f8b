//! A world of EventBridge, mailboxes and a target that fails as often as it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use base::{Fault, Timestamp};
use kernel::{Call, Effect, Event, Service, TargetKind, Tx};
use serde_json::{Value, json};

pub(crate) const OUT: &str = "arn:aws:sqs:eu-central-1:000000000000:out";
pub(crate) const DEAD: &str = "arn:aws:sqs:eu-central-1:000000000000:dead";
pub(crate) const DOWN: &str = "arn:aws:flaky:eu-central-1:000000000000:x";
pub(crate) const HANGING: &str = "arn:aws:flaky:eu-central-1:000000000000:hanging";
pub(crate) const DEFAULT_BUS: &str = "arn:aws:events:eu-central-1:000000000000:event-bus/default";
pub(crate) const DAY: Duration = Duration::from_secs(86_400);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// What the failing target does.
#[derive(Default)]
pub(crate) struct Flaky {
    /// So many attempts more fail.
    pub fails: AtomicU32,
    /// Whether access is denied.
    pub denied: AtomicBool,
    pub attempts: AtomicU32,
    pub released: tokio::sync::Notify,
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Take {
    payload: String,
    hangs: bool,
}

async fn take(effect: &Effect, input: Take) -> kernel::Result<()> {
    let flaky = effect.state::<Flaky>()?;
    flaky.attempts.fetch_add(1, Ordering::SeqCst);
    if input.hangs {
        flaky.released.notified().await;
    }
    if flaky.denied.load(Ordering::SeqCst) {
        return Err(Fault::access_denied("not for you").into());
    }
    if flaky.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
        return Err(Fault::new("ServiceException", "down").with_status(500).into());
    }
    let send = json!({ "QueueUrl": "out", "MessageBody": input.payload });
    effect.call("sqs", "SendMessage", serde_json::to_vec(&send)?.into()).await?;
    Ok(())
}

/// Emits an event as a service does.
async fn emit(tx: &mut Tx, input: Value) -> kernel::Result<()> {
    tx.emit(Event {
        source: input["source"].as_str().unwrap().to_owned(),
        detail_type: input["detail-type"].as_str().unwrap().to_owned(),
        resources: Vec::new(),
        detail: input["detail"].to_string(),
        order: input["order"].as_str().map(str::to_owned),
        begins_order: false,
    })?;
    Ok(())
}

const FLAKY: TargetKind = TargetKind {
    at_once: |_| false,
    service: "flaky",
    name: "flaky",
    serves: |_| true,
    call: |arn, delivery| {
        let take = Take { payload: delivery.payload, hangs: arn.resource == "hanging" };
        Call::new("flaky", "Take", &take).map_err(|e| Fault::validation(e.to_string()))
    },
};

pub(crate) struct World {
    pub world: testkit::World,
    pub flaky: Arc<Flaky>,
}

impl World {
    pub(crate) async fn new() -> World {
        let flaky = Arc::new(Flaky::default());
        let state = Arc::clone(&flaky);
        let world = testkit::World::new(move || {
            let flaky_service = Service::internal_only("flaky")
                .internal_effect("Take", take)
                .internal("Emit", emit)
                .targets(&[FLAKY])
                .state(Arc::clone(&state));
            vec![events::service(), testkit::mailbox::service(), flaky_service]
        })
        .await;
        for queue in ["out", "dead"] {
            world.ok("sqs", "CreateQueue", json!({ "QueueName": queue })).await;
        }
        World { world, flaky }
    }

    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        self.world.ok("events", operation, input).await
    }

    pub(crate) async fn refused(&self, operation: &str, input: Value) -> (String, String) {
        let fault = self.world.refused("events", operation, input).await;
        (fault.code.into_owned(), fault.message)
    }

    pub(crate) async fn ask(&self, operation: &str, input: Value) -> Value {
        self.world.ask("events", operation, input).await.unwrap()
    }

    /// A rule on the default bus with one target.
    pub(crate) async fn rule(&self, name: &str, pattern: Value, target: Value) {
        self.ok("PutRule", json!({ "Name": name, "EventPattern": pattern.to_string() })).await;
        self.target(name, target).await;
    }

    pub(crate) async fn target(&self, rule: &str, target: Value) {
        let mut all = json!({ "Id": "t", "Arn": OUT });
        all.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
        self.ok("PutTargets", json!({ "Rule": rule, "Targets": [all] })).await;
    }

    pub(crate) async fn put(&self, source: &str, detail: Value) -> String {
        let entry = json!({ "Source": source, "DetailType": "T", "Detail": detail.to_string() });
        self.put_entry(entry).await
    }

    pub(crate) async fn put_entry(&self, entry: Value) -> String {
        let put = self.ok("PutEvents", json!({ "Entries": [entry] })).await;
        assert_eq!(put["FailedEntryCount"], 0, "{put}");
        put["Entries"][0]["EventId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn emit(&self, input: Value) {
        self.world.ask("flaky", "Emit", input).await.unwrap();
        self.world.idle().await;
    }

    /// The messages of a queue, each received once.
    pub(crate) async fn messages(&self, queue: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let receive =
                json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 100_000_000 });
            let got = self.world.ok("sqs", "ReceiveMessage", receive).await;
            match got["Messages"].as_array() {
                Some(messages) => all.extend(messages.clone()),
                None => return all,
            }
        }
    }

    /// The JSON bodies of a queue's messages, each received once.
    pub(crate) async fn bodies(&self, queue: &str) -> Vec<Value> {
        self.world.idle().await;
        let messages = self.messages(queue).await;
        messages
            .iter()
            .map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap())
            .collect()
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.flaky.attempts.load(Ordering::SeqCst)
    }

    pub(crate) fn fail(&self, times: u32) {
        self.flaky.fails.store(times, Ordering::SeqCst);
    }

    pub(crate) async fn advance(&self, by: Duration) {
        self.world.advance(by).await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.now()
    }
}

/// The value of a message's attribute, or null.
pub(crate) fn attribute(message: &Value, name: &str) -> Value {
    message["MessageAttributes"][name]["StringValue"].clone()
}
