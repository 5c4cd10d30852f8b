use base::{AccountId, Region};
use kernel::Caller;
use serde_json::json;

use crate::support::{hours, make_bus, publish_numbers, subscribe, world};

#[tokio::test]
async fn a_bus_is_made_shown_changed_listed_and_deleted() {
    let (world, bus) = world().await;
    assert!(bus.starts_with("arn:aws:events:eu-central-1:000000000000:event-busv2/orders/"), "{bus}");
    let named = json!({ "EventBusArn": bus });
    let shown = world.ok("eventsv2", "DescribeEventBus", named.clone()).await;
    assert_eq!((shown["Name"].as_str(), shown["State"].as_str()), (Some("orders"), Some("ACTIVE")));
    assert_eq!(shown["StorageConfiguration"]["RetentionPeriodInDays"], 7);
    assert_eq!(shown["StorageConfiguration"]["RetentionWindowStartTime"], shown["CreationTime"]);
    let change = json!({ "EventBusArn": bus, "Description": "d", "StorageConfiguration": { "RetentionPeriodInDays": 2 } });
    world.ok("eventsv2", "UpdateEventBus", change).await;
    world.ok("eventsv2", "UpdateEventBus", named.clone()).await;
    let shown = world.ok("eventsv2", "DescribeEventBus", named.clone()).await;
    assert_eq!(
        (&shown["Description"], &shown["StorageConfiguration"]["RetentionPeriodInDays"]),
        (&json!("d"), &json!(2))
    );
    make_bus(&world, "other").await;
    let first = world.ok("eventsv2", "ListEventBuses", json!({ "MaxResults": 1 })).await;
    assert_eq!(first["EventBuses"][0]["EventBusArn"], bus);
    let rest = world.ok("eventsv2", "ListEventBuses", json!({ "NextToken": first["NextToken"] })).await;
    assert_eq!((rest["EventBuses"][0]["Name"].as_str(), &rest["NextToken"]), (Some("other"), &json!(null)));
    let foreign =
        world.ok("eventsv2", "ListEventBuses", json!({ "EventBusAccountId": "111111111111" })).await;
    assert_eq!(foreign["EventBuses"], json!([]));
    world.ok("eventsv2", "DeleteEventBus", named.clone()).await;
    let fault = world.refused("eventsv2", "DescribeEventBus", named).await;
    assert_eq!((fault.code.as_ref(), fault.status), ("ResourceNotFoundException", 404));
}

#[tokio::test]
async fn what_a_bus_is_refused() {
    let (world, bus) = world().await;
    for (input, code, message) in [
        (json!({ "Name": "orders" }), "ResourceAlreadyExistsException", "Event bus orders already exists."),
        (json!({ "Name": "-x" }), "InvalidInputException", ""),
        (
            json!({ "Name": "k", "EncryptionConfiguration": { "KmsKeyIdentifier": "k" } }),
            "InvalidInputException",
            "EncryptionConfiguration.KmsKeyIdentifier is not implemented by Buswork",
        ),
        (
            json!({ "Name": "t", "Tags": { "aws:x": "y" } }),
            "InvalidInputException",
            "The tag key \"aws:x\" is not allowed.",
        ),
    ] {
        let fault = world.refused("eventsv2", "CreateEventBus", input).await;
        assert_eq!(fault.code, code);
        assert!(message.is_empty() || fault.message == message, "{}", fault.message);
    }
    for n in 1..5 {
        make_bus(&world, &format!("b{n}")).await;
    }
    let fault = world.refused("eventsv2", "CreateEventBus", json!({ "Name": "sixth" })).await;
    assert_eq!(fault.code, "LimitExceededException");
    subscribe(&world, &bus, json!({})).await;
    let fault = world.refused("eventsv2", "DeleteEventBus", json!({ "EventBusArn": bus })).await;
    assert_eq!(fault.code, "ResourceInUseException");
    assert!(fault.message.ends_with("still has 1 subscribers."), "{}", fault.message);
}

#[tokio::test]
async fn a_client_token_makes_a_request_the_same() {
    let world = world().await.0;
    let request = |name: &str| json!({ "Name": name, "ClientToken": "t" });
    let first = world.ok("eventsv2", "CreateEventBus", request("b")).await;
    let again = world.ok("eventsv2", "CreateEventBus", request("b")).await;
    assert_eq!(first["EventBusArn"], again["EventBusArn"]);
    let fault = world.refused("eventsv2", "CreateEventBus", request("c")).await;
    assert_eq!((fault.code.as_ref(), fault.status), ("IdempotentParameterMismatchException", 409));
}

#[tokio::test]
async fn another_account_does_not_get_in() {
    let (world, bus) = world().await;
    let account = AccountId::parse("111111111111").unwrap();
    let stranger = || {
        Caller::root_user(account.clone(), Region::parse("eu-central-1").unwrap(), world.kernel().new_id())
    };
    let entry = json!({ "Source": "s", "DetailType": "t" });
    for (operation, input) in [
        ("DescribeEventBus", json!({ "EventBusArn": bus })),
        ("DeleteEventBus", json!({ "EventBusArn": bus })),
        ("PutEvents", json!({ "EventBusArn": bus, "Entries": [entry] })),
        ("ListSubscribers", json!({ "EventBusArn": bus })),
        ("ListTagsForResource", json!({ "ResourceArn": bus })),
    ] {
        let fault = world.call_as(stranger(), "eventsv2", operation, input).await.unwrap_err();
        assert_eq!((fault.code.as_ref(), fault.status), ("AccessDeniedException", 403), "{operation}");
    }
}

#[tokio::test]
async fn tags_are_kept() {
    let (world, bus) = world().await;
    let arn = subscribe(&world, &bus, json!({ "Tags": { "a": "1" } })).await;
    for arn in [bus, arn] {
        let input = json!({ "ResourceArn": arn, "Tags": { "b": "2", "c": "3" } });
        world.ok("eventsv2", "TagResource", input).await;
        world.ok("eventsv2", "UntagResource", json!({ "ResourceArn": arn, "TagKeys": ["c"] })).await;
        let tags = world.ok("eventsv2", "ListTagsForResource", json!({ "ResourceArn": arn })).await;
        assert_eq!(tags["Tags"]["b"], "2");
        assert!(tags["Tags"].get("c").is_none());
    }
}

#[tokio::test]
async fn old_events_are_forgotten_and_a_new_bus_of_an_old_name_has_none() {
    let (world, bus) = world().await;
    publish_numbers(&world, &bus, [1]).await;
    world.advance(hours(24 * 6)).await;
    publish_numbers(&world, &bus, [2]).await;
    world.advance(hours(26)).await;
    let horizon = json!({ "StartingPosition": "POINT_IN_TIME", "PointInTimeConfiguration": { "PointType": "HORIZON" } });
    let arn = subscribe(&world, &bus, horizon.clone()).await;
    world.idle().await;
    assert_eq!(crate::support::numbers(&world, "inbox").await, [2]);
    world.ok("eventsv2", "DeleteSubscriber", json!({ "SubscriberArn": arn })).await;
    world.ok("eventsv2", "DeleteEventBus", json!({ "EventBusArn": bus })).await;
    let bus = make_bus(&world, "orders").await;
    subscribe(&world, &bus, horizon).await;
    world.advance(hours(2)).await;
    assert_eq!(crate::support::numbers(&world, "inbox").await, [0; 0]);
}
