//! Mappings of queues.

use serde_json::json;

use crate::house::{House, flat, texts};

#[tokio::test]
async fn messages_reach_the_function_and_are_deleted() {
    let Some(house) = House::new().await else { return };
    let queue = house.queue("q", json!({})).await;
    let made = house.map(json!({ "EventSourceArn": queue, "BatchSize": 2 })).await;
    assert_eq!((&made["State"], &made["BatchSize"]), (&json!("Creating"), &json!(2)));
    assert_eq!(house.mapping(&made["UUID"]).await["State"], "Enabled");
    let sent = house.send(&queue, "hello").await;
    house.world.idle().await;
    let batches = house.batches("f");
    assert_eq!(texts(&batches), [["hello"]]);
    let record = &batches[0][0];
    assert_eq!(record["messageId"], sent["MessageId"]);
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(record["eventSourceARN"], json!(queue));
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(house.left(&queue).await, 0);
}

#[tokio::test]
async fn a_window_gathers_what_comes_within_it() {
    let Some(house) = House::new().await else { return };
    let queue = house.queue("q", json!({})).await;
    house.map(json!({ "EventSourceArn": queue, "BatchSize": 3, "MaximumBatchingWindowInSeconds": 10 })).await;
    house.send(&queue, "1").await;
    house.seconds(4).await;
    house.send(&queue, "2").await;
    house.seconds(5).await;
    assert_eq!(house.batches("f").len(), 0);
    house.seconds(1).await;
    assert_eq!(texts(&house.batches("f")), [["1", "2"]]);
    for body in ["3", "4", "5"] {
        house.send(&queue, body).await;
    }
    house.world.idle().await;
    assert_eq!(house.batches("f")[1].len(), 3, "a full batch does not wait");
    assert_eq!(house.left(&queue).await, 0);
}

#[tokio::test]
async fn what_is_reported_comes_again_until_it_is_a_dead_letter() {
    let Some(house) = House::new().await else { return };
    house.function("g", json!({ "REPORT": "1" })).await;
    let dead = house.queue("dead", json!({})).await;
    let redrive = json!({ "deadLetterTargetArn": dead, "maxReceiveCount": 2 }).to_string();
    let queue = house.queue("q", json!({ "RedrivePolicy": redrive })).await;
    for body in ["\"good\"", "\"bad\""] {
        house.send(&queue, body).await;
    }
    house
        .map(json!({
            "FunctionName": "g", "EventSourceArn": queue, "FunctionResponseTypes": ["ReportBatchItemFailures"],
        }))
        .await;
    house.seconds(120).await;
    let mut seen = flat(&house.batches("g"));
    seen.sort();
    assert_eq!(seen, ["\"bad\"", "\"bad\"", "\"good\""]);
    assert_eq!(house.receive(&dead).await, [json!("bad")]);
    assert_eq!(house.left(&queue).await, 0);
}

#[tokio::test]
async fn a_failed_batch_stays_and_filtered_messages_go() {
    let Some(house) = House::new().await else { return };
    let queue = house.queue("q", json!({})).await;
    for body in [r#"{"kind":"other"}"#, r#"{"kind":"order","n":"bad"}"#, "text"] {
        house.send(&queue, body).await;
    }
    let filter = json!({ "Filters": [{ "Pattern": r#"{"body":{"kind":["order"]}}"# }] });
    house.map(json!({ "EventSourceArn": queue, "FilterCriteria": filter })).await;
    house.world.idle().await;
    assert_eq!(house.left(&queue).await, 1);
    house.mend("f");
    house.seconds(30).await;
    assert_eq!(house.batches("f").len(), 2);
    assert_eq!(house.left(&queue).await, 0);
}

#[tokio::test]
async fn a_fifo_queues_groups_keep_their_order() {
    let Some(house) = House::new().await else { return };
    let attributes = json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" });
    let queue = house.queue("q.fifo", attributes).await;
    for (group, body) in [("a", "a1 bad"), ("b", "b1"), ("a", "a2"), ("b", "b2")] {
        let input = json!({ "QueueUrl": queue, "MessageBody": body, "MessageGroupId": group });
        house.ok("sqs", "SendMessage", input).await;
    }
    house.map(json!({ "EventSourceArn": queue, "BatchSize": 1 })).await;
    house.world.idle().await;
    house.mend("f");
    house.seconds(31).await;
    let seen = flat(&house.batches("f"));
    let of = |group: &str| seen.iter().filter(|body| body.starts_with(group)).cloned().collect::<Vec<_>>();
    assert_eq!(of("a"), ["a1 bad", "a1 bad", "a2"]);
    assert_eq!(of("b"), ["b1", "b2"]);
    assert_eq!(house.left(&queue).await, 0);
}

#[tokio::test]
async fn no_crash_loses_a_message() {
    let Some(mut house) = House::new().await else { return };
    let queue = house.queue("q", json!({})).await;
    house.map(json!({ "EventSourceArn": queue })).await;
    for commits in 0..6 {
        house.send(&queue, &format!("message {commits}")).await;
        house.world.die_after(commits);
        house.world.idle().await;
        house.world.crash().await;
        house.seconds(31).await;
        assert_eq!(house.left(&queue).await, 0, "after {commits} commits");
        assert!(flat(&house.batches("f")).contains(&format!("message {commits}")));
    }
}

#[tokio::test]
async fn a_mapping_is_disabled_changed_and_deleted() {
    let Some(house) = House::new().await else { return };
    let queue = house.queue("q", json!({})).await;
    let uuid = house.map(json!({ "EventSourceArn": queue, "Tags": { "a": "b" } })).await["UUID"].clone();
    let update = json!({ "UUID": uuid, "Enabled": false });
    let changed = house.ok("lambda", "UpdateEventSourceMapping", update).await;
    assert_eq!(changed["State"], "Disabling");
    assert_eq!(house.mapping(&uuid).await["State"], "Disabled");
    house.send(&queue, "waits").await;
    house.seconds(60).await;
    assert_eq!(house.batches("f").len(), 0);
    house.function("g", json!({})).await;
    let update = json!({ "UUID": uuid, "Enabled": true, "FunctionName": "g" });
    house.ok("lambda", "UpdateEventSourceMapping", update).await;
    house.world.idle().await;
    assert_eq!((house.batches("f").len(), flat(&house.batches("g"))), (0, vec!["waits".to_owned()]));
    let listed = house.ok("lambda", "ListEventSourceMappings", json!({ "FunctionName": "g" })).await;
    assert_eq!(listed["EventSourceMappings"][0]["UUID"], uuid);
    let arn = &listed["EventSourceMappings"][0]["EventSourceMappingArn"];
    assert_eq!(house.ok("lambda", "ListTags", json!({ "Resource": arn })).await["Tags"], json!({ "a": "b" }));
    let deleted = house.ok("lambda", "DeleteEventSourceMapping", json!({ "UUID": uuid })).await;
    assert_eq!(deleted["State"], "Deleting");
    house.send(&queue, "too late").await;
    house.seconds(60).await;
    assert_eq!((house.left(&queue).await, house.batches("g").len()), (1, 1));
    let fault = house.world.refused("lambda", "GetEventSourceMapping", json!({ "UUID": uuid })).await;
    assert_eq!(fault.code, "ResourceNotFoundException");
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_lambdas_words() {
    let Some(house) = House::new().await else { return };
    let queue = house.queue("q", json!({})).await;
    let short = house.queue("short", json!({ "VisibilityTimeout": "5" })).await;
    house.map(json!({ "EventSourceArn": queue })).await;
    let table = house.table().await;
    let gone = table.replace("table/table", "table/gone");
    let nothing = "arn:aws:sqs:eu-central-1:000000000000:nothing";
    let kinesis = "arn:aws:kinesis:eu-central-1:000000000000:stream/s";
    let cases = [
        (json!({ "EventSourceArn": queue }), "ResourceConflictException", "already exists"),
        (
            json!({ "EventSourceArn": nothing }),
            "InvalidParameterValueException",
            "Error occurred while ReceiveMessage. SQS Error Code: ",
        ),
        (
            json!({ "EventSourceArn": short }),
            "InvalidParameterValueException",
            "Queue visibility timeout: 5 seconds is less than Function timeout: 20 seconds",
        ),
        (
            json!({ "EventSourceArn": gone, "StartingPosition": "LATEST" }),
            "InvalidParameterValueException",
            "Stream not found",
        ),
        (json!({ "EventSourceArn": table }), "InvalidParameterValueException", "startingPosition"),
        (json!({ "EventSourceArn": kinesis }), "InvalidParameterValueException", "Unrecognized event source"),
        (
            json!({ "EventSourceArn": queue, "FunctionName": "g" }),
            "ResourceNotFoundException",
            "Function not found",
        ),
        (
            json!({ "EventSourceArn": queue, "BatchSize": 11 }),
            "InvalidParameterValueException",
            "Maximum batch window in seconds must be greater than 0",
        ),
        (
            json!({ "EventSourceArn": table, "StartingPosition": "LATEST", "TumblingWindowInSeconds": 5 }),
            "InvalidParameterValueException",
            "TumblingWindowInSeconds is not implemented",
        ),
        (
            json!({ "EventSourceArn": queue, "FilterCriteria": { "Filters": [{ "Pattern": "{" }] } }),
            "InvalidParameterValueException",
            "Invalid filter pattern definition.",
        ),
        (
            json!({ "EventSourceArn": queue, "MaximumRetryAttempts": 1 }),
            "InvalidParameterValueException",
            "MaximumRetryAttempts is not a valid parameter for SQS",
        ),
    ];
    for (settings, code, text) in cases {
        let mut input = json!({ "FunctionName": "f" });
        input.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let fault = house.world.refused("lambda", "CreateEventSourceMapping", input).await;
        assert!(fault.code == code && fault.message.contains(text), "{settings}: {fault}");
    }
}

#[tokio::test]
async fn an_invocation_is_on_the_chains_of_all_its_messages() {
    let Some(house) = House::new().await else { return };
    let queue = house.queue("q", json!({})).await;
    let mut roots = Vec::new();
    for body in ["1", "2"] {
        let caller = house.world.caller();
        roots.push(caller.trace.root.to_string());
        let input = json!({ "QueueUrl": queue, "MessageBody": body });
        house.world.call_as(caller, "sqs", "SendMessage", input).await.unwrap();
    }
    house.map(json!({ "EventSourceArn": queue })).await;
    house.world.idle().await;
    assert_eq!(house.batches("f").len(), 1);
    for root in roots {
        let spans = house.world.spans(&root).await;
        let told = spans.iter().flat_map(|span| &span.notes).any(|note| note.kind == "event source mapping");
        assert!(told, "{spans:?}");
    }
}
