//! Pipes from a table's stream, on the virtual clock. The target is a queue, or a function that is a stand-in.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::schema::{Blob, Kind, OperationSchema, Protocol, ServiceSchema, Shape, ValidationStyle};
use kernel::{Effect, Operation, Result, Service};
use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/pipe";

/// The batches that the function was given.
type Given = Mutex<Vec<Vec<String>>>;

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

/// `whole` fails if a key of its batch begins with `bad`; `picky` names the first such record; `slow` takes half a minute.
async fn invoke(effect: &Effect, input: Value) -> Result<Value> {
    let payload = Blob::from_base64(input["Payload"].as_str().unwrap()).unwrap();
    let records: Value = serde_json::from_slice(payload.as_bytes()).unwrap();
    let records = records.as_array().unwrap();
    let keys: Vec<String> = records.iter().map(key).collect();
    let bad = keys.iter().position(|key| key.starts_with("bad"));
    effect.state::<Given>()?.lock().unwrap().push(keys);
    if input["FunctionName"].as_str().unwrap().ends_with("slow") {
        effect.clock().sleep_until(effect.now() + Duration::from_secs(30)).await;
    }
    let answer = |value: Value| json!({ "Payload": Blob::from(value.to_string().into_bytes()).to_base64() });
    let Some(bad) = bad else { return Ok(answer(Value::Null)) };
    if input["FunctionName"].as_str().unwrap().ends_with("picky") {
        let id = records[bad]["dynamodb"]["SequenceNumber"].clone();
        return Ok(answer(json!({ "batchItemFailures": [{ "itemIdentifier": id }] })));
    }
    let mut failed = answer(json!({ "errorMessage": "no" }));
    failed["FunctionError"] = json!("Unhandled");
    Ok(failed)
}

fn key(record: &Value) -> String {
    record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().to_owned()
}

fn queue(name: &str) -> String {
    format!("arn:aws:sqs:eu-central-1:000000000000:{name}")
}

fn function(name: &str) -> String {
    format!("arn:aws:lambda:eu-central-1:000000000000:function:{name}")
}

/// A world with a table `tab`, its stream's ARN, the queues `out` and `dead`, and what the function was given.
async fn world() -> (World, String, Arc<Given>) {
    let given = Arc::new(Given::default());
    let state = Arc::clone(&given);
    let world = World::new(move || {
        let lambda = Service::new(&LAMBDA).state(Arc::clone(&state)).effect::<Invoke, _>(invoke);
        vec![lambda, pipes::service(), sqs::service(), dynamodb::service()]
    })
    .await;
    for name in ["out", "dead"] {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": name })).await;
    }
    let table = json!({
        "TableName": "tab", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" },
    });
    let made = world.ok("dynamodb", "CreateTable", table).await;
    let stream = made["TableDescription"]["LatestStreamArn"].as_str().unwrap().to_owned();
    (world, stream, given)
}

fn pipe(stream: &str, target: &str, parameters: Value) -> Value {
    let mut source = json!({ "StartingPosition": "TRIM_HORIZON" });
    source.as_object_mut().unwrap().extend(parameters.as_object().unwrap().clone());
    json!({
        "Name": "p", "Source": stream, "Target": target, "RoleArn": ROLE,
        "SourceParameters": { "DynamoDBStreamParameters": source },
    })
}

async fn run(world: &World, input: Value) {
    world.ok("pipes", "CreatePipe", input).await;
    world.idle().await;
    let found = world.ok("pipes", "DescribePipe", json!({ "Name": "p" })).await;
    assert_eq!(found["CurrentState"], "RUNNING", "{found}");
}

async fn put(world: &World, keys: &[&str]) {
    for key in keys {
        let item = json!({ "TableName": "tab", "Item": { "pk": { "S": key } } });
        world.ok("dynamodb", "PutItem", item).await;
    }
}

/// Lets loops go on and time pass until `done`.
async fn until(world: &World, mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..2_000 {
        if done().await {
            return;
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        world.advance(Duration::from_millis(100)).await;
    }
    panic!("it does not come");
}

/// What a queue gets, until there are so many messages.
async fn bodies(world: &World, name: &str, count: usize) -> Vec<Value> {
    let mut all = Vec::new();
    until(world, async || {
        let input =
            json!({ "QueueUrl": queue(name), "MaxNumberOfMessages": 10, "VisibilityTimeout": 43_200 });
        let answer = world.ok("sqs", "ReceiveMessage", input).await;
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        all.extend(
            messages.iter().map(|m| serde_json::from_str::<Value>(m["Body"].as_str().unwrap()).unwrap()),
        );
        all.len() >= count
    })
    .await;
    all
}

async fn given_all(world: &World, given: &Given, keys: &[&str]) {
    until(world, async || {
        let seen: Vec<String> = given.lock().unwrap().iter().flatten().cloned().collect();
        keys.iter().all(|key| seen.iter().any(|seen| seen == key))
    })
    .await;
}

#[tokio::test]
async fn records_come_in_order_through_filters_and_templates() {
    let (world, stream, _) = world().await;
    put(&world, &["a", "no", "b"]).await;
    let mut input = pipe(&stream, &queue("out"), json!({ "BatchSize": 2 }));
    let pattern = r#"{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":"no"}]}}}}"#;
    input["SourceParameters"]["FilterCriteria"] = json!({ "Filters": [{ "Pattern": pattern }] });
    input["TargetParameters"] =
        json!({ "InputTemplate": r#"{"k": <$.dynamodb.Keys.pk.S>, "e": <$.eventName>}"# });
    run(&world, input).await;
    put(&world, &["c", "d"]).await;
    let seen = bodies(&world, "out", 4).await;
    let keys: Vec<&str> = seen.iter().map(|body| body["k"].as_str().unwrap()).collect();
    assert_eq!(keys, ["a", "b", "c", "d"]);
    assert_eq!(seen[0]["e"], "INSERT");
}

#[tokio::test]
async fn latest_begins_when_the_pipe_is_made() {
    let (world, stream, given) = world().await;
    put(&world, &["before"]).await;
    run(&world, pipe(&stream, &function("whole"), json!({ "StartingPosition": "LATEST" }))).await;
    put(&world, &["after"]).await;
    given_all(&world, &given, &["after"]).await;
    assert_eq!(*given.lock().unwrap(), [["after"]]);
}

#[tokio::test]
async fn a_stopped_pipe_goes_on_where_it_was_also_after_a_crash() {
    let (mut world, stream, given) = world().await;
    run(&world, pipe(&stream, &function("whole"), json!({}))).await;
    put(&world, &["a"]).await;
    given_all(&world, &given, &["a"]).await;
    world.ok("pipes", "StopPipe", json!({ "Name": "p" })).await;
    world.idle().await;
    put(&world, &["b"]).await;
    world.crash().await;
    assert_eq!(*given.lock().unwrap(), [["a"]]);
    world.ok("pipes", "StartPipe", json!({ "Name": "p" })).await;
    world.idle().await;
    given_all(&world, &given, &["b"]).await;
    assert_eq!(*given.lock().unwrap(), [["a"], ["b"]]);
}

#[tokio::test]
async fn what_fails_is_tried_again_then_buried_and_overtaken_by_nothing() {
    let (world, stream, given) = world().await;
    put(&world, &["a", "bad", "c"]).await;
    let parameters = json!({
        "BatchSize": 1, "MaximumRetryAttempts": 2, "DeadLetterConfig": { "Arn": queue("dead") },
    });
    run(&world, pipe(&stream, &function("whole"), parameters)).await;
    given_all(&world, &given, &["c"]).await;
    assert_eq!(*given.lock().unwrap(), [["a"], ["bad"], ["bad"], ["bad"], ["c"]]);
    let letter = &bodies(&world, "dead", 1).await[0];
    assert_eq!(letter["context"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(letter["context"]["partnerResourceArn"], "arn:aws:pipes:eu-central-1:000000000000:pipe/p");
    let info = &letter["DDBStreamBatchInfo"];
    assert_eq!((&info["batchSize"], &info["streamArn"]), (&json!(1), &json!(stream)));
    assert_eq!(info["startSequenceNumber"], info["endSequenceNumber"]);
}

#[tokio::test]
async fn a_record_that_is_named_comes_again_with_what_follows() {
    let (world, stream, given) = world().await;
    put(&world, &["a", "bad", "c"]).await;
    run(&world, pipe(&stream, &function("picky"), json!({ "MaximumRetryAttempts": 1 }))).await;
    put(&world, &["d"]).await;
    given_all(&world, &given, &["d"]).await;
    let given = given.lock().unwrap();
    assert_eq!(given[0], ["a", "bad", "c"]);
    assert_eq!(given[1], ["bad", "c"]);
    // Given up with what follows it in its batch, as at AWS.
    assert_eq!(*given.last().unwrap(), ["d"]);
}

#[tokio::test]
async fn a_batch_that_fails_is_halved_until_only_the_bad_record_is_left() {
    let (world, stream, given) = world().await;
    put(&world, &["a", "b", "bad", "d"]).await;
    let parameters = json!({
        "OnPartialBatchItemFailure": "AUTOMATIC_BISECT", "MaximumRetryAttempts": 0,
        "DeadLetterConfig": { "Arn": queue("dead") },
    });
    run(&world, pipe(&stream, &function("whole"), parameters)).await;
    let letter = &bodies(&world, "dead", 1).await[0];
    assert_eq!(letter["DDBStreamBatchInfo"]["batchSize"], 1);
    given_all(&world, &given, &["d"]).await;
    let batches = given.lock().unwrap().iter().map(|batch| batch.join(" ")).collect::<Vec<_>>();
    assert_eq!(batches, ["a b bad d", "a b", "bad d", "bad", "d"]);
}

#[tokio::test]
async fn old_records_are_given_up() {
    let (world, stream, given) = world().await;
    put(&world, &["old"]).await;
    world.advance(Duration::from_secs(120)).await;
    put(&world, &["new"]).await;
    let parameters = json!({ "MaximumRecordAgeInSeconds": 60, "DeadLetterConfig": { "Arn": queue("dead") } });
    run(&world, pipe(&stream, &function("whole"), parameters)).await;
    given_all(&world, &given, &["new"]).await;
    assert_eq!(*given.lock().unwrap(), [["new"]]);
    assert_eq!(bodies(&world, "dead", 1).await[0]["context"]["condition"], "RecordAgeExceeded");
}

#[tokio::test]
async fn a_batch_of_a_stream_waits_for_its_window() {
    let (world, stream, given) = world().await;
    let window = json!({ "BatchSize": 3, "MaximumBatchingWindowInSeconds": 30 });
    run(&world, pipe(&stream, &function("any"), window)).await;
    put(&world, &["a", "b"]).await;
    let start = world.now();
    until(&world, async || !given.lock().unwrap().is_empty()).await;
    assert!(world.now().since(start) >= Duration::from_secs(30), "{:?}", world.now());
    assert_eq!(*given.lock().unwrap(), [["a", "b"]]);
    let start = world.now();
    put(&world, &["c", "d", "e"]).await;
    until(&world, async || given.lock().unwrap().len() > 1).await;
    assert!(world.now().since(start) < Duration::from_secs(30), "a full batch waits for nothing");
}

#[tokio::test]
async fn a_batch_that_is_on_its_way_when_the_pipe_changes_is_delivered_once() {
    // Stopped and started, changed, or deleted and made again.
    for change in ["StopPipe", "UpdatePipe", "DeletePipe"] {
        let (world, stream, given) = world().await;
        run(&world, pipe(&stream, &function("slow"), json!({}))).await;
        put(&world, &["a"]).await;
        let seen = || -> Vec<String> { given.lock().unwrap().concat() };
        until(&world, async || !seen().is_empty()).await;
        let mut named = json!({ "Name": "p" });
        if change == "UpdatePipe" {
            named["RoleArn"] = json!(ROLE);
        }
        world.ok("pipes", change, named.clone()).await;
        world.idle().await;
        match change {
            "StopPipe" => drop(world.ok("pipes", "StartPipe", named).await),
            "DeletePipe" => {
                run(&world, pipe(&stream, &function("slow"), json!({ "StartingPosition": "LATEST" }))).await;
            }
            _ => {}
        }
        world.idle().await;
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
        assert_eq!(seen(), ["a"], "{change}: what is on its way is not read once more");
        put(&world, &["c"]).await;
        until(&world, async || seen().len() > 1).await;
        assert_eq!(seen(), ["a", "c"], "{change}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let (world, stream, _) = world().await;
    let mut without = pipe(&stream, &queue("out"), json!({}));
    without["SourceParameters"] = json!({});
    let mut both = pipe(&stream, &queue("out"), json!({}));
    both["SourceParameters"]["SqsQueueParameters"] = json!({});
    for (input, message) in [
        (without, "DynamoDBStreamParameters are required"),
        (both, "SqsQueueParameters do not go with a stream"),
        (
            pipe(&stream, &queue("out"), json!({ "ParallelizationFactor": 2 })),
            "A ParallelizationFactor other than 1",
        ),
        (
            pipe(&stream, &queue("out"), json!({ "MaximumRecordAgeInSeconds": 5 })),
            "MaximumRecordAgeInSeconds must be",
        ),
    ] {
        let fault = world.refused("pipes", "CreatePipe", input).await;
        assert!(fault.message.contains(message), "{}", fault.message);
    }
    let gone = stream.replace("table/tab/", "table/gone/");
    world.ok("pipes", "CreatePipe", pipe(&gone, &queue("out"), json!({}))).await;
    world.idle().await;
    let found = world.ok("pipes", "DescribePipe", json!({ "Name": "p" })).await;
    assert_eq!(found["CurrentState"], "CREATE_FAILED", "{found}");
}
