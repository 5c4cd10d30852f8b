//! What happens when a target does not take its call.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::{World, mailbox};

use crate::flaky::{self, Log};
use crate::support::{ROLE, hours, make_queue, messages, minutes, queue, schedule, world};

async fn flaky_world(failures: u32) -> (World, Arc<Log>) {
    let log = Arc::new(Log::default());
    *log.failures.lock().unwrap() = failures;
    let services = Arc::clone(&log);
    let world =
        World::new(move || vec![scheduler::service(), mailbox::service(), flaky::service(&services)]).await;
    make_queue(&world, "dead").await;
    (world, log)
}

fn target(input: &str, retries: u32) -> Value {
    json!({
        "Arn": flaky::ARN, "Input": input,
        "RetryPolicy": { "MaximumRetryAttempts": retries },
        "DeadLetterConfig": { "Arn": queue("dead") },
    })
}

fn attributes(message: &Value) -> Value {
    let attributes = message["MessageAttributes"].as_object().unwrap();
    attributes.iter().map(|(name, value)| (name.clone(), value["StringValue"].clone())).collect()
}

#[tokio::test]
async fn a_call_that_fails_is_tried_again_and_then_buried() {
    for input in [r#"{"n":1}"#, r#"{"n":"<aws.scheduler.attempt-number>"}"#] {
        let (world, log) = flaky_world(10).await;
        let changes = json!({ "Target": target(input, 2), "ActionAfterCompletion": "DELETE" });
        world.ok("scheduler", "CreateSchedule", schedule("at(2026-01-01T01:00:00)", changes)).await;
        world.advance(hours(1)).await;
        let listed = world.ok("scheduler", "ListSchedules", json!({})).await;
        assert_eq!(listed["Schedules"].as_array().unwrap().len(), 1, "its call has not ended");
        world.advance(hours(24)).await;
        assert_eq!(world.ok("scheduler", "ListSchedules", json!({})).await["Schedules"], json!([]));
        let attempts = log.given.lock().unwrap().clone();
        let expected: Vec<String> =
            (1..=3).map(|n| input.replace("<aws.scheduler.attempt-number>", &n.to_string())).collect();
        assert_eq!(attempts, expected);
        let dead = messages(&world, "dead").await;
        assert_eq!(dead.len(), 1);
        assert_eq!(dead[0]["Body"], expected[2].as_str());
        let mut told = attributes(&dead[0]);
        assert_eq!(told["EXECUTION_ID"].take().as_str().unwrap().len(), 16);
        let expected = json!({
            "SCHEDULE_ARN": "arn:aws:scheduler:eu-central-1:000000000000:schedule/default/s",
            "TARGET_ARN": flaky::ARN,
            "SCHEDULED_TIME": "2026-01-01T01:00:00Z",
            "EXECUTION_ID": null,
            "IS_PAYLOAD_TRUNCATED": "false",
            "ERROR_CODE": "ServiceException",
            "ERROR_MESSAGE": "not now",
            "RETRY_ATTEMPTS": "2",
            "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        });
        assert_eq!(told, expected, "{input}");
    }
}

#[tokio::test]
async fn attempts_are_numbered_until_one_succeeds() {
    let (world, log) = flaky_world(2).await;
    let changes = json!({ "Target": target(r#"["<aws.scheduler.attempt-number>"]"#, 185) });
    world.ok("scheduler", "CreateSchedule", schedule("rate(12 hours)", changes)).await;
    world.advance(hours(13)).await;
    let given = log.given.lock().unwrap().clone();
    assert_eq!(given, [r#"["1"]"#, r#"["2"]"#, r#"["3"]"#, r#"["1"]"#]);
    assert_eq!(messages(&world, "dead").await.len(), 0);
}

#[tokio::test]
async fn a_target_that_is_gone_goes_to_the_dead_letters_at_once() {
    let world = world().await;
    make_queue(&world, "dead").await;
    let target = json!({ "Arn": queue("gone"), "DeadLetterConfig": { "Arn": queue("dead") } });
    world.ok("scheduler", "CreateSchedule", schedule("rate(1 day)", json!({ "Target": target }))).await;
    world.idle().await;
    let dead = messages(&world, "dead").await;
    let told = attributes(&dead[0]);
    assert_eq!((&told["ERROR_CODE"], &told["RETRY_ATTEMPTS"]), (&json!("QueueDoesNotExist"), &json!("0")));
    assert_eq!(told.get("EXHAUSTED_RETRY_CONDITION"), None);
}

#[tokio::test]
async fn a_universal_target_is_held_against_its_schema() {
    for (input, expected) in [(Some(r#"{"Name":"not a name"}"#), r#"{"Name":"not a name"}"#), (None, "{}")] {
        let world = world().await;
        make_queue(&world, "dead").await;
        let mut schedule = schedule("rate(1 day)", json!({}));
        schedule["Target"] = json!({
            "Arn": "arn:aws:scheduler:::aws-sdk:scheduler:createScheduleGroup", "RoleArn": ROLE,
            "DeadLetterConfig": { "Arn": queue("dead") }, "RetryPolicy": { "MaximumRetryAttempts": 0 },
        });
        if let Some(input) = input {
            schedule["Target"]["Input"] = input.into();
        }
        world.ok("scheduler", "CreateSchedule", schedule).await;
        world.idle().await;
        let dead = messages(&world, "dead").await;
        assert_eq!(attributes(&dead[0])["ERROR_CODE"], "ValidationException");
        assert_eq!(dead[0]["Body"], expected);
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_without_a_queue_is_kept_though_its_end_is_heard_of() {
    for input in ["plain", "attempt <aws.scheduler.attempt-number>"] {
        let world = world().await;
        let target = json!({
            "Arn": queue("gone"), "RoleArn": ROLE, "Input": input, "RetryPolicy": { "MaximumRetryAttempts": 0 },
        });
        let changes = json!({ "ActionAfterCompletion": "DELETE", "Target": target });
        let schedule = schedule("at(2026-01-01T00:10:00)", changes);
        world.ok("scheduler", "CreateSchedule", schedule).await;
        world.advance(minutes(20)).await;
        assert_eq!(world.ok("scheduler", "ListSchedules", json!({})).await["Schedules"], json!([]));
        let kept = world.kernel().undelivered(10).await.unwrap();
        assert_eq!(kept.len(), 1, "{input}");
        assert_eq!(kept[0].note.as_deref(), Some("schedule default/s"));
    }
}
