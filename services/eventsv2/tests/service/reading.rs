use serde_json::{Value, json};
use testkit::World;

use crate::support::{bodies, hours, messages, numbers, publish_numbers, subscribe, subscriber, text, world};

fn from(point: &Value) -> Value {
    json!({ "StartingPosition": "POINT_IN_TIME", "PointInTimeConfiguration": point })
}

async fn switch(world: &World, arn: &str, changes: Value) {
    let mut input = json!({ "SubscriberArn": arn });
    input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    world.ok("eventsv2", "UpdateSubscriber", input).await;
    world.idle().await;
}

#[tokio::test]
async fn a_subscriber_begins_where_it_says() {
    let (world, bus) = world().await;
    publish_numbers(&world, &bus, [1]).await;
    world.advance(hours(1)).await;
    let point = world.now().as_epoch_seconds();
    publish_numbers(&world, &bus, [2]).await;
    world.advance(hours(1)).await;
    for (name, changes, expected) in [
        ("latest", json!({}), &[][..]),
        ("horizon", from(&json!({ "PointType": "HORIZON" })), &[1, 2]),
        ("point", from(&json!({ "PointType": "TIMESTAMP", "StartingPoint": point })), &[2]),
        ("part", from(&json!({ "PointType": "HORIZON", "EndPoint": point })), &[1]),
    ] {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": name })).await;
        let mut changes = changes;
        changes["Name"] = name.into();
        changes["InvokeConfiguration"] = json!({ "TargetArn": crate::support::queue(name) });
        let arn = subscribe(&world, &bus, changes).await;
        world.idle().await;
        assert_eq!(numbers(&world, name).await, expected, "{name}");
        let state =
            world.ok("eventsv2", "DescribeSubscriber", json!({ "SubscriberArn": arn })).await["State"]
                .clone();
        // One that has an end is stopped once it has come.
        assert_eq!(state, if name == "part" { "STOPPED" } else { "RUNNING" });
    }
}

#[tokio::test]
async fn what_is_older_than_the_subscriber_is_a_replay() {
    let (world, bus) = world().await;
    publish_numbers(&world, &bus, [1]).await;
    let mut changes = from(&json!({ "PointType": "HORIZON" }));
    changes["Transformer"] = json!({ "Type": "WITH_METADATA" });
    subscribe(&world, &bus, changes).await;
    publish_numbers(&world, &bus, [2]).await;
    let mut seen: Vec<(Value, String)> = bodies(&world, "inbox")
        .await
        .iter()
        .map(|body| (body["Data"]["n"].clone(), text(&body["SystemMetadata"]["aws:DeliveryType"])))
        .collect();
    seen.sort_by_key(|(n, _)| n.as_u64());
    assert_eq!(seen, [(json!(1), "REPLAY".to_owned()), (json!(2), "LIVE".to_owned())]);
}

#[tokio::test]
async fn a_stopped_subscriber_goes_on_or_skips() {
    let (world, bus) = world().await;
    let arn = subscribe(&world, &bus, json!({})).await;
    publish_numbers(&world, &bus, [1]).await;
    switch(&world, &arn, json!({ "State": "STOPPED" })).await;
    publish_numbers(&world, &bus, [2, 3]).await;
    // Another change while it is stopped moves nothing.
    switch(&world, &arn, json!({ "Description": "d" })).await;
    assert_eq!(numbers(&world, "inbox").await, [1]);
    switch(&world, &arn, json!({ "State": "RUNNING" })).await;
    assert_eq!(numbers(&world, "inbox").await, [2, 3]);
    switch(&world, &arn, json!({ "State": "STOPPED" })).await;
    publish_numbers(&world, &bus, [4]).await;
    switch(&world, &arn, json!({ "State": "RUNNING", "ResumePosition": "LATEST" })).await;
    publish_numbers(&world, &bus, [5]).await;
    assert_eq!(numbers(&world, "inbox").await, [5]);
    let input = json!({ "SubscriberArn": arn, "ResumePosition": "LATEST" });
    assert_eq!(world.refused("eventsv2", "UpdateSubscriber", input).await.code, "InvalidInputException");
}

#[tokio::test]
async fn a_subscriber_that_is_made_stopped_keeps_its_place() {
    let (world, bus) = world().await;
    publish_numbers(&world, &bus, [1]).await;
    let arn = subscribe(&world, &bus, json!({ "State": "STOPPED" })).await;
    publish_numbers(&world, &bus, [2]).await;
    switch(&world, &arn, json!({ "State": "RUNNING", "ResumePosition": "LAST_PROCESSED" })).await;
    assert_eq!(numbers(&world, "inbox").await, [2]);
}

#[tokio::test]
async fn a_long_backlog_comes_page_by_page_and_once() {
    let (world, bus) = world().await;
    publish_numbers(&world, &bus, 0..250).await;
    subscribe(&world, &bus, from(&json!({ "PointType": "HORIZON" }))).await;
    publish_numbers(&world, &bus, 250..260).await;
    assert_eq!(numbers(&world, "inbox").await, (0..260).collect::<Vec<u64>>());
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_however_often_the_process_dies() {
    let (mut world, bus) = world().await;
    subscribe(&world, &bus, json!({})).await;
    let mut published = Vec::new();
    for n in 0..40_u32 {
        world.die_after(n % 7);
        let input = json!({ "EventBusArn": bus, "Entries": [crate::support::raw(&json!({ "n": n }))] });
        if world.call("eventsv2", "PutRawEvents", input).await.is_ok() {
            published.push(u64::from(n));
        }
        if !world.is_dead() {
            world.idle().await;
        }
        world.crash().await;
    }
    world.idle().await;
    assert_eq!(numbers(&world, "inbox").await, published);
}

#[tokio::test]
async fn starting_positions_that_do_not_fit_are_refused() {
    let (world, bus) = world().await;
    world.advance(hours(1)).await;
    let now = world.now().as_epoch_seconds();
    for (changes, message) in [
        (json!({ "StartingPosition": "POINT_IN_TIME" }), "PointInTimeConfiguration is required"),
        (
            json!({ "PointInTimeConfiguration": { "PointType": "HORIZON" } }),
            "is for the starting position POINT_IN_TIME only",
        ),
        (from(&json!({ "PointType": "TIMESTAMP" })), "StartingPoint is required"),
        (
            from(&json!({ "PointType": "TIMESTAMP", "StartingPoint": now - 7_200.0 })),
            "StartingPoint must be at or after",
        ),
        (from(&json!({ "PointType": "TIMESTAMP", "StartingPoint": now + 60.0 })), "not in the future"),
        (
            from(&json!({ "PointType": "HORIZON", "StartingPoint": now })),
            "is for the point type TIMESTAMP only",
        ),
        (
            from(&json!({ "PointType": "TIMESTAMP", "StartingPoint": now, "EndPoint": now })),
            "EndPoint must be after the starting point",
        ),
    ] {
        let fault = world.refused("eventsv2", "CreateSubscriber", subscriber(&bus, changes)).await;
        assert!(fault.message.contains(message), "{}", fault.message);
    }
}

#[tokio::test]
async fn a_revoked_subscriber_gets_nothing_and_can_only_be_deleted() {
    let (world, bus) = world().await;
    let arn = subscribe(&world, &bus, json!({})).await;
    world.ok("eventsv2", "RevokeResource", json!({ "Arn": arn })).await;
    publish_numbers(&world, &bus, [1]).await;
    assert!(messages(&world, "inbox").await.is_empty());
    let named = json!({ "SubscriberArn": arn });
    let shown = world.ok("eventsv2", "DescribeSubscriber", named.clone()).await;
    assert_eq!((&shown["State"], &shown["Revoked"]), (&json!("RUNNING"), &json!(true)));
    let fault = world.refused("eventsv2", "UpdateSubscriber", named.clone()).await;
    assert_eq!((fault.code.as_ref(), fault.status), ("InvalidStateException", 409));
    // It does not keep its bus from being deleted.
    world.ok("eventsv2", "DeleteEventBus", json!({ "EventBusArn": bus })).await;
    world.ok("eventsv2", "DeleteSubscriber", named).await;
}
