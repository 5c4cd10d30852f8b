//! Stacks inside stacks.

use base::Document;
use serde_json::json;

use crate::world::{World, complete};

const OUTER: &str = "
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: 'https://s3.amazonaws.com/b/KEY', Parameters: {Names: [a, b], Delay: 5}}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Inner.Outputs.Name}}
";
const INNER: &str = "
Parameters: {Names: {Type: CommaDelimitedList}, Delay: {Type: Number}}
Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Join ['-', !Ref Names], DelaySeconds: !Ref Delay}}}
Outputs: {Name: {Value: !Join ['', [NAME, !GetAtt Queue.QueueName]]}}
";

impl World {
    fn keep(&self, key: &str, text: &str) {
        self.script.objects.lock().unwrap().insert(key.to_owned(), text.to_owned());
    }
}

#[tokio::test]
async fn an_inner_stack_lives_and_dies_with_the_outer_one() {
    let world = World::new().await;
    world.keep("one", &INNER.replace("NAME", "of-"));
    world.keep("two", &INNER.replace("NAME", "now-of-"));
    assert_eq!(world.create("app", &OUTER.replace("KEY", "one")).await, complete("CREATE_COMPLETE"));
    assert_eq!(world.names("sqs").await, ["a-b", "of-a-b"]);
    let resources = world.call("DescribeStackResources", json!({"StackName": "app"})).await.unwrap();
    let inner = resources["StackResources"][0]["PhysicalResourceId"].as_str().unwrap().to_owned();
    assert!(inner.contains(":stack/app-Inner-"), "{inner}");
    let stack = world.stack(&inner).await.unwrap();
    assert_eq!(stack["ParentId"], world.stack("app").await.unwrap()["StackId"]);

    assert_eq!(world.update("app", &OUTER.replace("KEY", "two")).await, complete("UPDATE_COMPLETE"));
    assert_eq!(world.names("sqs").await, ["a-b", "now-of-a-b"]);
    assert_eq!(world.status(&inner).await, complete("UPDATE_COMPLETE"));

    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    assert!(world.names("sqs").await.is_empty());
    assert_eq!(world.status(&inner).await.0, "DELETE_COMPLETE");
}

#[tokio::test]
async fn what_fails_inside_fails_outside() {
    let world = World::new().await;
    world.keep("bad", "Resources: {R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}}\nOutputs: {Name: {Value: x}}");
    world.keep("good", &INNER.replace("NAME", "of-"));
    world.refuse("CreateRole");
    let bad = OUTER.replace("KEY", "bad").replace(", Parameters: {Names: [a, b], Delay: 5}", "");
    let input = json!({"StackName": "app", "TemplateBody": bad, "Capabilities": ["CAPABILITY_IAM"]});
    world.call("CreateStack", input.clone()).await.unwrap();
    assert_eq!(world.status("app").await.0, "ROLLBACK_COMPLETE");
    let events = world.events("app").await;
    assert!(
        events
            .iter()
            .any(|event| event.starts_with("Inner CREATE_FAILED Embedded stack arn:aws:cloudformation:")),
        "{events:?}"
    );
    let listed = world.call("ListStacks", json!({"StackStatusFilter": ["DELETE_COMPLETE"]})).await.unwrap();
    assert!(listed["StackSummaries"][0]["StackName"].as_str().unwrap().starts_with("app-Inner-"));
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();

    let good = OUTER.replace("KEY", "good");
    assert_eq!(world.create("app", &good).await, complete("CREATE_COMPLETE"));
    let input = json!({"StackName": "app", "TemplateBody": bad, "Capabilities": ["CAPABILITY_IAM"]});
    world.call("UpdateStack", input).await.unwrap();
    assert_eq!(world.status("app").await.0, "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(world.names("sqs").await, ["a-b", "of-a-b"]);
    assert_eq!(world.update("app", &good.replace("Delay: 5", "Delay: 6")).await, complete("UPDATE_COMPLETE"));
    assert_eq!(world.things("sqs").await[0].1["DelaySeconds"], "6");
}

/// `CREATE` or `UPDATE` of the outer stack, with what is inside or without.
async fn propose(world: &World, kind: &str, template: &str, inside: bool) -> Document {
    let input = json!({"StackName": "app", "ChangeSetName": kind, "ChangeSetType": kind, "TemplateBody": template,
        "IncludeNestedStacks": inside});
    let made = world.call("CreateChangeSet", input).await.unwrap();
    world.call("DescribeChangeSet", json!({"ChangeSetName": made["Id"]})).await.unwrap()
}

/// Each change: action, name, cause.
fn lines(described: &Document) -> Vec<String> {
    let changes = described["Changes"].as_array().unwrap().iter().map(|change| &change["ResourceChange"]);
    let text = |value: &Document| value.as_str().unwrap_or("-").to_owned();
    let line = |change: &Document| {
        let cause = change.pointer("/Details/0/ChangeSource").map_or_else(|| "-".to_owned(), text);
        format!("{} {} {cause}", text(&change["Action"]), text(&change["LogicalResourceId"]))
    };
    changes.map(line).collect()
}

/// The change set of the inner stack.
async fn inside(world: &World, outer: &Document) -> Document {
    let inner = &outer["Changes"][0]["ResourceChange"];
    assert_eq!(inner["LogicalResourceId"], "Inner");
    let found =
        world.call("DescribeChangeSet", json!({"ChangeSetName": inner["ChangeSetId"]})).await.unwrap();
    for related in ["ParentChangeSetId", "RootChangeSetId"] {
        assert_eq!(found[related], outer["ChangeSetId"]);
    }
    found
}

#[tokio::test]
async fn change_sets_show_what_is_inside() {
    let world = World::new().await;
    world.keep("one", &INNER.replace("NAME", "of-"));
    let outer = OUTER.replace("KEY", "one");
    let created = propose(&world, "CREATE", &outer, true).await;
    assert_eq!(lines(&created), ["Add Inner -", "Add Queue -"]);
    let child = inside(&world, &created).await;
    assert_eq!(
        (lines(&child), &child["Status"]),
        (vec!["Add Queue -".to_owned()], &json!("CREATE_COMPLETE"))
    );
    for operation in ["ExecuteChangeSet", "DeleteChangeSet"] {
        let refused = world.refused(operation, json!({"ChangeSetName": child["ChangeSetId"]})).await;
        assert!(refused.contains("must be performed on its root change set"), "{refused}");
    }
    world.call("ExecuteChangeSet", json!({"ChangeSetName": created["ChangeSetId"]})).await.unwrap();
    assert_eq!(world.status("app").await, complete("CREATE_COMPLETE"));
    assert_eq!(world.names("sqs").await, ["a-b", "of-a-b"]);
    let stacks = world.call("ListStacks", json!({})).await.unwrap();
    assert_eq!(stacks["StackSummaries"].as_array().unwrap().len(), 2, "what was under review is no stack");

    let same = propose(&world, "UPDATE", &outer, true).await;
    assert_eq!((lines(&same), &same["Status"]), (vec![], &json!("FAILED")));
    world.call("DeleteChangeSet", json!({"ChangeSetName": same["ChangeSetId"]})).await.unwrap();
    let unseen = propose(&world, "UPDATE", &outer, false).await;
    assert_eq!(lines(&unseen), ["Modify Inner Automatic"]);
    world.call("DeleteChangeSet", json!({"ChangeSetName": unseen["ChangeSetId"]})).await.unwrap();

    world.keep("one", &INNER.replace("NAME", "of-").replace("DelaySeconds: !Ref Delay", "DelaySeconds: 9"));
    let seen = propose(&world, "UPDATE", &outer, true).await;
    assert_eq!(lines(&seen), ["Modify Inner Automatic"]);
    let child = inside(&world, &seen).await;
    assert_eq!(lines(&child), ["Modify Queue DirectModification"]);
    world.call("DeleteChangeSet", json!({"ChangeSetName": seen["ChangeSetId"]})).await.unwrap();
    let gone = json!({"ChangeSetName": child["ChangeSetId"]});
    assert!(world.refused("DescribeChangeSet", gone).await.ends_with("does not exist"));
}

#[tokio::test]
async fn what_is_wrong_inside_fails_the_change_set_around_it() {
    let world = World::new().await;
    world.keep("bad", &INNER.replace("AWS::SQS::Queue", "AWS::No::Thing"));
    let outer = OUTER.replace("KEY", "bad");
    let proposed = propose(&world, "CREATE", &outer, true).await;
    assert_eq!(proposed["Status"], "FAILED");
    let reason = proposed["StatusReason"].as_str().unwrap();
    assert!(
        reason.starts_with("Nested stack Inner: Template format error: Unrecognized resource types"),
        "{reason}"
    );
    let itself = OUTER.replace("KEY", "round").replace(", Parameters: {Names: [a, b], Delay: 5}", "");
    world.keep(
        "round",
        &itself.replace(
            "Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Inner.Outputs.Name}}",
            "",
        ),
    );
    let input = json!({"StackName": "round", "ChangeSetName": "set", "ChangeSetType": "CREATE",
        "TemplateBody": itself, "IncludeNestedStacks": true});
    let refused = world.refused("CreateChangeSet", input).await;
    assert!(refused.contains("at most 10 levels"), "{refused}");
}
