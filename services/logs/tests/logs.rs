//! CloudWatch Logs through the router, on the virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use serde_json::{Value, json};
use testkit::World;

async fn world() -> World {
    World::new(|| vec![logs::service()]).await
}

async fn stream(world: &World, group: &str, stream: &str) {
    // The group may be there already.
    let _ = world.call("logs", "CreateLogGroup", json!({ "logGroupName": group })).await;
    world.ok("logs", "CreateLogStream", json!({ "logGroupName": group, "logStreamName": stream })).await;
}

async fn put(world: &World, group: &str, stream: &str, lines: &[(i64, &str)]) -> Value {
    let now = world.now().as_millis();
    let events: Vec<Value> =
        lines.iter().map(|(ago, text)| json!({ "timestamp": now - ago, "message": text })).collect();
    let input = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": events });
    world.ok("logs", "PutLogEvents", input).await
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn events_are_read_in_pages_in_both_directions() {
    let world = world().await;
    stream(&world, "g", "s").await;
    put(&world, "g", "s", &[(5, "1"), (4, "2"), (4, "3"), (3, "4"), (2, "5")]).await;
    let read = |extra: Value| {
        let mut input = json!({ "logGroupName": "g", "logStreamName": "s", "limit": 2 });
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        world.ok("logs", "GetLogEvents", input)
    };
    let head = read(json!({ "startFromHead": true })).await;
    assert_eq!(messages(&head), ["1", "2"]);
    let next = read(json!({ "nextToken": head["nextForwardToken"] })).await;
    assert_eq!(messages(&next), ["3", "4"]);
    let last = read(json!({ "nextToken": next["nextForwardToken"] })).await;
    assert_eq!(messages(&last), ["5"]);
    let end = read(json!({ "nextToken": last["nextForwardToken"] })).await;
    assert!(messages(&end).is_empty());
    assert_eq!(end["nextForwardToken"], last["nextForwardToken"], "the same token says that this is the end");
    let tail = read(json!({})).await;
    assert_eq!(messages(&tail), ["4", "5"]);
    assert_eq!(messages(&read(json!({ "nextToken": tail["nextBackwardToken"] })).await), ["2", "3"]);
}

#[tokio::test]
async fn a_filter_runs_over_all_streams_in_the_order_of_time() {
    let world = world().await;
    stream(&world, "g", "a").await;
    stream(&world, "g", "b").await;
    put(&world, "g", "a", &[(9, "ERROR one"), (5, "fine"), (1, "ERROR four")]).await;
    put(&world, "g", "b", &[(8, "ERROR two"), (4, "ERROR three")]).await;
    let filter = json!({ "logGroupName": "g", "filterPattern": "ERROR", "limit": 3 });
    let first = world.ok("logs", "FilterLogEvents", filter.clone()).await;
    assert_eq!(messages(&first), ["ERROR one", "ERROR two", "ERROR three"]);
    let mut rest = filter;
    rest["nextToken"] = first["nextToken"].clone();
    let rest = world.ok("logs", "FilterLogEvents", rest).await;
    assert_eq!(messages(&rest), ["ERROR four"]);
    assert!(rest["nextToken"].is_null());
}

#[tokio::test]
async fn events_out_of_bounds_are_named_and_disorder_is_refused() {
    let world = world().await;
    stream(&world, "g", "s").await;
    let (day, hour) = (86_400_000, 3_600_000);
    let put = put(&world, "g", "s", &[(15 * day, "old"), (0, "now"), (-3 * hour, "new")]).await;
    let rejected = &put["rejectedLogEventsInfo"];
    assert_eq!(
        (&rejected["tooOldLogEventEndIndex"], &rejected["tooNewLogEventStartIndex"]),
        (&json!(1), &json!(2))
    );
    let disorder = json!({ "logGroupName": "g", "logStreamName": "s",
        "logEvents": [{ "timestamp": 2, "message": "b" }, { "timestamp": 1, "message": "a" }] });
    assert_eq!(
        world.call("logs", "PutLogEvents", disorder).await.unwrap_err().code,
        "InvalidParameterException"
    );
}

#[tokio::test]
async fn retention_and_deletion_remove_events() {
    let world = world().await;
    stream(&world, "g", "s").await;
    put(&world, "g", "s", &[(0, "old")]).await;
    world.ok("logs", "PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 1 })).await;
    world.advance(Duration::from_secs(90_000)).await;
    put(&world, "g", "s", &[(0, "new")]).await;
    let read = json!({ "logGroupName": "g", "logStreamName": "s", "startFromHead": true });
    assert_eq!(messages(&world.ok("logs", "GetLogEvents", read.clone()).await), ["new"]);
    assert!(
        world
            .call("logs", "PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 2 }))
            .await
            .is_err()
    );
    world.ok("logs", "DeleteLogGroup", json!({ "logGroupName": "g" })).await;
    world.advance(Duration::from_secs(1)).await;
    stream(&world, "g", "s").await;
    assert!(
        messages(&world.ok("logs", "GetLogEvents", read).await).is_empty(),
        "a new group of the same name is empty"
    );
}

#[tokio::test]
async fn groups_and_streams_are_described_and_tagged() {
    let world = world().await;
    for name in ["/aws/lambda/a", "/aws/lambda/b", "other"] {
        world.ok("logs", "CreateLogGroup", json!({ "logGroupName": name, "tags": { "k": name } })).await;
    }
    let page =
        world.ok("logs", "DescribeLogGroups", json!({ "logGroupNamePrefix": "/aws/", "limit": 1 })).await;
    assert_eq!(page["logGroups"][0]["logGroupName"], "/aws/lambda/a");
    let next = json!({ "logGroupNamePrefix": "/aws/", "limit": 1, "nextToken": page["nextToken"] });
    let rest = world.ok("logs", "DescribeLogGroups", next).await;
    assert_eq!((rest["logGroups"].as_array().unwrap().len(), rest["nextToken"].is_null()), (1, true));
    let arn = "arn:aws:logs:eu-central-1:000000000000:log-group:other";
    assert_eq!(
        world.ok("logs", "ListTagsForResource", json!({ "resourceArn": arn })).await["tags"]["k"],
        "other"
    );
    stream(&world, "other", "x").await;
    stream(&world, "other", "y").await;
    put(&world, "other", "y", &[(10, "first")]).await;
    put(&world, "other", "x", &[(0, "second")]).await;
    let by_time = json!({ "logGroupName": "other", "orderBy": "LastEventTime", "descending": true });
    let streams = world.ok("logs", "DescribeLogStreams", by_time).await;
    assert_eq!(streams["logStreams"][0]["logStreamName"], "x");
    assert_eq!(
        world.call("logs", "CreateLogGroup", json!({ "logGroupName": "other" })).await.unwrap_err().code,
        "ResourceAlreadyExistsException"
    );
}

#[tokio::test]
async fn groups_are_described_by_class_and_of_this_account_only() {
    let world = world().await;
    world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "plain" })).await;
    let rare = json!({ "logGroupName": "rare", "logGroupClass": "INFREQUENT_ACCESS" });
    world.ok("logs", "CreateLogGroup", rare).await;
    let found = world.ok("logs", "DescribeLogGroups", json!({ "logGroupClass": "INFREQUENT_ACCESS" })).await;
    let names: Vec<&Value> =
        found["logGroups"].as_array().unwrap().iter().map(|group| &group["logGroupName"]).collect();
    assert_eq!(names, ["rare"]);
    let own = json!({ "accountIdentifiers": ["000000000000"] });
    assert_eq!(world.ok("logs", "DescribeLogGroups", own).await["logGroups"].as_array().unwrap().len(), 2);
    for refused in
        [json!({ "accountIdentifiers": ["111122223333"] }), json!({ "includeLinkedAccounts": true })]
    {
        let fault = world.refused("logs", "DescribeLogGroups", refused).await;
        assert_eq!(fault.code, "InvalidParameterException");
    }
}

#[tokio::test]
async fn the_older_tag_operations_and_entities_are_answered() {
    let world = world().await;
    stream(&world, "g", "s").await;
    world.ok("logs", "TagLogGroup", json!({ "logGroupName": "g", "tags": { "a": "1", "b": "2" } })).await;
    world.ok("logs", "UntagLogGroup", json!({ "logGroupName": "g", "tags": ["a"] })).await;
    let tags = world.ok("logs", "ListTagsLogGroup", json!({ "logGroupName": "g" })).await;
    assert_eq!(tags["tags"], json!({ "b": "2" }));
    let event = json!({ "timestamp": world.now().as_millis(), "message": "m" });
    let input = json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": [event],
        "entity": { "keyAttributes": { "Type": "Service" } } });
    let answer = world.ok("logs", "PutLogEvents", input).await;
    assert_eq!(answer["rejectedEntityInfo"]["errorType"], "UnsupportedLogGroupType");
    let read = json!({ "logGroupName": "g", "logStreamName": "s" });
    assert_eq!(messages(&world.ok("logs", "GetLogEvents", read).await), ["m"]);
}
