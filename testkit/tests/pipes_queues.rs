//! Pipes from real queues to real queues, buses and log groups, on the virtual clock. Functions are stand-ins.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::Fault;
use base::schema::{Blob, Kind, OperationSchema, Protocol, ServiceSchema, Shape, ValidationStyle};
use kernel::{Call, Operation, Result, Service, TargetKind, Tx};
use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/pipe";

/// What functions were given, and how many more calls of `flaky` fail.
#[derive(Default)]
struct Functions {
    given: Mutex<Vec<Value>>,
    failures: Mutex<u32>,
}

static ANY: Shape = Shape::new("Any", Kind::Document);

static LAMBDA: ServiceSchema = ServiceSchema {
    signing_name: "lambda",
    endpoint_prefix: "lambda",
    service_id: "Lambda",
    target_prefix: None,
    protocols: &[Protocol::RestJson],
    json_version: "1.1",
    api_version: "2015-03-31",
    xml_namespace: None,
    query_compatible: false,
    error_namespace: None,
    validation: ValidationStyle::Listed { code: "ValidationException" },
    operations: &[],
    all_operations: &[],
    all_routes: &[],
    errors: &[],
};

struct Invoke;

impl Operation for Invoke {
    type Input = Value;
    type Output = Value;
    const SCHEMA: &'static OperationSchema = &OperationSchema {
        service: &LAMBDA,
        name: "Invoke",
        http_method: "POST",
        uri: "/",
        success_status: 200,
        input: &ANY,
        output: &ANY,
        result_wrapper: None,
        input_element: None,
        has_output: true,
    };
}

/// Functions that do what their names say.
async fn invoke(tx: &mut Tx, input: Value) -> Result<Value> {
    let functions = tx.state::<Functions>()?;
    let payload = Blob::from_base64(input["Payload"].as_str().unwrap()).unwrap();
    let events: Value = serde_json::from_slice(payload.as_bytes()).unwrap();
    functions.given.lock().unwrap().push(events.clone());
    let answer = |value: Value| json!({ "Payload": Blob::from(value.to_string().into_bytes()).to_base64() });
    let name = input["FunctionName"].as_str().unwrap().rsplit(':').next().unwrap();
    let events = events.as_array().unwrap();
    Ok(match name {
        "double" => {
            answer(events.iter().map(|event| json!({ "twice": event["n"].as_i64().unwrap() * 2 })).collect())
        }
        "nothing" => answer(json!([])),
        "picky" => {
            let bad = events.iter().filter(|event| event["body"] == "bad");
            let failures: Vec<Value> =
                bad.map(|event| json!({ "itemIdentifier": event["messageId"] })).collect();
            answer(json!({ "batchItemFailures": failures }))
        }
        "flaky" => {
            let mut failures = functions.failures.lock().unwrap();
            if *failures == 0 {
                return Ok(answer(Value::Null));
            }
            *failures -= 1;
            let mut failed = answer(json!({ "errorMessage": "not now" }));
            failed["FunctionError"] = json!("Unhandled");
            failed
        }
        _ => answer(Value::Null),
    })
}

/// An HTTP endpoint behind the ARN table: it answers with the length of what it is given, and its header.
const ENDPOINT: TargetKind = TargetKind {
    at_once: |_| false,
    service: "events",
    name: "endpoint",
    serves: |arn| arn.resource.starts_with("api-destination/echo/"),
    call: |_, delivery| {
        let input = json!({ "payload": delivery.payload, "parameters": delivery.parameters });
        Call::new("lambda", "Http", &input).map_err(|error| Fault::validation(error.to_string()))
    },
};

async fn http(_: &mut Tx, input: Value) -> Result<Value> {
    let len = input["payload"].as_str().unwrap().len();
    let body = json!({ "len": len, "for": input["parameters"]["HeaderParameters"]["customer"] }).to_string();
    Ok(json!({ "StatusCode": 200, "ResponseBody": body }))
}

fn function(name: &str) -> String {
    format!("arn:aws:lambda:eu-central-1:000000000000:function:{name}")
}

fn queue(name: &str) -> String {
    format!("arn:aws:sqs:eu-central-1:000000000000:{name}")
}

async fn world() -> (World, Arc<Functions>) {
    let functions = Arc::new(Functions::default());
    let state = Arc::clone(&functions);
    let world = World::new(move || {
        let lambda = Service::new(&LAMBDA).state(Arc::clone(&state)).transact::<Invoke, _>(invoke);
        let lambda = lambda.internal("Http", http).targets(&[ENDPOINT]);
        let events = [events::service(), states::service(), sns::service()];
        [lambda, pipes::service(), sqs::service(), logs::service()].into_iter().chain(events).collect()
    })
    .await;
    for name in ["in", "out", "dead"] {
        make_queue(&world, name, json!({ "VisibilityTimeout": "60" })).await;
    }
    (world, functions)
}

async fn make_queue(world: &World, name: &str, attributes: Value) {
    world.ok("sqs", "CreateQueue", json!({ "QueueName": name, "Attributes": attributes })).await;
}

/// Makes the pipe `p` from `in` to `target`, with `changes`, and waits until it has arrived.
async fn make_pipe(world: &World, target: &str, changes: Value) {
    let mut input = json!({ "Name": "p", "Source": queue("in"), "Target": target, "RoleArn": ROLE });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    let made = world.ok("pipes", "CreatePipe", input).await;
    assert_eq!(made["CurrentState"], "CREATING");
    world.idle().await;
    let found = world.ok("pipes", "DescribePipe", json!({ "Name": made["Name"] })).await;
    assert_eq!(found["CurrentState"], "RUNNING", "{found}");
}

async fn send(world: &World, name: &str, body: &str) {
    world.ok("sqs", "SendMessage", json!({ "QueueUrl": queue(name), "MessageBody": body })).await;
}

/// A hang is a failure: nothing here waits for real time to pass.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), what).await.unwrap()
}

/// Takes so many messages out of a queue, as they come.
async fn take(world: &World, name: &str, count: usize) -> Vec<String> {
    let mut bodies = Vec::new();
    while bodies.len() < count {
        let input = json!({ "QueueUrl": queue(name), "MaxNumberOfMessages": 10, "WaitTimeSeconds": 20 });
        let answer = soon(world.call("sqs", "ReceiveMessage", input)).await.unwrap();
        for message in answer["Messages"].as_array().into_iter().flatten() {
            bodies.push(message["Body"].as_str().unwrap().to_owned());
            let input = json!({ "QueueUrl": queue(name), "ReceiptHandle": message["ReceiptHandle"] });
            world.ok("sqs", "DeleteMessage", input).await;
        }
    }
    bodies
}

/// Messages that a queue holds, visible or not.
async fn held(world: &World, name: &str) -> u64 {
    let input = json!({ "QueueUrl": queue(name), "AttributeNames": ["All"] });
    let answer = world.ok("sqs", "GetQueueAttributes", input).await;
    let count = |attribute: &str| answer["Attributes"][attribute].as_str().unwrap().parse::<u64>().unwrap();
    count("ApproximateNumberOfMessages") + count("ApproximateNumberOfMessagesNotVisible")
}

/// Returns when a queue holds so many messages.
async fn until_held(world: &World, name: &str, count: u64) {
    soon(async {
        while held(world, name).await != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn messages_go_from_queue_to_queue_transformed() {
    let (world, _) = world().await;
    let template = r#"{"order": <$.body.id>, "pipe": "<aws.pipes.pipe-name>"}"#;
    make_pipe(&world, &queue("out"), json!({ "TargetParameters": { "InputTemplate": template } })).await;
    for n in 0..3 {
        send(&world, "in", &json!({ "id": n }).to_string()).await;
    }
    let mut bodies = take(&world, "out", 3).await;
    bodies.sort();
    assert_eq!(bodies, [0, 1, 2].map(|n| format!(r#"{{"order":{n},"pipe":"p"}}"#)));
    until_held(&world, "in", 0).await;
    // The trace tells of every batch.
    let arn = "arn:aws:pipes:eu-central-1:000000000000:pipe/p";
    assert!(!soon(world.chains(arn)).await.is_empty());
}

#[tokio::test]
async fn without_a_template_the_target_gets_the_event() {
    let (world, _) = world().await;
    make_pipe(&world, &queue("out"), json!({})).await;
    let attributes = json!({ "kind": { "DataType": "String", "StringValue": "k" } });
    let input =
        json!({ "QueueUrl": queue("in"), "MessageBody": "{\"a\":1}", "MessageAttributes": attributes });
    world.ok("sqs", "SendMessage", input).await;
    let event: Value = serde_json::from_str(&take(&world, "out", 1).await[0]).unwrap();
    assert_eq!(event["body"], "{\"a\":1}");
    assert_eq!((&event["eventSource"], &event["eventSourceARN"]), (&json!("aws:sqs"), &json!(queue("in"))));
    assert_eq!(event["messageAttributes"]["kind"]["stringValue"], "k");
    assert_eq!(event["attributes"]["ApproximateReceiveCount"], "1");
}

#[tokio::test]
async fn what_the_filter_does_not_pass_is_deleted() {
    let (world, _) = world().await;
    let filters =
        json!([{ "Pattern": r#"{"body":{"kind":["a"]}}"# }, { "Pattern": r#"{"body":["plain"]}"# }]);
    let changes = json!({
        "SourceParameters": { "FilterCriteria": { "Filters": filters } },
        "TargetParameters": { "InputTemplate": "<$.body>" },
    });
    make_pipe(&world, &queue("out"), changes).await;
    for body in [r#"{"kind":"b"}"#, "other", r#"{"kind":"a"}"#, "plain", "[1]"] {
        send(&world, "in", body).await;
    }
    let mut bodies = take(&world, "out", 2).await;
    bodies.sort();
    assert_eq!(bodies, ["plain", r#"{"kind":"a"}"#]);
    until_held(&world, "in", 0).await;
    assert_eq!(held(&world, "out").await, 0);
}

#[tokio::test]
async fn an_enrichment_stands_between() {
    let (world, functions) = world().await;
    let changes = json!({
        "Enrichment": function("double"),
        "EnrichmentParameters": { "InputTemplate": r#"{"n": <$.body.n>}"# },
        "TargetParameters": { "InputTemplate": r#"{"result": <$.twice>}"# },
    });
    make_pipe(&world, &queue("out"), changes.clone()).await;
    send(&world, "in", r#"{"n":21}"#).await;
    assert_eq!(take(&world, "out", 1).await, [r#"{"result":42}"#]);
    assert_eq!(functions.given.lock().unwrap()[0], json!([{ "n": 21 }]));
    until_held(&world, "in", 0).await;
    // One that answers nothing ends the execution well.
    world
        .ok("pipes", "UpdatePipe", json!({ "Name": "p", "RoleArn": ROLE, "Enrichment": function("nothing") }))
        .await;
    world.idle().await;
    send(&world, "in", "1").await;
    until_held(&world, "in", 0).await;
    assert_eq!(held(&world, "out").await, 0);
}

#[tokio::test]
async fn an_http_endpoint_enriches() {
    let (world, _) = world().await;
    let http = json!({ "HeaderParameters": { "customer": "$.body.customer" } });
    let changes = json!({
        "Enrichment": "arn:aws:events:eu-central-1:000000000000:api-destination/echo/1",
        "EnrichmentParameters": { "InputTemplate": "<$.body.text>", "HttpParameters": http },
    });
    make_pipe(&world, &queue("out"), changes).await;
    send(&world, "in", r#"{"text":"hello","customer":"c1"}"#).await;
    assert_eq!(take(&world, "out", 1).await, [r#"{"len":5,"for":"c1"}"#]);
}

async fn make_machine(world: &World, name: &str, kind: &str, definition: Value) -> String {
    let input = json!({ "name": name, "type": kind, "roleArn": ROLE, "definition": definition.to_string() });
    let made = world.ok("states", "CreateStateMachine", input).await;
    made["stateMachineArn"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn state_machines_enrich_and_are_targets() {
    let (world, _) = world().await;
    let pass = json!({ "StartAt": "P", "States": {
        "P": { "Type": "Pass", "Parameters": { "seen.$": "$.body" }, "End": true },
    } });
    let each = json!({ "StartAt": "E", "States": {
        "E": { "Type": "Map", "ItemProcessor": pass, "End": true },
    } });
    let express = make_machine(&world, "express", "EXPRESS", each).await;
    let fails = json!({ "StartAt": "F", "States": { "F": { "Type": "Fail", "Error": "No" } } });
    let failing = make_machine(&world, "failing", "EXPRESS", fails).await;
    let keeps = json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } });
    let standard = make_machine(&world, "standard", "STANDARD", keeps).await;
    let parameters = json!({ "StepFunctionStateMachineParameters": { "InvocationType": "FIRE_AND_FORGET" } });
    make_pipe(&world, &standard, json!({ "Enrichment": express, "TargetParameters": parameters })).await;
    send(&world, "in", "m").await;
    until_held(&world, "in", 0).await;
    let list = json!({ "stateMachineArn": standard });
    let executions = world.ok("states", "ListExecutions", list).await;
    let arn = executions["executions"][0]["executionArn"].clone();
    let execution = world.ok("states", "DescribeExecution", json!({ "executionArn": arn })).await;
    assert_eq!(execution["input"], r#"[{"seen":"m"}]"#);
    // One that fails keeps the message in its queue.
    let update =
        json!({ "Name": "p", "RoleArn": ROLE, "Enrichment": "", "Target": failing, "TargetParameters": {} });
    world.ok("pipes", "UpdatePipe", update).await;
    world.idle().await;
    send(&world, "in", "n").await;
    for _ in 0..300 {
        tokio::task::yield_now().await;
    }
    assert_eq!(held(&world, "in").await, 1);
}

#[tokio::test]
async fn a_batch_waits_for_its_window() {
    let (world, functions) = world().await;
    let queue = json!({ "BatchSize": 3, "MaximumBatchingWindowInSeconds": 30 });
    make_pipe(&world, &function("any"), json!({ "SourceParameters": { "SqsQueueParameters": queue } })).await;
    let sizes = || -> Vec<usize> {
        functions.given.lock().unwrap().iter().map(|batch| batch.as_array().unwrap().len()).collect()
    };
    let until = async |expected: &[usize]| {
        soon(async {
            while sizes() != expected {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    for body in ["1", "2", "3"] {
        send(&world, "in", body).await;
    }
    until(&[3]).await;
    until_held(&world, "in", 0).await;
    send(&world, "in", "4").await;
    send(&world, "in", "5").await;
    for _ in 0..29 {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        world.advance(Duration::from_secs(1)).await;
    }
    assert_eq!(sizes(), [3]);
    world.advance(Duration::from_secs(2)).await;
    until(&[3, 2]).await;
}

/// Bodies of so many bytes that no target takes all in one call.
async fn send_large(world: &World, name: &str, count: usize, bytes: usize) {
    for n in 0..count {
        let body = json!({ "n": n, "text": "x".repeat(bytes) }).to_string();
        send(world, name, &body).await;
    }
}

#[tokio::test]
async fn calls_of_targets_stay_below_the_bytes_that_they_take() {
    let (world, _) = world().await;
    world.ok("sns", "CreateTopic", json!({ "Name": "t" })).await;
    world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "lines" })).await;
    let targets = [
        queue("out"),
        "arn:aws:sns:eu-central-1:000000000000:t".to_owned(),
        "arn:aws:events:eu-central-1:000000000000:event-bus/default".to_owned(),
        "arn:aws:logs:eu-central-1:000000000000:log-group:lines".to_owned(),
    ];
    for (number, target) in targets.iter().enumerate() {
        let source = format!("in{number}");
        make_queue(&world, &source, json!({ "VisibilityTimeout": "60" })).await;
        send_large(&world, &source, 10, 120_000).await;
        let parameters = json!({ "InputTemplate": r#"{"n": <$.body.n>, "text": <$.body.text>}"# });
        let changes = json!({ "Name": source, "Source": queue(&source), "TargetParameters": parameters });
        make_pipe(&world, target, changes).await;
        until_held(&world, &source, 0).await;
    }
    assert_eq!(held(&world, "out").await, 10);
}

#[tokio::test]
async fn a_function_gets_no_more_bytes_at_once_than_it_takes() {
    let (world, functions) = world().await;
    send_large(&world, "in", 10, 900_000).await;
    make_pipe(&world, &function("any"), json!({})).await;
    until_held(&world, "in", 0).await;
    let given = functions.given.lock().unwrap().clone();
    assert!(given.len() > 1 && given.iter().all(|batch| batch.to_string().len() <= 6_291_456));
    assert_eq!(given.iter().map(|batch| batch.as_array().unwrap().len()).sum::<usize>(), 10);
}

#[tokio::test]
async fn what_is_too_large_fails_alone_with_what_follows_in_its_group() {
    let (world, _) = world().await;
    let topic = "arn:aws:sns:eu-central-1:000000000000:t";
    world.ok("sns", "CreateTopic", json!({ "Name": "t" })).await;
    let raw = json!({ "RawMessageDelivery": "true" });
    let subscription =
        json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": queue("out"), "Attributes": raw });
    world.ok("sns", "Subscribe", subscription).await;
    let fifo = json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "60" });
    make_queue(&world, "in.fifo", fifo).await;
    for (group, body) in [("a", "x".repeat(300_000)), ("a", "follows".to_owned()), ("b", "other".to_owned())]
    {
        let input = json!({ "QueueUrl": queue("in.fifo"), "MessageBody": body, "MessageGroupId": group });
        world.ok("sqs", "SendMessage", input).await;
    }
    let parameters = json!({ "InputTemplate": "<$.body>" });
    make_pipe(&world, topic, json!({ "Source": queue("in.fifo"), "TargetParameters": parameters })).await;
    assert_eq!(take(&world, "out", 1).await, ["other"]);
    until_held(&world, "in.fifo", 2).await;
    world.idle().await;
    assert_eq!(held(&world, "out").await, 0);
}

/// A pipe that waits for more than the messages that it was sent, which it has received.
async fn gathering() -> (World, Arc<Functions>) {
    let (world, functions) = world().await;
    let redrive = json!({ "deadLetterTargetArn": queue("dead"), "maxReceiveCount": 1 }).to_string();
    let attributes = json!({ "QueueUrl": queue("in"), "Attributes": { "RedrivePolicy": redrive } });
    world.ok("sqs", "SetQueueAttributes", attributes).await;
    let window = json!({ "BatchSize": 20, "MaximumBatchingWindowInSeconds": 60 });
    make_pipe(&world, &function("any"), json!({ "SourceParameters": { "SqsQueueParameters": window } }))
        .await;
    for body in ["1", "2", "3"] {
        send(&world, "in", body).await;
        for _ in 0..300 {
            tokio::task::yield_now().await;
        }
    }
    assert!(functions.given.lock().unwrap().is_empty());
    (world, functions)
}

/// Returns when functions were given all that [`gathering`] sent.
async fn until_given(functions: &Functions) {
    let bodies = || -> Vec<Value> {
        let given = functions.given.lock().unwrap();
        given.iter().flat_map(|batch| batch.as_array().unwrap()).map(|event| event["body"].clone()).collect()
    };
    soon(async {
        while bodies().len() < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(bodies(), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_pipe_that_changes_runs_what_it_has_gathered() {
    let (world, functions) = gathering().await;
    world.ok("pipes", "StopPipe", json!({ "Name": "p" })).await;
    until_given(&functions).await;
    until_held(&world, "in", 0).await;
    assert_eq!(held(&world, "dead").await, 0);
}

#[tokio::test]
async fn a_look_that_fails_leaves_what_was_gathered_before() {
    let (world, functions) = gathering().await;
    world.ok("sqs", "DeleteQueue", json!({ "QueueUrl": queue("in") })).await;
    world.advance(Duration::from_secs(21)).await;
    until_given(&functions).await;
}

#[tokio::test]
async fn messages_that_the_target_names_come_again_and_end_in_the_dead_letter_queue() {
    let (world, functions) = world().await;
    let redrive = json!({ "deadLetterTargetArn": queue("dead"), "maxReceiveCount": 2 }).to_string();
    let attributes = json!({ "QueueUrl": queue("in"), "Attributes": { "RedrivePolicy": redrive } });
    world.ok("sqs", "SetQueueAttributes", attributes).await;
    for body in ["good", "bad", "good"] {
        send(&world, "in", body).await;
    }
    make_pipe(&world, &function("picky"), json!({})).await;
    until_held(&world, "in", 1).await;
    for _ in 0..3 {
        world.advance(Duration::from_secs(61)).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(take(&world, "dead", 1).await, ["bad"]);
    until_held(&world, "in", 0).await;
    let given = functions.given.lock().unwrap().clone();
    let count = |body: &str| {
        given.iter().flat_map(|batch| batch.as_array().unwrap()).filter(|event| event["body"] == body).count()
    };
    assert_eq!((count("good"), count("bad")), (2, 2));
}

#[tokio::test]
async fn a_target_that_fails_gets_the_batch_again_after_the_visibility_timeout() {
    let (world, functions) = world().await;
    *functions.failures.lock().unwrap() = 1;
    make_pipe(&world, &function("flaky"), json!({})).await;
    send(&world, "in", "m").await;
    soon(async {
        while functions.given.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(held(&world, "in").await, 1);
    world.advance(Duration::from_secs(61)).await;
    until_held(&world, "in", 0).await;
    let counts: Vec<Value> = functions
        .given
        .lock()
        .unwrap()
        .iter()
        .map(|batch| batch[0]["attributes"]["ApproximateReceiveCount"].clone())
        .collect();
    assert_eq!(counts, ["1", "2"]);
}

#[tokio::test]
async fn a_function_is_waited_for_unless_it_shall_not_be() {
    for (kind, left) in [("REQUEST_RESPONSE", 1), ("FIRE_AND_FORGET", 0)] {
        let (world, functions) = world().await;
        *functions.failures.lock().unwrap() = 1;
        let parameters = json!({ "LambdaFunctionParameters": { "InvocationType": kind } });
        make_pipe(&world, &function("any"), json!({})).await;
        let update = json!({ "Name": "p", "RoleArn": ROLE, "Target": function("flaky"), "TargetParameters": parameters });
        world.ok("pipes", "UpdatePipe", update).await;
        world.idle().await;
        send(&world, "in", "m").await;
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
        let given = functions.given.lock().unwrap().len();
        assert_eq!((given, held(&world, "in").await), (1, left), "{kind}");
    }
}

#[tokio::test]
async fn the_order_of_groups_is_kept_from_end_to_end() {
    let (world, _) = world().await;
    let fifo = json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "60" });
    make_queue(&world, "in.fifo", fifo.clone()).await;
    make_queue(&world, "out.fifo", fifo).await;
    for n in 0..30 {
        let group = if n % 3 == 0 { "a" } else { "b" };
        let input =
            json!({ "QueueUrl": queue("in.fifo"), "MessageBody": n.to_string(), "MessageGroupId": group });
        world.ok("sqs", "SendMessage", input).await;
    }
    let parameters = json!({
        "InputTemplate": r#"{"group": <$.attributes.MessageGroupId>, "n": <$.body>}"#,
        "SqsQueueParameters": { "MessageGroupId": "$.attributes.MessageGroupId" },
    });
    let changes = json!({ "Source": queue("in.fifo"), "TargetParameters": parameters });
    make_pipe(&world, &queue("out.fifo"), changes).await;
    let bodies: Vec<Value> =
        take(&world, "out.fifo", 30).await.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    for group in ["a", "b"] {
        let of_group = bodies.iter().filter(|body| body["group"] == group);
        let numbers: Vec<i64> = of_group.map(|body| body["n"].as_str().unwrap().parse().unwrap()).collect();
        assert!(numbers.is_sorted(), "{group}: {numbers:?}");
    }
    until_held(&world, "in.fifo", 0).await;
}

#[tokio::test]
async fn buses_and_log_groups_are_targets() {
    let (world, _) = world().await;
    let rule = json!({ "Name": "r", "EventPattern": r#"{"source":["shop"],"detail-type":["Order c1"]}"# });
    world.ok("events", "PutRule", rule).await;
    let targets = json!([{ "Id": "t", "Arn": queue("out"), "InputPath": "$.detail" }]);
    world.ok("events", "PutTargets", json!({ "Rule": "r", "Targets": targets })).await;
    let parameters = json!({
        "InputTemplate": r#"{"id": <$.body.id>}"#,
        "EventBridgeEventBusParameters": { "Source": "shop", "DetailType": "$.body.type" },
    });
    let bus = "arn:aws:events:eu-central-1:000000000000:event-bus/default";
    make_pipe(&world, bus, json!({ "TargetParameters": parameters })).await;
    send(&world, "in", r#"{"id":1,"type":"Order c1"}"#).await;
    assert_eq!(take(&world, "out", 1).await, [r#"{"id":1}"#]);
    until_held(&world, "in", 0).await;
    world.ok("pipes", "StopPipe", json!({ "Name": "p" })).await;
    world.idle().await;
    world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "lines" })).await;
    let group = "arn:aws:logs:eu-central-1:000000000000:log-group:lines";
    let parameters =
        json!({ "InputTemplate": "line <$.body>", "CloudWatchLogsParameters": { "LogStreamName": "s" } });
    make_pipe(&world, group, json!({ "Name": "q", "TargetParameters": parameters })).await;
    send(&world, "in", "one").await;
    until_held(&world, "in", 0).await;
    let lines = json!({ "logGroupName": "lines", "logStreamName": "s" });
    let lines = world.ok("logs", "GetLogEvents", lines).await;
    assert_eq!(lines["events"][0]["message"], "line one");
}

#[tokio::test]
async fn executions_are_logged_at_their_level() {
    let (world, functions) = world().await;
    world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "log" })).await;
    *functions.failures.lock().unwrap() = 1;
    let group = "arn:aws:logs:eu-central-1:000000000000:log-group:log";
    let log = json!({
        "Level": "INFO", "CloudwatchLogsLogDestination": { "LogGroupArn": group }, "IncludeExecutionData": ["ALL"],
    });
    make_pipe(&world, &function("flaky"), json!({ "LogConfiguration": log })).await;
    send(&world, "in", "m").await;
    let lines = || async {
        let lines = json!({ "logGroupName": "log", "logStreamName": "p", "startFromHead": true });
        match world.call("logs", "GetLogEvents", lines).await {
            Ok(lines) => lines["events"].as_array().unwrap().clone(),
            Err(_) => Vec::new(),
        }
    };
    soon(async {
        while lines().await.len() < 5 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let records: Vec<Value> = lines()
        .await
        .iter()
        .map(|line| serde_json::from_str(line["message"].as_str().unwrap()).unwrap())
        .collect();
    let types: Vec<&str> = records.iter().map(|record| record["messageType"].as_str().unwrap()).collect();
    let expected = [
        "ExecutionStarted",
        "TargetStageEntered",
        "TargetInvocationFailed",
        "TargetStageFailed",
        "ExecutionFailed",
    ];
    assert_eq!(types, expected);
    assert!(records[0]["payload"].as_str().unwrap().contains("\"body\":\"m\""));
    assert_eq!(
        (&records[2]["logLevel"], &records[2]["error"]["details"]),
        (&json!("ERROR"), &json!("FunctionError"))
    );
}

#[tokio::test]
async fn pipes_start_stop_and_are_described() {
    let (world, _) = world().await;
    make_pipe(
        &world,
        &queue("out"),
        json!({ "Tags": { "team": "a" }, "TargetParameters": { "InputTemplate": "<$.body>" } }),
    )
    .await;
    let stopped = world.ok("pipes", "StopPipe", json!({ "Name": "p" })).await;
    assert_eq!((&stopped["DesiredState"], &stopped["CurrentState"]), (&json!("STOPPED"), &json!("STOPPING")));
    world.idle().await;
    send(&world, "in", "waits").await;
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    assert_eq!((held(&world, "in").await, held(&world, "out").await), (1, 0));
    let listed = world
        .ok("pipes", "ListPipes", json!({ "CurrentState": "STOPPED", "SourcePrefix": queue("in") }))
        .await;
    assert_eq!(listed["Pipes"][0]["Name"], "p");
    let listed = world.ok("pipes", "ListPipes", json!({ "DesiredState": "RUNNING" })).await;
    assert_eq!(listed["Pipes"], json!([]));
    world.ok("pipes", "StartPipe", json!({ "Name": "p" })).await;
    assert_eq!(take(&world, "out", 1).await, ["waits"]);
    let arn = "arn:aws:pipes:eu-central-1:000000000000:pipe/p";
    world.ok("pipes", "TagResource", json!({ "resourceArn": arn, "tags": { "stage": "b" } })).await;
    world.ok("pipes", "UntagResource", json!({ "resourceArn": arn, "tagKeys": ["team"] })).await;
    let tags = world.ok("pipes", "ListTagsForResource", json!({ "resourceArn": arn })).await;
    assert_eq!(tags, json!({ "tags": { "stage": "b" } }));
    world.ok("pipes", "DeletePipe", json!({ "Name": "p" })).await;
    world.idle().await;
    let fault = world.refused("pipes", "DescribePipe", json!({ "Name": "p" })).await;
    assert_eq!((fault.code.as_ref(), fault.status), ("NotFoundException", 404));
}

#[tokio::test]
async fn what_cannot_run_is_refused_or_fails() {
    let (world, _) = world().await;
    let pipe = |source: &str, target: &str| json!({ "Name": "p", "Source": source, "Target": target, "RoleArn": ROLE });
    let stream = "arn:aws:dynamodb:eu-central-1:000000000000:table/t/stream/2026-01-01T00:00:00.000";
    let without = format!("DynamoDBStreamParameters are required for the source {stream}.");
    for (input, message) in [
        (pipe(stream, &queue("out")), without.as_str()),
        (
            pipe(&queue("in"), "arn:aws:ecs:eu-central-1:000000000000:cluster/c"),
            "arn:aws:ecs:eu-central-1:000000000000:cluster/c as a target is not implemented by Buswork",
        ),
        (pipe(&queue("in"), &queue("out.fifo")), "MessageGroupId is required for FIFO queues."),
    ] {
        let fault = world.refused("pipes", "CreatePipe", input).await;
        assert_eq!((fault.code.as_ref(), fault.message.as_str()), ("ValidationException", message));
    }
    world.ok("pipes", "CreatePipe", pipe(&queue("gone"), &queue("out"))).await;
    world.idle().await;
    let found = world.ok("pipes", "DescribePipe", json!({ "Name": "p" })).await;
    assert_eq!(
        (&found["CurrentState"], &found["DesiredState"]),
        (&json!("CREATE_FAILED"), &json!("RUNNING"))
    );
    assert!(found["StateReason"].as_str().unwrap().starts_with("The source cannot be read: "));
    let fault = world.refused("pipes", "CreatePipe", pipe(&queue("in"), &queue("out"))).await;
    assert_eq!(
        (fault.code.as_ref(), fault.message.as_str()),
        ("ConflictException", "Pipe p already exists.")
    );
}

#[tokio::test]
async fn an_idle_pipe_commits_nothing() {
    let (world, _) = world().await;
    for n in 0..20 {
        make_pipe(&world, &queue("out"), json!({ "Name": format!("p{n}") })).await;
    }
    let version = || async { world.engine().snapshot().await.unwrap().version().0 };
    let before = version().await;
    for _ in 0..20 {
        world.advance(Duration::from_secs(60)).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(version().await, before);
}

#[tokio::test]
async fn a_crash_between_receive_and_delete_loses_nothing() {
    for commits in 0..8 {
        let (mut world, _) = world().await;
        make_pipe(&world, &queue("out"), json!({ "TargetParameters": { "InputTemplate": "<$.body>" } }))
            .await;
        world.die_after(commits + 1);
        send(&world, "in", "precious").await;
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
        world.restart().await;
        world.idle().await;
        // Hidden by the receive of the process that died.
        world.advance(Duration::from_secs(61)).await;
        let bodies = take(&world, "out", 1).await;
        // At least once: what was sent on and not yet deleted comes again.
        assert!(bodies.iter().all(|body| body == "precious"), "after {commits} commits: {bodies:?}");
        until_held(&world, "in", 0).await;
    }
}
