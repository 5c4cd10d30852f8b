use serde_json::{Value, json};

use crate::support::{bodies, grouped, hours, publish, raw, subscribe, world};

#[tokio::test]
async fn an_envelope_is_made_of_an_entry() {
    let (world, bus) = world().await;
    subscribe(&world, &bus, json!({ "Transformer": { "Type": "WITH_METADATA" } })).await;
    let entry = json!({
        "Source": "shop", "DetailType": "Sold", "Detail": "{\"n\": 1.50}", "Resources": ["r"], "Time": 1_767_000_000,
        "SystemMetadata": { "EventGroupId": "g", "DeduplicationId": "d" },
    });
    let answer = world.ok("eventsv2", "PutEvents", json!({ "EventBusArn": bus, "Entries": [entry] })).await;
    world.idle().await;
    let told = &answer["Entries"][0];
    assert_eq!((&answer["FailedEntryCount"], &told["SuccessCode"]), (&json!(0), &json!("PUBLISHED")));
    let expected = json!({
        "Data": {
            "version": "0", "id": told["EventId"], "detail-type": "Sold", "source": "shop", "account": "000000000000",
            "time": "2025-12-29T09:20:00Z", "region": "eu-central-1", "resources": ["r"], "detail": { "n": 1.5 },
        },
        "SystemMetadata": {
            "ContentType": "application/eventbridge+json", "DeduplicationId": "d", "EventGroupId": "g",
            "aws:DeliveryType": "LIVE", "aws:DetailType": "Sold", "aws:EventId": told["EventId"],
            "aws:IngestionTime": "2026-01-01T00:00:00Z", "aws:SequenceNumber": told["SequenceNumber"],
            "aws:Source": "shop",
        },
    });
    assert_eq!(bodies(&world, "inbox").await, [expected]);
}

#[tokio::test]
async fn raw_data_travels_as_it_is() {
    let (world, bus) = world().await;
    subscribe(&world, &bus, json!({})).await;
    let mut entry = raw(&json!("only a text"));
    entry["Metadata"] = json!({ "tenant": "acme" });
    publish(&world, &bus, &[entry, raw(&json!([1, null]))]).await;
    world.idle().await;
    let mut seen = bodies(&world, "inbox").await;
    seen.sort_by_key(Value::to_string);
    assert_eq!(seen, [json!("only a text"), json!([1, null])]);
}

#[tokio::test]
async fn entries_fail_one_by_one() {
    let (world, bus) = world().await;
    let entries = json!([
        { "Source": "aws.x", "DetailType": "t" }, { "Source": "s", "DetailType": "t", "Detail": "{" },
        { "Source": "s", "DetailType": "t" },
    ]);
    let answer = world.ok("eventsv2", "PutEvents", json!({ "EventBusArn": bus, "Entries": entries })).await;
    let codes: Vec<&Value> =
        answer["Entries"].as_array().unwrap().iter().map(|entry| &entry["ErrorCode"]).collect();
    assert_eq!(codes, [&json!("NotAuthorizedForSourceException"), &json!("MalformedDetail"), &Value::Null]);
    assert_eq!(answer["FailedEntryCount"], 2);
    let with = |content_type: &str| {
        let mut entry = raw(&json!(1));
        entry["SystemMetadata"]["ContentType"] = content_type.into();
        entry
    };
    let mut malformed = raw(&json!(1));
    malformed["Data"] = "AAAA".into();
    let entries = [
        with("application/avro"),
        with("application/eventbridge+json"),
        malformed,
        with("application/cloudevents+json"),
    ];
    let answer =
        world.ok("eventsv2", "PutRawEvents", json!({ "EventBusArn": bus, "Entries": entries })).await;
    let codes: Vec<&Value> =
        answer["Entries"].as_array().unwrap().iter().map(|entry| &entry["ErrorCode"]).collect();
    assert_eq!(
        codes,
        [&json!("UnsupportedContentType"), &json!("InvalidArgument"), &json!("MalformedData"), &Value::Null]
    );
    let registry = json!({ "RegistryUri": "arn:aws:glue:eu-central-1:000000000000:registry/r" });
    let input =
        json!({ "EventBusArn": bus, "Entries": [raw(&json!(1))], "SchemaRegistryConfiguration": registry });
    let fault = world.refused("eventsv2", "PutRawEvents", input).await;
    assert_eq!(fault.message, "SchemaRegistryConfiguration is not implemented by Buswork");
}

#[tokio::test]
async fn large_events_arrive_and_larger_ones_are_refused() {
    let (world, bus) = world().await;
    subscribe(&world, &bus, json!({})).await;
    let large = json!({ "text": "x".repeat(900_000) });
    publish(&world, &bus, &[raw(&large)]).await;
    world.idle().await;
    assert_eq!(bodies(&world, "inbox").await, [large]);
    let larger = raw(&json!("x".repeat(1_100_000)));
    let fault =
        world.refused("eventsv2", "PutRawEvents", json!({ "EventBusArn": bus, "Entries": [larger] })).await;
    assert_eq!(fault.code, "InvalidInputException");
}

#[tokio::test]
async fn duplicates_are_suppressed_for_five_minutes_within_their_group() {
    let (world, bus) = world().await;
    subscribe(&world, &bus, json!({})).await;
    let by_id = |id: &str, group: Option<&str>, n: u32| {
        let mut entry = raw(&json!({ "n": n }));
        entry["SystemMetadata"]["DeduplicationId"] = id.into();
        if let Some(group) = group {
            entry["SystemMetadata"]["EventGroupId"] = group.into();
        }
        entry
    };
    let entries = [by_id("a", None, 1), by_id("a", None, 2), by_id("a", Some("g"), 3), by_id("b", None, 4)];
    let told = publish(&world, &bus, &entries).await;
    let codes: Vec<&str> = told.iter().map(|entry| entry["SuccessCode"].as_str().unwrap()).collect();
    assert_eq!(codes, ["PUBLISHED", "DEDUPLICATED", "PUBLISHED", "PUBLISHED"]);
    assert_eq!(told[0]["EventId"], told[1]["EventId"]);
    world.advance(std::time::Duration::from_secs(299)).await;
    assert_eq!(publish(&world, &bus, &[by_id("a", None, 5)]).await[0]["SuccessCode"], "DEDUPLICATED");
    world.advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(publish(&world, &bus, &[by_id("a", None, 6)]).await[0]["SuccessCode"], "PUBLISHED");
    world.idle().await;
    assert_eq!(crate::support::numbers(&world, "inbox").await, [1, 3, 4, 6]);
    // The sweep leaves what was seen again.
    world.advance(hours(2)).await;
    assert_eq!(publish(&world, &bus, &[by_id("a", None, 7)]).await[0]["SuccessCode"], "PUBLISHED");
}

#[tokio::test]
async fn duplicates_are_known_by_their_content() {
    let (world, bus) = world().await;
    let entry = |n: u32| json!({ "Source": "s", "DetailType": "t", "Detail": json!({ "n": n }).to_string() });
    let input = json!({
        "EventBusArn": bus, "Entries": [entry(1), entry(1), entry(2)],
        "DeduplicationConfiguration": { "DeduplicationType": "CONTENT_BASED" },
    });
    let answer = world.ok("eventsv2", "PutEvents", input).await;
    let codes: Vec<&Value> =
        answer["Entries"].as_array().unwrap().iter().map(|entry| &entry["SuccessCode"]).collect();
    assert_eq!(codes, ["PUBLISHED", "DEDUPLICATED", "PUBLISHED"]);
}

#[tokio::test]
async fn sequence_numbers_rise_within_a_group() {
    let (world, bus) = world().await;
    let mut last = String::new();
    for wait in [0, 0, 48] {
        world.advance(hours(wait)).await;
        for entry in publish(&world, &bus, &[grouped(&json!(1), "g"), grouped(&json!(2), "g")]).await {
            let number = entry["SequenceNumber"].as_str().unwrap().to_owned();
            assert!(number > last, "{number} does not follow {last}");
            last = number;
        }
    }
    assert!(publish(&world, &bus, &[raw(&json!(1))]).await[0].get("SequenceNumber").is_none());
}
