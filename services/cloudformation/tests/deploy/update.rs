//! Stacks change: in place, by replacement, and back again.

use base::Document;
use serde_json::json;

use crate::world::{World, complete};

#[tokio::test]
async fn an_update_changes_in_place_replaces_and_cleans_up() {
    let world = World::new().await;
    let first = "
Resources:
  Changed: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 1, VisibilityTimeout: 9}}
  Replaced: {Type: AWS::SQS::Queue, Properties: {QueueName: old}}
  Dropped: {Type: AWS::SQS::Queue, Properties: {QueueName: dropped}}
  Same: {Type: AWS::SQS::Queue, Properties: {QueueName: same}}
";
    let second = "
Resources:
  Changed: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 2}}
  Replaced: {Type: AWS::SQS::Queue, Properties: {QueueName: new}}
  Same: {Type: AWS::SQS::Queue, Properties: {QueueName: same}}
  Added: {Type: AWS::SQS::Queue, Properties: {QueueName: added}, DependsOn: Replaced}
";
    world.create("app", first).await;
    world.calls();
    assert_eq!(world.update("app", second).await, complete("UPDATE_COMPLETE"));
    assert_eq!(world.names("sqs").await[0..3], ["added", world.names("sqs").await[1].as_str(), "new"]);
    assert_eq!(world.names("sqs").await.len(), 4);
    let (_, changed) = &world.things("sqs").await[1];
    assert_eq!(changed["DelaySeconds"], 2);
    assert_eq!(changed["VisibilityTimeout"], "30", "what is removed goes back to the default");
    let calls = world.calls();
    let at = |operation: &str| calls.iter().position(|call| call == operation).unwrap();
    assert!(at("CreateQueue") < at("DeleteQueue"), "the new one comes before the old one goes: {calls:?}");
    assert_eq!(calls.iter().filter(|call| *call == "DeleteQueue").count(), 2);
    let events = world.events("app").await;
    let cleanup = events.iter().position(|event| event == "app UPDATE_COMPLETE_CLEANUP_IN_PROGRESS").unwrap();
    assert!(events[cleanup..].contains(&"Dropped DELETE_COMPLETE".to_owned()), "{events:?}");
    assert!(events[cleanup..].contains(&"Replaced DELETE_COMPLETE".to_owned()), "{events:?}");
    let again = world.refused("UpdateStack", json!({"StackName": "app", "TemplateBody": second})).await;
    assert_eq!(again, "No updates are to be performed.");
    let same = world.refused("UpdateStack", json!({"StackName": "app", "UsePreviousTemplate": true})).await;
    assert_eq!(same, "No updates are to be performed.");
    let renamed = second.replace("QueueName: same", "QueueName: same, FifoQueue: true");
    let (status, _) = world.update("app", &renamed).await;
    assert_eq!(status, "UPDATE_ROLLBACK_COMPLETE");
    let events = world.events("app").await;
    assert!(events.iter().any(|e| e.ends_with("Rename same and update the stack again.")), "{events:?}");
}

#[tokio::test]
async fn a_failed_update_goes_back() {
    let world = World::new().await;
    let template = |delay: u32, name: &str, more: &str| {
        format!(
            "Resources:
  Changed: {{Type: AWS::SQS::Queue, Properties: {{QueueName: changed, DelaySeconds: {delay}}}}}
  Replaced: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {name}}}}}
{more}"
        )
    };
    world.create("app", &template(1, "old", "")).await;
    world.refuse("CreateRole");
    let role = "  Role: {Type: AWS::IAM::Role, DependsOn: [Changed, Replaced], Properties: {AssumeRolePolicyDocument: {}}}\n";
    let input = json!({"StackName": "app", "TemplateBody": template(2, "new", role), "Capabilities": ["CAPABILITY_IAM"]});
    world.call("UpdateStack", input).await.unwrap();
    assert_eq!(world.status("app").await, complete("UPDATE_ROLLBACK_COMPLETE"));
    assert_eq!(world.names("sqs").await, ["changed", "old"]);
    assert_eq!(world.things("sqs").await[0].1["DelaySeconds"], 1);
    let events = world.events("app").await;
    let reason = "app UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Role].";
    assert!(events.contains(&reason.to_owned()), "{events:?}");
    let resources = world.call("DescribeStackResources", json!({"StackName": "app"})).await.unwrap();
    let ids: Vec<&Document> =
        resources["StackResources"].as_array().unwrap().iter().map(|r| &r["PhysicalResourceId"]).collect();
    assert_eq!(ids, ["http://queues/changed", "http://queues/old"]);
    let text = world.call("GetTemplate", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(text["TemplateBody"], template(1, "old", ""));
    assert_eq!(world.update("app", &template(3, "old", "")).await, complete("UPDATE_COMPLETE"));
}

#[tokio::test]
async fn a_policy_protects_resources() {
    let world = World::new().await;
    let template = "Resources:\n  Kept: {Type: AWS::SQS::Queue, Properties: {QueueName: kept, DelaySeconds: 1}}\n  Free: {Type: AWS::SQS::Queue, Properties: {QueueName: free}}\n";
    world.create("app", template).await;
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": ["Update:Modify", "Update:Delete"], "Resource": "LogicalResourceId/Kept"}
    ]})
    .to_string();
    let input = json!({"StackName": "app", "StackPolicyBody": policy});
    world.call("SetStackPolicy", input).await.unwrap();
    let told = world.call("GetStackPolicy", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(told["StackPolicyBody"], policy.as_str());

    let changed = template.replace("DelaySeconds: 1", "DelaySeconds: 2");
    assert_eq!(world.update("app", &changed).await.0, "UPDATE_ROLLBACK_COMPLETE");
    let events = world.events("app").await;
    let denied = "Kept UPDATE_FAILED Action denied by stack policy: Statement [#2] does not allow [Update:Modify] for resource [LogicalResourceId/Kept]";
    assert!(events.contains(&denied.to_owned()), "{events:?}");
    let without = "Resources: {Free: {Type: AWS::SQS::Queue, Properties: {QueueName: free}}}";
    let refused = world.refused("UpdateStack", json!({"StackName": "app", "TemplateBody": without})).await;
    assert!(refused.contains("does not allow [Update:Delete]"), "{refused}");

    let open =
        r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}}"#;
    let input = json!({"StackName": "app", "TemplateBody": changed, "StackPolicyDuringUpdateBody": open});
    world.call("UpdateStack", input).await.unwrap();
    assert_eq!(world.status("app").await, complete("UPDATE_COMPLETE"));
    let told = world.call("GetStackPolicy", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(told["StackPolicyBody"], policy.as_str(), "the other one was for once");
}
