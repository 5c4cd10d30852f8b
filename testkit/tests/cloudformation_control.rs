//! Cloud Control, over the resources of a stack.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use base::Document;
use serde_json::json;
use testkit::World;

const TEMPLATE: &str = r#"
Resources:
  Work: {Type: AWS::SQS::Queue, Properties: {QueueName: work, DelaySeconds: 1, Tags: [{Key: a, Value: '1'}]}}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      StateMachineName: machine
      RoleArn: arn:aws:iam::000000000000:role/r
      DefinitionString: '{"StartAt":"P","States":{"P":{"Type":"Pass","Result":"before","End":true}}}'
"#;

struct Cloud(World);

impl Cloud {
    async fn new() -> Cloud {
        let services = || {
            vec![
                cloudformation::service(),
                cloudformation::control_service(),
                sqs::service(),
                states::service(),
            ]
        };
        Cloud(World::new(services).await)
    }

    async fn ok(&self, service: &str, operation: &str, input: Document) -> Document {
        let answer = self.0.ok(service, operation, input).await;
        self.0.idle().await;
        answer
    }

    async fn deploy(&self, operation: &str, template: &str) {
        self.ok("cloudformation", operation, json!({"StackName": "app", "TemplateBody": template})).await;
        let stacks = self.ok("cloudformation", "DescribeStacks", json!({"StackName": "app"})).await;
        let status = stacks["Stacks"][0]["StackStatus"].as_str().unwrap();
        assert!(status == "CREATE_COMPLETE" || status == "UPDATE_COMPLETE", "{status}");
    }

    async fn update(&self, of: (&str, &str), patch: &Document) -> Document {
        let input = json!({"TypeName": of.0, "Identifier": of.1, "PatchDocument": patch.to_string()});
        self.ok("cloudcontrolapi", "UpdateResource", input).await
    }

    async fn properties(&self, (kind, identifier): (&str, &str)) -> Document {
        let input = json!({"TypeName": kind, "Identifier": identifier});
        let found = self.ok("cloudcontrolapi", "GetResource", input).await;
        serde_json::from_str(found["ResourceDescription"]["Properties"].as_str().unwrap()).unwrap()
    }

    async fn delay(&self, url: &str) -> String {
        let asked = json!({"QueueUrl": url, "AttributeNames": ["DelaySeconds"]});
        let found = self.ok("sqs", "GetQueueAttributes", asked).await;
        found["Attributes"]["DelaySeconds"].as_str().unwrap().to_owned()
    }

    async fn refused(&self, operation: &str, input: Document) -> String {
        self.0.refused("cloudcontrolapi", operation, input).await.to_string()
    }

    async fn url(&self) -> String {
        let found = self.ok("sqs", "GetQueueUrl", json!({"QueueName": "work"})).await;
        found["QueueUrl"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_machine_is_swapped_and_the_next_deployment_goes_on() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", TEMPLATE).await;
    let listed = cloud.ok("states", "ListStateMachines", json!({})).await;
    let arn = listed["stateMachines"][0]["stateMachineArn"].as_str().unwrap();
    let swapped = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","Result":"swapped","End":true}}}"#;
    let of = ("AWS::StepFunctions::StateMachine", arn);
    let patch = json!([{"op": "replace", "path": "/DefinitionString", "value": swapped}]);
    let changed = cloud.update(of, &patch).await;
    let event = &changed["ProgressEvent"];
    assert_eq!((&event["OperationStatus"], &event["Operation"]), (&json!("SUCCESS"), &json!("UPDATE")));
    let token = json!({"RequestToken": event["RequestToken"]});
    let status = cloud.ok("cloudcontrolapi", "GetResourceRequestStatus", token).await;
    assert_eq!(status["ProgressEvent"], *event);
    let stands = cloud.ok("states", "DescribeStateMachine", json!({"stateMachineArn": arn})).await;
    assert_eq!(stands["definition"], swapped);
    assert_eq!(cloud.properties(of).await["DefinitionString"], swapped);

    cloud.deploy("UpdateStack", &TEMPLATE.replace("before", "after")).await;
    let stands = cloud.ok("states", "DescribeStateMachine", json!({"stateMachineArn": arn})).await;
    assert!(stands["definition"].as_str().unwrap().contains("after"));
    assert!(cloud.properties(of).await["DefinitionString"].as_str().unwrap().contains("after"));
}

#[tokio::test]
async fn changes_build_on_each_other_and_a_token_changes_once() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", TEMPLATE).await;
    let url = cloud.url().await;
    let of = ("AWS::SQS::Queue", url.as_str());
    let input = json!({"TypeName": of.0, "Identifier": of.1, "ClientToken": "t",
        "PatchDocument": json!([{"op": "replace", "path": "/DelaySeconds", "value": 7}]).to_string()});
    cloud.ok("cloudcontrolapi", "UpdateResource", input.clone()).await;
    assert_eq!(cloud.delay(&url).await, "7");
    cloud.update(of, &json!([{"op": "add", "path": "/Tags/-", "value": {"Key": "b", "Value": "2"}}])).await;
    cloud.ok("cloudcontrolapi", "UpdateResource", input.clone()).await;
    assert_eq!(
        cloud.properties(of).await,
        json!({"QueueName": "work", "DelaySeconds": 7,
            "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]})
    );
    let tags = cloud.ok("sqs", "ListQueueTags", json!({"QueueUrl": url})).await;
    assert_eq!(tags["Tags"], json!({"a": "1", "b": "2"}));
    let mut other = input;
    other["PatchDocument"] = json!("[]");
    assert!(cloud.refused("UpdateResource", other).await.starts_with("ClientTokenConflict"));
}

#[tokio::test]
async fn what_is_refused() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", TEMPLATE).await;
    let url = cloud.url().await;
    let patch = |path: &str, value: Document| json!([{"op": "add", "path": path, "value": value}]);
    for (kind, identifier, patch, expected) in [
        ("AWS::No::Thing", "x", patch("/A", json!(1)), "TypeNotFoundException: The type 'AWS::No::Thing'"),
        (
            "AWS::CloudFormation::Stack",
            "x",
            patch("/A", json!(1)),
            "UnsupportedActionException: Resource type AWS::CloudFormation::Stack does not support UPDATE",
        ),
        ("AWS::SQS::Queue", "nobody", patch("/A", json!(1)), "ResourceNotFoundException: Resource of type"),
        ("AWS::SQS::Queue", &url, patch("/A", json!(1)), "InvalidRequestException: Model validation failed"),
        ("AWS::SQS::Queue", &url, patch("/QueueName", json!("n")), "NotUpdatableException: "),
        (
            "AWS::SQS::Queue",
            &url,
            patch("/DelaySeconds", json!(1_000_000)),
            "InvalidRequestException: Invalid value for the parameter DelaySeconds. (Service: sqs, Status Code: 400",
        ),
    ] {
        let input = json!({"TypeName": kind, "Identifier": identifier, "PatchDocument": patch.to_string()});
        let refused = cloud.refused("UpdateResource", input).await;
        assert!(refused.starts_with(expected), "{refused}");
    }
    assert_eq!(cloud.delay(&url).await, "1");
    let token = json!({"RequestToken": "nobody"});
    let refused = cloud.refused("GetResourceRequestStatus", token).await;
    assert!(refused.starts_with("RequestTokenNotFoundException: "), "{refused}");
}

#[tokio::test]
async fn a_type_tells_what_a_change_of_it_means() {
    let cloud = Cloud::new().await;
    let asked = json!({"Type": "RESOURCE", "TypeName": "AWS::SQS::Queue"});
    let queue = cloud.ok("cloudformation", "DescribeType", asked).await;
    assert_eq!(queue["Arn"], "arn:aws:cloudformation:eu-central-1::type/resource/AWS-SQS-Queue");
    assert_eq!(queue["ProvisioningType"], "FULLY_MUTABLE");
    let schema: Document = serde_json::from_str(queue["Schema"].as_str().unwrap()).unwrap();
    assert_eq!(schema["createOnlyProperties"], json!(["/properties/QueueName", "/properties/FifoQueue"]));
    assert_eq!(schema["readOnlyProperties"], json!(["/properties/Arn", "/properties/QueueUrl"]));
    assert_eq!(schema["primaryIdentifier"], json!(["/properties/QueueUrl"]));
    assert_eq!(
        (&schema["properties"]["DelaySeconds"], &schema["additionalProperties"]),
        (&json!({}), &json!(false))
    );
    assert_eq!(cloud.ok("cloudformation", "DescribeType", json!({"Arn": queue["Arn"]})).await, queue);

    for (kind, provisioning, identifier) in [
        ("AWS::Lambda::Permission", "IMMUTABLE", "/properties/Id"),
        ("AWS::CloudFormation::Stack", "NON_PROVISIONABLE", "/properties/Id"),
        ("AWS::DynamoDB::Table", "FULLY_MUTABLE", "/properties/TableName"),
    ] {
        let asked = json!({"Type": "RESOURCE", "TypeName": kind});
        let told = cloud.ok("cloudformation", "DescribeType", asked).await;
        let schema: Document = serde_json::from_str(told["Schema"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&told["ProvisioningType"], &schema["primaryIdentifier"]),
            (&json!(provisioning), &json!([identifier]))
        );
    }
    for (asked, expected) in [
        (
            json!({"Type": "RESOURCE", "TypeName": "AWS::EC2::Instance"}),
            "TypeNotFoundException: The type 'AWS::EC2::Instance' cannot be found.",
        ),
        (
            json!({"Type": "HOOK", "TypeName": "AWS::SQS::Queue"}),
            "TypeNotFoundException: The type 'AWS::SQS::Queue' cannot be found.",
        ),
        (
            json!({"Type": "RESOURCE", "TypeName": "AWS::SQS::Queue", "VersionId": "00000002"}),
            "TypeNotFoundException: The type 'AWS::SQS::Queue' cannot be found.",
        ),
        (json!({"Type": "RESOURCE"}), "ValidationError: You must specify either TypeName and Type, or Arn."),
    ] {
        assert_eq!(cloud.0.refused("cloudformation", "DescribeType", asked).await.to_string(), expected);
    }
}
