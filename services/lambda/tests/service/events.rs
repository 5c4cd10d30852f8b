//! Asynchronous invocation on the virtual clock: retries, ages, destinations, dead letters.

use base::{AccountId, Arn, Region};
use kernel::{Caller, Delivery, NewTask, Result, Tx};
use serde_json::{Value, json};

use crate::support::{House, only};

const QUEUE: &str = "arn:aws:sqs:eu-central-1:000000000000:q";
const FAILED: &str = "arn:aws:sqs:eu-central-1:000000000000:failed";
const BUS: &str = "arn:aws:events:eu-central-1:000000000000:event-bus/default";

/// How often the function was started so far, by its log.
async fn starts(house: &House) -> usize {
    house.functions.settled().await;
    let put = house.calls.of("PutLogEvents");
    let events =
        put.iter().flat_map(|call| call["logEvents"].as_array().unwrap().clone()).collect::<Vec<Value>>();
    events.iter().filter(|event| event["message"].as_str().unwrap().starts_with("START ")).count()
}

async fn configure(house: &House, changes: Value) {
    let mut input = json!({ "FunctionName": "f" });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    house.ok("PutFunctionEventInvokeConfig", input).await;
}

#[tokio::test]
async fn an_event_that_fails_is_tried_three_times_and_becomes_a_dead_letter() {
    let house = House::new().await;
    house.create(json!({ "DeadLetterConfig": { "TargetArn": QUEUE } })).await;
    house.invoke_event("f", json!({ "error": "no" })).await;
    house.advance(0).await;
    assert_eq!(starts(&house).await, 1);
    house.advance(59).await;
    assert_eq!(starts(&house).await, 1);
    house.advance(1).await;
    assert_eq!(starts(&house).await, 2);
    assert_eq!(house.calls.of("Deliver"), Vec::<Value>::new());
    house.advance(120).await;
    assert_eq!(starts(&house).await, 3);
    let letters = house.calls.of("Deliver");
    assert_eq!(letters.len(), 1);
    assert_eq!(only(&letters[0], &["arn", "body"]), json!({ "arn": QUEUE, "body": { "error": "no" } }));
    assert_eq!(
        only(&letters[0]["attributes"], &["ErrorCode", "ErrorMessage"]),
        json!({ "ErrorCode": "200", "ErrorMessage": "no" })
    );
    house.advance(7 * 3600).await;
    assert_eq!((starts(&house).await, house.calls.of("Deliver").len()), (3, 1));
}

#[tokio::test]
async fn an_accepted_event_survives_a_restart() {
    let house = House::new().await;
    house.create(json!({})).await;
    // Nothing is run yet: the runner stops before the event is accepted.
    house.kernel.halt().await;
    house.invoke_event("f", json!({ "a": 1 })).await;
    assert_eq!(starts(&house).await, 0);
    let next = House::over(house.engine.clone()).await;
    next.advance(0).await;
    assert_eq!(starts(&next).await, 1);
}

/// Delivers five events to the function in one transaction, as a rule does that asks for order.
async fn deliver_in_order(tx: &mut Tx, arn: String) -> Result<()> {
    let arn: Arn = arn.parse().map_err(|_| kernel::Error::bug("parse"))?;
    for number in 0..5 {
        let delivery = Delivery {
            payload: json!({ "print": format!("number {number}") }).to_string(),
            order: Some("execution".to_owned()),
            ..Delivery::default()
        };
        let call = (tx.targets().find(&arn).unwrap().call)(&arn, delivery)?;
        tx.enqueue(tx.now(), NewTask { order: Some("execution".to_owned()), ..NewTask::new(call) })?;
    }
    Ok(())
}

#[tokio::test]
async fn events_of_one_order_run_one_after_the_other() {
    let house = House::new().await;
    house.create(json!({})).await;
    let arn = "arn:aws:lambda:eu-central-1:000000000000:function:f".to_owned();
    // Whoever delivers may be in another region.
    let region = Region::parse("us-west-2").unwrap();
    let caller = Caller::root_user(AccountId::default(), region, house.kernel.new_id());
    house.kernel.transact("lambda", caller, "Deliver", deliver_in_order, arn).await.unwrap();
    house.advance(0).await;
    house.functions.settled().await;
    let put = house.calls.of("PutLogEvents");
    let messages = put.iter().flat_map(|call| call["logEvents"].as_array().unwrap());
    let texts = messages.map(|event| event["message"].as_str().unwrap());
    let printed: Vec<&str> = texts.filter(|text| text.starts_with("number")).collect();
    assert_eq!(printed, ["number 0\n", "number 1\n", "number 2\n", "number 3\n", "number 4\n"]);
    assert_eq!(house.functions.supervisor().processes(), 1);
}

#[tokio::test]
async fn destinations_get_records_of_both_outcomes() {
    let house = House::new().await;
    house.create(json!({})).await;
    let destinations = json!({ "OnSuccess": { "Destination": BUS }, "OnFailure": { "Destination": FAILED } });
    configure(&house, json!({ "MaximumRetryAttempts": 0, "DestinationConfig": destinations })).await;
    house.invoke_event("f", json!({ "a": 1 })).await;
    house.invoke_event("f", json!({ "error": "no" })).await;
    house.advance(0).await;

    let put = house.calls.of("PutEvents");
    let entry = &put[0]["Entries"][0];
    assert_eq!(
        only(entry, &["Source", "DetailType"]),
        json!({ "Source": "lambda", "DetailType": "Lambda Function Invocation Result - Success" })
    );
    let record: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    let arn = "arn:aws:lambda:eu-central-1:000000000000:function:f:$LATEST";
    assert_eq!(
        only(&record["requestContext"], &["functionArn", "condition", "approximateInvokeCount"]),
        json!({ "functionArn": arn, "condition": "Success", "approximateInvokeCount": 1 })
    );
    assert_eq!(
        only(&record, &["requestPayload", "responsePayload"]),
        json!({ "requestPayload": { "a": 1 }, "responsePayload": { "a": 1 } })
    );

    let failed = house.calls.of("Deliver");
    assert_eq!((failed.len(), &failed[0]["arn"]), (1, &json!(FAILED)));
    let record = &failed[0]["body"];
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(
        record["responseContext"],
        json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" })
    );
}

#[tokio::test]
async fn without_room_an_event_waits_until_it_is_too_old() {
    let house = House::new().await;
    house.create(json!({})).await;
    house
        .ok("PutFunctionConcurrency", json!({ "FunctionName": "f", "ReservedConcurrentExecutions": 0 }))
        .await;
    let destinations = json!({ "OnFailure": { "Destination": FAILED } });
    configure(&house, json!({ "MaximumEventAgeInSeconds": 60, "DestinationConfig": destinations })).await;
    house.invoke_event("f", json!({})).await;
    house.advance(20).await;
    assert_eq!((starts(&house).await, house.calls.of("Deliver").len()), (0, 0));
    house.advance(60).await;
    let failed = house.calls.of("Deliver");
    assert_eq!(failed[0]["body"]["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(failed[0]["body"]["responseContext"], Value::Null);
}

#[tokio::test]
async fn room_that_comes_back_lets_the_event_run() {
    let house = House::new().await;
    house.create(json!({})).await;
    house
        .ok("PutFunctionConcurrency", json!({ "FunctionName": "f", "ReservedConcurrentExecutions": 0 }))
        .await;
    house.invoke_event("f", json!({})).await;
    house.advance(10).await;
    house.ok("DeleteFunctionConcurrency", json!({ "FunctionName": "f" })).await;
    house.advance(300).await;
    assert_eq!(starts(&house).await, 1);
}

#[tokio::test]
async fn the_configuration_is_kept_and_its_targets_are_checked() {
    let house = House::new().await;
    house.create(json!({})).await;
    let name = json!({ "FunctionName": "f" });
    let missing = house.fault("GetFunctionEventInvokeConfig", name.clone()).await;
    assert!(missing.1.ends_with("function:f:$LATEST doesn't have an EventInvokeConfig"), "{}", missing.1);
    let unknown = json!({ "FunctionName": "f", "DestinationConfig": { "OnFailure": { "Destination": "arn:aws:sns:eu-central-1:000000000000:t" } } });
    let refused = house.fault("PutFunctionEventInvokeConfig", unknown).await;
    assert!(refused.1.contains("is not implemented by Buswork"), "{}", refused.1);
    let nothing = house
        .fault("PutFunctionEventInvokeConfig", json!({ "FunctionName": "f", "DestinationConfig": {} }))
        .await;
    assert_eq!(nothing.1, "You must specify at least one of error handling or destination setting.");
    configure(&house, json!({ "MaximumRetryAttempts": 1 })).await;
    house
        .ok("UpdateFunctionEventInvokeConfig", json!({ "FunctionName": "f", "MaximumEventAgeInSeconds": 90 }))
        .await;
    let found = house.ok("GetFunctionEventInvokeConfig", name.clone()).await;
    assert_eq!(
        only(&found, &["MaximumRetryAttempts", "MaximumEventAgeInSeconds"]),
        json!({ "MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 90 })
    );
    let list = house.ok("ListFunctionEventInvokeConfigs", name.clone()).await;
    assert_eq!(list["FunctionEventInvokeConfigs"], json!([found]));
    house.ok("DeleteFunctionEventInvokeConfig", name.clone()).await;
    assert_eq!(house.fault("GetFunctionEventInvokeConfig", name).await.0, "ResourceNotFoundException");
}
