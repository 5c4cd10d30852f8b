//! What the members of inputs do, for each operation that has them.

use serde_json::{Value, json};
use testkit::World;

use crate::support::{bodies, hours, make_queue, queue, schedule, world};

const START: i64 = 1_767_225_600;

/// A world whose group `g` and second queue schedules may name.
async fn furnished() -> World {
    let world = world().await;
    world.ok("scheduler", "CreateScheduleGroup", json!({ "Name": "g" })).await;
    make_queue(&world, "other").await;
    make_queue(&world, "in.fifo").await;
    world
}

fn is_same(one: &Value, other: &Value) -> bool {
    one == other || one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| (one - other).abs() < 0.001)
}

/// Settings, where `GetSchedule` shows them, and as what.
fn settings() -> Vec<(Value, &'static str, Value)> {
    let other = "arn:aws:iam::000000000000:role/other";
    let fifo = json!({ "Arn": queue("in.fifo"), "SqsParameters": { "MessageGroupId": "m" } });
    let (start, end) = (START + 3_600, START + 7_200);
    vec![
        (json!({ "ScheduleExpression": "rate(7 days)" }), "/ScheduleExpression", json!("rate(7 days)")),
        (json!({ "StartDate": start }), "/StartDate", json!(start)),
        (json!({ "EndDate": end }), "/EndDate", json!(end)),
        (json!({ "Description": "d" }), "/Description", json!("d")),
        (
            json!({ "ScheduleExpressionTimezone": "Asia/Tokyo" }),
            "/ScheduleExpressionTimezone",
            json!("Asia/Tokyo"),
        ),
        (json!({ "State": "DISABLED" }), "/State", json!("DISABLED")),
        (json!({ "ActionAfterCompletion": "DELETE" }), "/ActionAfterCompletion", json!("DELETE")),
        (
            json!({ "FlexibleTimeWindow": { "Mode": "FLEXIBLE", "MaximumWindowInMinutes": 9 } }),
            "/FlexibleTimeWindow",
            json!({ "Mode": "FLEXIBLE", "MaximumWindowInMinutes": 9 }),
        ),
        (json!({ "Target": { "Arn": queue("other") } }), "/Target/Arn", json!(queue("other"))),
        (json!({ "Target": { "RoleArn": other } }), "/Target/RoleArn", json!(other)),
        (json!({ "Target": { "Input": "x" } }), "/Target/Input", json!("x")),
        (
            json!({ "Target": { "DeadLetterConfig": { "Arn": queue("other") } } }),
            "/Target/DeadLetterConfig/Arn",
            json!(queue("other")),
        ),
        (
            json!({ "Target": { "RetryPolicy": { "MaximumRetryAttempts": 3 } } }),
            "/Target/RetryPolicy/MaximumRetryAttempts",
            json!(3),
        ),
        (
            json!({ "Target": { "RetryPolicy": { "MaximumEventAgeInSeconds": 61 } } }),
            "/Target/RetryPolicy/MaximumEventAgeInSeconds",
            json!(61),
        ),
        (json!({ "Target": fifo }), "/Target/SqsParameters/MessageGroupId", json!("m")),
    ]
}

#[tokio::test]
async fn what_is_set_is_shown_whichever_operation_has_set_it() {
    for operation in ["CreateSchedule", "UpdateSchedule"] {
        let world = furnished().await;
        for (number, (changes, path, expected)) in settings().into_iter().enumerate() {
            let name = json!({ "Name": format!("s{number}") });
            let mut input = schedule("rate(1 day)", name.clone());
            if operation == "UpdateSchedule" {
                world.ok("scheduler", "CreateSchedule", input.clone()).await;
            }
            crate::support::merge(&mut input, changes);
            world.ok("scheduler", operation, input).await;
            let shown = world.ok("scheduler", "GetSchedule", name).await;
            let found = shown.pointer(path).unwrap_or(&Value::Null);
            assert!(is_same(found, &expected), "{operation} {path}: {found}");
        }
    }
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_name_by_both_operations() {
    let world = furnished().await;
    world.ok("scheduler", "CreateSchedule", schedule("rate(1 day)", json!({ "Name": "there" }))).await;
    for (operation, name) in [("CreateSchedule", "new"), ("UpdateSchedule", "there")] {
        let key = "arn:aws:kms:eu-central-1:000000000000:key/k";
        for (part, changes) in [
            ("KmsKeyArn", json!({ "KmsKeyArn": key })),
            ("EcsParameters", json!({ "Target": { "EcsParameters": { "TaskDefinitionArn": "t" } } })),
            ("KinesisParameters", json!({ "Target": { "KinesisParameters": { "PartitionKey": "k" } } })),
            ("SageMakerPipelineParameters", json!({ "Target": { "SageMakerPipelineParameters": {} } })),
            (
                "EventBridgePutEventsV2Parameters",
                json!({ "Target": { "EventBridgePutEventsV2Parameters": { "Source": "s", "DetailType": "t" } } }),
            ),
            (
                "EventBridgePutRawEventsParameters",
                json!({ "Target": { "EventBridgePutRawEventsParameters": {} } }),
            ),
        ] {
            let mut input = schedule("rate(1 day)", json!({ "Name": name }));
            crate::support::merge(&mut input, changes);
            let fault = world.refused("scheduler", operation, input).await;
            assert_eq!(fault.message, format!("{part} is not implemented by Buswork"), "{operation}");
        }
    }
}

#[tokio::test]
async fn a_group_name_says_which_schedule_is_meant() {
    let world = furnished().await;
    let (own, grouped) = (json!({ "Name": "s" }), json!({ "Name": "s", "GroupName": "g" }));
    let mut described = grouped.clone();
    described["Description"] = json!("of g");
    world.ok("scheduler", "CreateSchedule", schedule("at(2026-01-01T05:00:00)", own.clone())).await;
    world.ok("scheduler", "CreateSchedule", schedule("at(2026-01-01T06:00:00)", described)).await;
    let shown = world.ok("scheduler", "GetSchedule", grouped.clone()).await;
    assert_eq!(shown["Description"], "of g");
    world.ok("scheduler", "UpdateSchedule", schedule("at(2026-01-01T07:00:00)", grouped.clone())).await;
    let expression = async |which: &Value| {
        world.ok("scheduler", "GetSchedule", which.clone()).await["ScheduleExpression"].clone()
    };
    assert_eq!(expression(&grouped).await, "at(2026-01-01T07:00:00)");
    assert_eq!(expression(&own).await, "at(2026-01-01T05:00:00)");
    world.ok("scheduler", "DeleteSchedule", grouped.clone()).await;
    world.refused("scheduler", "GetSchedule", grouped).await;
    world.advance(hours(8)).await;
    assert_eq!(bodies(&world, "inbox").await, ["2026-01-01T05:00:00Z"]);
}

#[tokio::test]
async fn a_repeated_deletion_answers_as_the_first_one_did() {
    let world = furnished().await;
    world.ok("scheduler", "CreateSchedule", schedule("rate(1 day)", json!({}))).await;
    for (operation, name) in [("DeleteSchedule", "s"), ("DeleteScheduleGroup", "g")] {
        let with = |token: &str| json!({ "Name": name, "ClientToken": token });
        world.ok("scheduler", operation, with("t")).await;
        world.ok("scheduler", operation, with("t")).await;
        let fault = world.refused("scheduler", operation, with("u")).await;
        assert_eq!(fault.code, "ResourceNotFoundException", "{operation}");
    }
    world.advance(hours(24)).await;
    let fault =
        world.refused("scheduler", "DeleteSchedule", json!({ "Name": "s", "ClientToken": "t" })).await;
    assert_eq!(fault.code, "ResourceNotFoundException", "a day later it is forgotten");
}

#[tokio::test]
async fn a_repeated_update_changes_nothing() {
    let world = furnished().await;
    world.ok("scheduler", "CreateSchedule", schedule("rate(1 day)", json!({}))).await;
    let with = |token: &str, text: &str| {
        schedule("rate(1 day)", json!({ "ClientToken": token, "Description": text }))
    };
    let modified = async || {
        world.ok("scheduler", "GetSchedule", json!({ "Name": "s" })).await["LastModificationDate"].clone()
    };
    world.ok("scheduler", "UpdateSchedule", with("t", "d")).await;
    let first = modified().await;
    world.advance(hours(1)).await;
    world.ok("scheduler", "UpdateSchedule", with("t", "d")).await;
    assert_eq!(modified().await, first);
    let fault = world.refused("scheduler", "UpdateSchedule", with("t", "e")).await;
    assert_eq!((fault.code.as_ref(), fault.status), ("ConflictException", 409));
    world.ok("scheduler", "UpdateSchedule", with("u", "d")).await;
    assert_ne!(modified().await, first);
}

#[tokio::test]
async fn groups_are_listed_by_prefix_in_pages() {
    let world = furnished().await;
    for name in ["job-a", "job-b"] {
        world.ok("scheduler", "CreateScheduleGroup", json!({ "Name": name })).await;
    }
    let page = json!({ "NamePrefix": "job-", "MaxResults": 1 });
    let first = world.ok("scheduler", "ListScheduleGroups", page.clone()).await;
    let mut next = page;
    next["NextToken"] = first["NextToken"].clone();
    let second = world.ok("scheduler", "ListScheduleGroups", next).await;
    let name = |answer: &Value| answer["ScheduleGroups"][0]["Name"].clone();
    assert_eq!((name(&first), name(&second)), (json!("job-a"), json!("job-b")));
    assert!(second["NextToken"].is_null());
    let shown = world.ok("scheduler", "GetScheduleGroup", json!({ "Name": "job-b" })).await;
    assert_eq!((&shown["Name"], &shown["State"]), (&json!("job-b"), &json!("ACTIVE")));
}
