//! The delivery contract, a test for each of its rows: what is tried how long, and where it goes in the end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{DAY, DEAD, DOWN, HANGING, MINUTE, OUT, World, attribute};

fn pattern() -> Value {
    json!({ "source": ["a"] })
}

async fn world_with(target: Value) -> World {
    let world = World::new().await;
    let mut all = json!({ "Arn": DOWN, "DeadLetterConfig": { "Arn": DEAD } });
    all.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
    world.rule("r", pattern(), all).await;
    world
}

#[tokio::test]
async fn a_target_that_is_up_again_after_most_of_a_day_gets_the_event() {
    let world = world_with(json!({})).await;
    world.fail(u32::MAX);
    world.put("a", json!({ "x": 1 })).await;
    world.advance(DAY - 180 * MINUTE).await;
    assert!(world.attempts() > 100 && world.bodies("out").await.is_empty());
    world.fail(0);
    world.advance(30 * MINUTE).await;
    assert_eq!(world.bodies("out").await.len(), 1);
    assert!(world.messages("dead").await.is_empty());
}

#[tokio::test]
async fn after_185_retries_the_event_is_a_dead_letter_with_its_reasons() {
    let world = world_with(json!({})).await;
    world.fail(u32::MAX);
    world.put("a", json!({ "x": 1 })).await;
    world.advance(3 * DAY).await;
    let dead = world.messages("dead").await;
    assert_eq!(dead.len(), 1);
    let read = |name: &str| attribute(&dead[0], name);
    assert_eq!(read("RULE_ARN"), "arn:aws:events:eu-central-1:000000000000:rule/r");
    assert_eq!(read("TARGET_ARN"), DOWN);
    assert_eq!(read("ERROR_MESSAGE"), "down");
    let exhausted = read("EXHAUSTED_RETRY_CONDITION");
    let retries: u32 = read("RETRY_ATTEMPTS").as_str().unwrap().parse().unwrap();
    assert_eq!(world.attempts(), retries + 1);
    // Whichever limit comes first; the jitter decides.
    let expected = if retries == 185 { "MaximumRetryAttempts" } else { "MaximumEventAgeInSeconds" };
    assert!(exhausted == expected && (140..=185).contains(&retries), "{exhausted} after {retries}");
    let body: Value = serde_json::from_str(dead[0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(body["detail"], json!({ "x": 1 }), "the dead letter is the event");
}

#[tokio::test]
async fn the_number_of_retries_is_kept_to() {
    for retries in [0, 1, 185] {
        let policy = json!({ "MaximumRetryAttempts": retries, "MaximumEventAgeInSeconds": 86_400 });
        let world = world_with(json!({ "RetryPolicy": policy })).await;
        world.fail(u32::MAX);
        world.put("a", json!({})).await;
        world.advance(3 * DAY).await;
        let dead = world.messages("dead").await;
        assert_eq!(dead.len(), 1);
        if retries < 100 {
            assert_eq!(world.attempts(), retries + 1);
            assert_eq!(attribute(&dead[0], "RETRY_ATTEMPTS"), retries.to_string());
            assert_eq!(attribute(&dead[0], "EXHAUSTED_RETRY_CONDITION"), "MaximumRetryAttempts");
        }
    }
}

#[tokio::test]
async fn the_age_of_an_event_ends_its_retries_first() {
    let policy = json!({ "MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 60 });
    let world = world_with(json!({ "RetryPolicy": policy })).await;
    world.fail(u32::MAX);
    world.put("a", json!({})).await;
    world.advance(2 * MINUTE).await;
    let dead = world.messages("dead").await;
    assert_eq!(attribute(&dead[0], "EXHAUSTED_RETRY_CONDITION"), "MaximumEventAgeInSeconds");
    assert!((3..12).contains(&world.attempts()), "{}", world.attempts());
    let made = world.attempts();
    world.advance(DAY).await;
    assert_eq!(world.attempts(), made);
}

#[tokio::test]
async fn a_target_that_refuses_access_is_not_tried_again() {
    let world = world_with(json!({})).await;
    world.flaky.denied.store(true, Ordering::SeqCst);
    world.put("a", json!({})).await;
    world.advance(DAY).await;
    assert_eq!(world.attempts(), 1);
    let dead = world.messages("dead").await;
    assert_eq!(attribute(&dead[0], "ERROR_CODE"), "NO_PERMISSIONS");
    assert_eq!(attribute(&dead[0], "RETRY_ATTEMPTS"), "0");
    assert_eq!(attribute(&dead[0], "EXHAUSTED_RETRY_CONDITION"), Value::Null);
}

#[tokio::test]
async fn a_target_that_is_gone_is_not_tried_again() {
    let world = World::new().await;
    let gone = "arn:aws:sqs:eu-central-1:000000000000:gone";
    world.rule("r", pattern(), json!({ "Arn": gone, "DeadLetterConfig": { "Arn": DEAD } })).await;
    world.put("a", json!({})).await;
    world.world.idle().await;
    let dead = world.messages("dead").await;
    assert_eq!(attribute(&dead[0], "ERROR_CODE"), "NO_RESOURCE");
    assert_eq!(attribute(&dead[0], "TARGET_ARN"), gone);
}

#[tokio::test]
async fn retries_go_on_where_they_were_when_the_process_dies_between_them() {
    let mut world = world_with(
        json!({ "RetryPolicy": { "MaximumRetryAttempts": 12, "MaximumEventAgeInSeconds": 86_400 } }),
    )
    .await;
    world.fail(u32::MAX);
    world.put("a", json!({})).await;
    for _ in 0..20 {
        world.advance(7 * MINUTE).await;
        world.world.crash().await;
    }
    assert_eq!(world.attempts(), 13, "crashes neither add nor take attempts");
    let dead = world.messages("dead").await;
    assert_eq!((dead.len(), attribute(&dead[0], "RETRY_ATTEMPTS")), (1, json!("12")));

    let mut world = world_with(json!({})).await;
    world.fail(5);
    world.put("a", json!({ "n": 1 })).await;
    for _ in 0..8 {
        world.world.crash().await;
        world.advance(MINUTE).await;
    }
    assert_eq!(world.bodies("out").await.len(), 1);
    assert!(world.messages("dead").await.is_empty());
}

#[tokio::test]
async fn a_target_that_hangs_delays_no_other() {
    let world = World::new().await;
    world.rule("stuck", pattern(), json!({ "Arn": HANGING })).await;
    world.rule("free", pattern(), json!({ "Arn": OUT })).await;
    for n in 0..200 {
        world.put("a", json!({ "n": n })).await;
    }
    // The runner never comes to rest while a target hangs, so the queue is looked at until all is there.
    let mut arrived = 0;
    while arrived < 200 {
        tokio::task::yield_now().await;
        arrived += world.messages("out").await.len();
    }
    assert_eq!(arrived, 200);
    // The lane of the target that hangs is full, and no more than full.
    assert!(world.attempts() <= 128, "{}", world.attempts());
    while world.attempts() < 200 || !world.messages("out").await.is_empty() {
        world.flaky.released.notify_waiters();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn waits_grow_and_differ() {
    let world = world_with(json!({})).await;
    world.fail(u32::MAX);
    world.put("a", json!({})).await;
    let mut after = Vec::new();
    for _ in 0..40 {
        world.advance(Duration::from_secs(10)).await;
        after.push(world.attempts());
    }
    let first_minute = after[5];
    let last_minute = after[39] - after[33];
    assert!(first_minute >= 5 && last_minute <= 2, "{after:?}");
}

#[tokio::test]
async fn events_of_one_source_execution_stay_in_order_through_retries_and_crashes() {
    let mut world = World::new().await;
    world.rule("r", json!({ "source": ["aws.states"] }), json!({ "Arn": DOWN })).await;
    world.fail(3);
    for n in 0..6 {
        world
            .emit(json!({ "source": "aws.states", "detail-type": "T", "detail": { "n": n }, "order": "e1" }))
            .await;
    }
    world.world.crash().await;
    world.advance(5 * MINUTE).await;
    let order: Vec<Value> =
        world.bodies("out").await.iter().map(|body| body["detail"]["n"].clone()).collect();
    assert_eq!(order, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_bus_has_a_dead_letter_queue_for_targets_without_one() {
    let world = World::new().await;
    world.ok("UpdateEventBus", json!({ "DeadLetterConfig": { "Arn": DEAD } })).await;
    world.rule("r", pattern(), json!({ "Arn": DOWN, "RetryPolicy": { "MaximumRetryAttempts": 0 } })).await;
    world.fail(1);
    world.put("a", json!({ "x": 1 })).await;
    world.world.idle().await;
    let dead = world.messages("dead").await;
    assert_eq!((dead.len(), attribute(&dead[0], "TARGET_ARN")), (1, json!(DOWN)));
    let bus = world.ok("DescribeEventBus", json!({})).await;
    assert_eq!(bus["DeadLetterConfig"]["Arn"], DEAD);
}

/// Rules `r00` to `r<n>` on the default bus, each with five targets.
async fn fan_out(world: &World, rules: usize) {
    for n in 0..rules {
        let name = format!("r{n:02}");
        world.ok("PutRule", json!({ "Name": name, "EventPattern": r#"{"source":["a"]}"# })).await;
        let targets: Vec<Value> = (0..5).map(|t| json!({ "Id": format!("t{t}"), "Arn": OUT })).collect();
        world.ok("PutTargets", json!({ "Rule": name, "Targets": targets })).await;
    }
}

#[tokio::test]
async fn an_event_goes_to_more_targets_than_a_commit_takes() {
    let world = World::new().await;
    fan_out(&world, 10).await;
    let id = world.put("a", json!({ "text": "x".repeat(900_000) })).await;
    let bodies = world.bodies("out").await;
    assert_eq!(bodies.len(), 50);
    assert!(bodies.iter().all(|body| body["id"] == id.as_str()));
    // Sent again, it goes to all of them once more; one target of one rule is one delivery.
    let sent = world.ask(events::REDELIVER, json!({ "EventId": id })).await;
    assert_eq!(sent["Deliveries"].as_array().unwrap().len(), 50);
    assert_eq!(world.bodies("out").await.len(), 50);
}

#[tokio::test]
async fn a_request_with_many_events_goes_to_more_targets_than_a_commit_takes() {
    let world = World::new().await;
    fan_out(&world, 4).await;
    let entry = |n: usize| json!({ "Source": "a", "DetailType": "T", "Detail": json!({ "n": n, "text": "\"".repeat(45_000) }).to_string() });
    let put = json!({ "Entries": (0..10).map(entry).collect::<Vec<_>>() });
    assert_eq!(world.ok("PutEvents", put).await["FailedEntryCount"], 0);
    let mut seen = [0; 10];
    for body in world.bodies("out").await {
        seen[body["detail"]["n"].as_u64().unwrap() as usize] += 1;
    }
    assert_eq!(seen, [20; 10]);
}

#[tokio::test]
async fn an_event_that_comes_late_does_not_hold_up_the_sweep() {
    let world = World::new().await;
    let hours = |n: u32| MINUTE * 60 * n;
    let old = world.put("a", json!({})).await;
    let then = world.now().as_millis();
    world.advance(hours(26)).await;
    world.put("b", json!({})).await;
    world.advance(hours(12)).await;
    let late = json!({
        "id": old, "source": "aws.x", "detail_type": "Late", "resources": [], "time": then, "detail": "{}", "order": null,
    });
    world.ask("PublishServiceEvent", late).await;
    world.advance(hours(14)).await;
    let kept = world.ask(events::SEARCH, json!({})).await;
    let sources: Vec<&str> =
        kept["Events"].as_array().unwrap().iter().map(|event| event["Source"].as_str().unwrap()).collect();
    assert_eq!(sources, ["aws.x"]);
}
