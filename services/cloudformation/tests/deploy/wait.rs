//! Wait conditions: signals by a handle's URL and by SignalResource, early, late, failing, too few.

use std::time::Duration;

use base::{Document, Fault};
use serde_json::json;

use crate::world::{World, complete};

const BY_HANDLE: &str = "
Resources:
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Wait:
    Type: AWS::CloudFormation::WaitCondition
    Properties: {Handle: !Ref Handle, Timeout: '600', Count: 2}
  Queue: {Type: AWS::SQS::Queue, DependsOn: Wait, Properties: {QueueName: work}}
Outputs: {Data: {Value: !GetAtt Wait.Data}, Url: {Value: !Ref Handle}}
";

const BY_POLICY: &str = "
Parameters: {Many: {Type: Number, Default: 2}}
Resources:
  Wait:
    Type: AWS::CloudFormation::WaitCondition
    CreationPolicy: {ResourceSignal: {Count: !Ref Many, Timeout: PT10M}}
";

impl World {
    /// The physical id of a resource of the stack.
    async fn id_of(&self, logical_id: &str) -> String {
        let input = json!({"StackName": "app", "LogicalResourceId": logical_id});
        let found = self.call("DescribeStackResource", input).await.unwrap();
        found["StackResourceDetail"]["PhysicalResourceId"].as_str().unwrap_or_default().to_owned()
    }

    /// A request to the handle's URL.
    async fn put(&self, url: &str, signal: Document) -> Result<Document, Fault> {
        let (before, token) = url.rsplit_once('/').unwrap();
        assert!(before.ends_with("/_buswork/cloudformation/000000000000/eu-central-1"), "{url}");
        let input = json!({"token": token, "body": signal.to_string()});
        let operation = cloudformation::ANSWER_CUSTOM_RESOURCE;
        let answered = self.kernel().ask(self.caller(), "cloudformation", operation, &input).await;
        self.kernel().advance(Duration::from_secs(5)).await;
        answered
    }

    async fn signal(&self, id: &str, status: &str) -> Result<Document, Fault> {
        let input =
            json!({"StackName": "app", "LogicalResourceId": "Wait", "UniqueId": id, "Status": status});
        self.call("SignalResource", input).await
    }

    async fn says(&self, wanted: &str) {
        let events = self.events("app").await;
        assert!(events.iter().any(|event| event == wanted), "no {wanted:?} in {events:#?}");
    }
}

fn success(id: &str) -> Document {
    json!({"Status": "SUCCESS", "UniqueId": id, "Reason": "ready", "Data": format!("{id} is there")})
}

#[tokio::test]
async fn a_condition_stands_when_enough_signals_have_come() {
    let world = World::new().await;
    world.create("app", BY_HANDLE).await;
    let url = world.id_of("Handle").await;
    world.put(&url, success("one")).await.unwrap();
    world.put(&url, success("one")).await.unwrap();
    assert_eq!(world.status("app").await.0, "CREATE_IN_PROGRESS", "a signal counts once");
    assert!(world.names("sqs").await.is_empty());
    world.put(&url, success("two")).await.unwrap();
    assert_eq!(world.status("app").await, complete("CREATE_COMPLETE"));
    assert_eq!(world.names("sqs").await, ["work"]);
    let outputs = world.stack("app").await.unwrap()["Outputs"].clone();
    assert_eq!(outputs[0]["OutputValue"], r#"{"one":"one is there","two":"two is there"}"#);
    assert_eq!(outputs[1]["OutputValue"], url);
    assert_eq!(world.id_of("Handle").await, url);

    let longer = BY_HANDLE.replace("600", "700");
    assert_eq!(world.update("app", &longer).await.0, "UPDATE_ROLLBACK_COMPLETE");
    world
        .says(
            "Wait UPDATE_FAILED Update to resource type AWS::CloudFormation::WaitCondition is not supported.",
        )
        .await;
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    assert!(world.stack("app").await.is_err());
    assert_eq!(world.put(&url, success("three")).await.unwrap_err().status, 404);
}

#[tokio::test]
async fn a_signal_that_comes_before_its_condition_counts() {
    let world = World::new().await;
    let handle = "Resources: {Handle: {Type: AWS::CloudFormation::WaitConditionHandle}}";
    world.create("app", handle).await;
    let url = world.id_of("Handle").await;
    for id in ["one", "two"] {
        world.put(&url, success(id)).await.unwrap();
    }
    assert_eq!(world.update("app", BY_HANDLE).await, complete("UPDATE_COMPLETE"));
}

#[tokio::test]
async fn one_failure_fails_the_stack() {
    let world = World::new().await;
    world.create("app", BY_HANDLE).await;
    let url = world.id_of("Handle").await;
    world.put(&url, success("one")).await.unwrap();
    let failure = json!({"Status": "FAILURE", "UniqueId": "two", "Reason": "no disk"});
    world.put(&url, failure).await.unwrap();
    world.says("Wait CREATE_FAILED WaitCondition received failed message: 'no disk' for uniqueId: two").await;
    assert_eq!(world.status("app").await.0, "ROLLBACK_COMPLETE");
}

#[tokio::test]
async fn too_few_signals_within_the_time_fail_the_stack() {
    let world = World::new().await;
    world.create("app", BY_HANDLE).await;
    let url = world.id_of("Handle").await;
    world.put(&url, success("one")).await.unwrap();
    world.kernel().advance(Duration::from_secs(500)).await;
    assert_eq!(world.status("app").await.0, "CREATE_IN_PROGRESS");
    world.kernel().advance(Duration::from_secs(100)).await;
    world.says("Wait CREATE_FAILED WaitCondition timed out. Received 1 conditions when expecting 2").await;
    assert_eq!(world.status("app").await.0, "ROLLBACK_COMPLETE");
}

#[tokio::test]
async fn what_is_no_signal_is_refused() {
    let world = World::new().await;
    world.create("app", BY_HANDLE).await;
    let url = world.id_of("Handle").await;
    let cases = [
        (json!(["SUCCESS"]), "the signal is no JSON object"),
        (json!({"Status": "DONE", "UniqueId": "a"}), "the signal's Status is neither SUCCESS nor FAILURE"),
        (json!({"Status": "SUCCESS"}), "the signal has no UniqueId"),
        (
            json!({"Status": "SUCCESS", "UniqueId": "a", "Data": "x".repeat(5_000)}),
            "the Data of all signals would be more than 4096 bytes",
        ),
    ];
    for (signal, why) in cases {
        let refused = world.put(&url, signal).await.unwrap_err();
        assert_eq!((refused.status, refused.message.as_str()), (400, why));
    }
    assert_eq!(world.status("app").await.0, "CREATE_IN_PROGRESS");
    let elsewhere = BY_HANDLE.replace("!Ref Handle", "'https://example.com/none'");
    world.call("CreateStack", json!({"StackName": "b", "TemplateBody": elsewhere})).await.unwrap();
    assert_eq!(world.status("b").await.0, "ROLLBACK_COMPLETE");
}

#[tokio::test]
async fn a_creation_policy_is_fulfilled_by_signal_resource() {
    let world = World::new().await;
    world.create("app", BY_POLICY).await;
    world.signal("one", "SUCCESS").await.unwrap();
    world.says("Wait CREATE_IN_PROGRESS Received SUCCESS signal with UniqueId one").await;
    let again = world.signal("one", "SUCCESS").await.unwrap_err();
    assert!(again.message.contains("UniqueId one already"), "{}", again.message);
    assert_eq!(world.status("app").await.0, "CREATE_IN_PROGRESS");
    world.signal("two", "SUCCESS").await.unwrap();
    assert_eq!(world.status("app").await, complete("CREATE_COMPLETE"));
    let late = world.signal("three", "SUCCESS").await.unwrap_err();
    assert!(
        late.message.ends_with("is in CREATE_COMPLETE state and can not be signaled."),
        "{}",
        late.message
    );
}

#[tokio::test]
async fn a_creation_policy_fails_by_a_signal_or_by_time() {
    let world = World::new().await;
    world.create("app", BY_POLICY).await;
    world.signal("one", "FAILURE").await.unwrap();
    world
        .says(
            "Wait CREATE_FAILED Received 1 FAILURE signal(s) out of 2.  Unable to satisfy 100% \
             MinSuccessfulInstancesPercent requirement",
        )
        .await;
    assert_eq!(world.status("app").await.0, "ROLLBACK_COMPLETE");

    let world = World::new().await;
    world.create("app", BY_POLICY).await;
    world.signal("one", "SUCCESS").await.unwrap();
    world.kernel().advance(Duration::from_secs(600)).await;
    world
        .says("Wait CREATE_FAILED Failed to receive 1 resource signal(s) within the specified duration")
        .await;
    assert_eq!(world.status("app").await.0, "ROLLBACK_COMPLETE");
}

#[tokio::test]
async fn a_failure_elsewhere_or_a_deletion_ends_the_waiting() {
    let world = World::new().await;
    world.refuse("CreateQueue");
    let template =
        format!("{BY_POLICY}  Queue: {{Type: AWS::SQS::Queue, Properties: {{QueueName: work}}}}\n");
    world.create("app", &template).await;
    world.says("Wait CREATE_FAILED Resource creation cancelled").await;
    assert_eq!(world.status("app").await.0, "ROLLBACK_COMPLETE");

    let world = World::new().await;
    world.create("app", BY_HANDLE).await;
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    assert!(world.stack("app").await.is_err());
}

#[tokio::test]
async fn other_policies_are_refused_by_name() {
    let world = World::new().await;
    for (template, what) in [
        (
            "Resources: {Q: {Type: AWS::SQS::Queue, CreationPolicy: {}}}",
            "CreationPolicy of the type AWS::SQS::Queue",
        ),
        (
            "Resources: {W: {Type: AWS::CloudFormation::WaitCondition, CreationPolicy: {StartFleet: true}}}",
            "[/Resources/W/CreationPolicy] StartFleet",
        ),
        ("Resources: {Q: {Type: AWS::SQS::Queue, UpdatePolicy: {}}}", "UpdatePolicy"),
    ] {
        let input = json!({"StackName": "app", "TemplateBody": template});
        let refused = world.refused("CreateStack", input).await;
        assert!(refused.contains(what), "{refused}");
    }
}
