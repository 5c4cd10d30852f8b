//! What is refused before anything is made, and what is told without being deployed.

use serde_json::json;

use crate::world::World;

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
        (
            "Tags",
            json!([{"Key": "aws:x", "Value": "1"}]),
            "aws: prefixed tag key names are not allowed for external use.",
        ),
        (
            "Parameters",
            json!([{"ParameterKey": "P", "ParameterValue": "x".repeat(4_097)}]),
            "1 validation error detected: Value at 'parameters.1.member.parameterValue' failed to satisfy constraint: \
             Member must have length less than or equal to 4096",
        ),
        ("StackPolicyBody", json!("{}"), "Error validating stack policy: Invalid stack policy"),
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
async fn values_that_are_known_to_be_wrong_are_refused_at_once() {
    let world = World::new().await;
    for (template, expected) in [
        (
            "Resources: {A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Select [2, [a, b]]}}}",
            "Template error: Fn::Select cannot select nonexistent value at index 2",
        ),
        (
            "Mappings: {M: {a: {b: c}}}\nResources: {A: {Type: AWS::SQS::Queue, Properties: {QueueName: !FindInMap [M, a, x]}}}",
            "Template error: Unable to get mapping for M::a::x",
        ),
        (
            "Resources: {A: {Type: AWS::SQS::Queue}}\nOutputs: {X: {Value: [!Ref A]}}",
            "Template format error: The Value field of every Outputs member must evaluate to a String; X does not.",
        ),
        (
            "Resources: {A: {Type: AWS::SQS::Queue}}\nOutputs: {X: {Value: !Split [',', 'a,b']}}",
            "Template format error: The Value field of every Outputs member must evaluate to a String; X does not.",
        ),
        (
            "Resources: {A: {Type: AWS::SQS::Queue}}\nOutputs: {X: {Value: a, Export: {Name: e}}, Y: {Value: b, Export: {Name: !Sub e}}}",
            "Template format error: The Outputs section contains duplicate Export names: [e]. Specify a unique name for each export.",
        ),
    ] {
        let input = json!({"StackName": "app", "TemplateBody": template});
        assert_eq!(world.refused("CreateStack", input).await, expected);
    }
    assert!(world.names("sqs").await.is_empty() && world.calls().is_empty());
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
async fn topics_are_told_in_order() {
    let world = World::new().await;
    let topic = "arn:aws:sns:eu-central-1:000000000000:told";
    let template = "Resources: {A: {Type: AWS::SQS::Queue}}\nOutputs: {Topics: {Value: !Join [',', !Ref 'AWS::NotificationARNs']}}";
    let input = json!({"StackName": "app", "TemplateBody": template, "NotificationARNs": [topic]});
    world.call("CreateStack", input).await.unwrap();
    assert_eq!(world.stack("app").await.unwrap()["Outputs"][0]["OutputValue"], topic);
    let calls = world.script.calls.lock().unwrap().clone();
    let told: Vec<String> = calls
        .iter()
        .filter(|(operation, _)| operation == "Publish")
        .map(|(_, input)| {
            let message = input["Message"].as_str().unwrap();
            let value =
                |name: &str| message.split(&format!("{name}='")).nth(1).unwrap().split('\'').next().unwrap();
            format!("{} {}", value("LogicalResourceId"), value("ResourceStatus"))
        })
        .collect();
    assert_eq!(
        told,
        [
            "app CREATE_IN_PROGRESS",
            "A CREATE_IN_PROGRESS",
            "A CREATE_IN_PROGRESS",
            "A CREATE_COMPLETE",
            "app CREATE_COMPLETE"
        ]
    );
}
