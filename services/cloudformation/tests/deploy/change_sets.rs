//! Change sets: what would change, said before it changes.

use base::Document;
use serde_json::json;

use crate::world::{TWO_QUEUES, World, complete};

impl World {
    async fn propose(&self, kind: &str, name: &str, template: &str) -> Document {
        let input = json!({"StackName": "app", "ChangeSetName": name, "ChangeSetType": kind,
            "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"], "IncludeNestedStacks": false,
            "ImportExistingResources": false, "DeploymentConfig": {"Mode": "STANDARD"}});
        self.call("CreateChangeSet", input).await.unwrap();
        self.proposal(name).await
    }

    async fn proposal(&self, name: &str) -> Document {
        let input = json!({"StackName": "app", "ChangeSetName": name, "IncludePropertyValues": true});
        self.call("DescribeChangeSet", input).await.unwrap()
    }

    async fn execute(&self, name: &str) {
        self.call("ExecuteChangeSet", json!({"StackName": "app", "ChangeSetName": name})).await.unwrap();
    }
}

/// One line for each change: action, logical id, replacement, and the properties with their causes.
fn lines(described: &Document) -> Vec<String> {
    let one = |change: &Document| {
        let change = &change["ResourceChange"];
        let detail = |detail: &Document| {
            let target = &detail["Target"];
            let text = |value: &Document| value.as_str().unwrap_or("-").to_owned();
            format!(
                " {}:{}->{} {} {}{}",
                text(target.get("Name").unwrap_or_else(|| &target["Attribute"])),
                text(&target["BeforeValue"]),
                text(&target["AfterValue"]),
                text(&target["RequiresRecreation"]),
                text(&detail["ChangeSource"]),
                detail["CausingEntity"].as_str().map(|entity| format!("({entity})")).unwrap_or_default(),
            )
        };
        let details: String = change["Details"].as_array().unwrap().iter().map(detail).collect();
        let text = |member: &str| change[member].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}{details}", text("Action"), text("LogicalResourceId"), text("Replacement"))
    };
    described["Changes"].as_array().unwrap().iter().map(one).collect()
}

#[tokio::test]
async fn a_change_set_makes_a_stack() {
    let world = World::new().await;
    let described = world.propose("CREATE", "first", TWO_QUEUES).await;
    assert_eq!(lines(&described), ["Add Dead -", "Add Work -"]);
    assert_eq!(
        (&described["Status"], &described["ExecutionStatus"]),
        (&json!("CREATE_COMPLETE"), &json!("AVAILABLE"))
    );
    let after = described["Changes"][1]["ResourceChange"]["AfterContext"].as_str().unwrap();
    let after: Document = serde_json::from_str(after).unwrap();
    let redrive = json!({"deadLetterTargetArn": "{{changeSet:KNOWN_AFTER_APPLY}}", "maxReceiveCount": 3});
    assert_eq!(
        after,
        json!({"Properties": {"QueueName": "work", "VisibilityTimeout": "60", "RedrivePolicy": redrive}})
    );
    assert_eq!(world.status("app").await, complete("REVIEW_IN_PROGRESS"));
    assert!(world.names("sqs").await.is_empty());
    let arn = described["ChangeSetId"].as_str().unwrap();
    let text = world.call("GetTemplate", json!({"ChangeSetName": arn})).await.unwrap();
    assert_eq!(text["TemplateBody"], TWO_QUEUES);

    world.execute("first").await;
    assert_eq!(world.status("app").await, complete("CREATE_COMPLETE"));
    assert_eq!(world.stack("app").await.unwrap()["ChangeSetId"], arn);
    assert_eq!(world.proposal("first").await["ExecutionStatus"], "EXECUTE_COMPLETE");
    let again = world.refused("ExecuteChangeSet", json!({"ChangeSetName": arn})).await;
    assert!(again.ends_with("current execution status of [EXECUTE_COMPLETE]"), "{again}");
    let input = json!({"StackName": "app", "ChangeSetName": "x", "ChangeSetType": "CREATE", "TemplateBody": TWO_QUEUES});
    assert_eq!(
        world.refused("CreateChangeSet", input).await,
        "Stack [app] already exists and cannot be created again with the changeSet [x]."
    );
}

#[tokio::test]
async fn a_change_set_tells_what_it_would_change() {
    let world = World::new().await;
    let template = |delay: u32, dead: &str, more: &str| {
        format!(
            "
Parameters: {{Delay: {{Type: Number, Default: {delay}}}}}
Resources:
  Dead: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {dead}}}}}
  Work: {{Type: AWS::SQS::Queue, Properties: {{QueueName: work, DelaySeconds: !Ref Delay, RedrivePolicy: {{deadLetterTargetArn: !GetAtt Dead.Arn}}}}}}
{more}"
        )
    };
    world
        .create("app", &template(1, "dead", "  Gone: {Type: AWS::SQS::Queue, DeletionPolicy: Retain}"))
        .await;
    let second = template(2, "other", "  New: {Type: AWS::SQS::Queue}");
    let described = world.propose("UPDATE", "next", &second).await;
    assert_eq!(
        lines(&described),
        [
            "Modify Dead True QueueName:dead->other Always DirectModification",
            "Remove Gone -",
            "Add New -",
            "Modify Work False DelaySeconds:1->2 Never ParameterReference(Delay) \
             RedrivePolicy:{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-central-1:000000000000:dead\"}->\
             {\"deadLetterTargetArn\":\"{{changeSet:KNOWN_AFTER_APPLY}}\"} Never ResourceAttribute(Dead.Arn)",
        ]
    );
    let policies: Vec<&Document> = described["Changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["ResourceChange"]["PolicyAction"])
        .collect();
    assert_eq!(policies, [&json!("ReplaceAndDelete"), &json!("Retain"), &json!(null), &json!(null)]);
    let input = json!({"StackName": "app", "ChangeSetName": "next"});
    let brief = world.call("DescribeChangeSet", input).await.unwrap();
    let brief = &brief["Changes"][0]["ResourceChange"];
    assert_eq!(
        (&brief["AfterContext"], &brief["Details"][0]["Target"]["AfterValue"]),
        (&json!(null), &json!(null))
    );

    world.propose("UPDATE", "rival", &template(3, "dead", "")).await;
    let listed = world.call("ListChangeSets", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(listed["Summaries"].as_array().unwrap().len(), 2);
    world.execute("next").await;
    assert_eq!(world.status("app").await, complete("UPDATE_COMPLETE"));
    let rival =
        world.refused("DescribeChangeSet", json!({"StackName": "app", "ChangeSetName": "rival"})).await;
    assert_eq!(rival, "ChangeSet [rival] does not exist");
    let names = world.names("sqs").await;
    assert!(names.contains(&"other".to_owned()) && !names.contains(&"dead".to_owned()), "{names:?}");
}

#[tokio::test]
async fn nothing_to_change_is_a_failure_that_clients_know() {
    let world = World::new().await;
    world.create("app", TWO_QUEUES).await;
    let described = world.propose("UPDATE", "same", TWO_QUEUES).await;
    assert_eq!(
        (&described["Status"], &described["ExecutionStatus"], &described["StatusReason"]),
        (
            &json!("FAILED"),
            &json!("UNAVAILABLE"),
            &json!(
                "The submitted information didn't contain changes. Submit different information to create a change set."
            )
        )
    );
    let refused =
        world.refused("ExecuteChangeSet", json!({"StackName": "app", "ChangeSetName": "same"})).await;
    assert!(refused.ends_with("current execution status of [UNAVAILABLE]"), "{refused}");
    let input = json!({"StackName": "app", "ChangeSetName": "same", "TemplateBody": TWO_QUEUES});
    assert_eq!(world.refused("CreateChangeSet", input).await, "ChangeSet [same] already exists");
    for _ in 0..2 {
        world.call("DeleteChangeSet", json!({"StackName": "app", "ChangeSetName": "same"})).await.unwrap();
    }
    let outputs = format!("{TWO_QUEUES}  More: {{Value: x}}\n");
    let described = world.propose("UPDATE", "outputs", &outputs).await;
    assert_eq!((&described["Changes"], &described["Status"]), (&json!([]), &json!("CREATE_COMPLETE")));
    world.update("app", &TWO_QUEUES.replace("'60'", "'61'")).await;
    assert_eq!(world.proposal("outputs").await["ExecutionStatus"], "OBSOLETE");
}

#[tokio::test]
async fn a_resource_keeps_its_type() {
    let world = World::new().await;
    let template = "Resources: {T: {Type: AWS::SQS::Queue, Properties: {QueueName: kept}}}";
    world.create("app", template).await;
    let other = "Resources: {T: {Type: AWS::DynamoDB::Table, Properties: {}}}";
    let reason = "Update of resource type is not permitted. The new template modifies resource type of the following resources: [T]";
    let described = world.propose("UPDATE", "other", other).await;
    assert_eq!(
        (&described["Status"], &described["ExecutionStatus"], &described["StatusReason"]),
        (&json!("FAILED"), &json!("UNAVAILABLE"), &json!(reason))
    );
    let refused = world.refused("UpdateStack", json!({"StackName": "app", "TemplateBody": other})).await;
    assert_eq!(refused, reason);
    assert_eq!(world.status("app").await, complete("CREATE_COMPLETE"));
    assert_eq!(world.names("sqs").await, ["kept"]);
}

#[tokio::test]
async fn secret_parameters_are_not_shown() {
    let world = World::new().await;
    let template = "
Parameters: {Secret: {Type: String, NoEcho: true, Default: s3cr3t}}
Resources:
  A: {Type: AWS::SQS::Queue, Properties: {QueueName: a, KmsMasterKeyId: !Sub 'a-${Secret}'}}
";
    for (kind, template) in
        [("CREATE", template.to_owned()), ("UPDATE", template.replace("s3cr3t", "s3cr3t2"))]
    {
        let described = world.propose(kind, kind, &template).await;
        let shown = described["Changes"].to_string();
        assert!(!shown.contains("s3cr3t") && shown.contains("a-****"), "{shown}");
        world.execute(kind).await;
    }
    assert_eq!(world.things("sqs").await[0].1["KmsMasterKeyId"], "a-s3cr3t2");
    let events = world.call("DescribeStackEvents", json!({"StackName": "app"})).await.unwrap();
    let shown: Vec<&str> = events["StackEvents"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["ResourceProperties"].as_str())
        .collect();
    assert!(shown.len() >= 4, "{shown:?}");
    for properties in shown {
        let properties: Document = serde_json::from_str(properties).unwrap();
        assert_eq!(properties, json!({"QueueName": "a", "KmsMasterKeyId": "a-****"}));
    }
}

#[tokio::test]
async fn a_review_can_be_ended() {
    let world = World::new().await;
    let missing = json!({"StackName": "app", "ChangeSetName": "x", "TemplateBody": TWO_QUEUES});
    assert_eq!(world.refused("CreateChangeSet", missing).await, "Stack [app] does not exist");
    world.propose("CREATE", "first", TWO_QUEUES).await;
    let refused = world.refused("UpdateStack", json!({"StackName": "app", "TemplateBody": TWO_QUEUES})).await;
    assert!(refused.ends_with("is in REVIEW_IN_PROGRESS state and can not be updated."), "{refused}");
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(
        world.refused("DescribeStacks", json!({"StackName": "app"})).await,
        "Stack with id app does not exist"
    );
    assert_eq!(world.create("app", TWO_QUEUES).await, complete("CREATE_COMPLETE"));
}

#[tokio::test]
async fn a_failed_creation_obeys_the_change_set() {
    let template = "Resources: {A: {Type: AWS::SQS::Queue}, R: {Type: AWS::IAM::Role, DependsOn: A, Properties: {AssumeRolePolicyDocument: {}}}}";
    for (mode, status) in [("DO_NOTHING", "CREATE_FAILED"), ("ROLLBACK", "ROLLBACK_COMPLETE")] {
        let world = World::new().await;
        world.refuse("CreateRole");
        let input = json!({"StackName": "app", "ChangeSetName": "c", "ChangeSetType": "CREATE",
            "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"], "OnStackFailure": mode});
        world.call("CreateChangeSet", input).await.unwrap();
        world.execute("c").await;
        assert_eq!(world.status("app").await.0, status);
        assert_eq!(world.proposal("c").await["ExecutionStatus"], "EXECUTE_FAILED");
    }
}
