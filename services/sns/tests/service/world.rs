//! What the tests ask of a topic, in few words.

use base::Fault;
use kernel::{Call, NewTask, Service, TargetKind, Tx};
use serde_json::{Value, json};

pub(crate) const QUEUES: &str = "arn:aws:sqs:eu-central-1:000000000000";
pub(crate) const TOPICS: &str = "arn:aws:sns:eu-central-1:000000000000";

/// A cloud with SNS, mailboxes, and functions that send their events to the mailbox `invoked`.
pub(crate) struct World(pub(crate) testkit::World);

const FUNCTION: TargetKind = TargetKind {
    at_once: |_| false,
    service: "lambda",
    name: "Lambda function",
    serves: |arn| arn.resource.starts_with("function:"),
    call: |_, delivery| {
        let input: Value = serde_json::from_str(&delivery.payload).unwrap();
        Call::new("lambda", "Invoke", &input).map_err(|error| Fault::validation(error.to_string()))
    },
};

async fn invoke(tx: &mut Tx, event: Value) -> kernel::Result<()> {
    let send = json!({ "QueueUrl": "invoked", "MessageBody": event.to_string() });
    tx.enqueue(tx.now(), NewTask::new(Call::new("sqs", "SendMessage", &send)?))?;
    Ok(())
}

impl World {
    pub(crate) async fn new() -> World {
        let services = || {
            let lambda = Service::internal_only("lambda").internal("Invoke", invoke).targets(&[FUNCTION]);
            vec![sns::service(), testkit::mailbox::service(), lambda]
        };
        let world = World(testkit::World::new(services).await);
        for queue in ["q", "other", "dead", "q.fifo", "dead.fifo", "invoked"] {
            world.0.ok("sqs", "CreateQueue", json!({ "QueueName": queue })).await;
        }
        world
    }

    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        self.0.ok("sns", operation, input).await
    }

    pub(crate) async fn refused(&self, operation: &str, input: Value) -> String {
        self.0.refused("sns", operation, input).await.to_string()
    }

    pub(crate) async fn topic(&self, name: &str, attributes: Value) -> String {
        let made = self.ok("CreateTopic", json!({ "Name": name, "Attributes": attributes })).await;
        made["TopicArn"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn subscribe(&self, topic: &str, queue: &str, attributes: Value) -> String {
        let input = json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": format!("{QUEUES}:{queue}"), "Attributes": attributes });
        self.ok("Subscribe", input).await["SubscriptionArn"].as_str().unwrap().to_owned()
    }

    /// Publishes, and lets what follows happen.
    pub(crate) async fn publish(&self, topic: &str, input: Value) -> Value {
        let mut all = json!({ "TopicArn": topic });
        all.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        let published = self.ok("Publish", all).await;
        self.0.idle().await;
        published
    }

    /// What another account's root user is answered, or a fault as text.
    pub(crate) async fn as_other(&self, operation: &str, input: Value) -> Result<Value, String> {
        let account = base::AccountId::parse("111111111111").unwrap();
        let here = self.0.caller();
        let caller = kernel::Caller::root_user(account, here.region, here.request_id);
        self.0.call_as(caller, "sns", operation, input).await.map_err(|fault| fault.to_string())
    }

    /// How many rows the service has.
    pub(crate) async fn rows(&self) -> usize {
        let all = store::engine::KeyRange { start: bytes::Bytes::new(), end: bytes::Bytes::new() };
        let snapshot = self.0.engine().snapshot().await.unwrap();
        let rows = snapshot.scan(all, 1_000_000, kernel::Direction::Forward).await.unwrap();
        rows.iter().filter(|(key, _)| key.windows(4).any(|part| part == b"sns\0")).count()
    }

    /// The messages of a queue, each once.
    pub(crate) async fn messages(&self, queue: &str) -> Vec<Value> {
        let receive = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 100, "VisibilityTimeout": 40_000 });
        let got = self.0.ok("sqs", "ReceiveMessage", receive).await;
        got["Messages"].as_array().cloned().unwrap_or_default()
    }

    /// Their bodies as JSON.
    pub(crate) async fn bodies(&self, queue: &str) -> Vec<Value> {
        let messages = self.messages(queue).await;
        messages
            .iter()
            .map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap())
            .collect()
    }
}
