//! Stacks inside stacks.

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
