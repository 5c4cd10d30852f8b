//! Schemas with the real EventBridge: events are checked where they come in, and schemas are learned from them.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use serde_json::{Value, json};
use testkit::World;

const QUEUES: &str = "arn:aws:sqs:eu-central-1:000000000000";
const BUS: &str = "arn:aws:events:eu-central-1:000000000000:event-bus/default";

/// A world with the schema `shop/Order` of a detail whose total is a number, and a rule that sends all events to a queue.
async fn world() -> World {
    let world = World::new(|| vec![events::service(), schemas::service(), sqs::service()]).await;
    world.ok("sqs", "CreateQueue", json!({ "QueueName": "out" })).await;
    world.ok("events", "PutRule", json!({ "Name": "all", "EventPattern": r#"{"source":["shop"]}"# })).await;
    let target = json!({ "Id": "t", "Arn": format!("{QUEUES}:out") });
    world.ok("events", "PutTargets", json!({ "Rule": "all", "Targets": [target] })).await;
    world.ok("schemas", "CreateRegistry", json!({ "RegistryName": "shop" })).await;
    let schema = json!({ "RegistryName": "shop", "SchemaName": "Order", "Type": "JSONSchemaDraft4",
        "Content": order("number") });
    world.ok("schemas", "CreateSchema", schema).await;
    world
}

fn order(total: &str) -> String {
    json!({ "type": "object", "required": ["id"],
            "properties": { "id": { "type": "string" }, "total": { "type": total } } })
    .to_string()
}

async fn policy(world: &World, extra: Value) -> Value {
    let mut input = json!({ "RegistryName": "shop", "SchemaName": "Order" });
    input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let put = world.ask("events", events::PUT_VALIDATION_POLICY, input).await.unwrap();
    world.idle().await;
    put
}

/// Puts an event and returns its entry.
async fn put(world: &World, detail_type: &str, detail: Value) -> Value {
    let entry = json!({ "Source": "shop", "DetailType": detail_type, "Detail": detail.to_string() });
    let mut put = world.ok("events", "PutEvents", json!({ "Entries": [entry] })).await;
    // Events of one millisecond have ids in any order.
    world.advance(Duration::from_millis(2)).await;
    put["Entries"][0].take()
}

/// How many events reached the queue since the last time.
async fn reached(world: &World) -> usize {
    let input = json!({ "QueueUrl": "out", "MaxNumberOfMessages": 10 });
    let got = world.ok("sqs", "ReceiveMessage", input).await;
    got["Messages"].as_array().map_or(0, Vec::len)
}

async fn explain(world: &World, id: &Value) -> Value {
    world.ask("events", events::EXPLAIN, json!({ "id": id })).await.unwrap()
}

#[tokio::test]
async fn an_event_that_breaks_its_schema_is_rejected_with_the_place_and_the_rule() {
    let world = world().await;
    let listed = policy(&world, json!({ "Source": "shop", "DetailType": "Order", "Mode": "REJECT" })).await;
    assert_eq!((&listed["Subject"], &listed["Schema"]["SchemaVersion"]), (&json!("DETAIL"), &json!("1")));
    assert!(put(&world, "Order", json!({ "id": "1", "total": 2 })).await["EventId"].is_string());
    assert!(put(&world, "Other", json!({ "total": "not checked" })).await["EventId"].is_string());
    assert_eq!(reached(&world).await, 2);
    let failed = put(&world, "Order", json!({ "id": "1", "total": "12" })).await;
    assert_eq!(failed["ErrorCode"], "SchemaValidationFailed");
    let message = failed["ErrorMessage"].as_str().unwrap();
    for part in ["shop/Order version 1", "at /detail/total:", "(rule /properties/total/type)"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(reached(&world).await, 0);
    let id = message.split(' ').nth(1).unwrap();
    let explained = explain(&world, &id.into()).await;
    assert_eq!(explained["validation"]["Outcome"], "REJECTED");
    assert_eq!(explained["validation"]["Failures"][0]["Pointer"], "/detail/total");
    assert_eq!((&explained["rules"], &explained["event"]["detail"]["total"]), (&json!([]), &json!("12")));
    assert!(!world.chains(id).await.is_empty(), "the trace knows it");
    world.advance(Duration::from_secs(90_000)).await;
    assert_eq!(explain(&world, &id.into()).await, Value::Null, "a day later it is forgotten");
}

#[tokio::test]
async fn the_policy_that_says_most_holds() {
    let world = world().await;
    let mode = |mode: &'static str, source: &'static str, detail_type: &'static str| {
        policy(&world, json!({ "Mode": mode, "Source": source, "DetailType": detail_type }))
    };
    mode("REJECT", "*", "*").await;
    mode("WARN", "shop", "*").await;
    mode("QUARANTINE", "*", "Kept").await;
    let off = json!({ "Mode": "OFF", "Source": "shop", "DetailType": "Free" });
    world.ask("events", events::PUT_VALIDATION_POLICY, off).await.unwrap();
    let warned = put(&world, "Any", json!({})).await;
    let explained = explain(&world, &warned["EventId"]).await;
    assert_eq!(
        (&explained["validation"]["Outcome"], explained["rules"].as_array().unwrap().len()),
        (&json!("WARNED"), 1)
    );
    let kept = put(&world, "Kept", json!({})).await;
    assert_eq!(
        explain(&world, &kept["EventId"]).await["validation"]["Outcome"],
        "WARNED",
        "the source says more"
    );
    let free = put(&world, "Free", json!({})).await;
    assert!(explain(&world, &free["EventId"]).await["validation"].is_null());
    assert_eq!(reached(&world).await, 3);
    let listed = world.ask("events", events::LIST_VALIDATION_POLICIES, json!({})).await.unwrap();
    let modes: Vec<&Value> =
        listed["Policies"].as_array().unwrap().iter().map(|policy| &policy["Mode"]).collect();
    assert_eq!(modes, ["REJECT", "QUARANTINE", "WARN", "OFF"]);
    for policy in listed["Policies"].as_array().unwrap() {
        let which = json!({ "Source": policy["Source"], "DetailType": policy["DetailType"] });
        world.ask("events", events::DELETE_VALIDATION_POLICY, which).await.unwrap();
    }
    let after = put(&world, "Any", json!({})).await;
    assert!(explain(&world, &after["EventId"]).await["validation"].is_null());
}

#[tokio::test]
async fn policies_follow_new_versions_unless_they_are_pinned() {
    let world = world().await;
    policy(&world, json!({ "DetailType": "Latest", "Mode": "REJECT" })).await;
    policy(&world, json!({ "DetailType": "Pinned", "Mode": "REJECT", "SchemaVersion": "1" })).await;
    let update = json!({ "RegistryName": "shop", "SchemaName": "Order", "Content": order("string") });
    world.ok("schemas", "UpdateSchema", update).await;
    world.idle().await;
    let text = json!({ "id": "1", "total": "12" });
    assert!(put(&world, "Latest", text.clone()).await["EventId"].is_string());
    assert_eq!(put(&world, "Pinned", text.clone()).await["ErrorCode"], "SchemaValidationFailed");
    world.ok("schemas", "DeleteSchema", json!({ "RegistryName": "shop", "SchemaName": "Order" })).await;
    world.idle().await;
    assert!(put(&world, "Latest", text).await["EventId"].is_string(), "the text is still there");
    assert_eq!(put(&world, "Latest", json!({})).await["ErrorCode"], "SchemaValidationFailed");
    let listed = world.ask("events", events::LIST_VALIDATION_POLICIES, json!({})).await.unwrap();
    let shown: Vec<(&Value, &Value)> = listed["Policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| (&policy["Schema"]["SchemaVersion"], &policy["SchemaDeleted"]))
        .collect();
    assert_eq!(shown, [(&json!("2"), &json!(true)), (&json!("1"), &json!(true))]);
}

#[tokio::test]
async fn an_event_in_quarantine_is_corrected_and_released_or_discarded() {
    let mut world = world().await;
    policy(&world, json!({ "Mode": "QUARANTINE" })).await;
    let ids: Vec<Value> = [
        put(&world, "Order", json!({ "total": "1" })).await["EventId"].clone(),
        put(&world, "Order", json!({ "total": 2 })).await["EventId"].clone(),
        put(&world, "Order", json!({ "total": 3 })).await["EventId"].clone(),
    ]
    .into();
    assert_eq!(reached(&world).await, 0);
    world.crash().await;
    let list = |extra: Value| world.ask("events", events::LIST_QUARANTINED_EVENTS, extra);
    let page = list(json!({ "Limit": 2 })).await.unwrap();
    let rest = list(json!({ "NextToken": page["NextToken"] })).await.unwrap();
    assert_eq!((page["Events"].as_array().unwrap().len(), rest["Events"].as_array().unwrap().len()), (2, 1));
    assert_eq!(
        page["Events"][0]["Failures"].as_array().unwrap().len(),
        2,
        "its id is missing, its total is a text"
    );
    let release = |input: Value| world.ask("events", events::RELEASE_QUARANTINED_EVENT, input);
    let refused = release(json!({ "EventId": ids[0], "Detail": r#"{"id":1}"# })).await.unwrap_err();
    assert!(refused.message.contains("/detail/id"), "{refused}");
    release(json!({ "EventId": ids[0], "Detail": r#"{"id":"1"}"# })).await.unwrap();
    release(json!({ "EventId": ids[1], "Force": true })).await.unwrap();
    world.ask("events", events::DISCARD_QUARANTINED_EVENT, json!({ "EventId": ids[2] })).await.unwrap();
    world.idle().await;
    assert_eq!(reached(&world).await, 2);
    let released = explain(&world, &ids[0]).await;
    assert_eq!(released["validation"]["Outcome"], "RELEASED");
    assert_eq!(released["event"]["detail"], json!({ "id": "1" }));
    assert_eq!(explain(&world, &ids[2]).await["validation"]["Outcome"], "DISCARDED");
    assert_eq!(list(json!({})).await.unwrap()["Events"], json!([]));
    let gone = release(json!({ "EventId": ids[0] })).await.unwrap_err();
    assert_eq!(gone.code, "ResourceNotFoundException");
}

#[tokio::test]
async fn quarantine_outlives_the_day_and_ends_with_its_bus() {
    let world = world().await;
    world.ok("events", "CreateEventBus", json!({ "Name": "b" })).await;
    policy(&world, json!({ "EventBusName": "b", "Mode": "QUARANTINE" })).await;
    let entry = json!({ "Source": "shop", "DetailType": "T", "Detail": "{}", "EventBusName": "b" });
    let put = world.ok("events", "PutEvents", json!({ "Entries": [entry] })).await;
    let id = &put["Entries"][0]["EventId"];
    world.advance(Duration::from_secs(200_000)).await;
    assert_eq!(explain(&world, id).await["validation"]["Outcome"], "QUARANTINED");
    world.ok("events", "DeleteEventBus", json!({ "Name": "b" })).await;
    world.ok("events", "CreateEventBus", json!({ "Name": "b" })).await;
    for operation in [events::LIST_QUARANTINED_EVENTS, events::LIST_VALIDATION_POLICIES] {
        let listed = world.ask("events", operation, json!({ "EventBusName": "b" })).await.unwrap();
        assert!(listed.as_object().unwrap().values().all(|list| *list == json!([])), "{listed}");
    }
}

#[tokio::test]
async fn policies_that_cannot_be_kept_are_refused() {
    let world = world().await;
    for (input, code) in [
        (json!({ "Mode": "REJECT" }), "ValidationException"),
        (json!({ "Mode": "OFF", "RegistryName": "shop", "SchemaName": "Order" }), "ValidationException"),
        (json!({ "Mode": "REJECT", "RegistryName": "shop", "SchemaName": "None" }), "NotFoundException"),
        (
            json!({ "Mode": "WARN", "RegistryName": "shop", "SchemaName": "Order", "SchemaVersion": "9" }),
            "NotFoundException",
        ),
        (
            json!({ "Mode": "WARN", "RegistryName": "shop", "SchemaName": "Order", "EventBusName": "none" }),
            "ResourceNotFoundException",
        ),
        (json!({ "Mode": "WARN", "Unknown": 1 }), "SerializationException"),
    ] {
        let fault = world.ask("events", events::PUT_VALIDATION_POLICY, input.clone()).await.unwrap_err();
        assert_eq!(fault.code, code, "{input}: {fault}");
    }
}

#[tokio::test]
async fn aws_schemas_check_whole_events() {
    let world = world().await;
    let input = json!({ "Mode": "REJECT", "DetailType": "Object Created", "RegistryName": "aws.events",
        "SchemaName": "aws.s3@ObjectCreated" });
    let listed = world.ask("events", events::PUT_VALIDATION_POLICY, input).await.unwrap();
    assert_eq!(listed["Subject"], "EVENT");
    let failed = put(&world, "Object Created", json!({ "bucket": {} })).await;
    assert!(failed["ErrorMessage"].as_str().unwrap().contains("at /detail"), "{failed}");
}

/// The newest version of a discovered schema: its number and the schema of the detail.
async fn discovered(world: &World, name: &str) -> (String, Value) {
    let input = json!({ "RegistryName": "discovered-schemas", "SchemaName": name });
    let found = world.ok("schemas", "DescribeSchema", input).await;
    let content: Value = serde_json::from_str(found["Content"].as_str().unwrap()).unwrap();
    let detail = content["info"]["title"].as_str().unwrap().to_owned();
    (found["SchemaVersion"].as_str().unwrap().to_owned(), content["components"]["schemas"][detail].clone())
}

#[tokio::test]
async fn a_discoverer_learns_what_is_new_and_nothing_else() {
    let world = world().await;
    let made = world.ok("schemas", "CreateDiscoverer", json!({ "SourceArn": BUS })).await;
    assert_eq!(
        (&made["DiscovererId"], &made["State"]),
        (&json!("events-event-bus-default"), &json!("STARTED"))
    );
    world.idle().await;
    let rule =
        world.ok("events", "DescribeRule", json!({ "Name": "Schemas-events-event-bus-default" })).await;
    assert_eq!(rule["ManagedBy"], "schemas.amazonaws.com");
    let name = "shop@OrderPlaced";
    put(&world, "order placed", json!({ "id": "1", "lines": [{ "sku": "a" }] })).await;
    let (version, detail) = discovered(&world, name).await;
    assert_eq!((version.as_str(), &detail["required"]), ("1", &json!(["id", "lines"])));
    put(&world, "order placed", json!({ "id": "2", "lines": [] })).await;
    assert_eq!(discovered(&world, name).await.0, "1", "nothing is new");
    put(&world, "order placed", json!({ "id": "3", "lines": [], "gift": true })).await;
    let (version, detail) = discovered(&world, name).await;
    assert_eq!((version.as_str(), &detail["properties"]["gift"]), ("2", &json!({ "type": "boolean" })));
    let id = json!({ "DiscovererId": "events-event-bus-default" });
    world.ok("schemas", "StopDiscoverer", id.clone()).await;
    world.idle().await;
    put(&world, "order placed", json!({ "id": 4 })).await;
    assert_eq!(discovered(&world, name).await.0, "2", "it is stopped");
    assert!(
        world
            .call("events", "DescribeRule", json!({ "Name": "Schemas-events-event-bus-default" }))
            .await
            .is_err()
    );
    world.ok("schemas", "StartDiscoverer", id.clone()).await;
    world.idle().await;
    put(&world, "order placed", json!({ "id": 4 })).await;
    assert_eq!(discovered(&world, name).await.0, "3");
    let listed = world.ok("schemas", "ListDiscoverers", json!({ "SourceArnPrefix": BUS })).await;
    assert_eq!(listed["Discoverers"][0]["State"], "STARTED");
    world.ok("schemas", "DeleteDiscoverer", id.clone()).await;
    world.idle().await;
    assert_eq!(world.refused("schemas", "DescribeDiscoverer", id).await.code, "NotFoundException");
    assert!(
        world
            .call("events", "DescribeRule", json!({ "Name": "Schemas-events-event-bus-default" }))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn discoverers_are_listed_and_changed() {
    let world = world().await;
    for name in ["a", "b"] {
        let bus = world.ok("events", "CreateEventBus", json!({ "Name": name })).await["EventBusArn"].clone();
        let made =
            json!({ "SourceArn": bus, "Description": "d", "CrossAccount": true, "Tags": { "k": name } });
        world.ok("schemas", "CreateDiscoverer", made).await;
    }
    world.ok("schemas", "CreateDiscoverer", json!({ "SourceArn": BUS })).await;
    let here = "arn:aws:events:eu-central-1:000000000000:event-bus/";
    for (filter, expected) in [
        (json!({ "DiscovererIdPrefix": "events-event-bus-b" }), &["events-event-bus-b"][..]),
        (json!({ "SourceArnPrefix": format!("{here}a") }), &["events-event-bus-a"]),
        (json!({}), &["events-event-bus-a", "events-event-bus-b", "events-event-bus-default"]),
    ] {
        let (mut found, mut input) = (Vec::new(), filter.clone());
        input["Limit"] = json!(1);
        for _ in 0..5 {
            let page = world.ok("schemas", "ListDiscoverers", input.clone()).await;
            found.extend(
                page["Discoverers"].as_array().unwrap().iter().map(|one| one["DiscovererId"].clone()),
            );
            input["NextToken"] = page["NextToken"].clone();
            if page["NextToken"].is_null() {
                break;
            }
        }
        assert_eq!(found, expected, "{filter}");
    }
    let id = json!({ "DiscovererId": "events-event-bus-a" });
    let shown = world.ok("schemas", "DescribeDiscoverer", id.clone()).await;
    assert_eq!((&shown["Description"], &shown["Tags"]), (&json!("d"), &json!({ "k": "a" })));
    let mut update = id.clone();
    update["Description"] = "e".into();
    update["CrossAccount"] = false.into();
    world.ok("schemas", "UpdateDiscoverer", update).await;
    world.idle().await;
    let rule = json!({ "Name": "Schemas-events-event-bus-a", "EventBusName": "a" });
    let rule = world.ok("events", "DescribeRule", rule).await;
    assert_eq!(rule["EventPattern"], r#"{"account":["000000000000"]}"#);
    assert_eq!(world.ok("schemas", "DescribeDiscoverer", id).await["Description"], "e");
}

#[tokio::test]
async fn a_discoverer_needs_a_bus_and_is_alone_on_it() {
    let world = world().await;
    for (source, code) in [
        ("arn:aws:events:eu-central-1:000000000000:event-bus/none", "BadRequestException"),
        ("arn:aws:events:us-east-1:000000000000:event-bus/default", "BadRequestException"),
        ("arn:aws:sqs:eu-central-1:000000000000:queue", "BadRequestException"),
    ] {
        let fault = world.refused("schemas", "CreateDiscoverer", json!({ "SourceArn": source })).await;
        assert_eq!(fault.code, code, "{fault}");
    }
    world.ok("schemas", "CreateDiscoverer", json!({ "SourceArn": BUS, "CrossAccount": false })).await;
    let again = world.refused("schemas", "CreateDiscoverer", json!({ "SourceArn": BUS })).await;
    assert_eq!(again.code, "ConflictException");
    world.idle().await;
    let rule =
        world.ok("events", "DescribeRule", json!({ "Name": "Schemas-events-event-bus-default" })).await;
    assert_eq!(rule["EventPattern"], r#"{"account":["000000000000"]}"#);
    let update = json!({ "DiscovererId": "events-event-bus-default", "Description": "d" });
    assert_eq!(world.ok("schemas", "UpdateDiscoverer", update).await["CrossAccount"], false);
}

#[tokio::test]
async fn a_corrected_event_is_delivered_once_and_explained_whenever_the_process_dies() {
    for commits in 0..5 {
        let mut world = world().await;
        policy(&world, json!({ "Source": "shop", "DetailType": "Order", "Mode": "QUARANTINE" })).await;
        let id = put(&world, "Order", json!({ "id": 1 })).await["EventId"].clone();
        world.idle().await;
        assert_eq!(reached(&world).await, 0);
        let release = json!({ "EventId": id, "Detail": r#"{"id":"1"}"# });
        world.die_after(commits);
        let first = world.ask("events", events::RELEASE_QUARANTINED_EVENT, release.clone()).await;
        world.crash().await;
        // Who heard nothing asks again: the event is still there, or it is not in the quarantine any more.
        if first.is_err() {
            let again = world.ask("events", events::RELEASE_QUARANTINED_EVENT, release).await;
            assert!(again.is_ok() || commits > 0);
            world.idle().await;
        }
        let input = json!({ "QueueUrl": "out", "MaxNumberOfMessages": 10, "VisibilityTimeout": 43_200 });
        let got = world.ok("sqs", "ReceiveMessage", input).await;
        assert_eq!(got["Messages"].as_array().map_or(0, Vec::len), 1, "after {commits} commits");
        let body: Value = serde_json::from_str(got["Messages"][0]["Body"].as_str().unwrap()).unwrap();
        assert_eq!((&body["id"], &body["detail"]), (&id, &json!({ "id": "1" })));
        let explained = explain(&world, &id).await;
        assert_eq!(explained["validation"]["Outcome"], "RELEASED");
        assert_eq!(explained["rules"][0]["verdict"], "Matched");
    }
}
