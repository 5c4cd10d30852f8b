//! What the operations answer.

use serde_json::{Value, json};

use crate::support::{ROLE, bodies, hours, minutes, queue, schedule, world};

#[tokio::test]
async fn a_schedule_is_shown_with_its_defaults() {
    let world = world().await;
    let made = world.ok("scheduler", "CreateSchedule", schedule("rate(5 minutes)", json!({}))).await;
    let arn = "arn:aws:scheduler:eu-central-1:000000000000:schedule/default/s";
    assert_eq!(made, json!({ "ScheduleArn": arn }));
    let shown = world.ok("scheduler", "GetSchedule", json!({ "Name": "s" })).await;
    let expected = json!({
        "Arn": arn, "GroupName": "default", "Name": "s", "ScheduleExpression": "rate(5 minutes)",
        "ScheduleExpressionTimezone": "UTC", "State": "ENABLED", "ActionAfterCompletion": "NONE",
        "CreationDate": 1_767_225_600, "LastModificationDate": 1_767_225_600,
        "FlexibleTimeWindow": { "Mode": "OFF" },
        "Target": {
            "Arn": queue("inbox"), "RoleArn": ROLE, "Input": "<aws.scheduler.scheduled-time>",
            "RetryPolicy": { "MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185 },
        },
    });
    assert_eq!(rounded(shown), expected);
    let listed = world.ok("scheduler", "ListSchedules", json!({})).await;
    assert_eq!(listed["Schedules"][0]["Target"], json!({ "Arn": queue("inbox") }));
}

/// Times as whole seconds, so that they compare.
fn rounded(mut shown: Value) -> Value {
    for name in ["CreationDate", "LastModificationDate"] {
        shown[name] = json!(shown[name].as_f64().unwrap() as i64);
    }
    shown
}

#[tokio::test]
async fn what_is_refused_is_refused_in_words() {
    let world = world().await;
    let past = 1_767_225_600 - 301;
    for (changes, message) in [
        (json!({ "ScheduleExpression": "rate(5 parsecs)" }), "Invalid Schedule Expression rate(5 parsecs)."),
        (
            json!({ "ScheduleExpression": "cron(0 12 * * * *)" }),
            "Invalid Schedule Expression cron(0 12 * * * *).",
        ),
        (
            json!({ "ScheduleExpressionTimezone": "Mars/Base" }),
            "Invalid Schedule Expression Timezone Mars/Base.",
        ),
        (json!({ "StartDate": past }), "The StartDate you specify cannot be earlier than 5 minutes ago."),
        (json!({ "EndDate": past }), "The EndDate you specify cannot be in the past."),
        (
            json!({ "KmsKeyArn": "arn:aws:kms:eu-central-1:000000000000:key/k" }),
            "KmsKeyArn is not implemented by Buswork",
        ),
        (
            json!({ "FlexibleTimeWindow": { "Mode": "FLEXIBLE" } }),
            "MaximumWindowInMinutes must be set when the Mode is FLEXIBLE.",
        ),
        (json!({ "Target": { "Arn": "nonsense" } }), "Provided Arn is not in correct format."),
        (json!({ "Target": { "Arn": queue("q.fifo") } }), "MessageGroupId is required for FIFO queues."),
        (
            json!({ "Target": { "Arn": "arn:aws:ecs:eu-central-1:000000000000:cluster/c" } }),
            "arn:aws:ecs:eu-central-1:000000000000:cluster/c as a target (served are those of sqs) is not implemented by Buswork",
        ),
        (
            json!({ "Target": { "EcsParameters": { "TaskDefinitionArn": "t" } } }),
            "EcsParameters is not implemented by Buswork",
        ),
        (
            json!({ "Target": { "Arn": "arn:aws:scheduler:::aws-sdk:sqs:receiveMessage" } }),
            "sqs:receiveMessage is not supported as a universal target: it is a read-only API.",
        ),
        (
            json!({ "Target": { "Arn": "arn:aws:scheduler:::aws-sdk:sqs:deleteQueue", "Input": "{}" } }),
            "deleteQueue is no API of sqs.",
        ),
        (
            json!({ "Target": { "Arn": "arn:aws:scheduler:::aws-sdk:glacier:createVault" } }),
            "glacier as a universal target is not implemented by Buswork",
        ),
        (json!({ "Target": { "DeadLetterConfig": { "Arn": queue("dead.fifo") } } }), ""),
    ] {
        let fault =
            world.refused("scheduler", "CreateSchedule", schedule("rate(1 day)", changes.clone())).await;
        assert_eq!(fault.code, "ValidationException", "{changes}");
        if !message.is_empty() {
            assert!(fault.message.eq_ignore_ascii_case(message), "{changes}: {}", fault.message);
        }
    }
    let fault = world.refused("scheduler", "GetSchedule", json!({ "Name": "x" })).await;
    assert_eq!((fault.code.as_ref(), fault.status), ("ResourceNotFoundException", 404));
    assert_eq!(fault.message, "Schedule x does not exist.");
    let input = schedule("rate(1 day)", json!({ "GroupName": "none" }));
    let fault = world.refused("scheduler", "CreateSchedule", input).await;
    assert_eq!(fault.message, "Schedule group none does not exist.");
}

#[tokio::test]
async fn a_token_makes_a_creation_repeatable() {
    let world = world().await;
    let with = |token: &str, expression: &str| schedule(expression, json!({ "ClientToken": token }));
    let first = world.ok("scheduler", "CreateSchedule", with("t", "rate(1 day)")).await;
    let again = world.ok("scheduler", "CreateSchedule", with("t", "rate(1 day)")).await;
    assert_eq!(first, again);
    for (token, expression) in [("u", "rate(1 day)"), ("t", "rate(2 days)")] {
        let fault = world.refused("scheduler", "CreateSchedule", with(token, expression)).await;
        assert_eq!((fault.code.as_ref(), fault.status), ("ConflictException", 409));
        assert_eq!(fault.message, "Schedule s already exists.");
    }
    let group = json!({ "Name": "g", "ClientToken": "t" });
    world.ok("scheduler", "CreateScheduleGroup", group.clone()).await;
    world.ok("scheduler", "CreateScheduleGroup", group).await;
    let fault =
        world.refused("scheduler", "CreateScheduleGroup", json!({ "Name": "g", "ClientToken": "u" })).await;
    assert_eq!(fault.message, "Schedule group g already exists.");
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let world = world().await;
    world.ok("scheduler", "CreateScheduleGroup", json!({ "Name": "g" })).await;
    for n in 0..7 {
        let state = if n % 2 == 0 { "ENABLED" } else { "DISABLED" };
        let group = if n < 5 { "default" } else { "g" };
        let changes = json!({ "Name": format!("job-{n}"), "State": state, "GroupName": group });
        world.ok("scheduler", "CreateSchedule", schedule("cron(0 0 1 1 ? *)", changes)).await;
    }
    let names = |answer: &Value| -> Vec<String> {
        let schedules = answer["Schedules"].as_array().unwrap();
        schedules.iter().map(|schedule| schedule["Name"].as_str().unwrap().to_owned()).collect()
    };
    for (filter, expected) in [
        (json!({}), vec!["job-0", "job-1", "job-2", "job-3", "job-4", "job-5", "job-6"]),
        (json!({ "GroupName": "g" }), vec!["job-5", "job-6"]),
        (json!({ "State": "DISABLED" }), vec!["job-1", "job-3", "job-5"]),
        (json!({ "NamePrefix": "job-3" }), vec!["job-3"]),
        (json!({ "NamePrefix": "job-6", "GroupName": "g", "State": "ENABLED" }), vec!["job-6"]),
    ] {
        assert_eq!(
            names(&world.ok("scheduler", "ListSchedules", filter.clone()).await),
            expected,
            "{filter}"
        );
        let (mut paged, mut input) = (Vec::new(), filter.clone());
        input["MaxResults"] = json!(2);
        loop {
            let answer = world.ok("scheduler", "ListSchedules", input.clone()).await;
            assert!(names(&answer).len() <= 2);
            paged.extend(names(&answer));
            if answer["NextToken"].is_null() {
                break;
            }
            input["NextToken"] = answer["NextToken"].clone();
        }
        assert_eq!(paged, expected, "{filter} in pages");
    }
    let fault = world.refused("scheduler", "ListSchedules", json!({ "NextToken": "x" })).await;
    assert_eq!(fault.code, "ValidationException");
    let groups = world.ok("scheduler", "ListScheduleGroups", json!({ "MaxResults": 1 })).await;
    assert_eq!(groups["ScheduleGroups"][0]["Name"], "default");
    let rest = json!({ "NextToken": groups["NextToken"] });
    let groups = world.ok("scheduler", "ListScheduleGroups", rest).await;
    assert_eq!((&groups["ScheduleGroups"][0]["Name"], &groups["NextToken"]), (&json!("g"), &Value::Null));
}

#[tokio::test]
async fn a_group_is_tagged_and_takes_its_schedules_with_it() {
    let world = world().await;
    let tags = json!([{ "Key": "team", "Value": "a" }]);
    let made = world.ok("scheduler", "CreateScheduleGroup", json!({ "Name": "g", "Tags": tags })).await;
    let arn = made["ScheduleGroupArn"].clone();
    assert_eq!(arn, "arn:aws:scheduler:eu-central-1:000000000000:schedule-group/g");
    let more = json!({ "ResourceArn": arn, "Tags": [{ "Key": "stage", "Value": "b" }] });
    world.ok("scheduler", "TagResource", more).await;
    world.ok("scheduler", "UntagResource", json!({ "ResourceArn": arn, "TagKeys": ["team"] })).await;
    let listed = world.ok("scheduler", "ListTagsForResource", json!({ "ResourceArn": arn })).await;
    assert_eq!(listed, json!({ "Tags": [{ "Key": "stage", "Value": "b" }] }));
    // More than one transaction removes.
    for n in 0..450 {
        let changes = json!({ "Name": format!("s{n}"), "GroupName": "g" });
        let input = schedule("cron(0/5 * * * ? *)", changes);
        world.ok("scheduler", "CreateSchedule", input).await;
    }
    world.ok("scheduler", "DeleteScheduleGroup", json!({ "Name": "g" })).await;
    world.advance(minutes(30)).await;
    let fault = world.refused("scheduler", "GetScheduleGroup", json!({ "Name": "g" })).await;
    assert_eq!(fault.message, "Schedule group g does not exist.");
    assert_eq!(world.ok("scheduler", "ListSchedules", json!({})).await["Schedules"], json!([]));
    assert_eq!(bodies(&world, "inbox").await, Vec::<String>::new());
    let fault = world.refused("scheduler", "DeleteScheduleGroup", json!({ "Name": "default" })).await;
    assert_eq!(fault.code, "ValidationException");
}

#[tokio::test]
async fn an_update_sets_everything_and_keeps_the_rhythm() {
    let world = world().await;
    world
        .ok("scheduler", "CreateSchedule", schedule("rate(10 minutes)", json!({ "Description": "d" })))
        .await;
    world.advance(minutes(13)).await;
    world.ok("scheduler", "UpdateSchedule", schedule("rate(10 minutes)", json!({}))).await;
    let shown = world.ok("scheduler", "GetSchedule", json!({ "Name": "s" })).await;
    assert_eq!(shown["Description"], Value::Null);
    world.advance(minutes(10)).await;
    let expected = ["2026-01-01T00:00:00Z", "2026-01-01T00:10:00Z", "2026-01-01T00:20:00Z"];
    assert_eq!(bodies(&world, "inbox").await, expected);
    world
        .ok("scheduler", "UpdateSchedule", schedule("rate(10 minutes)", json!({ "State": "DISABLED" })))
        .await;
    world.advance(hours(5)).await;
    assert_eq!(bodies(&world, "inbox").await, Vec::<String>::new());
    world.ok("scheduler", "UpdateSchedule", schedule("rate(10 minutes)", json!({}))).await;
    world.advance(minutes(10)).await;
    assert_eq!(bodies(&world, "inbox").await, ["2026-01-01T05:30:00Z"]);
    world.ok("scheduler", "UpdateSchedule", schedule("cron(0 12 * * ? *)", json!({}))).await;
    world.advance(hours(24)).await;
    assert_eq!(bodies(&world, "inbox").await, ["2026-01-01T12:00:00Z"]);
    world.ok("scheduler", "DeleteSchedule", json!({ "Name": "s" })).await;
    world.advance(hours(48)).await;
    assert_eq!(bodies(&world, "inbox").await, Vec::<String>::new());
    let fault = world.refused("scheduler", "UpdateSchedule", schedule("rate(1 day)", json!({}))).await;
    assert_eq!(fault.message, "Schedule s does not exist.");
}
