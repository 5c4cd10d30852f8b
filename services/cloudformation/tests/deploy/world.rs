//! A cloud with CloudFormation and fake services, on the virtual clock.

use std::sync::Arc;
use std::time::Duration;

use base::{Document, Fault, Timestamp};
use kernel::{Caller, Kernel};
use serde_json::json;

use crate::fake::{self, Script};

/// All that a test touches.
pub(crate) struct World {
    pub(crate) cloud: testkit::World,
    pub(crate) script: Arc<Script>,
}

impl World {
    pub(crate) async fn asleep() -> World {
        let script = Arc::new(Script::default());
        let shared = Arc::clone(&script);
        let services = move || {
            let mut services = fake::services(&shared);
            services.push(cloudformation::service());
            services
        };
        let start = Timestamp::from_millis(1_790_000_000_000);
        World { cloud: testkit::World::of(services).seed(7).start_at(start).asleep().open().await, script }
    }

    pub(crate) async fn new() -> World {
        let world = World::asleep().await;
        world.kernel().start().await.unwrap();
        world
    }

    pub(crate) fn kernel(&self) -> &Kernel {
        self.cloud.kernel()
    }

    pub(crate) fn caller(&self) -> Caller {
        self.cloud.caller()
    }

    pub(crate) async fn call(&self, operation: &str, input: Document) -> Result<Document, Fault> {
        let answer = self.cloud.call("cloudformation", operation, input).await;
        self.cloud.advance(Duration::from_secs(5)).await;
        answer
    }

    pub(crate) async fn refused(&self, operation: &str, input: Document) -> String {
        self.call(operation, input).await.unwrap_err().message
    }

    /// Status and reason.
    pub(crate) async fn status(&self, name: &str) -> (String, String) {
        let stack = self.stack(name).await.unwrap();
        let text = |member: &str| stack[member].as_str().unwrap_or_default().to_owned();
        (text("StackStatus"), text("StackStatusReason"))
    }

    pub(crate) async fn stack(&self, name: &str) -> Result<Document, Fault> {
        let answer = self.call("DescribeStacks", json!({ "StackName": name })).await?;
        Ok(answer["Stacks"][0].clone())
    }

    pub(crate) async fn create(&self, name: &str, template: &str) -> (String, String) {
        self.call("CreateStack", json!({ "StackName": name, "TemplateBody": template })).await.unwrap();
        self.status(name).await
    }

    pub(crate) async fn update(&self, name: &str, template: &str) -> (String, String) {
        self.call("UpdateStack", json!({ "StackName": name, "TemplateBody": template })).await.unwrap();
        self.status(name).await
    }

    /// Logical id, status and reason of every event, oldest first.
    pub(crate) async fn events(&self, name: &str) -> Vec<String> {
        let answer = self.call("DescribeStackEvents", json!({ "StackName": name })).await.unwrap();
        let line = |event: &Document| {
            let text = |member: &str| event[member].as_str().unwrap_or_default().to_owned();
            format!(
                "{} {} {}",
                text("LogicalResourceId"),
                text("ResourceStatus"),
                text("ResourceStatusReason")
            )
            .trim_end()
            .to_owned()
        };
        answer["StackEvents"].as_array().unwrap().iter().rev().map(line).collect()
    }

    pub(crate) async fn things(&self, service: &'static str) -> Vec<(String, Document)> {
        self.kernel().transact(service, self.caller(), "Things", fake::things, ()).await.unwrap()
    }

    pub(crate) async fn names(&self, service: &'static str) -> Vec<String> {
        self.things(service).await.into_iter().map(|(name, _)| name).collect()
    }

    /// The operations called since the last time one asked.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.script.calls.lock().unwrap().drain(..).map(|(operation, _)| operation).collect()
    }

    pub(crate) fn refuse(&self, operation: &'static str) {
        self.script.refuse.lock().unwrap().insert(operation);
    }
}

pub(crate) fn complete(status: &str) -> (String, String) {
    (status.to_owned(), String::new())
}

pub(crate) const TWO_QUEUES: &str = "
Resources:
  Dead: {Type: AWS::SQS::Queue}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: work
      VisibilityTimeout: '60'
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
Outputs:
  Url: {Value: !Ref Work, Export: {Name: work-url}}
";
