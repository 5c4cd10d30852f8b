//! Stand-ins for the services that a machine calls: functions, a table, a bus. What they keep is in their own rows, as
//! it is with the real ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base::schema::{
    Blob, ErrorSchema, Kind, OperationSchema, Protocol, ServiceSchema, Shape, ValidationStyle,
};
use base::{Fault, Timestamp};
use kernel::{Effect, Operation, Parts, Result, Service, ServiceEvent, Tx};
use serde_json::{Value, json};

static ANY: Shape = Shape::new("Any", Kind::Document);

static SERVICE: ServiceSchema = ServiceSchema {
    signing_name: "stand-in",
    endpoint_prefix: "stand-in",
    service_id: "StandIn",
    target_prefix: None,
    protocols: &[Protocol::AwsJson],
    json_version: "1.0",
    api_version: "2000-01-01",
    xml_namespace: None,
    query_compatible: false,
    error_namespace: None,
    validation: ValidationStyle::Listed { code: "ValidationException" },
    operations: &[],
    all_operations: &[],
    all_routes: &[],
    errors: &[] as &[ErrorSchema],
};

macro_rules! operations {
    ($($name:ident),* $(,)?) => {$(
        struct $name;

        impl Operation for $name {
            type Input = Value;
            type Output = Value;
            const SCHEMA: &'static OperationSchema = &OperationSchema {
                service: &SERVICE,
                name: stringify!($name),
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
    )*};
}

operations!(Invoke, GetItem, PutItem, PutEvents, Recorded, Relay);

kernel::keys! {
    /// An event, in the order of its arrival.
    struct EventKey(1, large) -> String { at: Timestamp, seq: u64, salt: u64 }
    /// An item.
    struct ItemKey(2) -> String { key: String }
}

/// How often each function was called; survives a restart, as the world outside does.
pub(crate) type Calls = Arc<Mutex<HashMap<String, u32>>>;

pub(crate) fn services(calls: Calls) -> Vec<Service> {
    vec![
        Service::internal_only("lambda").effect::<Invoke, _>(invoke).state(calls),
        Service::internal_only("dynamodb").transact::<GetItem, _>(get_item).transact::<PutItem, _>(put_item),
        Service::internal_only("events")
            .transact::<PutEvents, _>(put_events)
            .transact::<Recorded, _>(recorded)
            .transact::<Relay, _>(relay)
            .internal(kernel::PUBLISH, publish),
    ]
}

/// A function does what its name says.
async fn invoke(effect: &Effect, input: Value) -> Result<Value> {
    let name = input["FunctionName"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let payload: Value = serde_json::from_slice(&unblob(&input["Payload"])).unwrap();
    let calls = effect.state::<Mutex<HashMap<String, u32>>>()?;
    let call = {
        let mut calls = calls.lock().unwrap();
        let count = calls.entry(name.clone()).or_default();
        *count += 1;
        *count
    };
    let answer = |output: &Value| {
        Ok(json!({ "StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": blob(&output.to_string()) }))
    };
    let error = |name: &str| {
        let output = json!({ "errorType": name, "errorMessage": "it went wrong", "trace": [] });
        Ok(json!({
            "StatusCode": 200, "ExecutedVersion": "$LATEST", "FunctionError": "Unhandled",
            "Payload": blob(&output.to_string()),
        }))
    };
    match name.as_str() {
        "echo" => answer(&payload),
        "deposit" => {
            let mut output = payload;
            output["ticketNumber"] = json!("t-1");
            answer(&output)
        }
        "nothing" => answer(&Value::Null),
        "fails" => error("Error"),
        "fails-unless-redriven" if payload["redrives"] == 0 => error("Error"),
        "fails-unless-redriven" => answer(&payload),
        "fails-twice" if call <= 2 => error("Flaky"),
        "fails-twice" => answer(&json!({ "call": call })),
        "throttled-once" if call == 1 => {
            Err(Fault::new("TooManyRequestsException", "Rate Exceeded.").with_status(429).into())
        }
        "throttled-once" => answer(&json!("served")),
        other => {
            let message = format!("Function not found: {other}");
            Err(Fault::new("ResourceNotFoundException", message).with_status(404).into())
        }
    }
}

async fn put_item(tx: &mut Tx, input: Value) -> Result<Value> {
    let key = ItemKey { key: input["Item"]["id"]["S"].as_str().unwrap().to_owned() };
    if input.get("ConditionExpression").is_some() && tx.get(&key).await?.is_some() {
        let fault = Fault::new("ConditionalCheckFailedException", "The conditional request failed");
        return Err(fault.into());
    }
    tx.put(&key, &input["Item"].to_string())?;
    Ok(json!({}))
}

async fn get_item(tx: &mut Tx, input: Value) -> Result<Value> {
    let key = ItemKey { key: input["Key"]["id"]["S"].as_str().unwrap().to_owned() };
    let item: Option<Value> = tx.get(&key).await?.map(|text| serde_json::from_str(&text).unwrap());
    Ok(item.map_or_else(|| json!({}), |item| json!({ "Item": item })))
}

async fn put_events(tx: &mut Tx, input: Value) -> Result<Value> {
    let mut answers = Vec::new();
    let mut failed = 0;
    for entry in input["Entries"].as_array().unwrap() {
        if entry["Source"] == "refused" {
            failed += 1;
            answers.push(json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "refused" }));
            continue;
        }
        record(tx, entry)?;
        answers.push(json!({ "EventId": "e" }));
    }
    Ok(json!({ "FailedEntryCount": failed, "Entries": answers }))
}

async fn publish(tx: &mut Tx, event: ServiceEvent) -> Result<()> {
    let text = serde_json::to_value(&event)?;
    record(tx, &text)
}

fn record(tx: &mut Tx, event: &Value) -> Result<()> {
    let key = EventKey { at: tx.now(), seq: tx.seq(), salt: tx.random() };
    tx.put(&key, &event.to_string())
}

/// All events, in the order of their arrival.
async fn recorded(tx: &mut Tx, _: Value) -> Result<Value> {
    let rows = tx.scan::<EventKey>(Parts::none(), 10_000).await?;
    Ok(rows.into_iter().map(|(_, text)| serde_json::from_str::<Value>(&text).unwrap()).collect())
}

/// Delivers a call, as a rule delivers to its target.
async fn relay(tx: &mut Tx, input: Value) -> Result<Value> {
    let call: kernel::Call = serde_json::from_value(input)?;
    tx.enqueue(tx.now(), kernel::NewTask::new(call))?;
    Ok(json!({}))
}

pub(crate) fn blob(text: &str) -> String {
    Blob::from(text.as_bytes().to_vec()).to_base64()
}

fn unblob(document: &Value) -> Vec<u8> {
    Blob::from_base64(document.as_str().unwrap()).unwrap().as_bytes().to_vec()
}
