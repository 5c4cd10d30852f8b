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
        let events = world.events("app").await;
        let at = |event: &str| events.iter().rposition(|line| line.starts_with(event));
        let begun = at("app UPDATE_ROLLBACK_IN_PROGRESS").unwrap();
        assert!(
            at("Waits UPDATE_COMPLETE Resource was skipped").is_none_or(|skipped| begun < skipped),
            "{events:?}"
        );
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

const HALF: &str = "
Resources:
  A: {Type: AWS::SQS::Queue, Properties: {QueueName: a, DelaySeconds: 1}}
  R: {Type: AWS::IAM::Role, DependsOn: A, Properties: {RoleName: r, AssumeRolePolicyDocument: {}, ManagedPolicyArns: [p]}}
";

fn request(template: &str, disable: bool) -> base::Document {
    json!({"StackName": "app", "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"], "DisableRollback": disable})
}

#[tokio::test]
async fn a_creation_that_failed_goes_on_with_an_update() {
    let world = World::new().await;
    // The role is half made: it stands, and its policy is refused.
    world.refuse("AttachRolePolicy");
    world.call("CreateStack", request(HALF, true)).await.unwrap();
    assert_eq!(world.status("app").await.0, "CREATE_FAILED");
    let refused = world.refused("UpdateStack", request(HALF, false)).await;
    assert!(
        refused.starts_with("This stack is currently in a non-terminal [CREATE_FAILED] state."),
        "{refused}"
    );

    world
        .call("UpdateStack", request(&HALF.replace("DelaySeconds: 1", "DelaySeconds: 2"), true))
        .await
        .unwrap();
    assert_eq!(world.status("app").await.0, "UPDATE_FAILED");
    assert_eq!(world.things("sqs").await[0].1["DelaySeconds"], 2, "what stands is changed");

    world.script.refuse.lock().unwrap().clear();
    world.calls();
    world.call("UpdateStack", request(HALF, true)).await.unwrap();
    assert_eq!(world.status("app").await, complete("UPDATE_COMPLETE"));
    assert_eq!(world.things("sqs").await[0].1["DelaySeconds"], 1);
    let calls = world.calls();
    let at = |operation: &str| calls.iter().position(|call| call == operation).unwrap();
    assert!(at("DeleteRole") < at("CreateRole"), "what failed is made anew: {calls:?}");
    let refused = world.refused("UpdateStack", request(HALF, false)).await;
    assert_eq!(refused, "No updates are to be performed.");
    let described = HALF.replace("\nResources", "\nDescription: new\nResources");
    assert_eq!(
        world.refused("UpdateStack", request(&described, false)).await,
        "No updates are to be performed."
    );
}

#[tokio::test]
async fn a_creation_that_failed_goes_on_with_a_change_set_or_is_rolled_back() {
    let world = World::new().await;
    world.refuse("CreateRole");
    let mut create = request(HALF, true);
    create.as_object_mut().unwrap().remove("DisableRollback");
    create["DeploymentConfig"] = json!({"Mode": "EXPRESS"});
    world.call("CreateStack", create.clone()).await.unwrap();
    assert_eq!(world.status("app").await.0, "CREATE_FAILED", "express deployments are not rolled back");
    let shown = &world.stack("app").await.unwrap()["DeploymentConfig"];
    assert_eq!(*shown, json!({"Mode": "EXPRESS", "DisableRollback": true}));

    create["ChangeSetName"] = "again".into();
    create["ChangeSetType"] = "UPDATE".into();
    world.call("CreateChangeSet", create).await.unwrap();
    let described = json!({"StackName": "app", "ChangeSetName": "again"});
    let found = world.call("DescribeChangeSet", described.clone()).await.unwrap();
    assert_eq!(found["DeploymentConfig"]["Mode"], "EXPRESS");
    assert_eq!(found["Changes"][0]["ResourceChange"]["Action"], "Add", "{found}");
    world.call("ExecuteChangeSet", described).await.unwrap();
    assert_eq!(world.status("app").await.0, "UPDATE_FAILED");
    world.call("RollbackStack", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(world.status("app").await, complete("ROLLBACK_COMPLETE"));
    assert!(world.names("sqs").await.is_empty() && world.names("iam").await.is_empty());
}

#[tokio::test]
async fn express_deployments_are_rolled_back_where_one_says_so() {
    let world = World::new().await;
    world.refuse("CreateRole");
    let mut create = request(HALF, false);
    create.as_object_mut().unwrap().remove("DisableRollback");
    create["DeploymentConfig"] = json!({"Mode": "EXPRESS", "DisableRollback": false});
    world.call("CreateStack", create).await.unwrap();
    assert_eq!(world.status("app").await.0, "ROLLBACK_COMPLETE");
    let delete = json!({"StackName": "app", "DeploymentConfig": {"Mode": "EXPRESS"}});
    world.call("DeleteStack", delete).await.unwrap();
    assert!(world.stack("app").await.is_err());
}

#[tokio::test]
async fn the_times_of_events_rise() {
    let world = World::new().await;
    let queues = (0..30).map(|n| format!("  Q{n}: {{Type: AWS::SQS::Queue}}\n")).collect::<String>();
    world.create("app", &format!("Resources:\n{queues}")).await;
    let answer = world.call("DescribeStackEvents", json!({"StackName": "app"})).await.unwrap();
    let events = answer["StackEvents"].as_array().unwrap();
    let times: Vec<f64> = events.iter().map(|event| event["Timestamp"].as_f64().unwrap()).collect();
    assert!(times.len() > 60 && times.windows(2).all(|pair| pair[0] > pair[1]), "{times:?}");
}
