//! Updates that are called off, and rollbacks that are asked for, or tried again.

use serde_json::json;

use crate::world::{World, complete};

const TWO: &str = "
Resources:
  Changed: {Type: AWS::SQS::Queue, Properties: {QueueName: changed, DelaySeconds: 1}}
  Waits: {Type: Custom::Thing, DependsOn: Changed, Properties: {ServiceToken: 'arn:aws:lambda:eu-central-1:000000000000:function:f', N: 1}}
";

#[tokio::test]
async fn an_update_is_called_off() {
    let world = World::new().await;
    let refused = world.refused("CancelUpdateStack", json!({"StackName": "app"})).await;
    assert_eq!(refused, "Stack [app] does not exist");
    world.create("app", TWO).await;
    world.answer(json!({"Status": "SUCCESS", "PhysicalResourceId": "one"})).await.unwrap();
    let refused = world.refused("CancelUpdateStack", json!({"StackName": "app"})).await;
    assert_eq!(refused, "CancelUpdateStack cannot be called from current stack status");
    world.update("app", &TWO.replace("DelaySeconds: 1", "DelaySeconds: 2").replace("N: 1", "N: 2")).await;
    assert_eq!(world.things("sqs").await[0].1["DelaySeconds"], 2);
    world.call("CancelUpdateStack", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(world.status("app").await.0, "UPDATE_IN_PROGRESS", "what is under way ends first");
    world.answer(json!({"Status": "SUCCESS", "PhysicalResourceId": "one"})).await.unwrap();
    assert_eq!(world.question()["ResourceProperties"]["N"], "1");
    world.answer(json!({"Status": "SUCCESS", "PhysicalResourceId": "one"})).await.unwrap();
    assert_eq!(world.status("app").await, complete("UPDATE_ROLLBACK_COMPLETE"));
    assert_eq!(world.things("sqs").await[0].1["DelaySeconds"], 1);
    let events = world.events("app").await;
    assert!(
        events.contains(&"app UPDATE_ROLLBACK_IN_PROGRESS Update cancelled by user.".to_owned()),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_rollback_that_failed_goes_on() {
    let world = World::new().await;
    world.create("app", TWO).await;
    world.answer(json!({"Status": "SUCCESS", "PhysicalResourceId": "one"})).await.unwrap();
    for skip in [false, true] {
        world.update("app", &TWO.replace("DelaySeconds: 1", "DelaySeconds: 2").replace("N: 1", "N: 2")).await;
        world.answer(json!({"Status": "FAILED", "Reason": "no"})).await.unwrap();
        world.answer(json!({"Status": "FAILED", "Reason": "still no"})).await.unwrap();
        assert_eq!(world.status("app").await.0, "UPDATE_ROLLBACK_FAILED");
        let skipped = json!({"StackName": "app", "ResourcesToSkip": ["Changed"]});
        assert_eq!(
            world.refused("ContinueUpdateRollback", skipped).await,
            "Resource Changed is not in UPDATE_FAILED state and cannot be skipped."
        );
        let names: &[&str] = if skip { &["Waits"] } else { &[] };
        let input = json!({"StackName": "app", "ResourcesToSkip": names});
        world.call("ContinueUpdateRollback", input).await.unwrap();
        if !skip {
            world.answer(json!({"Status": "SUCCESS", "PhysicalResourceId": "one"})).await.unwrap();
        }
        assert_eq!(world.status("app").await, complete("UPDATE_ROLLBACK_COMPLETE"));
        assert_eq!(world.things("sqs").await[0].1["DelaySeconds"], 1);
    }
}

#[tokio::test]
async fn what_was_left_as_it_failed_is_rolled_back() {
    let world = World::new().await;
    let template = "Resources: {A: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 1}}, R: {Type: AWS::IAM::Role, DependsOn: A, Properties: {AssumeRolePolicyDocument: {}}}}";
    world.refuse("CreateRole");
    let input = json!({"StackName": "new", "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"], "DisableRollback": true});
    world.call("CreateStack", input).await.unwrap();
    assert_eq!(world.status("new").await.0, "CREATE_FAILED");
    world.call("RollbackStack", json!({"StackName": "new"})).await.unwrap();
    assert_eq!(world.status("new").await, complete("ROLLBACK_COMPLETE"));
    assert!(world.names("sqs").await.is_empty());

    world.create("old", "Resources: {A: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 0}}}").await;
    let input = json!({"StackName": "old", "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"], "DisableRollback": true});
    world.call("UpdateStack", input).await.unwrap();
    assert_eq!(world.status("old").await.0, "UPDATE_FAILED");
    world.call("RollbackStack", json!({"StackName": "old"})).await.unwrap();
    assert_eq!(world.status("old").await, complete("UPDATE_ROLLBACK_COMPLETE"));
    assert_eq!(world.things("sqs").await[0].1["DelaySeconds"], 0);
    let refused = world.refused("RollbackStack", json!({"StackName": "old"})).await;
    assert!(
        refused.ends_with("is in UPDATE_ROLLBACK_COMPLETE state and can not be rolled back."),
        "{refused}"
    );
}

#[tokio::test]
async fn protection_comes_and_goes() {
    let world = World::new().await;
    world.create("app", "Resources: {A: {Type: AWS::SQS::Queue}}").await;
    for protected in [true, false] {
        let input = json!({"StackName": "app", "EnableTerminationProtection": protected});
        world.call("UpdateTerminationProtection", input).await.unwrap();
        let deleted = world.call("DeleteStack", json!({"StackName": "app"})).await;
        match protected {
            true => assert_eq!(
                deleted.unwrap_err().message,
                "Stack [app] cannot be deleted while TerminationProtection is enabled"
            ),
            false => assert_eq!(deleted.unwrap(), json!({})),
        }
    }
}
