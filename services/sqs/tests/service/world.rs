//! What the tests ask of a queue, in few words.

use base::Fault;
use serde_json::{Value, json};

/// A cloud with SQS alone.
pub(crate) struct World(pub(crate) testkit::World);

impl World {
    pub(crate) async fn new() -> World {
        World(testkit::World::new(|| vec![sqs::service()]).await)
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        self.0.call("sqs", operation, input).await
    }

    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        self.call(operation, input).await.unwrap()
    }

    pub(crate) async fn refused(&self, operation: &str, input: Value) -> (String, String) {
        let fault = self.call(operation, input).await.unwrap_err();
        (fault.code.into_owned(), fault.message)
    }

    pub(crate) async fn queue(&self, name: &str, attributes: Value) -> String {
        let made = self.ok("CreateQueue", json!({ "QueueName": name, "Attributes": attributes })).await;
        made["QueueUrl"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn send(&self, url: &str, body: &str) -> String {
        let sent = self.ok("SendMessage", json!({ "QueueUrl": url, "MessageBody": body })).await;
        sent["MessageId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn receive(&self, url: &str, extra: Value) -> Vec<Value> {
        let mut input = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "AttributeNames": ["All"] });
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let received = self.ok("ReceiveMessage", input).await;
        received["Messages"].as_array().cloned().unwrap_or_default()
    }

    pub(crate) async fn bodies(&self, url: &str) -> Vec<String> {
        let messages = self.receive(url, json!({})).await;
        messages.iter().map(|message| message["Body"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn counts(&self, url: &str) -> [String; 3] {
        let got = self.ok("GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": ["All"] })).await;
        ["", "NotVisible", "Delayed"].map(|kind| {
            got["Attributes"][format!("ApproximateNumberOfMessages{kind}")].as_str().unwrap().to_owned()
        })
    }
}
