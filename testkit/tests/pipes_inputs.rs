//! What the members of the inputs of pipes do, for the operations that other tests do not call with them.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use base::Fault;
use kernel::{Call, Result, Service, TargetKind, Tx};
use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/pipe";
const ENDPOINT: &str = "arn:aws:events:eu-central-1:000000000000:api-destination/echo/1";
const MACHINE: &str = "arn:aws:states:eu-central-1:000000000000:stateMachine:m";
const BUS: &str = "arn:aws:events:eu-central-1:000000000000:event-bus/default";

/// An HTTP endpoint that answers with the parameters that it is given, in a queue or as an enrichment.
const ECHO: TargetKind = TargetKind {
    at_once: |_| false,
    service: "events",
    name: "endpoint",
    serves: |arn| arn.resource.starts_with("api-destination/echo/"),
    call: |_, delivery| {
        Call::new("echo", "Echo", &delivery.parameters).map_err(|error| Fault::validation(error.to_string()))
    },
};

async fn echo(tx: &mut Tx, parameters: Value) -> Result<Value> {
    let send = json!({ "QueueUrl": queue("out"), "MessageBody": parameters.to_string() });
    let call = Call::new("sqs", "SendMessage", &send)?;
    tx.enqueue(tx.now(), kernel::NewTask::new(call))?;
    Ok(json!({ "StatusCode": 200, "ResponseBody": "{\"enriched\":true}" }))
}

fn queue(name: &str) -> String {
    format!("arn:aws:sqs:eu-central-1:000000000000:{name}")
}

async fn world() -> World {
    let world = World::new(|| {
        let echo = Service::internal_only("echo").internal("Echo", echo).targets(&[ECHO]);
        let others = [logs::service(), dynamodb::service(), events::service(), states::service()];
        [echo, pipes::service(), sqs::service()].into_iter().chain(others).collect()
    })
    .await;
    for name in ["in", "in2", "out", "out2"] {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": name })).await;
    }
    let fifo = json!({ "FifoQueue": "true" });
    world.ok("sqs", "CreateQueue", json!({ "QueueName": "out.fifo", "Attributes": fifo })).await;
    world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "lines" })).await;
    world
}

fn pipe(name: &str, changes: &Value) -> Value {
    let mut input = json!({ "Name": name, "Source": queue("in"), "Target": queue("out"), "RoleArn": ROLE });
    input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    input
}

/// The update that makes of a pipe what [`pipe`] makes at once.
fn update(name: &str, changes: &Value) -> Value {
    let mut input = json!({ "Name": name, "RoleArn": ROLE });
    input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    input
}

async fn describe(world: &World, name: &str) -> Value {
    world.idle().await;
    world.ok("pipes", "DescribePipe", json!({ "Name": name })).await
}

/// Takes one message, as soon as it comes.
async fn take(world: &World, name: &str) -> Value {
    let input = json!({
        "QueueUrl": queue(name), "WaitTimeSeconds": 20, "AttributeNames": ["All"], "MessageAttributeNames": ["All"],
    });
    let received = tokio::time::timeout(Duration::from_secs(120), world.call("sqs", "ReceiveMessage", input));
    let message = received.await.unwrap().unwrap()["Messages"][0].clone();
    let delete = json!({ "QueueUrl": queue(name), "ReceiptHandle": message["ReceiptHandle"] });
    world.ok("sqs", "DeleteMessage", delete).await;
    message
}

async fn send(world: &World, body: &str) {
    world.ok("sqs", "SendMessage", json!({ "QueueUrl": queue("in"), "MessageBody": body })).await;
}

/// Settings of a pipe, each in a request that may be made or changed with it.
fn settings() -> Vec<Value> {
    let http = json!({
        "PathParameterValues": ["p"], "HeaderParameters": { "h": "1" }, "QueryStringParameters": { "q": "2" },
    });
    let group = "arn:aws:logs:eu-central-1:000000000000:log-group:lines";
    let bus = json!({
        "DetailType": "t", "Source": "s", "Resources": ["arn:aws:sqs:eu-central-1:000000000000:r"], "Time": "$.body.time",
    });
    vec![
        json!({ "Description": "d" }),
        json!({ "DesiredState": "STOPPED" }),
        json!({ "RoleArn": "arn:aws:iam::000000000000:role/other" }),
        json!({ "SourceParameters": { "FilterCriteria": { "Filters": [{ "Pattern": r#"{"body":["a"]}"# }] } } }),
        json!({ "SourceParameters": { "SqsQueueParameters": { "BatchSize": 20, "MaximumBatchingWindowInSeconds": 3 } } }),
        json!({ "Enrichment": ENDPOINT, "EnrichmentParameters": { "InputTemplate": "<$.body>", "HttpParameters": http } }),
        json!({ "Target": queue("out2") }),
        json!({ "TargetParameters": { "InputTemplate": "<$.body>" } }),
        json!({ "Target": ENDPOINT, "TargetParameters": { "HttpParameters": http } }),
        json!({ "Target": queue("out.fifo"), "TargetParameters": {
            "SqsQueueParameters": { "MessageGroupId": "g", "MessageDeduplicationId": "$.body" },
        } }),
        json!({ "Target": BUS, "TargetParameters": { "EventBridgeEventBusParameters": bus } }),
        json!({ "Target": MACHINE, "TargetParameters": {
            "StepFunctionStateMachineParameters": { "InvocationType": "FIRE_AND_FORGET" },
        } }),
        json!({ "Target": group, "TargetParameters": {
            "CloudWatchLogsParameters": { "LogStreamName": "s", "Timestamp": "$.body.time" },
        } }),
        json!({ "LogConfiguration": {
            "Level": "ERROR", "IncludeExecutionData": ["ALL"], "CloudwatchLogsLogDestination": { "LogGroupArn": group },
        } }),
    ]
}

#[tokio::test]
async fn what_is_set_is_shown_whichever_operation_has_set_it() {
    let world = world().await;
    for (number, changes) in settings().iter().enumerate() {
        let (made, changed) = (format!("made{number}"), format!("changed{number}"));
        world.ok("pipes", "CreatePipe", pipe(&made, changes)).await;
        world.ok("pipes", "CreatePipe", pipe(&changed, &json!({}))).await;
        world.idle().await;
        world.ok("pipes", "UpdatePipe", update(&changed, changes)).await;
        for name in [made, changed] {
            let shown = describe(&world, &name).await;
            for (member, expected) in changes.as_object().unwrap() {
                assert_eq!(&shown[member], expected, "{name}");
            }
            let state = if changes.get("DesiredState").is_some() { "STOPPED" } else { "RUNNING" };
            assert_eq!(shown["CurrentState"], state, "{name}: {shown}");
        }
    }
}

#[tokio::test]
async fn a_streams_parameters_are_changed_but_for_where_it_begins() {
    let world = world().await;
    let table = json!({
        "TableName": "tab", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" },
    });
    let made = world.ok("dynamodb", "CreateTable", table).await;
    let stream = made["TableDescription"]["LatestStreamArn"].clone();
    let source = json!({ "DynamoDBStreamParameters": { "StartingPosition": "LATEST" } });
    world
        .ok("pipes", "CreatePipe", pipe("p", &json!({ "Source": stream, "SourceParameters": source })))
        .await;
    world.idle().await;
    let mut given = json!({
        "BatchSize": 2, "DeadLetterConfig": { "Arn": queue("out2") }, "OnPartialBatchItemFailure": "AUTOMATIC_BISECT",
        "MaximumBatchingWindowInSeconds": 3, "MaximumRecordAgeInSeconds": 60, "MaximumRetryAttempts": 4,
        "ParallelizationFactor": 1,
    });
    let changes = json!({ "SourceParameters": { "DynamoDBStreamParameters": given } });
    world.ok("pipes", "UpdatePipe", update("p", &changes)).await;
    given["StartingPosition"] = json!("LATEST");
    assert_eq!(describe(&world, "p").await["SourceParameters"]["DynamoDBStreamParameters"], given);
    let more = json!({ "SourceParameters": { "DynamoDBStreamParameters": { "ParallelizationFactor": 2 } } });
    let fault = world.refused("pipes", "UpdatePipe", update("p", &more)).await;
    assert_eq!(fault.message, "A ParallelizationFactor other than 1 is not implemented by Buswork");
}

/// What is refused, by the part of the message that names it, and the setting. Sources' blocks differ in form between the two
/// operations.
fn refused() -> Vec<(&'static str, Value)> {
    let target = |name: &str, block: Value| json!({ "TargetParameters": { name: block } });
    let log = |block: Value| json!({ "LogConfiguration": block });
    vec![
        ("KmsKeyIdentifier", json!({ "KmsKeyIdentifier": "k" })),
        ("KinesisStreamParameters", target("KinesisStreamParameters", json!({ "PartitionKey": "k" }))),
        (
            "EcsTaskParameters",
            target(
                "EcsTaskParameters",
                json!({ "TaskDefinitionArn": "arn:aws:ecs:eu-central-1:000000000000:task-definition/t" }),
            ),
        ),
        ("BatchJobParameters", target("BatchJobParameters", json!({ "JobDefinition": "d", "JobName": "n" }))),
        (
            "RedshiftDataParameters",
            target("RedshiftDataParameters", json!({ "Database": "d", "Sqls": ["s"] })),
        ),
        ("SageMakerPipelineParameters", target("SageMakerPipelineParameters", json!({}))),
        (
            "TimestreamParameters",
            target(
                "TimestreamParameters",
                json!({ "TimeValue": "$.t", "VersionValue": "1", "DimensionMappings": [
                    { "DimensionValue": "v", "DimensionValueType": "VARCHAR", "DimensionName": "n" },
                ] }),
            ),
        ),
        (
            "EndpointId",
            json!({ "Target": BUS, "TargetParameters": {
            "EventBridgeEventBusParameters": { "EndpointId": "abcde.veo" },
        } }),
        ),
        ("LambdaFunctionParameters do not go with", target("LambdaFunctionParameters", json!({}))),
        (
            "TargetParameters.SqsQueueParameters.MessageGroupId has an invalid JSON path: $[",
            target("SqsQueueParameters", json!({ "MessageGroupId": "$[" })),
        ),
        ("EnrichmentParameters go with an Enrichment only.", json!({ "EnrichmentParameters": {} })),
        (
            "S3LogDestination",
            log(
                json!({ "Level": "INFO", "S3LogDestination": { "BucketName": "bucket", "BucketOwner": "000000000000" } }),
            ),
        ),
        (
            "FirehoseLogDestination",
            log(json!({ "Level": "INFO", "FirehoseLogDestination": {
                "DeliveryStreamArn": "arn:aws:firehose:eu-central-1:000000000000:deliverystream/d",
            } })),
        ),
        ("LogConfiguration needs a destination unless its Level is OFF.", log(json!({ "Level": "INFO" }))),
    ]
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_name_by_both_operations() {
    let world = world().await;
    world.ok("pipes", "CreatePipe", pipe("there", &json!({}))).await;
    world.idle().await;
    for (part, changes) in refused() {
        for (operation, input) in
            [("CreatePipe", pipe("new", &changes)), ("UpdatePipe", update("there", &changes))]
        {
            let fault = world.refused("pipes", operation, input).await;
            assert!(
                fault.code == "ValidationException" && fault.message.starts_with(part),
                "{operation}: {}",
                fault.message
            );
        }
    }
    let credentials =
        json!({ "BasicAuth": "arn:aws:secretsmanager:eu-central-1:000000000000:secret:s-abcdef" });
    for (name, made, changed) in [
        ("KinesisStreamParameters", json!({ "StartingPosition": "LATEST" }), json!({ "BatchSize": 1 })),
        (
            "ActiveMQBrokerParameters",
            json!({ "QueueName": "q", "Credentials": credentials }),
            json!({ "Credentials": credentials }),
        ),
        (
            "RabbitMQBrokerParameters",
            json!({ "QueueName": "q", "Credentials": credentials }),
            json!({ "Credentials": credentials }),
        ),
        ("ManagedStreamingKafkaParameters", json!({ "TopicName": "topic" }), json!({ "BatchSize": 1 })),
        ("SelfManagedKafkaParameters", json!({ "TopicName": "topic" }), json!({ "BatchSize": 1 })),
        ("DynamoDBStreamParameters", json!({ "StartingPosition": "LATEST" }), json!({ "BatchSize": 1 })),
    ] {
        let made = pipe("new", &json!({ "SourceParameters": { name: made } }));
        let changed = update("there", &json!({ "SourceParameters": { name: changed } }));
        for (operation, input) in [("CreatePipe", made), ("UpdatePipe", changed)] {
            let fault = world.refused("pipes", operation, input).await;
            let message = &fault.message;
            assert!(message.starts_with(&format!("{name} do not go with a queue")), "{operation}: {message}");
        }
    }
}

#[tokio::test]
async fn parameters_of_the_target_reach_it() {
    let world = world().await;
    let rule = json!({ "Name": "r", "EventPattern": r#"{"source":["s"],"detail-type":["t"]}"# });
    world.ok("events", "PutRule", rule).await;
    let targets = json!([{ "Id": "t", "Arn": queue("out") }]);
    world.ok("events", "PutTargets", json!({ "Rule": "r", "Targets": targets })).await;
    let template = json!({ "InputTemplate": r#"{"seen": <$.body>}"# });
    let sent = |changes: &Value| changes.get("TargetParameters").is_some() && changes["Target"] != MACHINE;
    for (n, mut changes) in settings().into_iter().filter(sent).enumerate() {
        changes["TargetParameters"]["InputTemplate"] = template["InputTemplate"].clone();
        let name = format!("p{n}");
        world.ok("pipes", "CreatePipe", pipe(&name, &changes)).await;
        world.idle().await;
        send(&world, r#"{"time":"2026-01-01T00:00:07Z"}"#).await;
        let target = changes["Target"].as_str().unwrap_or_default().to_owned();
        if target.ends_with(".fifo") {
            let sent = take(&world, "out.fifo").await;
            assert_eq!(sent["Attributes"]["MessageGroupId"], "g");
            assert_eq!(sent["Attributes"]["MessageDeduplicationId"], r#"{"time":"2026-01-01T00:00:07Z"}"#);
        } else if target == ENDPOINT {
            let given: Value =
                serde_json::from_str(take(&world, "out").await["Body"].as_str().unwrap()).unwrap();
            assert_eq!(given, changes["TargetParameters"]["HttpParameters"]);
        } else if target == BUS {
            let event: Value =
                serde_json::from_str(take(&world, "out").await["Body"].as_str().unwrap()).unwrap();
            assert_eq!(
                (&event["time"], &event["resources"]),
                (&json!("2026-01-01T00:00:07Z"), &json!(["arn:aws:sqs:eu-central-1:000000000000:r"]))
            );
        } else if target.contains(":log-group:") {
            let lines = json!({ "logGroupName": "lines", "logStreamName": "s" });
            let mut line = Value::Null;
            for _ in 0..2_000 {
                tokio::task::yield_now().await;
                line = world.call("logs", "GetLogEvents", lines.clone()).await.unwrap_or_default()["events"]
                    [0]
                .clone();
                if !line.is_null() {
                    break;
                }
            }
            assert_eq!(line["timestamp"], 1_767_225_607_000_i64);
        } else {
            let body = take(&world, "out").await["Body"].clone();
            assert_eq!(body, r#"{"seen":{"time":"2026-01-01T00:00:07Z"}}"#);
        }
        world.idle().await;
        world.ok("pipes", "DeletePipe", json!({ "Name": name })).await;
        world.idle().await;
    }
}

#[tokio::test]
async fn parameters_of_the_enrichment_reach_it() {
    let world = world().await;
    let mut changes = settings().into_iter().find(|changes| changes.get("Enrichment").is_some()).unwrap();
    changes["Target"] = json!(queue("out2"));
    world.ok("pipes", "CreatePipe", pipe("p", &changes)).await;
    world.idle().await;
    send(&world, "x").await;
    let given: Value = serde_json::from_str(take(&world, "out").await["Body"].as_str().unwrap()).unwrap();
    assert_eq!(given, changes["EnrichmentParameters"]["HttpParameters"]);
    assert_eq!(take(&world, "out2").await["Body"], r#"{"enriched":true}"#);
    // Its parameters go with it.
    world.ok("pipes", "UpdatePipe", update("p", &json!({ "Enrichment": "" }))).await;
    let shown = describe(&world, "p").await;
    assert!(shown.get("Enrichment").is_none() && shown.get("EnrichmentParameters").is_none(), "{shown}");
}

#[tokio::test]
async fn pipes_are_listed_by_filters_in_pages() {
    let world = world().await;
    for (name, target, state) in
        [("x1", "out", "RUNNING"), ("x2", "out", "RUNNING"), ("y", "out2", "STOPPED")]
    {
        let source = if name == "y" { "in2" } else { "in" };
        let changes = json!({
            "Source": queue(source), "Target": queue(target), "DesiredState": state, "Tags": { "k": name },
        });
        world.ok("pipes", "CreatePipe", pipe(name, &changes)).await;
    }
    assert_eq!(describe(&world, "y").await["Tags"], json!({ "k": "y" }));
    for (filter, expected) in [
        (json!({ "NamePrefix": "x" }), &["x1", "x2"][..]),
        (json!({ "DesiredState": "STOPPED" }), &["y"]),
        (json!({ "CurrentState": "RUNNING" }), &["x1", "x2"]),
        (json!({ "SourcePrefix": queue("in2") }), &["y"]),
        (json!({ "TargetPrefix": queue("out2") }), &["y"]),
        (json!({}), &["x1", "x2", "y"]),
    ] {
        let (mut found, mut input) = (Vec::new(), filter.clone());
        input["Limit"] = json!(1);
        for _ in 0..5 {
            let page = world.ok("pipes", "ListPipes", input.clone()).await;
            found.extend(page["Pipes"].as_array().unwrap().iter().map(|pipe| pipe["Name"].clone()));
            input["NextToken"] = page["NextToken"].clone();
            if page["NextToken"].is_null() {
                break;
            }
        }
        assert_eq!(found, expected, "{filter}");
    }
}
