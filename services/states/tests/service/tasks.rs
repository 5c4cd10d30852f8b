//! Task states: what they call, and what becomes of the answer.

use serde_json::{Value, json};

use crate::world::{World, function, plain};

fn task(resource: &str, more: Value) -> Value {
    let mut state = json!({ "Type": "Task", "Resource": resource, "End": true });
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "StartAt": "T", "States": { "T": state } })
}

const DRESS: &str = r#""SdkHttpMetadata":{"AllHttpHeaders":{"Content-Type":["application/json"],"x-amzn-RequestId":["<id>"]},"HttpHeaders":{"Content-Type":"application/json","x-amzn-RequestId":"<id>"},"HttpStatusCode":200},"SdkResponseMetadata":{"RequestId":"<id>"}"#;

/// How an execution of one task ends, and the types of its events after `TaskStateEntered`.
async fn check(definition: Value, input: &str, expected: &str, types: &[&str]) {
    let world = World::new().await;
    let arn = world.run(&definition, input).await;
    world.advance(100).await;
    let shown = plain(&world.end(&arn).await).replace(DRESS, "<dress>");
    assert_eq!(shown, expected);
    if !types.is_empty() {
        assert_eq!(world.types(&arn).await[2..], *types);
    }
}

#[tokio::test]
async fn functions_by_their_arn() {
    let well = ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"];
    let ended = [&well[..], &["TaskStateExited", "ExecutionSucceeded"]].concat();
    check(task(&function("echo"), json!({})), r#"{"a": 1}"#, r#"SUCCEEDED {"a":1}"#, &ended).await;
    check(task(&function("nothing"), json!({})), "{}", "SUCCEEDED null", &ended).await;
    let with_parameters = json!({ "Parameters": { "b.$": "$.a" }, "ResultPath": "$.r" });
    check(task(&function("echo"), with_parameters), r#"{"a":1}"#, r#"SUCCEEDED {"a":1,"r":{"b":1}}"#, &ended)
        .await;
    let failed =
        ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionFailed", "ExecutionFailed"];
    let cause = r#"{"errorType":"Error","errorMessage":"it went wrong","trace":[]}"#;
    check(task(&function("fails"), json!({})), "{}", &format!("FAILED Error {cause}"), &failed).await;
    let missing = "FAILED Lambda.ResourceNotFoundException Function not found: nobody (Service: AWSLambda; \
                   Status Code: 404; Error Code: ResourceNotFoundException; Request ID: <id>; Proxy: null)";
    check(task(&function("nobody"), json!({})), "{}", missing, &failed).await;
}

#[tokio::test]
async fn functions_by_the_integration() {
    let invoke = |more: Value| {
        let mut parameters = json!({ "FunctionName": function("echo"), "Payload.$": "$" });
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        task("arn:aws:states:::lambda:invoke", json!({ "Parameters": parameters }))
    };
    check(
        invoke(json!({})),
        r#"{"a":1}"#,
        r#"SUCCEEDED {"ExecutedVersion":"$LATEST","Payload":{"a":1},<dress>,"StatusCode":200}"#,
        &["TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"],
    )
    .await;
    // What the definition does not tell is found when the task runs.
    check(
        task("arn:aws:states:::lambda:invoke", json!({})),
        r#"{"FunctionName":"f","Payload":{},"Color":"red"}"#,
        r#"FAILED States.Runtime The Parameters '{"FunctionName":"f","Payload":{},"Color":"red"}' could not be used to start the Task: [The field 'Color' is not supported by Step Functions]"#,
        &[],
    )
    .await;
    check(
        task("arn:aws:states:::lambda:invoke", json!({})),
        r#"{"Payload":{}}"#,
        r#"FAILED States.Runtime The Parameters '{"Payload":{}}' could not be used to start the Task: [The field 'FunctionName' is required but was missing]"#,
        &[],
    )
    .await;
}

#[tokio::test]
async fn messages() {
    let world = World::new().await;
    let url = world.queue("q").await;
    let send = |body: Value| {
        task(
            "arn:aws:states:::sqs:sendMessage",
            json!({ "Parameters": { "QueueUrl": url, "MessageBody": body }, "ResultPath": "$.sent" }),
        )
    };
    world.create("text", &send(json!("plain"))).await;
    world.create("json", &send(json!({ "a": 1 }))).await;
    world.start("text", "e", "{}").await;
    let arn = world.start("json", "e", r#"{"in":0}"#).await;
    world.kernel.idle().await;
    let mut bodies = world.receive(&url).await;
    bodies.sort();
    assert_eq!(bodies, ["plain", r#"{"a":1}"#]);
    assert_eq!(
        plain(&world.end(&arn).await).replace(DRESS, "<dress>"),
        r#"SUCCEEDED {"in":0,"sent":{"MessageId":"<id>",<dress>}}"#
    );
    let gone = task(
        "arn:aws:states:::sqs:sendMessage",
        json!({ "Parameters": { "QueueUrl": format!("{url}-gone"), "MessageBody": "x" } }),
    );
    check(
        gone,
        "{}",
        "FAILED SQS.QueueDoesNotExistException The specified queue does not exist. (Service: AmazonSQS; Status Code: \
         400; Error Code: QueueDoesNotExist; Request ID: <id>; Proxy: null)",
        &["TaskScheduled", "TaskStarted", "TaskFailed", "ExecutionFailed"],
    )
    .await;
    let sdk =
        task("arn:aws:states:::aws-sdk:sqs:getQueueUrl", json!({ "Parameters": { "QueueName": "nobody" } }));
    let expected = "FAILED Sqs.QueueDoesNotExistException The specified queue does not exist. (Service: Sqs, \
                    Status Code: 400, Request ID: <id>)";
    check(sdk, "{}", expected, &[]).await;
}

#[tokio::test]
async fn events_name_the_execution_and_fail_with_an_entry() {
    let put = |source: &str| {
        let entry =
            json!({ "Source": source, "DetailType": "t", "Detail": { "a.$": "$.x" }, "Resources": ["r"] });
        task("arn:aws:states:::events:putEvents", json!({ "Parameters": { "Entries": [entry] } }))
    };
    let world = World::new().await;
    let arn = world.run(&put("mine"), r#"{"x":1}"#).await;
    assert_eq!(
        plain(&world.end(&arn).await).replace(DRESS, "<dress>"),
        r#"SUCCEEDED {"Entries":[{"EventId":"e"}],"FailedEntryCount":0,<dress>}"#
    );
    let events = world.events().await;
    let mine = events.iter().find(|event| event["Source"] == "mine").unwrap();
    assert_eq!(mine["Detail"], r#"{"a":1}"#);
    let machine = arn.replace("execution", "stateMachine").replace(":m:e", ":m");
    assert_eq!(mine["Resources"], json!(["r", arn, machine]));
    check(
        put("refused"),
        r#"{"x":1}"#,
        r#"FAILED EventBridge.FailedEntry {"Entries":[{"ErrorCode":"InternalFailure","ErrorMessage":"refused"}],"FailedEntryCount":1,<dress>}"#,
        &["TaskScheduled", "TaskStarted", "TaskFailed", "ExecutionFailed"],
    )
    .await;
}

#[tokio::test]
async fn items() {
    let put = |state: &str, next: &str| {
        json!({ "Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "ResultPath": null,
            "Parameters": { "TableName": "t", "Item": { "id": { "S.$": "$.id" }, "by": { "S": state } },
                "ConditionExpression": "attribute_not_exists(id)" },
            "Catch": [{ "ErrorEquals": ["DynamoDB.ConditionalCheckFailedException"], "ResultPath": "$.caught",
                "Next": "Get" }],
            "Next": next })
    };
    let definition = json!({ "StartAt": "One", "States": {
        "One": put("one", "Two"), "Two": put("two", "Get"),
        "Get": { "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:dynamodb:getItem",
            "Parameters": { "TableName": "t", "Key": { "id": { "S.$": "$.id" } } },
            "ResultSelector": { "by.$": "$.Item.by.S" }, "ResultPath": "$.got", "End": true } } });
    check(
        definition,
        r#"{"id":"k"}"#,
        r#"SUCCEEDED {"id":"k","caught":{"Error":"DynamoDB.ConditionalCheckFailedException","Cause":"The conditional request failed (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ConditionalCheckFailedException; Request ID: <id>; Proxy: null)"},"got":{"by":"one"}}"#,
        &[],
    )
    .await;
}

#[tokio::test]
async fn retries_wait_and_end() {
    let world = World::new().await;
    let retry = json!({ "Retry": [
        { "ErrorEquals": ["Flaky"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 2 }] });
    let arn = world.run(&task(&function("fails-twice"), retry), "{}").await;
    world.advance(7).await;
    assert_eq!(world.end(&arn).await, "RUNNING");
    world.advance(1).await;
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED {"call":3}"#);
    let lines = world.lines(&arn).await;
    let times: Vec<&str> = lines
        .iter()
        .filter(|line| line.contains("LambdaFunctionScheduled"))
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(times, ["+0s", "+2s", "+8s"]);
    let lambda =
        json!({ "Retry": [{ "ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 1 }] });
    check(task(&function("throttled-once"), lambda), "{}", r#"SUCCEEDED "served""#, &[]).await;
    let exhausted = json!({
        "Retry": [{ "ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1 }],
        "Catch": [{ "ErrorEquals": ["States.TaskFailed"], "Next": "Caught" }] });
    let mut definition = task(&function("fails"), exhausted);
    definition["States"]["Caught"] =
        json!({ "Type": "Pass", "Parameters": { "error.$": "$.Error" }, "End": true });
    check(definition, "{}", r#"SUCCEEDED {"error":"Error"}"#, &[]).await;
}

#[tokio::test]
async fn a_machine_is_a_target() {
    let world = World::new().await;
    let arn = world
        .create("m", &json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true } } }))
        .await;
    let arn: base::Arn = arn.parse().unwrap();
    let kind = *world.kernel.targets().find(&arn).unwrap();
    let delivery = |key: &str| kernel::Delivery {
        payload: r#"{"from":"a rule"}"#.to_owned(),
        idempotency_key: key.to_owned(),
        ..kernel::Delivery::default()
    };
    // The same delivery twice, and another.
    for key in ["d-1", "d-1", "d-2"] {
        let call = (kind.call)(&arn, delivery(key)).unwrap();
        world.task(call).await;
    }
    world.kernel.idle().await;
    let listed = world.ok("ListExecutions", json!({ "stateMachineArn": arn.to_string() })).await;
    let names: Vec<&Value> = listed["executions"].as_array().unwrap().iter().map(|e| &e["name"]).collect();
    assert_eq!(names, ["d-2", "d-1"]);
    let first = arn.to_string().replace("stateMachine", "execution") + ":d-1";
    assert_eq!(world.end(&first).await, r#"SUCCEEDED {"from":"a rule"}"#);
}
