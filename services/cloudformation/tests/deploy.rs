//! Stacks come, change and go: against fake services, on the virtual clock, with answers lost and kernels replaced.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod fake;

use std::sync::Arc;
use std::time::Duration;

use base::{AccountId, Document, Fault, Region, Timestamp};
use fake::Script;
use kernel::{Caller, Chance, Clock, Kernel};
use serde_json::json;
use store::{Location, SharedEngine};

struct World {
    engine: SharedEngine,
    clock: Clock,
    script: Arc<Script>,
    kernel: Kernel,
}

impl World {
    async fn asleep() -> World {
        let engine = store::open(&Location::Memory).unwrap();
        let clock = Clock::virtual_at(Timestamp::from_millis(1_790_000_000_000));
        let script = Arc::new(Script::default());
        let kernel = kernel(&engine, &clock, &script);
        World { engine, clock, script, kernel }
    }

    async fn new() -> World {
        let world = World::asleep().await;
        world.kernel.start().await.unwrap();
        world
    }

    fn caller(&self) -> Caller {
        Caller::root_user(AccountId::default(), Region::parse("eu-central-1").unwrap(), self.kernel.new_id())
    }

    async fn call(&self, operation: &str, input: Document) -> Result<Document, Fault> {
        let answer = self.kernel.run_document(self.caller(), "cloudformation", operation, &input).await;
        self.kernel.advance(Duration::from_secs(5)).await;
        answer
    }

    async fn refused(&self, operation: &str, input: Document) -> String {
        self.call(operation, input).await.unwrap_err().message
    }

    /// Status and reason.
    async fn status(&self, name: &str) -> (String, String) {
        let stack = self.stack(name).await.unwrap();
        let text = |member: &str| stack[member].as_str().unwrap_or_default().to_owned();
        (text("StackStatus"), text("StackStatusReason"))
    }

    async fn stack(&self, name: &str) -> Result<Document, Fault> {
        let answer = self.call("DescribeStacks", json!({ "StackName": name })).await?;
        Ok(answer["Stacks"][0].clone())
    }

    async fn create(&self, name: &str, template: &str) -> (String, String) {
        self.call("CreateStack", json!({ "StackName": name, "TemplateBody": template })).await.unwrap();
        self.status(name).await
    }

    async fn update(&self, name: &str, template: &str) -> (String, String) {
        self.call("UpdateStack", json!({ "StackName": name, "TemplateBody": template })).await.unwrap();
        self.status(name).await
    }

    /// Logical id, status and reason of every event, oldest first.
    async fn events(&self, name: &str) -> Vec<String> {
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

    async fn things(&self, service: &'static str) -> Vec<(String, Document)> {
        self.kernel.transact(service, self.caller(), "Things", fake::things, ()).await.unwrap()
    }

    async fn names(&self, service: &'static str) -> Vec<String> {
        self.things(service).await.into_iter().map(|(name, _)| name).collect()
    }

    /// The operations called since the last time one asked.
    fn calls(&self) -> Vec<String> {
        self.script.calls.lock().unwrap().drain(..).map(|(operation, _)| operation).collect()
    }

    fn refuse(&self, operation: &'static str) {
        self.script.refuse.lock().unwrap().insert(operation);
    }
}

fn kernel(engine: &SharedEngine, clock: &Clock, script: &Arc<Script>) -> Kernel {
    let mut services = fake::services(script);
    services.push(cloudformation::service());
    Kernel::new(Arc::clone(engine), clock.clone(), Chance::seeded(7), services)
}

fn complete(status: &str) -> (String, String) {
    (status.to_owned(), String::new())
}

const TWO_QUEUES: &str = "
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

    let seen = world.kernel.transact("events", world.caller(), "Seen", fake::seen, ()).await.unwrap();
    let of_stack = |event: &&Document| event["type"] == "CloudFormation Stack Status Change";
    let statuses: Vec<&Document> =
        seen.iter().filter(of_stack).map(|event| &event["detail"]["status-details"]["status"]).collect();
    assert_eq!(statuses, ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]);
    assert_eq!(seen.len(), 8);
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_anything_is_made() {
    let world = World::new().await;
    for (template, expected) in [
        (
            "Resources: {A: {Type: AWS::EC2::Instance}}",
            "Template format error: Unrecognized resource types: [AWS::EC2::Instance]",
        ),
        (
            "Resources: {A: {Type: AWS::SQS::Queue, Properties: {Frob: 1}}}",
            "Properties validation failed for resource A with message: #: extraneous key [Frob] is not permitted",
        ),
        (
            "Resources: {A: {Type: AWS::SQS::Queue}}\nOutputs: {X: {Value: !GetAtt A.Frob}}",
            "Template error: resource A does not support attribute type Frob in Fn::GetAtt",
        ),
        (
            "Resources: {A: {Type: AWS::Logs::LogGroup}}",
            "Template validation error: [/Resources/A] the type AWS::Logs::LogGroup (it needs logs:CreateLogGroup) is not supported by Buswork",
        ),
        (
            "Resources: {A: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}}",
            "Requires capabilities : [CAPABILITY_IAM]",
        ),
        (
            "Resources: {A: {Type: AWS::IAM::Role, Properties: {RoleName: r, AssumeRolePolicyDocument: {}}}}",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        ),
        (
            "Parameters: {P: {Type: String}}\nResources: {A: {Type: AWS::SQS::Queue}}",
            "Parameters: [P] must have values",
        ),
        (
            "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /a}}\nResources: {A: {Type: AWS::SQS::Queue}}",
            "Template validation error: [/Parameters/P] the parameter type AWS::SSM::Parameter::Value<String> is not supported by Buswork",
        ),
    ] {
        let input = json!({"StackName": "app", "TemplateBody": template});
        assert_eq!(world.refused("CreateStack", input).await, expected);
    }
    let one = "Resources: {A: {Type: AWS::SQS::Queue}}";
    for (member, value, expected) in [
        ("NotificationARNs", json!(["arn:aws:sns:::t"]), "NotificationARNs is not supported by Buswork"),
        ("StackPolicyBody", json!("{}"), "a stack policy is not supported by Buswork"),
        ("ResourceTypes", json!(["AWS::*"]), "ResourceTypes is not supported by Buswork"),
        (
            "TemplateURL",
            json!("https://s3.amazonaws.com/b/k"),
            "Template URL and Template Body cannot both be specified.",
        ),
    ] {
        let mut input = json!({"StackName": "app", "TemplateBody": one});
        input[member] = value;
        assert_eq!(world.refused("CreateStack", input).await, expected);
    }
    assert_eq!(
        world.refused("DescribeStacks", json!({"StackName": "app"})).await,
        "Stack with id app does not exist"
    );
    assert!(world.names("sqs").await.is_empty() && world.calls().is_empty());
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
    let resources = world.call("DescribeStackResources", json!({"StackName": "app"})).await.unwrap();
    let ids: Vec<&Document> =
        resources["StackResources"].as_array().unwrap().iter().map(|r| &r["PhysicalResourceId"]).collect();
    assert_eq!(ids, ["http://queues/changed", "http://queues/old"]);
    let text = world.call("GetTemplate", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(text["TemplateBody"], template(1, "old", ""));
    assert_eq!(world.update("app", &template(3, "old", "")).await, complete("UPDATE_COMPLETE"));
}

#[tokio::test]
async fn a_lost_answer_and_a_lost_process_change_nothing() {
    let template = "
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}, Policies: [{PolicyName: p, PolicyDocument: {}}]}}
  Given: {Type: AWS::SQS::Queue, Properties: {QueueName: given}}
  Made: {Type: AWS::SQS::Queue, DependsOn: Given}
";
    let world = World::asleep().await;
    let lost = ["CreateQueue", "DeleteQueue"];
    world.script.lose_answer.lock().unwrap().extend(lost);
    let input = json!({"StackName": "app", "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"]});
    let caller = world.caller();
    world.kernel.run_document(caller, "cloudformation", "CreateStack", &input).await.unwrap();
    assert_eq!(world.status("app").await.0, "CREATE_IN_PROGRESS");
    // The process that took the request is gone; another one finds the tasks in the store.
    let World { engine, clock, script, .. } = world;
    let kernel = kernel(&engine, &clock, &script);
    kernel.start().await.unwrap();
    let world = World { engine, clock, script, kernel };
    world.kernel.advance(Duration::from_secs(30)).await;
    assert_eq!(world.status("app").await, complete("CREATE_COMPLETE"));
    assert_eq!(world.names("sqs").await.len(), 2);
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    world.kernel.advance(Duration::from_secs(30)).await;
    assert!(world.names("sqs").await.is_empty() && world.names("iam").await.is_empty());
    let listed = world.call("ListStacks", json!({"StackStatusFilter": ["DELETE_COMPLETE"]})).await.unwrap();
    assert_eq!(listed["StackSummaries"][0]["StackName"], "app");
}

#[tokio::test]
async fn somebody_elses_resource_is_neither_taken_nor_deleted() {
    let world = World::new().await;
    let input = json!({"QueueName": "work", "theirs": true});
    world.kernel.run_document(world.caller(), "sqs", "CreateQueue", &input).await.unwrap();
    assert_eq!(world.create("app", TWO_QUEUES).await.0, "ROLLBACK_COMPLETE");
    assert_eq!(world.things("sqs").await, [("work".to_owned(), input)]);
    let events = world.events("app").await;
    assert!(
        events.iter().any(|event| event.contains("with identifier 'work' already exists.")),
        "{events:?}"
    );
}

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
    world.kernel.run_document(world.caller(), "cloudformation", "CreateStack", &input).await.unwrap();
    world.kernel.idle().await;
    let stacks = world
        .kernel
        .run_document(world.caller(), "cloudformation", "DescribeStacks", &json!({}))
        .await
        .unwrap();
    assert_eq!(stacks["Stacks"][0]["StackStatus"], "CREATE_IN_PROGRESS");
    world.kernel.advance(Duration::from_secs(1)).await;
    assert_eq!(world.stack("app").await.unwrap()["Outputs"][0]["OutputValue"], "arn:stream:t");
    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    world.kernel.advance(Duration::from_secs(1)).await;
    assert!(world.names("dynamodb").await.is_empty());
}

const TABLE: &str = "Resources: {Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: t}}}";

#[tokio::test]
async fn a_creation_that_takes_too_long_is_rolled_back() {
    let world = World::new().await;
    let input = json!({"StackName": "quick", "TemplateBody": TABLE, "TimeoutInMinutes": 1});
    world.call("CreateStack", input).await.unwrap();
    world.kernel.advance(Duration::from_secs(120)).await;
    assert_eq!(
        world.status("quick").await.0,
        "CREATE_COMPLETE",
        "a timer that comes late finds nothing to do"
    );

    world.refuse("Ready");
    let template = TABLE.replace("TableName: t", "TableName: stuck");
    let input = json!({"StackName": "slow", "TemplateBody": template, "TimeoutInMinutes": 1});
    world.call("CreateStack", input).await.unwrap();
    world.kernel.advance(Duration::from_secs(40)).await;
    assert_eq!(world.status("slow").await.0, "CREATE_IN_PROGRESS");
    world.kernel.advance(Duration::from_secs(30)).await;
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
async fn protection_tokens_and_names() {
    let world = World::new().await;
    let template = "Resources: {A: {Type: AWS::SQS::Queue}}";
    let input = json!({"StackName": "app", "TemplateBody": template, "ClientRequestToken": "t1",
        "EnableTerminationProtection": true});
    let first = world.call("CreateStack", input.clone()).await.unwrap();
    assert_eq!(world.call("CreateStack", input).await.unwrap(), first);
    let refused = world.refused("DeleteStack", json!({"StackName": "app"})).await;
    assert_eq!(refused, "Stack [app] cannot be deleted while TerminationProtection is enabled");
    assert_eq!(world.call("DeleteStack", json!({"StackName": "nowhere"})).await.unwrap(), json!({}));
    let input = json!({"StackName": "a_b", "TemplateBody": template});
    assert!(
        world.refused("CreateStack", input).await.contains("Member must satisfy regular expression pattern")
    );
}

#[tokio::test]
async fn templates_are_told_without_being_deployed() {
    let world = World::new().await;
    let template = "
Description: what it is
Parameters: {P: {Type: Number, Default: 3, Description: a number, AllowedValues: [3, 4]}}
Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: r}}}
";
    let told = world.call("ValidateTemplate", json!({"TemplateBody": template})).await.unwrap();
    assert_eq!(told["Capabilities"], json!(["CAPABILITY_NAMED_IAM"]));
    assert_eq!(told["Parameters"][0]["DefaultValue"], "3");
    let told = world.call("GetTemplateSummary", json!({"TemplateBody": template})).await.unwrap();
    assert_eq!(told["ResourceTypes"], json!(["AWS::IAM::Role"]));
    assert_eq!(told["Parameters"][0]["ParameterConstraints"]["AllowedValues"], json!(["3", "4"]));
    assert_eq!(
        told["CapabilitiesReason"],
        "The following resource(s) require capabilities: [AWS::IAM::Role]"
    );
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
