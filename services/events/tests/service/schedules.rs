//! Rules with a schedule, and with a schedule and a pattern.

use serde_json::{Value, json};

use crate::world::{DAY, MINUTE, World};

async fn scheduled(world: &World, expression: &str) {
    world.ok("PutRule", json!({ "Name": "s", "ScheduleExpression": expression })).await;
    world.target("s", json!({})).await;
}

fn times(bodies: &[Value]) -> Vec<&str> {
    bodies.iter().map(|body| body["time"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_scheduled_rule_sends_an_event_of_its_own_to_its_targets() {
    let world = World::new().await;
    world.rule("all", json!({ "source": ["aws.events"] }), json!({ "Id": "x" })).await;
    scheduled(&world, "rate(5 minutes)").await;
    world.advance(16 * MINUTE).await;
    let bodies = world.bodies("out").await;
    assert_eq!(times(&bodies), ["2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z", "2026-01-01T00:15:00Z"]);
    let arn = "arn:aws:events:eu-central-1:000000000000:rule/s";
    assert_eq!(
        (&bodies[0]["source"], &bodies[0]["detail-type"]),
        (&json!("aws.events"), &json!("Scheduled Event"))
    );
    assert_eq!((&bodies[0]["resources"], &bodies[0]["detail"]), (&json!([arn]), &json!({})));
    let explained = world.ask(events::EXPLAIN, json!({ "id": bodies[0]["id"] })).await;
    assert_eq!(
        (&explained["rules"][0]["name"], &explained["rules"][0]["verdict"]),
        (&json!("s"), &json!("Matched"))
    );
    assert_eq!(explained["rules"].as_array().unwrap().len(), 1);
    let rule = world.ok("DescribeRule", json!({ "Name": "s" })).await;
    assert_eq!(rule["ScheduleExpression"], "rate(5 minutes)");
}

#[tokio::test]
async fn a_schedule_does_not_drift_over_a_year() {
    let mut world = World::new().await;
    scheduled(&world, "cron(30 12 * * ? *)").await;
    for _ in 0..12 {
        world.advance(DAY * 365 / 12).await;
        world.world.crash().await;
    }
    let bodies = world.bodies("out").await;
    assert_eq!(bodies.len(), 365);
    assert!(times(&bodies).iter().all(|time| time.ends_with("T12:30:00Z")));
    world.ok("PutRule", json!({ "Name": "s", "ScheduleExpression": "rate(7 hours)" })).await;
    world.advance(DAY * 70).await;
    let bodies = world.bodies("out").await;
    assert_eq!((bodies.len(), times(&bodies)[239]), (240, "2027-03-12T00:00:00Z"));
}

#[tokio::test]
async fn what_falls_due_during_downtime_happens_once() {
    let mut world = World::new().await;
    scheduled(&world, "rate(10 minutes)").await;
    world.world.kernel().halt().await;
    world.world.clock().set(world.now() + 65 * MINUTE);
    world.world.restart().await;
    let bodies = world.bodies("out").await;
    assert_eq!(times(&bodies), ["2026-01-01T00:10:00Z"]);
    world.advance(10 * MINUTE).await;
    assert_eq!(times(&world.bodies("out").await), ["2026-01-01T01:10:00Z"], "the rhythm stays");
}

#[tokio::test]
async fn a_changed_disabled_or_deleted_schedule_does_not_fire() {
    let world = World::new().await;
    scheduled(&world, "rate(10 minutes)").await;
    world.advance(5 * MINUTE).await;
    world.ok("PutRule", json!({ "Name": "s", "ScheduleExpression": "rate(1 hour)" })).await;
    world.advance(50 * MINUTE).await;
    assert!(world.bodies("out").await.is_empty());
    world.advance(10 * MINUTE).await;
    assert_eq!(world.bodies("out").await.len(), 1);
    world.ok("DisableRule", json!({ "Name": "s" })).await;
    world.advance(DAY).await;
    assert!(world.bodies("out").await.is_empty());
    world.ok("EnableRule", json!({ "Name": "s" })).await;
    world
        .ok("PutRule", json!({ "Name": "s", "ScheduleExpression": "rate(1 hour)", "Description": "same" }))
        .await;
    world.advance(60 * MINUTE).await;
    assert_eq!(world.bodies("out").await.len(), 1, "one timer, not two");
    world.ok("RemoveTargets", json!({ "Rule": "s", "Ids": ["t"] })).await;
    world.ok("DeleteRule", json!({ "Name": "s" })).await;
    world.advance(DAY).await;
    assert!(world.bodies("out").await.is_empty());
}

#[tokio::test]
async fn a_rule_may_have_a_schedule_and_a_pattern() {
    let world = World::new().await;
    let put =
        json!({ "Name": "s", "ScheduleExpression": "rate(1 hour)", "EventPattern": "{\"source\":[\"a\"]}" });
    world.ok("PutRule", put).await;
    world.target("s", json!({})).await;
    world.put("a", json!({})).await;
    world.advance(61 * MINUTE).await;
    let sources: Vec<Value> = world.bodies("out").await.iter().map(|body| body["source"].clone()).collect();
    assert_eq!(sources, ["a", "aws.events"]);
}

#[tokio::test]
async fn schedules_that_aws_refuses_are_refused() {
    let world = World::new().await;
    world.ok("CreateEventBus", json!({ "Name": "second" })).await;
    for expression in [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "cron(* * * * *)",
        "at(2027-01-01T00:00:00)",
        "soon",
    ] {
        let (code, message) =
            world.refused("PutRule", json!({ "Name": "s", "ScheduleExpression": expression })).await;
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("ValidationException", "Parameter ScheduleExpression is not valid."),
            "{expression}"
        );
    }
    let (_, message) = world
        .refused(
            "PutRule",
            json!({ "Name": "s", "ScheduleExpression": "rate(1 hour)", "EventBusName": "second" }),
        )
        .await;
    assert_eq!(message, "ScheduleExpression is supported only on the default event bus.");
}

#[tokio::test]
async fn only_rules_that_ask_for_it_see_what_cloudtrail_says_of_reads() {
    let world = World::new().await;
    let pattern = "{\"source\":[\"aws.s3\"]}";
    world.ok("PutRule", json!({ "Name": "plain", "EventPattern": pattern })).await;
    world.target("plain", json!({})).await;
    let state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";
    world.ok("PutRule", json!({ "Name": "all", "EventPattern": pattern, "State": state })).await;
    world.target("all", json!({ "Input": "\"all\"" })).await;
    let report = |read: bool| json!({ "source": "aws.s3", "detail-type": "AWS API Call via CloudTrail", "detail": { "readOnly": read } });
    world.emit(report(true)).await;
    assert_eq!(world.bodies("out").await, [json!("all")]);
    world.emit(report(false)).await;
    assert_eq!(world.bodies("out").await.len(), 2);
    assert_eq!(world.ok("DescribeRule", json!({ "Name": "all" })).await["State"], state);
}
