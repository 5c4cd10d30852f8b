//! Mappings of tables' streams.

use serde_json::json;

use crate::house::{House, flat, texts};

#[tokio::test]
async fn changes_reach_the_function_in_their_order() {
    let Some(house) = House::new().await else { return };
    let stream = house.table().await;
    house.put("a", "before").await;
    let made =
        house.map(json!({ "EventSourceArn": stream, "StartingPosition": "LATEST", "BatchSize": 2 })).await;
    assert_eq!(made["LastProcessingResult"], "No records processed");
    for value in ["1", "2", "3"] {
        house.put("a", value).await;
    }
    house.world.idle().await;
    let batches = house.batches("f");
    assert_eq!(flat(&batches), ["1", "2", "3"]);
    assert!(batches.iter().all(|batch| batch.len() <= 2));
    let record = &batches[0][0];
    assert_eq!(record["eventName"], "MODIFY");
    assert_eq!(record["eventSourceARN"], json!(stream));
    assert_eq!(record["dynamodb"]["OldImage"]["v"]["S"], "before");
    assert_eq!(house.mapping(&made["UUID"]).await["LastProcessingResult"], "OK");
}

#[tokio::test]
async fn the_horizon_is_a_beginning_and_filters_choose() {
    let Some(house) = House::new().await else { return };
    let stream = house.table().await;
    for (key, value) in [("a", "1"), ("a", "2"), ("b", "3")] {
        house.put(key, value).await;
    }
    let filter = json!({ "Filters": [{ "Pattern": r#"{"eventName":["INSERT"]}"# }] });
    house
        .map(
            json!({ "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON", "FilterCriteria": filter }),
        )
        .await;
    house.world.idle().await;
    assert_eq!(texts(&house.batches("f")), [["1", "3"]]);
}

#[tokio::test]
async fn a_bad_record_is_isolated_and_told_of() {
    let Some(house) = House::new().await else { return };
    let stream = house.table().await;
    let failures = house.queue("failures", json!({})).await;
    for (key, value) in [("a", "1"), ("b", "2"), ("c", "bad"), ("d", "4")] {
        house.put(key, value).await;
    }
    house
        .map(json!({
            "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON", "BisectBatchOnFunctionError": true,
            "MaximumRetryAttempts": 1, "DestinationConfig": { "OnFailure": { "Destination": failures } },
        }))
        .await;
    house.seconds(10).await;
    let batches = house.batches("f");
    let expected: [&[&str]; 6] =
        [&["1", "2", "bad", "4"], &["1", "2"], &["bad", "4"], &["bad"], &["bad"], &["4"]];
    assert_eq!(texts(&batches), expected);
    let number = &batches[3][0]["dynamodb"]["SequenceNumber"];
    let mut told = house.receive(&failures).await;
    assert_eq!(told.len(), 1);
    let record = told.remove(0);
    assert_eq!(record["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(record["responseContext"]["functionError"], "Unhandled");
    let info = &record["DDBStreamBatchInfo"];
    assert_eq!((&info["startSequenceNumber"], &info["endSequenceNumber"]), (number, number));
    assert_eq!((&info["batchSize"], &info["streamArn"]), (&json!(1), &json!(stream)));
    let described = house.ok("dynamodb", "DescribeStream", json!({ "StreamArn": stream })).await;
    assert_eq!(info["shardId"], described["StreamDescription"]["Shards"][0]["ShardId"]);
}

#[tokio::test]
async fn a_lane_waits_for_its_bad_record_and_goes_on_when_it_is_mended() {
    let Some(house) = House::new().await else { return };
    let stream = house.table().await;
    let mapping = house.map(json!({ "EventSourceArn": stream, "StartingPosition": "LATEST" })).await;
    house.put("a", "bad").await;
    house.seconds(5).await;
    house.put("b", "2").await;
    house.seconds(60).await;
    assert!(flat(&house.batches("f")).iter().all(|value| value == "bad"));
    let result = house.mapping(&mapping["UUID"]).await["LastProcessingResult"].clone();
    assert_eq!(result, "PROBLEM: Function call failed");
    house.mend("f");
    house.seconds(60).await;
    assert_eq!(flat(&house.batches("f")).last().unwrap(), "2");
}

#[tokio::test]
async fn records_that_are_too_old_are_given_up() {
    let Some(house) = House::new().await else { return };
    let stream = house.table().await;
    let failures = house.queue("failures", json!({})).await;
    house
        .map(json!({
            "EventSourceArn": stream, "StartingPosition": "LATEST", "MaximumRecordAgeInSeconds": 60,
            "DestinationConfig": { "OnFailure": { "Destination": failures } },
        }))
        .await;
    house.put("a", "bad").await;
    house.seconds(130).await;
    house.put("b", "2").await;
    house.world.idle().await;
    assert_eq!(flat(&house.batches("f")).last().unwrap(), "2");
    let told = house.receive(&failures).await;
    assert_eq!(told[0]["requestContext"]["condition"], "RecordAgeExceeded");
}

#[tokio::test]
async fn a_report_names_where_to_go_on() {
    let Some(house) = House::new().await else { return };
    house.function("g", json!({ "REPORT": "1" })).await;
    let stream = house.table().await;
    for (key, value) in [("a", "1"), ("b", "bad"), ("c", "3")] {
        house.put(key, value).await;
    }
    house
        .map(json!({
            "FunctionName": "g", "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON",
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        }))
        .await;
    house.world.idle().await;
    house.mend("g");
    house.seconds(5).await;
    let expected: [&[&str]; 2] = [&["1", "bad", "3"], &["bad", "3"]];
    assert_eq!(texts(&house.batches("g")), expected);
}

#[tokio::test]
async fn lanes_keep_the_order_of_each_item() {
    let Some(house) = House::new().await else { return };
    let stream = house.table().await;
    let mapping = house
        .map(json!({ "EventSourceArn": stream, "StartingPosition": "LATEST", "ParallelizationFactor": 3 }))
        .await;
    for round in 0..3 {
        for key in ["a", "b", "c", "d"] {
            house.put(key, &format!("{key}{round}")).await;
        }
    }
    house.world.idle().await;
    let check = |rounds: u32| {
        let seen = flat(&house.batches("f"));
        for key in ["a", "b", "c", "d"] {
            let of: Vec<&String> = seen.iter().filter(|value| value.starts_with(key)).collect();
            let expected: Vec<String> = (0..rounds).map(|round| format!("{key}{round}")).collect();
            assert_eq!(of, expected.iter().collect::<Vec<_>>());
        }
    };
    check(3);
    let update = json!({ "UUID": mapping["UUID"], "ParallelizationFactor": 1 });
    house.ok("lambda", "UpdateEventSourceMapping", update).await;
    for key in ["a", "b", "c", "d"] {
        house.put(key, &format!("{key}3")).await;
    }
    house.world.idle().await;
    let seen = flat(&house.batches("f"));
    assert!(["a3", "b3", "c3", "d3"].iter().all(|value| seen.iter().any(|one| one == value)));
}

#[tokio::test]
async fn a_window_gathers_changes() {
    let Some(house) = House::new().await else { return };
    let stream = house.table().await;
    house
        .map(json!({
            "EventSourceArn": stream, "StartingPosition": "LATEST", "MaximumBatchingWindowInSeconds": 20,
        }))
        .await;
    house.put("a", "1").await;
    house.seconds(10).await;
    house.put("a", "2").await;
    house.seconds(9).await;
    assert_eq!(house.batches("f").len(), 0);
    house.seconds(1).await;
    assert_eq!(texts(&house.batches("f")), [["1", "2"]]);
}

#[tokio::test]
async fn no_crash_loses_or_reorders_a_change() {
    let Some(mut house) = House::new().await else { return };
    let stream = house.table().await;
    house.map(json!({ "EventSourceArn": stream, "StartingPosition": "LATEST", "BatchSize": 1 })).await;
    let mut expected = Vec::new();
    for commits in 0..4 {
        for part in ["x", "y"] {
            expected.push(format!("{commits}{part}"));
            house.put("a", &format!("{commits}{part}")).await;
        }
        house.world.die_after(commits);
        house.world.idle().await;
        house.world.crash().await;
        house.seconds(10).await;
    }
    let mut seen = flat(&house.batches("f"));
    seen.dedup();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_change_an_invocation_and_what_it_does_are_one_chain() {
    let Some(house) = House::new().await else { return };
    let stream = house.table().await;
    house.map(json!({ "EventSourceArn": stream, "StartingPosition": "LATEST" })).await;
    let caller = house.world.caller();
    let item = json!({ "pk": { "S": "a" }, "v": { "S": "1" } });
    let input = json!({ "TableName": "table", "Item": item });
    house.world.call_as(caller.clone(), "dynamodb", "PutItem", input).await.unwrap();
    house.world.idle().await;
    let spans = house.world.spans(&caller.trace.root.to_string()).await;
    let told: Vec<&str> = spans.iter().flat_map(|span| &span.notes).map(|note| note.kind.as_str()).collect();
    assert!(told.contains(&"stream record") && told.contains(&"event source mapping"), "{told:?}");
}

#[tokio::test]
async fn a_disabled_streams_records_are_read_to_the_end() {
    let Some(house) = House::new().await else { return };
    let stream = house.table().await;
    house.put("a", "1").await;
    let off = json!({ "TableName": "table", "StreamSpecification": { "StreamEnabled": false } });
    house.ok("dynamodb", "UpdateTable", off).await;
    house.map(json!({ "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON" })).await;
    house.world.idle().await;
    assert_eq!(flat(&house.batches("f")), ["1"]);
    house.seconds(200_000).await;
    assert_eq!(house.batches("f").len(), 1);
}
