//! Stacks come and go: in order, rolled back, timed out, called off, with answers lost and kernels replaced.

use std::time::Duration;

use base::Document;
use serde_json::json;

use crate::fake;
use crate::world::{TWO_QUEUES, World, complete};

#[tokio::test]
async fn a_stack_is_made_in_order_and_told() {
    let world = World::new().await;
    assert_eq!(world.create("app", TWO_QUEUES).await, complete("CREATE_COMPLETE"));
    assert_eq!(
        world.events("app").await,
        [
            "app CREATE_IN_PROGRESS User Initiated",
            "Dead CREATE_IN_PROGRESS",
            "Dead CREATE_IN_PROGRESS Resource creation Initiated",
            "Dead CREATE_COMPLETE",
            "Work CREATE_IN_PROGRESS",
            "Work CREATE_IN_PROGRESS Resource creation Initiated",
            "Work CREATE_COMPLETE",
            "app CREATE_COMPLETE",
        ]
    );
    let stack = world.stack("app").await.unwrap();
    let output = json!({"OutputKey": "Url", "OutputValue": "http://queues/work", "ExportName": "work-url"});
    assert_eq!(stack["Outputs"], json!([output]));
    let (name, queue) = &world.things("sqs").await[0];
    assert!(name.starts_with("app-Dead-") && name.len() == "app-Dead-".len() + 12, "{name}");
    assert_eq!(queue["QueueName"], name.as_str());
    let (_, work) = &world.things("sqs").await[1];
    let arn = format!("arn:aws:sqs:eu-central-1:000000000000:{name}");
    let redrive = json!({"deadLetterTargetArn": arn, "maxReceiveCount": 3});
    assert_eq!(work["Attributes"], json!({"VisibilityTimeout": "60", "RedrivePolicy": redrive}));

    let seen = world.kernel().transact("events", world.caller(), "Seen", fake::seen, ()).await.unwrap();
    let of_stack = |event: &&Document| event["type"] == "CloudFormation Stack Status Change";
    let statuses: Vec<&Document> =
        seen.iter().filter(of_stack).map(|event| &event["detail"]["status-details"]["status"]).collect();
    assert_eq!(statuses, ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]);
    assert_eq!(seen.len(), 8);
}

#[tokio::test]
async fn a_failed_creation_is_rolled_back() {
    let world = World::new().await;
    let template = "
Resources:
  First: {Type: AWS::SQS::Queue}
  Kept: {Type: AWS::SQS::Queue, DeletionPolicy: Retain}
  Role:
    Type: AWS::IAM::Role
    DependsOn: [First, Kept]
    Properties: {AssumeRolePolicyDocument: {}}
";
    world.refuse("CreateRole");
    let input = json!({"StackName": "app", "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"]});
    world.call("CreateStack", input).await.unwrap();
    assert_eq!(world.status("app").await, complete("ROLLBACK_COMPLETE"));
    let events = world.events("app").await;
    let failed = events.iter().find(|event| event.starts_with("Role CREATE_FAILED")).unwrap();
    assert!(
        failed.contains("Resource handler returned message: \"CreateRole is refused (Service: iam"),
        "{failed}"
    );
    assert!(failed.ends_with("HandlerErrorCode: InvalidRequest)"), "{failed}");
    let tail: Vec<&str> = events.iter().rev().take(5).rev().map(String::as_str).collect();
    assert_eq!(
        tail,
        [
            "app ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Role]. Rollback requested by user.",
            "Kept DELETE_SKIPPED",
            "First DELETE_IN_PROGRESS",
            "First DELETE_COMPLETE",
            "app ROLLBACK_COMPLETE",
        ]
    );
    assert!(world.names("sqs").await[0].starts_with("app-Kept-"));
    let refused = world
        .refused(
            "CreateStack",
            json!({"StackName": "app", "TemplateBody": template,
        "Capabilities": ["CAPABILITY_IAM"]}),
        )
        .await;
    assert_eq!(refused, "Stack [app] already exists");
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(
        world.refused("DescribeStacks", json!({"StackName": "app"})).await,
        "Stack with id app does not exist"
    );
}

#[tokio::test]
async fn on_failure_decides_what_is_left() {
    let template = "Resources: {A: {Type: AWS::SQS::Queue}, R: {Type: AWS::IAM::Role, DependsOn: A, Properties: {AssumeRolePolicyDocument: {}}}}";
    for (mode, status, queues) in [("DO_NOTHING", "CREATE_FAILED", 1), ("DELETE", "DELETE_COMPLETE", 0)] {
        let world = World::new().await;
        world.refuse("CreateRole");
        let input = json!({"StackName": "app", "TemplateBody": template, "OnFailure": mode,
            "Capabilities": ["CAPABILITY_IAM"]});
        let arn = world.call("CreateStack", input).await.unwrap()["StackId"].as_str().unwrap().to_owned();
        assert_eq!(world.status(&arn).await.0, status);
        assert_eq!(world.names("sqs").await.len(), queues);
    }
}

#[tokio::test]
async fn a_lost_answer_and_a_lost_process_change_nothing() {
    let template = "
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}, Policies: [{PolicyName: p, PolicyDocument: {}}]}}
  Given: {Type: AWS::SQS::Queue, Properties: {QueueName: given}}
  Made: {Type: AWS::SQS::Queue, DependsOn: Given}
";
    let mut world = World::asleep().await;
    let lost = ["CreateQueue", "DeleteQueue"];
    world.script.lose_answer.lock().unwrap().extend(lost);
    let input = json!({"StackName": "app", "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"]});
    let caller = world.caller();
    world.kernel().run_document(caller, "cloudformation", "CreateStack", &input).await.unwrap();
    assert_eq!(world.status("app").await.0, "CREATE_IN_PROGRESS");
    // The process that took the request is gone; another one finds the tasks in the store.
    world.cloud.restart().await;
    world.kernel().advance(Duration::from_secs(30)).await;
    assert_eq!(world.status("app").await, complete("CREATE_COMPLETE"));
    assert_eq!(world.names("sqs").await.len(), 2);
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    world.kernel().advance(Duration::from_secs(30)).await;
    assert!(world.names("sqs").await.is_empty() && world.names("iam").await.is_empty());
    let listed = world.call("ListStacks", json!({"StackStatusFilter": ["DELETE_COMPLETE"]})).await.unwrap();
    assert_eq!(listed["StackSummaries"][0]["StackName"], "app");
}

#[tokio::test]
async fn somebody_elses_resource_is_neither_taken_nor_deleted() {
    let world = World::new().await;
    let input = json!({"QueueName": "work", "theirs": true});
    world.kernel().run_document(world.caller(), "sqs", "CreateQueue", &input).await.unwrap();
    assert_eq!(world.create("app", TWO_QUEUES).await.0, "ROLLBACK_COMPLETE");
    assert_eq!(world.things("sqs").await, [("work".to_owned(), input)]);
    let events = world.events("app").await;
    assert!(
        events.iter().any(|event| event.contains("with identifier 'work' already exists.")),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_table_is_waited_for() {
    let world = World::new().await;
    let template = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: t
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: {StreamViewType: NEW_IMAGE}
Outputs: {Stream: {Value: !GetAtt Table.StreamArn}}
";
    let input = json!({"StackName": "app", "TemplateBody": template});
    world.kernel().run_document(world.caller(), "cloudformation", "CreateStack", &input).await.unwrap();
    world.kernel().idle().await;
    let stacks = world
        .kernel()
        .run_document(world.caller(), "cloudformation", "DescribeStacks", &json!({}))
        .await
        .unwrap();
    assert_eq!(stacks["Stacks"][0]["StackStatus"], "CREATE_IN_PROGRESS");
    world.kernel().advance(Duration::from_secs(1)).await;
    assert_eq!(world.stack("app").await.unwrap()["Outputs"][0]["OutputValue"], "arn:stream:t");
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    world.kernel().advance(Duration::from_secs(1)).await;
    assert!(world.names("dynamodb").await.is_empty());
}

const TABLE: &str = "Resources: {Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: t}}}";

#[tokio::test]
async fn a_creation_that_takes_too_long_is_rolled_back() {
    let world = World::new().await;
    let input = json!({"StackName": "quick", "TemplateBody": TABLE, "TimeoutInMinutes": 1});
    world.call("CreateStack", input).await.unwrap();
    world.kernel().advance(Duration::from_secs(120)).await;
    assert_eq!(
        world.status("quick").await.0,
        "CREATE_COMPLETE",
        "a timer that comes late finds nothing to do"
    );

    world.refuse("Ready");
    let template = TABLE.replace("TableName: t", "TableName: stuck");
    let input = json!({"StackName": "slow", "TemplateBody": template, "TimeoutInMinutes": 1});
    world.call("CreateStack", input).await.unwrap();
    world.kernel().advance(Duration::from_secs(40)).await;
    assert_eq!(world.status("slow").await.0, "CREATE_IN_PROGRESS");
    world.kernel().advance(Duration::from_secs(30)).await;
    assert_eq!(world.status("slow").await.0, "ROLLBACK_COMPLETE");
    let reason = "Stack creation time exceeded the specified timeout.";
    assert!(world.events("slow").await.iter().any(|event| event.contains(reason)));
    assert_eq!(world.names("dynamodb").await, ["t"]);
}

#[tokio::test]
async fn a_creation_can_be_called_off() {
    let world = World::new().await;
    world.refuse("Ready");
    world.create("app", TABLE).await;
    assert_eq!(world.status("app").await.0, "CREATE_IN_PROGRESS");
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(
        world.refused("DescribeStacks", json!({"StackName": "app"})).await,
        "Stack with id app does not exist"
    );
    assert!(world.names("dynamodb").await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_deleted_is_named_and_can_be_retained() {
    let world = World::new().await;
    world.create("app", TWO_QUEUES).await;
    world.refuse("DeleteQueue");
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    let failed =
        ("DELETE_FAILED".to_owned(), "The following resource(s) failed to delete: [Work]. ".to_owned());
    assert_eq!(world.status("app").await, failed);
    world.script.refuse.lock().unwrap().clear();
    world.call("DeleteStack", json!({"StackName": "app", "RetainResources": ["Work"]})).await.unwrap();
    assert_eq!(world.names("sqs").await, ["work"]);
    let listed = world.call("ListStacks", json!({})).await.unwrap();
    assert_eq!(listed["StackSummaries"][0]["StackStatus"], "DELETE_COMPLETE");
}

#[tokio::test]
async fn a_hundred_resources_go_side_by_side() {
    let world = World::new().await;
    let one = |n: u32| format!("  Q{n}: {{Type: AWS::SQS::Queue}}\n");
    let template = format!("Resources:\n{}", (0..100).map(one).collect::<String>());
    assert_eq!(world.create("app", &template).await, complete("CREATE_COMPLETE"));
    assert_eq!(world.names("sqs").await.len(), 100);
    let page = world.call("ListStackResources", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(page["StackResourceSummaries"].as_array().unwrap().len(), 100);
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    assert!(world.names("sqs").await.is_empty());
}
