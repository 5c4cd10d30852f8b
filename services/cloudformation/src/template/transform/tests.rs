//! What transforms make, each beside what it is made of.

use base::Document;
use serde_json::json;

use crate::template::{Draft, ParameterValue, ParameterValues, Pseudo};

fn process(template: &Document) -> Result<Document, String> {
    let draft = Draft::read(&template.to_string()).map_err(|error| error.to_string())?;
    let value = |(name, parameter): (&String, &crate::template::Parameter)| {
        (name.clone(), parameter.value_of(parameter.default.clone().unwrap_or_default()))
    };
    let values: ParameterValues =
        draft.parameters.iter().map(value).collect::<std::collections::BTreeMap<String, ParameterValue>>();
    let (_, text) = draft.finish(&values, &Pseudo::default()).map_err(|error| error.to_string())?;
    Ok(serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default())
}

#[test]
fn loops_are_unrolled() {
    let made = process(&json!({
        "Transform": "AWS::LanguageExtensions",
        "Parameters": {"Names": {"Type": "CommaDelimitedList", "Default": "a.b,c"}},
        "Resources": {"Fn::ForEach::Queues": ["Name", {"Ref": "Names"}, {
            "Queue&{Name}": {"Type": "AWS::SQS::Queue", "Properties": {
                "QueueName": {"Fn::Sub": "${AWS::StackName}-${Name}"},
                "Fn::ForEach::Properties": ["Size", ["DelaySeconds", "VisibilityTimeout"], {"${Size}": "5"}],
                "KmsMasterKeyId": {"Ref": "Name"}
            }}
        }]},
    }));
    let queue = |name: &str| {
        json!({"Type": "AWS::SQS::Queue", "Properties": {
            "QueueName": {"Fn::Sub": format!("${{AWS::StackName}}-{name}")},
            "DelaySeconds": "5", "VisibilityTimeout": "5", "KmsMasterKeyId": name
        }})
    };
    assert_eq!(made.unwrap()["Resources"], json!({"Queueab": queue("a.b"), "Queuec": queue("c")}));
}

#[test]
fn policies_are_computed() {
    let made = process(&json!({
        "Transform": ["AWS::LanguageExtensions"],
        "Parameters": {"Stage": {"Type": "String", "Default": "prod"}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Resources": {"A": {"Type": "AWS::SQS::Queue", "DeletionPolicy": {"Fn::If": ["IsProd", "Retain", "Delete"]},
            "UpdateReplacePolicy": {"Fn::If": ["IsProd", {"Ref": "AWS::NoValue"}, "Delete"]}}},
    }));
    assert_eq!(
        made.unwrap()["Resources"]["A"],
        json!({"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"})
    );
}

#[test]
fn names_are_computed() {
    let template = json!({
        "Transform": "AWS::LanguageExtensions",
        "Parameters": {"Stage": {"Type": "String", "Default": "Prod"}, "ProdName": {"Type": "String", "Default": "n"}},
        "Resources": {
            "ProdQ": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": {"Fn::Sub": "${Stage}Name"}}}},
            "B": {"Type": "AWS::SQS::Queue", "Properties": {
                "QueueName": {"Fn::Select": [0, [{"Fn::GetAtt": [{"Fn::Join": ["", [{"Ref": "Stage"}, "Q"]]}, "QueueName"]}]]}
            }},
        },
    });
    let resources = &process(&template).unwrap()["Resources"];
    assert_eq!(resources["ProdQ"]["Properties"]["QueueName"], json!({"Ref": "ProdName"}));
    assert_eq!(
        resources["B"]["Properties"]["QueueName"],
        json!({"Fn::Select": [0, [{"Fn::GetAtt": ["ProdQ", "QueueName"]}]]})
    );
    let mut plain = template;
    plain.as_object_mut().unwrap().remove("Transform");
    let refused = process(&plain).unwrap_err();
    assert!(refused.ends_with("every Ref object must have a single String value."), "{refused}");
}

#[test]
fn what_no_transform_knows_is_refused() {
    for (template, expected) in [
        (
            json!({"Transform": "AWS::Include", "Resources": {}}),
            "the transform AWS::Include is not supported by Buswork",
        ),
        (
            json!({"Resources": {"A": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": {"Fn::Length": []}}}}}),
            "Fn::Length needs the transform AWS::LanguageExtensions",
        ),
        (
            json!({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"A": {"Type": "AWS::Serverless::Api"}}}),
            "[/Resources/A] the type AWS::Serverless::Api is not supported by Buswork",
        ),
        (
            json!({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"F": {"Type": "AWS::Serverless::Function",
                "Properties": {"InlineCode": "x", "Events": {"E": {"Type": "Api"}}}}}}),
            "[/Resources/F] the event type Api is not supported by Buswork",
        ),
        (
            json!({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"F": {"Type": "AWS::Serverless::Function",
                "Properties": {"InlineCode": "x", "Frob": 1}}}}),
            "the property Frob of AWS::Serverless::Function is not supported by Buswork",
        ),
        (
            json!({"Transform": "AWS::Serverless-2016-10-31", "Resources": {
                "B": {"Type": "AWS::S3::Bucket", "Properties": "none"},
                "F": {"Type": "AWS::Serverless::Function", "Properties": {"InlineCode": "x",
                    "Events": {"E": {"Type": "S3", "Properties": {"Bucket": {"Ref": "B"}, "Events": "e"}}}}}}}),
            "the NotificationConfiguration of B must be an object of lists",
        ),
    ] {
        let refused = process(&template).unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn loops_that_multiply_end() {
    let list: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let inner = json!({"Fn::ForEach::C": ["C", list, {"R${A}x${B}x${C}": {"Type": "AWS::SQS::Queue", "Metadata": "x".repeat(500)}}]});
    let middle = json!({"Fn::ForEach::B": ["B", list, inner]});
    let template =
        json!({"Transform": "AWS::LanguageExtensions", "Resources": {"Fn::ForEach::A": ["A", list, middle]}});
    let refused = process(&template).unwrap_err();
    assert!(refused.contains("makes too much"), "{refused}");
}

#[test]
fn a_function_becomes_its_parts() {
    let made = process(&json!({
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {"Function": {"Runtime": "nodejs22.x", "Timeout": 5, "Environment": {"Variables": {"A": "1"}}}},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "F": {"Type": "AWS::Serverless::Function", "Properties": {
                "Handler": "index.handler", "Timeout": 9, "CodeUri": "s3://b/k/f.zip", "Tags": {"t": "1"},
                "Environment": {"Variables": {"B": "2"}},
                "Policies": [{"SQSSendMessagePolicy": {"QueueName": {"Fn::GetAtt": ["Queue", "QueueName"]}}}, "AWSLambdaRole"],
                "Events": {
                    "Read": {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["Queue", "Arn"]}, "BatchSize": 3}},
                    "Told": {"Type": "EventBridgeRule", "Properties": {"Pattern": {"source": ["shop"]}}}
                }
            }}
        },
    }))
    .unwrap();
    let resources = &made["Resources"];
    let names: Vec<&String> = resources.as_object().unwrap().keys().collect();
    assert_eq!(names, ["Queue", "FRead", "FTold", "FToldPermission", "FRole", "F"]);
    assert_eq!(
        resources["F"]["Properties"],
        json!({
            "Environment": {"Variables": {"A": "1", "B": "2"}}, "Handler": "index.handler", "Runtime": "nodejs22.x", "Timeout": 9,
            "Code": {"S3Bucket": "b", "S3Key": "k/f.zip"}, "Tags": [{"Key": "t", "Value": "1"}],
            "Role": {"Fn::GetAtt": ["FRole", "Arn"]}
        })
    );
    let sub = |name: &str| json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:iam::aws:policy/service-role/{name}")});
    let role = &resources["FRole"]["Properties"];
    assert_eq!(
        role["ManagedPolicyArns"],
        json!([
            sub("AWSLambdaBasicExecutionRole"),
            sub("AWSLambdaRole"),
            sub("AWSLambdaSQSQueueExecutionRole")
        ])
    );
    let statement = &role["Policies"][0]["PolicyDocument"]["Statement"][0];
    assert_eq!(statement["Action"], json!(["sqs:SendMessage*"]));
    assert_eq!(
        statement["Resource"][0]["Fn::Sub"][1],
        json!({"QueueName": {"Fn::GetAtt": ["Queue", "QueueName"]}})
    );
    assert_eq!(
        resources["FRead"]["Properties"],
        json!({"BatchSize": 3, "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}, "FunctionName": {"Ref": "F"}})
    );
    assert_eq!(
        resources["FTold"]["Properties"],
        json!({"EventPattern": {"source": ["shop"]}, "Targets": [{"Id": "FToldTarget", "Arn": {"Fn::GetAtt": ["F", "Arn"]}}]})
    );
    assert_eq!(
        resources["FToldPermission"]["Properties"]["SourceArn"],
        json!({"Fn::GetAtt": ["FTold", "Arn"]})
    );
}

#[test]
fn an_alias_stands_between_events_and_function() {
    let made = process(&json!({
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "F": {"Type": "AWS::Serverless::Function", "Condition": "Yes", "Properties": {
                "InlineCode": "x", "Handler": "index.handler", "Runtime": "nodejs22.x", "AutoPublishAlias": "live", "Role": "arn:r",
                "FunctionUrlConfig": {"AuthType": "NONE"}, "EventInvokeConfig": {"MaximumRetryAttempts": 0},
                "Events": {"Put": {"Type": "S3", "Properties": {"Bucket": {"Ref": "Bucket"}, "Events": "s3:ObjectCreated:*"}}}
            }}
        },
        "Conditions": {"Yes": {"Fn::Equals": ["1", "1"]}},
        "Outputs": {"Alias": {"Condition": "Yes", "Value": {"Ref": "F.Alias"}}},
    }))
    .unwrap();
    let resources = &made["Resources"];
    assert_eq!(resources["FAliaslive"]["Condition"], "Yes");
    assert_eq!(made["Outputs"]["Alias"]["Value"], json!({"Ref": "FAliaslive"}));
    assert_eq!(
        resources["Bucket"]["Properties"]["NotificationConfiguration"],
        json!({"LambdaConfigurations": [{"Event": "s3:ObjectCreated:*", "Function": {"Ref": "FAliaslive"}}]})
    );
    assert_eq!(resources["Bucket"]["DependsOn"], json!(["FPutPermission"]));
    for beside in ["FUrl", "FUrlPublicPermissions", "FEventInvokeConfig"] {
        assert_eq!(resources[beside]["DependsOn"], json!(["FAliaslive"]), "{beside}");
    }
    assert!(resources.get("FRole").is_none());
}

#[test]
fn machines_tables_and_layers_are_made() {
    let made = process(&json!({
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "M": {"Type": "AWS::Serverless::StateMachine", "Properties": {
                "Definition": {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}, "Policies": [{"LambdaInvokePolicy": {"FunctionName": "f"}}],
                "Events": {"Daily": {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(1 day)"}},
                    "Told": {"Type": "EventBridgeRule", "Properties": {"Pattern": {"source": ["shop"]}}}}
            }},
            "T": {"Type": "AWS::Serverless::SimpleTable", "Properties": {"PrimaryKey": {"Name": "pk", "Type": "Number"}}},
            "L": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": {"Bucket": "b", "Key": "k"}, "RetentionPolicy": "Delete"}},
        },
    }))
    .unwrap();
    let resources = &made["Resources"];
    assert_eq!(
        resources["T"]["Properties"]["AttributeDefinitions"],
        json!([{"AttributeName": "pk", "AttributeType": "N"}])
    );
    assert_eq!(
        (&resources["L"]["Properties"]["Content"], &resources["L"]["DeletionPolicy"]),
        (&json!({"S3Bucket": "b", "S3Key": "k"}), &json!("Delete"))
    );
    assert_eq!(resources["M"]["Properties"]["RoleArn"], json!({"Fn::GetAtt": ["MRole", "Arn"]}));
    assert_eq!(
        resources["MDaily"]["Properties"]["Target"]["RoleArn"],
        json!({"Fn::GetAtt": ["MDailyRole", "Arn"]})
    );
    assert_eq!(
        resources["MTold"]["Properties"]["Targets"][0]["RoleArn"],
        json!({"Fn::GetAtt": ["MToldRole", "Arn"]})
    );
}
