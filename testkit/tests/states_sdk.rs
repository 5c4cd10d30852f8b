//! SDK integrations of Step Functions with the real services.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/machine";

async fn world() -> World {
    let services = || {
        vec![
            dynamodb::service(),
            events::service(),
            logs::service(),
            s3::service(),
            sqs::service(),
            states::service(),
        ]
    };
    World::new(services).await
}

/// How an execution of one task ends.
async fn run(world: &World, action: &str, parameters: Value) -> String {
    let resource = format!("arn:aws:states:::aws-sdk:{action}");
    let task = json!({ "Type": "Task", "Resource": resource, "Parameters": parameters, "End": true });
    let definition = json!({ "StartAt": "T", "States": { "T": task } });
    let name = action.replace(':', "-");
    let machine = json!({ "name": name, "definition": definition.to_string(), "roleArn": ROLE });
    let made = world.ok("states", "CreateStateMachine", machine).await;
    let start = json!({ "stateMachineArn": made["stateMachineArn"] });
    let started = world.ok("states", "StartExecution", start).await;
    world.idle().await;
    let arn = json!({ "executionArn": started["executionArn"] });
    let shown = world.ok("states", "DescribeExecution", arn).await;
    world.ok("states", "DeleteStateMachine", json!({ "stateMachineArn": made["stateMachineArn"] })).await;
    world.idle().await;
    let text = |name: &str| shown[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    format!("{}{}{}", shown["status"].as_str().unwrap(), text("output"), text("error"))
}

#[tokio::test]
async fn members_begin_with_capitals_and_the_users_keys_stay() {
    let world = world().await;
    let group = json!({ "LogGroupName": "/g", "Tags": { "Team": "A", "x": "y" } });
    assert_eq!(run(&world, "cloudwatchlogs:createLogGroup", group).await, "SUCCEEDED {}");
    let arn = "arn:aws:logs:eu-central-1:000000000000:log-group:/g";
    let tags = world.ok("logs", "ListTagsForResource", json!({ "resourceArn": arn })).await;
    assert_eq!(tags["tags"], json!({ "Team": "A", "x": "y" }));
    let listed = run(&world, "cloudwatchlogs:listTagsForResource", json!({ "ResourceArn": arn })).await;
    assert_eq!(listed, r#"SUCCEEDED {"Tags":{"Team":"A","x":"y"}}"#);
}

#[tokio::test]
async fn times_are_text() {
    let world = world().await;
    let machines = run(&world, "sfn:listStateMachines", json!({ "MaxResults": 1 })).await;
    let output: Value = serde_json::from_str(machines.strip_prefix("SUCCEEDED ").unwrap()).unwrap();
    let machine = &output["StateMachines"][0];
    assert_eq!((&machine["Name"], &machine["Type"]), (&json!("sfn-listStateMachines"), &json!("STANDARD")));
    assert!(machine["CreationDate"].as_str().unwrap().ends_with('Z'), "{machine}");
}

#[tokio::test]
async fn errors_have_the_names_of_the_sdk_for_java() {
    let world = world().await;
    let send = json!({ "QueueUrl": "http://127.0.0.1:4566/000000000000/nobody", "MessageBody": "m" });
    assert_eq!(run(&world, "sqs:sendMessage", send).await, "FAILED Sqs.QueueDoesNotExistException");
    let get = json!({ "TableName": "nobody", "Key": { "k": { "S": "1" } } });
    assert_eq!(run(&world, "dynamodb:getItem", get).await, "FAILED DynamoDb.ResourceNotFoundException");
    let describe = json!({ "ExecutionArn": "arn:aws:states:eu-central-1:000000000000:execution:m:e" });
    assert_eq!(
        run(&world, "sfn:describeExecution", describe).await,
        "FAILED Sfn.ExecutionDoesNotExistException"
    );
    let rule = json!({ "Name": "nobody" });
    assert_eq!(
        run(&world, "eventbridge:describeRule", rule).await,
        "FAILED EventBridge.ResourceNotFoundException"
    );
}

#[tokio::test]
async fn a_condition_that_fails_is_caught_by_its_name() {
    let world = world().await;
    let table = json!({
        "TableName": "things", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "k", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "k", "KeyType": "HASH" }],
    });
    world.ok("dynamodb", "CreateTable", table).await;
    let put = json!({ "TableName": "things", "Item": { "k": { "S": "1" }, "b": { "Bool": true } },
        "ConditionExpression": "attribute_not_exists(k)" });
    assert!(run(&world, "dynamodb:putItem", put.clone()).await.starts_with("SUCCEEDED"));
    let again = run(&world, "dynamodb:putItem", put).await;
    assert_eq!(again, "FAILED DynamoDb.ConditionalCheckFailedException");
}

#[tokio::test]
async fn one_machine_runs_another_of_type_express() {
    let world = world().await;
    let pass = json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "Result": [1], "End": true } } });
    let express = json!({ "name": "x", "definition": pass.to_string(), "roleArn": ROLE, "type": "EXPRESS" });
    let made = world.ok("states", "CreateStateMachine", express).await;
    let start = json!({ "StateMachineArn": made["stateMachineArn"], "Input": "{}" });
    let ended = run(&world, "sfn:startSyncExecution", start).await;
    let output: Value = serde_json::from_str(ended.strip_prefix("SUCCEEDED ").unwrap()).unwrap();
    assert_eq!((&output["Status"], &output["Output"]), (&json!("SUCCEEDED"), &json!("[1]")));
    assert_eq!(output["BillingDetails"]["BilledMemoryUsedInMB"], 64);
}

#[tokio::test]
async fn what_an_object_holds_is_text() {
    let world = world().await;
    world.ok("s3", "CreateBucket", json!({ "Bucket": "bucket" })).await;
    for (body, text) in [(json!("plain"), "plain"), (json!({ "a": 1 }), r#"{"a":1}"#)] {
        let put = json!({ "Bucket": "bucket", "Key": "k", "Body": body });
        assert!(run(&world, "s3:putObject", put).await.starts_with("SUCCEEDED"));
        let got = run(&world, "s3:getObject", json!({ "Bucket": "bucket", "Key": "k" })).await;
        let output: Value = serde_json::from_str(got.strip_prefix("SUCCEEDED ").unwrap()).unwrap();
        assert_eq!(output["Body"], text);
        assert!(output["LastModified"].as_str().unwrap().ends_with('Z'), "{output}");
    }
}

#[tokio::test]
async fn members_have_the_names_of_the_sdk_for_java() {
    let world = world().await;
    let table = json!({
        "TableName": "things", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "k", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "k", "KeyType": "HASH" }],
    });
    world.ok("dynamodb", "CreateTable", table).await;
    let item =
        json!({ "k": { "S": "1" }, "n": { "Nul": true }, "b": { "Bool": false }, "s": { "Ss": ["x"] } });
    let put = json!({ "TableName": "things", "Item": item });
    assert!(run(&world, "dynamodb:putItem", put).await.starts_with("SUCCEEDED"));
    let get = json!({ "TableName": "things", "Key": { "k": { "S": "1" } } });
    let got = run(&world, "dynamodb:getItem", get).await;
    let output: Value = serde_json::from_str(got.strip_prefix("SUCCEEDED ").unwrap()).unwrap();
    assert_eq!(output["Item"], item);
}

#[tokio::test]
async fn parameters_are_held_against_the_operation() {
    let world = world().await;
    let refused = |action: &str, field: &str, parameters: Value| {
        let resource = format!("arn:aws:states:::{action}");
        let task = json!({ "Type": "Task", "Resource": resource, field: parameters, "End": true });
        let language = if field == "Arguments" { "JSONata" } else { "JSONPath" };
        let definition = json!({ "StartAt": "T", "QueryLanguage": language, "States": { "T": task } });
        json!({ "name": "m", "definition": definition.to_string(), "roleArn": ROLE })
    };
    for (action, field, parameters, why) in [
        (
            "aws-sdk:dynamodb:getItem",
            "Parameters",
            json!({ "TableName": "t", "Key": {}, "Nope": 1 }),
            "The field 'Nope' is not supported by Step Functions",
        ),
        (
            "aws-sdk:dynamodb:getItem",
            "Arguments",
            json!({ "Key": "{% $states.input %}" }),
            "The field 'TableName' is required but was missing",
        ),
        (
            "sqs:sendMessage",
            "Parameters",
            json!({ "MessageBody": "m" }),
            "The field 'QueueUrl' is required but was missing",
        ),
    ] {
        let fault = world.refused("states", "CreateStateMachine", refused(action, field, parameters)).await;
        assert_eq!(fault.code.as_ref(), "InvalidDefinition");
        assert!(fault.message.contains(why), "{}", fault.message);
        assert!(fault.message.contains(&format!("/States/T/{field}")), "{}", fault.message);
    }
    // What is only known when the task runs fails then.
    let query = json!({ "TableName": "t", "Key": { "k": { "S": "1", "Nope": 1 } } });
    assert_eq!(run(&world, "dynamodb:getItem", query).await, "FAILED States.Runtime");
    let create = json!({ "QueueName": "not a name" });
    assert!(run(&world, "sqs:createQueue", create).await.starts_with("FAILED Sqs."));
}
