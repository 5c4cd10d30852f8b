use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{World, mailbox};

use crate::flaky::{self, Log};
use crate::support::{bodies, furnish, grouped, publish, publish_numbers, queue, raw, subscribe, world};

/// A world whose subscriber's target fails for ever, with these retries and the queue `dead` for failures.
async fn failing(retry: Value) -> (World, Arc<Log>, String, String) {
    let log = Arc::new(Log::default());
    *log.failures.lock().unwrap() = u32::MAX;
    let theirs = Arc::clone(&log);
    let world =
        World::new(move || vec![eventsv2::service(), mailbox::service(), flaky::service(&theirs)]).await;
    let bus = furnish(&world).await;
    let changes = json!({
        "InvokeConfiguration": { "TargetArn": flaky::ARN }, "RetryPolicy": retry,
        "OnFailureConfiguration": { "Arn": queue("dead") },
    });
    let arn = subscribe(&world, &bus, changes).await;
    (world, log, bus, arn)
}

#[tokio::test]
async fn a_delivery_is_tried_six_times_and_then_recorded_without_the_event() {
    let (world, log, bus, arn) = failing(json!({})).await;
    let mut entry = grouped(&json!({ "secret": 1 }), "g");
    entry["SystemMetadata"]["DeduplicationId"] = "d".into();
    let told = publish(&world, &bus, &[entry]).await;
    world.advance(Duration::from_secs(300)).await;
    assert_eq!(log.given.lock().unwrap().len(), 6);
    let expected = json!({
        "version": "1.0", "busArn": bus, "subscriberArn": arn, "targetArn": flaky::ARN,
        "failedMessages": [{
            "eventId": told[0]["EventId"], "eventGroupId": "g", "deduplicationId": "d",
            "timestamp": "2026-01-01T00:00:00.000Z", "targetRequestId": "",
        }],
        "errorCode": "TARGET_FAULT", "errorMessage": "not now",
        "exhaustedRetryCondition": "MaximumRetryAttempts", "retryAttempts": 5,
    });
    assert_eq!(bodies(&world, "dead").await, [expected]);
}

#[tokio::test]
async fn the_age_of_an_event_ends_its_retries() {
    let (world, log, bus, _) = failing(json!({ "MaxRetryAttempts": 185, "MaxEventAgeInSeconds": 60 })).await;
    publish_numbers(&world, &bus, [1]).await;
    world.advance(Duration::from_secs(120)).await;
    let record = &bodies(&world, "dead").await[0];
    assert_eq!(record["exhaustedRetryCondition"], "MaximumEventAgeInSeconds");
    let attempts = log.given.lock().unwrap().len();
    assert_eq!(record["retryAttempts"], attempts - 1);
}

#[tokio::test]
async fn what_no_retry_can_cure_is_retried_all_the_same() {
    let (world, bus) = world().await;
    let expression = "{% $number($events.Data.n & 'x') %}";
    let transformer = json!({ "Type": "JSONATA", "JsonataConfiguration": { "Expression": expression } });
    let changes = json!({ "Transformer": transformer, "OnFailureConfiguration": { "Arn": queue("dead") } });
    subscribe(&world, &bus, changes).await;
    publish_numbers(&world, &bus, [1]).await;
    assert!(bodies(&world, "dead").await.is_empty());
    world.advance(Duration::from_secs(300)).await;
    let record = &bodies(&world, "dead").await[0];
    assert_eq!((&record["errorCode"], &record["retryAttempts"]), (&json!("CUSTOMER_VALIDATION"), &json!(5)));
    let message = record["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("The expression {% $number"), "{message}");
}

#[tokio::test]
async fn without_retries_the_record_comes_at_once() {
    let (world, bus) = world().await;
    for (transformer, wanted) in [
        (
            json!({ "Type": "JSONATA", "JsonataConfiguration": { "Expression": "{% $events.Data.gone %}" } }),
            "comes to nothing",
        ),
        (json!({ "Type": "RAW" }), "NonExistentQueue"),
    ] {
        let changes = json!({
            "Name": wanted.replace(' ', "-"), "InvokeConfiguration": { "TargetArn": queue("gone") }, "Transformer": transformer,
            "RetryPolicy": { "MaxRetryAttempts": 0 }, "OnFailureConfiguration": { "Arn": queue("dead") },
        });
        let arn = subscribe(&world, &bus, changes).await;
        publish(&world, &bus, &[raw(&json!({ "n": 1 }))]).await;
        world.idle().await;
        let records = bodies(&world, "dead").await;
        assert_eq!((records.len(), &records[0]["retryAttempts"]), (1, &json!(0)), "{records:?}");
        world.ok("eventsv2", "DeleteSubscriber", json!({ "SubscriberArn": arn })).await;
    }
}
