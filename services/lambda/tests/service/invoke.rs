//! Invocations that are waited for.

use base::schema::Blob;
use serde_json::{Value, json};

use crate::support::{House, base64, only, payload};

#[tokio::test]
async fn a_function_answers_and_its_log_is_kept() {
    let house = House::new().await;
    house.create(json!({})).await;
    let input =
        json!({ "FunctionName": "f", "LogType": "Tail", "Payload": base64(&json!({ "print": "hello" })) });
    let output = house.ok("Invoke", input).await;
    assert_eq!(payload(&output), json!({ "print": "hello" }));
    assert_eq!(
        only(&output, &["StatusCode", "ExecutedVersion", "FunctionError"]),
        json!({ "StatusCode": 200, "ExecutedVersion": "$LATEST", "FunctionError": null })
    );
    let tail = Blob::from_base64(output["LogResult"].as_str().unwrap()).unwrap();
    assert!(String::from_utf8_lossy(tail.as_bytes()).contains("\nhello\nEND RequestId: "));

    house.functions.settled().await;
    assert_eq!(house.calls.of("CreateLogGroup"), [json!({ "logGroupName": "/aws/lambda/f" })]);
    let put = house.calls.of("PutLogEvents");
    let messages: Vec<&str> = put
        .iter()
        .flat_map(|call| call["logEvents"].as_array().unwrap())
        .map(|e| e["message"].as_str().unwrap())
        .collect();
    assert!(messages.contains(&"hello\n"), "{messages:?}");
    assert!(put[0]["logStreamName"].as_str().unwrap().contains("/[$LATEST]"));
}

#[tokio::test]
async fn an_invocation_is_on_the_trace() {
    let house = House::new().await;
    house.create(json!({})).await;
    let output = house
        .ok(
            "Invoke",
            json!({ "FunctionName": "f", "LogType": "Tail", "Payload": base64(&json!({ "a": 1 })) }),
        )
        .await;
    house.functions.settled().await;
    let tail = Blob::from_base64(output["LogResult"].as_str().unwrap()).unwrap();
    let tail = String::from_utf8_lossy(tail.as_bytes()).into_owned();
    let request_id = tail.split("START RequestId: ").nth(1).unwrap().split(' ').next().unwrap();
    let notes = house.notes("invocation", request_id).await;
    assert_eq!(notes.len(), 1);
    let arn = "arn:aws:lambda:eu-central-1:000000000000:function:f:$LATEST";
    let expected = json!({ "function": arn, "answer": "{\"a\":1}", "function_error": null });
    assert_eq!(only(&notes[0], &["function", "answer", "function_error"]), expected);
    assert!(notes[0]["log_stream"].is_string() && notes[0]["duration_ms"].is_number());
}

#[tokio::test]
async fn errors_of_the_code_are_answers_and_others_are_faults() {
    let house = House::new().await;
    house.create(json!({})).await;
    let failed = house.invoke("f", json!({ "error": "no" })).await;
    assert_eq!(failed["FunctionError"], "Unhandled");
    assert_eq!(payload(&failed), json!({ "errorType": "Told", "errorMessage": "no" }));
    assert_eq!(failed["StatusCode"], 200);

    let missing = house.fault("Invoke", json!({ "FunctionName": "none" })).await;
    let expected = "Function not found: arn:aws:lambda:eu-central-1:000000000000:function:none";
    assert_eq!(missing, ("ResourceNotFoundException".to_owned(), expected.to_owned()));
    let no_json = json!({ "FunctionName": "f", "Payload": "bm9wZQ==" });
    assert_eq!(house.fault("Invoke", no_json).await.0, "InvalidRequestContentException");
    let dry = json!({ "FunctionName": "f", "InvocationType": "DryRun" });
    assert_eq!(house.ok("Invoke", dry).await["StatusCode"], 204);
}

#[tokio::test]
async fn new_code_is_run_by_the_next_invocation_and_versions_stay() {
    let house = House::new().await;
    house.create(json!({ "Publish": true })).await;
    house.invoke("f", json!(1)).await;
    house
        .ok(
            "UpdateFunctionConfiguration",
            json!({ "FunctionName": "f", "Environment": { "Variables": { "FAIL_INIT": "1" } } }),
        )
        .await;
    assert_eq!(payload(&house.invoke("f", json!(1)).await)["errorType"], "Init.Failed");
    let kept = house.invoke("f:1", json!(2)).await;
    assert_eq!((payload(&kept), &kept["ExecutedVersion"]), (json!(2), &json!("1")));
}

#[tokio::test]
async fn a_weighted_alias_reaches_both_versions() {
    let house = House::new().await;
    house.create(json!({ "Publish": true })).await;
    house.ok("UpdateFunctionConfiguration", json!({ "FunctionName": "f", "Timeout": 5 })).await;
    house.ok("PublishVersion", json!({ "FunctionName": "f" })).await;
    let alias = json!({ "FunctionName": "f", "Name": "live", "FunctionVersion": "1", "RoutingConfig": { "AdditionalVersionWeights": { "2": 0.5 } } });
    house.ok("CreateAlias", alias).await;
    let mut reached: Vec<Value> = Vec::new();
    for _ in 0..16 {
        reached.push(house.invoke("f:live", json!(1)).await["ExecutedVersion"].clone());
    }
    assert!(reached.contains(&json!("1")) && reached.contains(&json!("2")), "{reached:?}");
}

#[tokio::test]
async fn reserved_concurrency_bounds_invocations() {
    let house = House::new().await;
    house.create(json!({})).await;
    let put = |reserved: i32| json!({ "FunctionName": "f", "ReservedConcurrentExecutions": reserved });
    let too_many = house.fault("PutFunctionConcurrency", put(901)).await;
    assert!(too_many.1.contains("below its minimum value of [100]"), "{}", too_many.1);
    house.ok("PutFunctionConcurrency", put(0)).await;
    let throttled = house.call("Invoke", json!({ "FunctionName": "f" })).await.unwrap_err();
    assert_eq!(
        (throttled.code.as_ref(), throttled.message.as_str(), throttled.status),
        ("TooManyRequestsException", "Rate Exceeded.", 429)
    );
    assert_eq!(throttled.members.unwrap()["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    house.ok("DeleteFunctionConcurrency", json!({ "FunctionName": "f" })).await;
    assert_eq!(house.ok("GetFunctionConcurrency", json!({ "FunctionName": "f" })).await, json!({}));
    house.invoke("f", json!(1)).await;
}

#[tokio::test]
async fn an_answer_comes_as_an_event_stream() {
    let house = House::new().await;
    house.create(json!({})).await;
    let stream = |output: &Value| {
        let blob = base::schema::Blob::from_base64(output["EventStream"].as_str().unwrap()).unwrap();
        String::from_utf8_lossy(blob.as_bytes()).into_owned()
    };
    let input = |payload: Value| json!({ "FunctionName": "f", "Payload": base64(&payload) });
    let output = house.ok("InvokeWithResponseStream", input(json!({ "n": 7 }))).await;
    assert_eq!(output["ResponseStreamContentType"], "application/vnd.amazon.eventstream");
    let text = stream(&output);
    assert!(text.contains("PayloadChunk") && text.contains(r#"{"n":7}"#), "{text}");
    let failed = stream(&house.ok("InvokeWithResponseStream", input(json!({ "error": "no" }))).await);
    assert!(!failed.contains("PayloadChunk"), "{failed}");
    assert!(failed.contains("InvokeComplete") && failed.contains(r#""ErrorCode":"Unhandled""#), "{failed}");
}
