//! What the members of inputs do, for the operations that other tests do not call with them.

use serde_json::{Value, json};

use crate::world::{ROLE, World, machine_arn};

fn pass(result: &Value) -> Value {
    json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "Result": result, "End": true } } })
}

fn machine(name: &str) -> Value {
    json!({ "name": name, "definition": pass(&json!(1)).to_string(), "roleArn": ROLE })
}

fn with(mut base: Value, more: &Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_every_operation() {
    let world = World::new().await;
    world.ok("CreateStateMachine", machine("there")).await;
    let there = json!({ "stateMachineArn": machine_arn("there") });
    for (change, expected) in [
        (
            json!({ "encryptionConfiguration": { "type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k" } }),
            "InvalidEncryptionConfiguration: Invalid Encryption Configuration: encryption with a key",
        ),
        (
            json!({ "encryptionConfiguration": { "type": "AWS_OWNED_KEY", "kmsKeyId": "k" } }),
            "InvalidEncryptionConfiguration: Invalid Encryption Configuration: kmsKeyId and",
        ),
        (
            json!({ "encryptionConfiguration": { "type": "AWS_OWNED_KEY", "kmsDataKeyReusePeriodSeconds": 60 } }),
            "InvalidEncryptionConfiguration: Invalid Encryption Configuration: kmsKeyId and",
        ),
    ] {
        let mut calls = vec![
            ("CreateStateMachine", with(machine("new"), &change)),
            ("UpdateStateMachine", with(there.clone(), &change)),
        ];
        if change.get("encryptionConfiguration").is_some() {
            calls.push(("CreateActivity", with(json!({ "name": "a" }), &change)));
        }
        for (operation, input) in calls {
            let refused = world.refused(operation, input).await;
            assert!(refused.starts_with(expected), "{operation}: {refused}");
        }
    }
    let owned = json!({ "encryptionConfiguration": { "type": "AWS_OWNED_KEY" } });
    world.ok("CreateActivity", with(json!({ "name": "a" }), &owned)).await;
    world.ok("UpdateStateMachine", with(there, &owned)).await;
}

#[tokio::test]
async fn versions_and_aliases_have_descriptions() {
    let world = World::new().await;
    let arn = machine_arn("m");
    world.ok("CreateStateMachine", machine("m")).await;
    let update = json!({
        "stateMachineArn": arn, "definition": pass(&json!(2)).to_string(), "publish": true, "versionDescription": "second",
    });
    let version = world.ok("UpdateStateMachine", update).await["stateMachineVersionArn"].clone();
    let shown = world.ok("DescribeStateMachine", json!({ "stateMachineArn": version })).await;
    assert_eq!(shown["description"], "second");
    let routing = json!([{ "stateMachineVersionArn": version, "weight": 100 }]);
    let alias = json!({ "name": "a", "description": "one", "routingConfiguration": routing });
    let alias = world.ok("CreateStateMachineAlias", alias).await["stateMachineAliasArn"].clone();
    let described = async || {
        let alias = json!({ "stateMachineAliasArn": alias });
        world.ok("DescribeStateMachineAlias", alias).await["description"].clone()
    };
    assert_eq!(described().await, "one");
    let update = json!({ "stateMachineAliasArn": alias, "description": "two" });
    world.ok("UpdateStateMachineAlias", update).await;
    assert_eq!(described().await, "two");
}

#[tokio::test]
async fn data_are_left_out_where_only_metadata_are_asked_for() {
    let world = World::new().await;
    world.ok("CreateStateMachine", machine("m")).await;
    let start = json!({ "stateMachineArn": machine_arn("m"), "input": "{\"a\":1}", "traceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793" });
    let execution = json!({ "executionArn": world.ok("StartExecution", start).await["executionArn"] });
    world.kernel.idle().await;
    let machine = json!({ "stateMachineArn": machine_arn("m") });
    for (operation, input, data) in [
        ("DescribeExecution", &execution, &["input", "output"][..]),
        ("DescribeStateMachine", &machine, &["definition"]),
        ("DescribeStateMachineForExecution", &execution, &["definition"]),
    ] {
        for (included, is_there) in [("ALL_DATA", true), ("METADATA_ONLY", false)] {
            let shown = world.ok(operation, with(input.clone(), &json!({ "includedData": included }))).await;
            for member in data {
                let found = shown[member].as_str().unwrap_or_default();
                // A definition that is left out is `{}`.
                assert_eq!(
                    !["", "{}"].contains(&found),
                    is_there,
                    "{operation} {included} {member}: {found}"
                );
            }
        }
    }
    let shown = world.ok("DescribeExecution", execution).await;
    assert_eq!(shown["traceHeader"], "Root=1-5759e988-bd862e3fe1be46a994272793");
}

#[tokio::test]
async fn a_definition_is_validated_for_its_type_in_so_many_words() {
    let world = World::new().await;
    let state = |next: Value| {
        let mut state = json!({ "Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun" });
        state.as_object_mut().unwrap().extend(next.as_object().unwrap().clone());
        state
    };
    let two = json!({ "StartAt": "A", "States": {
        "A": state(json!({ "Next": "B" })), "B": state(json!({ "End": true })),
    } });
    let validate = json!({ "definition": two.to_string(), "maxResults": 1 });
    let found = world.ok("ValidateStateMachineDefinition", validate).await;
    assert_eq!((found["diagnostics"].as_array().unwrap().len(), &found["truncated"]), (1, &json!(true)));
    let waits = json!({ "StartAt": "A", "States": { "A": {
        "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true,
        "Parameters": { "QueueUrl": "q", "MessageBody.$": "$$.Task.Token" },
    } } });
    for (kind, result) in [("STANDARD", "OK"), ("EXPRESS", "FAIL")] {
        let validate = json!({ "definition": waits.to_string(), "type": kind });
        assert_eq!(world.ok("ValidateStateMachineDefinition", validate).await["result"], result, "{kind}");
    }
}

#[tokio::test]
async fn a_tested_state_has_variables_a_context_and_a_machine_around_it() {
    let world = World::new().await;
    let state = json!({
        "Type": "Task", "QueryLanguage": "JSONata", "End": true,
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Arguments": { "QueueUrl": "q", "MessageBody": "m" },
        "Output": { "v": "{% $v %}", "name": "{% $states.context.Execution.Name %}" },
    });
    let input = json!({
        "definition": state.to_string(), "variables": "{\"v\":7}", "context": "{\"Execution\":{\"Name\":\"mine\"}}",
        "mock": { "result": "{}" },
    });
    let tested = world.ok("TestState", input).await;
    assert_eq!(
        serde_json::from_str::<Value>(tested["output"].as_str().unwrap()).unwrap(),
        json!({ "v": 7, "name": "mine" })
    );
    let whole = json!({ "StartAt": "A", "States": {
        "A": { "Type": "Pass", "Next": "B" }, "B": { "Type": "Pass", "Result": "of B", "End": true },
    } });
    let input = json!({ "definition": whole.to_string(), "stateName": "B" });
    assert_eq!(world.ok("TestState", input).await["output"], "\"of B\"");
    let map = json!({
        "Type": "Map", "End": true, "Label": "L", "ToleratedFailureCount": 1,
        "ItemProcessor": { "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
            "StartAt": "I", "States": { "I": { "Type": "Pass", "End": true } } },
    });
    for (failures, status) in [(1, "SUCCEEDED"), (2, "FAILED")] {
        let input = json!({
            "definition": map.to_string(), "input": "[1,2,3]", "mock": { "result": "[]" },
            "stateConfiguration": { "mapIterationFailureCount": failures },
        });
        assert_eq!(world.ok("TestState", input).await["status"], status, "{failures}");
    }
}
