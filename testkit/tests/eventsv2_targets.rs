//! Subscribers of EventBridge's second API whose targets are the real services. Functions are stand-ins.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::{Arc, Mutex};

use base::schema::{Blob, Kind, OperationSchema, Protocol, ServiceSchema, Shape, ValidationStyle};
use base::{Arn, Fault};
use kernel::{Call, Operation, Result, Service, TargetKind, Tx};
use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/delivery";

/// What functions were given.
type Given = Mutex<Vec<(String, Value)>>;

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
    let payload = Blob::from_base64(input["Payload"].as_str().unwrap()).unwrap();
    let name = input["FunctionName"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let given = (name.clone(), serde_json::from_slice(payload.as_bytes()).unwrap());
    tx.state::<Given>()?.lock().unwrap().push(given);
    let answer = |value: Value| json!({ "Payload": Blob::from(value.to_string().into_bytes()).to_base64() });
    Ok(match name.as_str() {
        "partial" => answer(json!({ "batchItemFailures": [{ "itemIdentifier": "x" }] })),
        "broken" => {
            let mut failed = answer(json!({ "errorMessage": "no way" }));
            failed["FunctionError"] = json!("Unhandled");
            failed
        }
        _ => answer(Value::Null),
    })
}

const FUNCTION: TargetKind = TargetKind {
    at_once: |_| false,
    service: "lambda",
    name: "function",
    serves: |arn| arn.resource.starts_with("function:"),
    call: |arn: &Arn, delivery| {
        let input = json!({ "name": arn.resource, "payload": delivery.payload });
        Call::new("lambda", "Accept", &input).map_err(|error| Fault::validation(error.to_string()))
    },
};

async fn accept(tx: &mut Tx, input: Value) -> Result<()> {
    let payload = serde_json::from_str(input["payload"].as_str().unwrap()).unwrap();
    tx.state::<Given>()?.lock().unwrap().push((input["name"].as_str().unwrap().to_owned(), payload));
    Ok(())
}

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:eu-central-1:000000000000:{resource}")
}

/// A world of real services with the queues `out`, `out.fifo` and `dead`, what functions were given, and a bus's ARN.
async fn world() -> (World, Arc<Given>, String) {
    let given = Arc::new(Given::default());
    let state = Arc::clone(&given);
    let world = World::new(move || {
        let lambda = Service::new(&LAMBDA).state(Arc::clone(&state)).transact::<Invoke, _>(invoke);
        let lambda = lambda.internal("Accept", accept).targets(&[FUNCTION]);
        let queues = [sqs::service(), sns::service(), states::service(), logs::service()];
        [lambda, eventsv2::service(), events::service()].into_iter().chain(queues).collect()
    })
    .await;
    for (name, attributes) in
        [("out", json!({})), ("dead", json!({})), ("out.fifo", json!({ "FifoQueue": "true" }))]
    {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": name, "Attributes": attributes })).await;
    }
    let bus =
        world.ok("eventsv2", "CreateEventBus", json!({ "Name": "orders" })).await["EventBusArn"].clone();
    (world, given, bus.as_str().unwrap().to_owned())
}

/// Makes a subscriber `s` with a target and `changes`, without retries.
async fn subscribe(world: &World, bus: &str, invoke: Value, changes: Value) {
    let mut input = json!({
        "Name": "s", "EventBusArn": bus, "InvokeConfiguration": invoke, "RetryPolicy": { "MaxRetryAttempts": 0 },
        "OnFailureConfiguration": { "Arn": arn("sqs", "dead") },
    });
    input["InvokeConfiguration"]["RoleArn"] = ROLE.into();
    input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    world.ok("eventsv2", "CreateSubscriber", input).await;
}

async fn publish(world: &World, bus: &str, detail: &Value, group: Option<&str>) -> String {
    let mut entry = json!({ "Source": "shop", "DetailType": "Sold", "Detail": detail.to_string() });
    if let Some(group) = group {
        entry["SystemMetadata"] = json!({ "EventGroupId": group });
    }
    let answer = world.ok("eventsv2", "PutEvents", json!({ "EventBusArn": bus, "Entries": [entry] })).await;
    world.idle().await;
    answer["Entries"][0]["EventId"].as_str().unwrap().to_owned()
}

async fn messages(world: &World, name: &str) -> Vec<Value> {
    let input = json!({
        "QueueUrl": arn("sqs", name), "MaxNumberOfMessages": 10, "AttributeNames": ["All"], "MessageAttributeNames": ["All"],
    });
    let answer = world.ok("sqs", "ReceiveMessage", input).await;
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

async fn failures(world: &World) -> Vec<Value> {
    messages(world, "dead")
        .await
        .iter()
        .map(|m| serde_json::from_str(m["Body"].as_str().unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_fifo_queue_gets_a_group_in_order() {
    let (world, _, bus) = world().await;
    let parameters = json!({
        "MessageGroupId": "{% $events.SystemMetadata.EventGroupId %}",
        "MessageDeduplicationId": "{% $events.SystemMetadata.'aws:EventId' %}",
    });
    let invoke = json!({ "TargetArn": arn("sqs", "out.fifo"), "SqsParameters": parameters });
    subscribe(&world, &bus, invoke, json!({ "Type": "FIFO" })).await;
    for n in 0..5 {
        publish(&world, &bus, &json!({ "n": n }), Some("g")).await;
    }
    let taken = messages(&world, "out.fifo").await;
    let numbers: Vec<Value> = taken
        .iter()
        .map(|m| serde_json::from_str::<Value>(m["Body"].as_str().unwrap()).unwrap()["detail"]["n"].clone())
        .collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    assert_eq!(taken[0]["Attributes"]["MessageGroupId"], "g");
}

#[tokio::test]
async fn what_the_queue_refuses_is_a_failed_delivery() {
    let (world, _, bus) = world().await;
    let invoke =
        json!({ "TargetArn": arn("sqs", "out"), "SqsParameters": { "DelaySeconds": "{% 999999 %}" } });
    subscribe(&world, &bus, invoke, json!({})).await;
    let id = publish(&world, &bus, &json!({}), None).await;
    let failed = failures(&world).await;
    assert_eq!(
        (&failed[0]["errorCode"], &failed[0]["failedMessages"][0]["eventId"]),
        (&json!("CUSTOMER_VALIDATION"), &json!(id))
    );
}

#[tokio::test]
async fn a_topic_gets_a_subject_and_attributes() {
    let (world, _, bus) = world().await;
    let topic = world.ok("sns", "CreateTopic", json!({ "Name": "t" })).await["TopicArn"].clone();
    let subscription = json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": arn("sqs", "out") });
    world.ok("sns", "Subscribe", subscription).await;
    let parameters = json!({
        "Subject": "{% 'Order ' & $events.Data.detail.id %}",
        "MessageAttributes": { "id": { "DataType": "Number", "StringValue": "{% $events.Data.detail.id %}" } },
    });
    subscribe(&world, &bus, json!({ "TargetArn": topic, "SnsParameters": parameters }), json!({})).await;
    publish(&world, &bus, &json!({ "id": 7 }), None).await;
    let body: Value =
        serde_json::from_str(messages(&world, "out").await[0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&body["Subject"], &body["MessageAttributes"]["id"]["Value"]),
        (&json!("Order 7"), &json!("7"))
    );
}

#[tokio::test]
async fn a_function_gets_a_list_or_one_event_at_a_time() {
    let (world, given, bus) = world().await;
    let function = |name: &str| json!({ "TargetArn": arn("lambda", &format!("function:{name}")) });
    let raw =
        json!({ "Type": "JSONATA", "JsonataConfiguration": { "Expression": "{% $events.Data.detail %}" } });
    let mut qualified = function("async");
    qualified["LambdaParameters"] = json!({ "InvocationType": "EVENT", "Qualifier": "live" });
    subscribe(&world, &bus, qualified, json!({ "Name": "a", "Transformer": raw })).await;
    let mut waiting = function("waits");
    waiting["LambdaParameters"] = json!({ "InvocationType": "REQUEST_RESPONSE" });
    let single = json!({ "Name": "w", "Transformer": raw, "BatchConfiguration": { "MaxBatchSize": 1 } });
    subscribe(&world, &bus, waiting, single).await;
    publish(&world, &bus, &json!({ "n": 1 }), None).await;
    let mut given = given.lock().unwrap().clone();
    given.sort_by(|one, other| one.0.cmp(&other.0));
    let expected =
        [("function:async:live".to_owned(), json!([{ "n": 1 }])), ("waits".to_owned(), json!({ "n": 1 }))];
    assert_eq!(given, expected);
}

#[tokio::test]
async fn a_function_that_fails_is_a_failed_delivery() {
    for (name, message) in
        [("broken", "no way"), ("partial", "The function reports the event in batchItemFailures.")]
    {
        let (world, _, bus) = world().await;
        let parameters = json!({ "InvocationType": "REQUEST_RESPONSE" });
        let invoke = json!({ "TargetArn": arn("lambda", &format!("function:{name}")), "LambdaParameters": parameters });
        subscribe(&world, &bus, invoke, json!({})).await;
        publish(&world, &bus, &json!({}), None).await;
        assert_eq!(failures(&world).await[0]["errorMessage"], message);
    }
}

async fn machine(world: &World, kind: &str, definition: &Value) -> String {
    let input = json!({ "name": "m", "type": kind, "definition": definition.to_string(), "roleArn": ROLE });
    let made = world.ok("states", "CreateStateMachine", input).await;
    made["stateMachineArn"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_execution_is_started_by_its_name() {
    let (world, _, bus) = world().await;
    let machine = machine(
        &world,
        "STANDARD",
        &json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } }),
    )
    .await;
    let parameters = json!({ "Name": "{% 'order-' & $events.Data.detail.id %}" });
    subscribe(
        &world,
        &bus,
        json!({ "TargetArn": machine, "StepFunctionsParameters": parameters }),
        json!({}),
    )
    .await;
    publish(&world, &bus, &json!({ "id": 7 }), None).await;
    let listed = world.ok("states", "ListExecutions", json!({ "stateMachineArn": machine })).await;
    assert_eq!(listed["executions"][0]["name"], "order-7");
    let execution = json!({ "executionArn": listed["executions"][0]["executionArn"] });
    let input = world.ok("states", "DescribeExecution", execution).await["input"].clone();
    let input: Value = serde_json::from_str(input.as_str().unwrap()).unwrap();
    assert_eq!(input["detail"], json!({ "id": 7 }));
}

#[tokio::test]
async fn an_execution_that_fails_is_a_failed_delivery_if_it_is_waited_for() {
    let (world, _, bus) = world().await;
    let fail =
        json!({ "StartAt": "F", "States": { "F": { "Type": "Fail", "Error": "Bad", "Cause": "because" } } });
    let machine = machine(&world, "EXPRESS", &fail).await;
    let parameters = json!({ "InvocationType": "REQUEST_RESPONSE" });
    subscribe(
        &world,
        &bus,
        json!({ "TargetArn": machine, "StepFunctionsParameters": parameters }),
        json!({}),
    )
    .await;
    publish(&world, &bus, &json!({}), None).await;
    assert_eq!(failures(&world).await[0]["errorMessage"], "The execution ended FAILED: because");
}

#[tokio::test]
async fn a_classic_bus_gets_the_envelope() {
    let (world, _, bus) = world().await;
    let rule = json!({ "Name": "r", "EventPattern": r#"{"source":["shop"]}"# });
    world.ok("events", "PutRule", rule).await;
    let targets = json!([{ "Id": "t", "Arn": arn("sqs", "out") }]);
    world.ok("events", "PutTargets", json!({ "Rule": "r", "Targets": targets })).await;
    subscribe(&world, &bus, json!({ "TargetArn": arn("events", "event-bus/default") }), json!({})).await;
    let id = publish(&world, &bus, &json!({ "n": 1 }), None).await;
    let body: Value =
        serde_json::from_str(messages(&world, "out").await[0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["id"], &body["detail"]), (&json!(id), &json!({ "n": 1 })));
}

/// Makes a subscriber of its own name with these parameters of its target: at once, or by a change.
async fn with_parameters(world: &World, bus: &str, operation: &str, name: &str, target: (&str, &str, Value)) {
    let (target, block, parameters) = target;
    let mut invoke = json!({ "TargetArn": target, "RoleArn": ROLE });
    if operation == "CreateSubscriber" {
        invoke[block] = parameters;
        return subscribe(world, bus, invoke, json!({ "Name": name })).await;
    }
    subscribe(world, bus, invoke, json!({ "Name": name })).await;
    let listed = world.ok("eventsv2", "ListSubscribers", json!({ "NamePrefix": name })).await;
    let arn = &listed["Subscribers"][0]["SubscriberArn"];
    let update =
        json!({ "SubscriberArn": arn, "InvokeConfiguration": { "RoleArn": ROLE, block: parameters } });
    world.ok("eventsv2", "UpdateSubscriber", update).await;
}

#[tokio::test]
async fn parameters_of_queues_and_topics_reach_them() {
    for operation in ["CreateSubscriber", "UpdateSubscriber"] {
        let (world, _, bus) = world().await;
        let topic = world.ok("sns", "CreateTopic", json!({ "Name": "t" })).await["TopicArn"].clone();
        let subscription = json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": arn("sqs", "dead") });
        world.ok("sns", "Subscribe", subscription).await;
        let attributes = json!({
            "text": { "DataType": "String", "StringValue": "s" }, "bytes": { "DataType": "Binary", "BinaryValue": "AAE=" },
        });
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793";
        let queue = json!({
            "DelaySeconds": "5", "MessageAttributes": attributes,
            "MessageSystemAttributes": { "AWSTraceHeader": { "DataType": "String", "StringValue": header } },
        });
        let topic = json!({ "Subject": "about", "MessageGroupId": "g", "MessageAttributes": attributes });
        for (name, target, block, parameters) in
            [("q", arn("sqs", "out"), "SqsParameters", queue), ("t", arn("sns", "t"), "SnsParameters", topic)]
        {
            with_parameters(&world, &bus, operation, name, (&target, block, parameters)).await;
        }
        publish(&world, &bus, &json!({}), None).await;
        assert!(messages(&world, "out").await.is_empty(), "it is delayed");
        world.advance(std::time::Duration::from_secs(5)).await;
        let sent = messages(&world, "out").await.remove(0);
        assert_eq!(sent["Attributes"]["AWSTraceHeader"], header);
        assert_eq!(sent["MessageAttributes"]["text"]["StringValue"], "s");
        assert_eq!(sent["MessageAttributes"]["bytes"]["BinaryValue"], "AAE=");
        let told = messages(&world, "dead").await.remove(0);
        assert_eq!(told["Attributes"]["MessageGroupId"], "g", "{operation}");
        let told: Value = serde_json::from_str(told["Body"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&told["Subject"], &told["MessageAttributes"]["bytes"]["Value"]),
            (&json!("about"), &json!("AAE="))
        );
    }
}

#[tokio::test]
async fn what_a_topic_or_a_queue_refuses_of_its_parameters_fails() {
    for operation in ["CreateSubscriber", "UpdateSubscriber"] {
        let bytes = json!({ "AWSTraceHeader": { "DataType": "Binary", "BinaryValue": "AAE=" } });
        for (target, block, parameters) in [
            (arn("sqs", "out"), "SqsParameters", json!({ "MessageSystemAttributes": bytes })),
            // The event is no document with a text for each protocol.
            (arn("sns", "t"), "SnsParameters", json!({ "MessageStructure": "json" })),
            // Ids are for FIFO topics, which are no targets.
            (arn("sns", "t"), "SnsParameters", json!({ "MessageDeduplicationId": "d" })),
        ] {
            let (world, _, bus) = world().await;
            world.ok("sns", "CreateTopic", json!({ "Name": "t" })).await;
            with_parameters(&world, &bus, operation, "s", (&target, block, parameters)).await;
            publish(&world, &bus, &json!({}), None).await;
            assert_eq!(failures(&world).await.len(), 1, "{operation} {block}");
        }
    }
}

#[tokio::test]
async fn parameters_of_functions_machines_and_buses_reach_them() {
    for operation in ["CreateSubscriber", "UpdateSubscriber"] {
        let (world, given, bus) = world().await;
        let passes = json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } });
        let machine = machine(&world, "STANDARD", &passes).await;
        let next =
            world.ok("eventsv2", "CreateEventBus", json!({ "Name": "next" })).await["EventBusArn"].clone();
        let next = next.as_str().unwrap().to_owned();
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793";
        let forwarded = json!({
            "Metadata": { "by": "f" }, "SystemMetadata": { "EventGroupId": "g", "DeduplicationId": "d" },
            "DeduplicationConfiguration": { "DeduplicationType": "CONTENT_BASED" },
        });
        for (name, target, block, parameters) in [
            (
                "event",
                arn("lambda", "function:event"),
                "LambdaParameters",
                json!({ "InvocationType": "EVENT", "Qualifier": "live" }),
            ),
            (
                "broken",
                arn("lambda", "function:broken"),
                "LambdaParameters",
                json!({ "InvocationType": "REQUEST_RESPONSE" }),
            ),
            (
                "machine",
                machine.clone(),
                "StepFunctionsParameters",
                json!({ "Name": "named", "TraceHeader": header, "InvocationType": "EVENT" }),
            ),
            ("forward", next.clone(), "EventBusV2Parameters", forwarded),
        ] {
            with_parameters(&world, &bus, operation, name, (&target, block, parameters)).await;
        }
        let whole = json!({ "Name": "whole", "Transformer": { "Type": "WITH_METADATA" } });
        subscribe(&world, &next, json!({ "TargetArn": arn("sqs", "out") }), whole).await;
        publish(&world, &bus, &json!({}), None).await;
        let mut names: Vec<String> = given.lock().unwrap().iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        assert_eq!(names, ["broken", "function:event:live"]);
        assert_eq!(failures(&world).await[0]["errorMessage"], "no way", "its answer was waited for");
        let listed = world.ok("states", "ListExecutions", json!({ "stateMachineArn": machine })).await;
        let execution = json!({ "executionArn": listed["executions"][0]["executionArn"] });
        let execution = world.ok("states", "DescribeExecution", execution).await;
        assert_eq!((&execution["name"], &execution["traceHeader"]), (&json!("named"), &json!(header)));
        let body = messages(&world, "out").await[0]["Body"].clone();
        let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
        assert_eq!(body["Metadata"], json!({ "by": "f" }));
        let system = &body["SystemMetadata"];
        assert_eq!(
            (&system["EventGroupId"], &system["DeduplicationId"]),
            (&json!("g"), &json!("d")),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn parameters_that_are_not_served_are_refused_by_name() {
    let (world, _, bus) = world().await;
    let passes = json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } });
    let machine = machine(&world, "STANDARD", &passes).await;
    let function = arn("lambda", "function:f");
    for (number, (target, block, parameters, message)) in [
        (
            &function,
            "LambdaParameters",
            json!({ "DurableExecutionName": "n" }),
            "LambdaParameters.DurableExecutionName is not implemented by Buswork",
        ),
        (
            &function,
            "LambdaParameters",
            json!({ "TenantId": "t" }),
            "LambdaParameters.TenantId is not implemented by Buswork",
        ),
        (
            &function,
            "LambdaParameters",
            json!({ "InvocationTimeoutSeconds": "5" }),
            "LambdaParameters.InvocationTimeoutSeconds is not implemented by Buswork",
        ),
        (
            &machine,
            "StepFunctionsParameters",
            json!({ "InvocationTimeoutSeconds": "5" }),
            "StepFunctionsParameters.InvocationTimeoutSeconds is not implemented by Buswork",
        ),
        (
            &format!("{function}:live"),
            "LambdaParameters",
            json!({ "Qualifier": "q" }),
            "LambdaParameters.Qualifier is not for a TargetArn that has one",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("s{number}");
        subscribe(&world, &bus, json!({ "TargetArn": target }), json!({ "Name": name })).await;
        let listed = world.ok("eventsv2", "ListSubscribers", json!({ "NamePrefix": name })).await;
        let invoke = json!({ "RoleArn": ROLE, block: parameters });
        let update = json!({ "SubscriberArn": listed["Subscribers"][0]["SubscriberArn"], "InvokeConfiguration": invoke });
        let mut made = json!({ "Name": "new", "EventBusArn": bus, "InvokeConfiguration": invoke });
        made["InvokeConfiguration"]["TargetArn"] = json!(target);
        for (operation, input) in [("CreateSubscriber", made), ("UpdateSubscriber", update)] {
            let fault = world.refused("eventsv2", operation, input).await;
            assert!(fault.message.starts_with(message), "{operation}: {}", fault.message);
        }
    }
}

#[tokio::test]
async fn an_event_source_feeds_a_bus_from_the_default_bus() {
    let (world, _, bus) = world().await;
    subscribe(
        &world,
        &bus,
        json!({ "TargetArn": arn("sqs", "out") }),
        json!({ "Transformer": { "Type": "WITH_METADATA" } }),
    )
    .await;
    let events = json!({ "AwsService": "aws.states", "Pattern": r#"{"detail":{"status":["SUCCEEDED"]}}"# });
    let configuration = json!({ "AwsServiceEventsConfiguration": events });
    let input = json!({ "Name": "executions", "EventBusArn": bus, "Configuration": configuration });
    let made = world.ok("eventsv2", "CreateEventSource", input).await;
    assert_eq!(made["State"], "CREATING");
    world.idle().await;
    let named = json!({ "EventSourceArn": made["EventSourceArn"] });
    let shown = world.ok("eventsv2", "DescribeEventSource", named.clone()).await;
    assert_eq!(shown["State"], "ACTIVE");
    let rule = world.ok("events", "DescribeRule", json!({ "Name": "EventSource-executions" })).await;
    assert_eq!(rule["ManagedBy"], "events.amazonaws.com");
    let machine = machine(
        &world,
        "STANDARD",
        &json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } }),
    )
    .await;
    world.ok("states", "StartExecution", json!({ "stateMachineArn": machine })).await;
    world.idle().await;
    let taken = messages(&world, "out").await;
    assert_eq!(taken.len(), 1);
    let body: Value = serde_json::from_str(taken[0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(body["SystemMetadata"]["aws:Source"], "aws.states");
    assert_eq!(body["Data"]["detail"]["status"], "SUCCEEDED");
    let fault = world.refused("eventsv2", "DeleteEventBus", json!({ "EventBusArn": bus })).await;
    assert!(fault.message.ends_with("still has 1 subscribers and 1 event sources."), "{}", fault.message);
    world.ok("eventsv2", "DeleteEventSource", named).await;
    world.idle().await;
    let gone = world.refused("events", "DescribeRule", json!({ "Name": "EventSource-executions" })).await;
    assert_eq!(gone.code, "ResourceNotFoundException");
}

#[tokio::test]
async fn what_an_event_source_may_not_be() {
    let (world, _, bus) = world().await;
    let aws = |pattern: &str| json!({ "AwsServiceEventsConfiguration": { "AwsService": "aws.s3", "Pattern": pattern } });
    let partner = json!({ "PartnerEventsConfiguration": {
        "PartnerEventSourceArn": "arn:aws:events:eu-central-1::event-source/aws.partner/x.com/y",
    } });
    for (configuration, message) in [
        (aws(r#"{"source":["x"]}"#), "Pattern must not include source as a top-level field."),
        (aws("{"), "Pattern is not valid"),
        (partner, "PartnerEventsConfiguration is not implemented by Buswork"),
    ] {
        let input = json!({ "Name": "x", "EventBusArn": bus, "Configuration": configuration });
        let fault = world.refused("eventsv2", "CreateEventSource", input).await;
        assert!(fault.message.starts_with(message), "{}", fault.message);
    }
}
