//! Stacks that use each other.

use serde_json::json;

use crate::world::{TWO_QUEUES, World, complete};

#[tokio::test]
async fn exports_bind_stacks_together() {
    let world = World::new().await;
    world.create("producer", TWO_QUEUES).await;
    let consumer = "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Url: !ImportValue {'Fn::Sub': 'work-url'}}
";
    let input =
        json!({"StackName": "consumer", "TemplateBody": consumer, "Capabilities": ["CAPABILITY_IAM"]});
    world.call("CreateStack", input).await.unwrap();
    assert_eq!(world.status("consumer").await, complete("CREATE_COMPLETE"));
    assert_eq!(
        world.things("iam").await[0].1["AssumeRolePolicyDocument"],
        json!({"Url": "http://queues/work"})
    );
    let imports = world.call("ListImports", json!({"ExportName": "work-url"})).await.unwrap();
    assert_eq!(imports["Imports"], json!(["consumer"]));
    let exports = world.call("ListExports", json!({})).await.unwrap();
    assert_eq!(exports["Exports"][0]["Value"], "http://queues/work");
    let refused = world.refused("DeleteStack", json!({"StackName": "producer"})).await;
    assert_eq!(refused, "Export work-url cannot be deleted as it is in use by consumer");

    let moved = TWO_QUEUES.replace("QueueName: work", "QueueName: moved");
    let (status, _) = world.update("producer", &moved).await;
    assert_eq!(status, "UPDATE_ROLLBACK_COMPLETE");
    let events = world.events("producer").await;
    let reason = "Export work-url cannot be updated as it is in use by consumer";
    assert!(events.iter().any(|event| event.ends_with(reason)), "{events:?}");
    assert_eq!(world.names("sqs").await[1], "work");

    world.call("DeleteStack", json!({"StackName": "consumer"})).await.unwrap();
    let refused = world.refused("ListImports", json!({"ExportName": "work-url"})).await;
    assert_eq!(refused, "Export 'work-url' is not imported by any stack.");
    world.call("DeleteStack", json!({"StackName": "producer"})).await.unwrap();
    assert!(world.names("sqs").await.is_empty());
    let input = json!({"StackName": "late", "TemplateBody": consumer, "Capabilities": ["CAPABILITY_IAM"]});
    world.call("CreateStack", input).await.unwrap();
    let events = world.events("late").await;
    assert!(events.contains(&"Role CREATE_FAILED No export named work-url found.".to_owned()), "{events:?}");
}

#[tokio::test]
async fn two_stacks_cannot_export_one_name() {
    let world = World::new().await;
    world.create("one", TWO_QUEUES).await;
    let other = TWO_QUEUES.replace("QueueName: work", "QueueName: other");
    assert_eq!(world.create("two", &other).await.0, "ROLLBACK_COMPLETE");
    let events = world.events("two").await;
    assert!(
        events.iter().any(|e| e.contains("Export with name work-url is already exported by stack one")),
        "{events:?}"
    );
}
