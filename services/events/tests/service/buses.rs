//! Buses: their settings, their policies, and what targets of rules must be.

use base::{AccountId, Region};
use kernel::Caller;
use serde_json::{Value, json};

use crate::world::{DEAD, OUT, World};

const OTHER: &str = "111111111111";

/// Puts an event of `source` onto the bus as another account does.
async fn put_as_other(world: &World, source: &str) -> Value {
    let bus = "arn:aws:events:eu-central-1:000000000000:event-bus/shared";
    let caller = Caller::root_user(
        AccountId::parse(OTHER).unwrap(),
        Region::parse("eu-central-1").unwrap(),
        world.world.kernel().new_id(),
    );
    let entry = json!({ "Source": source, "DetailType": "T", "Detail": "{}", "EventBusName": bus });
    let put = json!({ "Entries": [entry] });
    world.world.call_as(caller, "events", "PutEvents", put).await.unwrap()["Entries"][0].clone()
}

#[tokio::test]
async fn a_policy_says_which_other_accounts_may_send_events() {
    let world = World::new().await;
    world.ok("CreateEventBus", json!({ "Name": "shared" })).await;
    assert!(
        put_as_other(&world, "a").await["EventId"].is_string(),
        "a bus without a policy is open in this server"
    );
    let permit = |id: &str, principal: &str| json!({ "EventBusName": "shared", "StatementId": id, "Principal": principal, "Action": "events:PutEvents" });
    world.ok("PutPermission", permit("one", "222222222222")).await;
    let refused = put_as_other(&world, "a").await;
    assert_eq!(refused["ErrorCode"], "AccessDeniedException");
    world.ok("PutPermission", permit("two", OTHER)).await;
    assert!(put_as_other(&world, "a").await["EventId"].is_string());
    let bus = world.ok("DescribeEventBus", json!({ "Name": "shared" })).await;
    let policy: Value = serde_json::from_str(bus["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"][1]["Principal"]["AWS"], "arn:aws:iam::111111111111:root");
    world.ok("RemovePermission", json!({ "EventBusName": "shared", "StatementId": "two" })).await;
    assert_eq!(put_as_other(&world, "a").await["ErrorCode"], "AccessDeniedException");
    let missing = json!({ "EventBusName": "shared", "StatementId": "two" });
    assert_eq!(world.refused("RemovePermission", missing).await.0, "ResourceNotFoundException");
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "s", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*",
        "Condition": { "StringEquals": { "events:source": "mine" } },
    }] });
    world.ok("PutPermission", json!({ "EventBusName": "shared", "Policy": policy.to_string() })).await;
    assert!(put_as_other(&world, "mine").await["EventId"].is_string());
    assert_eq!(put_as_other(&world, "yours").await["ErrorCode"], "AccessDeniedException");
    world.ok("RemovePermission", json!({ "EventBusName": "shared", "RemoveAllPermissions": true })).await;
    assert!(put_as_other(&world, "yours").await["EventId"].is_string());
    let condition = json!({ "Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1" });
    let mut input = permit("org", "*");
    input["Condition"] = condition;
    let (_, message) = world.refused("PutPermission", input).await;
    assert!(message.contains("aws:PrincipalOrgID"), "{message}");
}

#[tokio::test]
async fn a_policy_holds_for_events_from_buses_of_other_accounts() {
    let world = World::new().await;
    world.ok("CreateEventBus", json!({ "Name": "shared" })).await;
    world.ok("PutPermission", json!({ "EventBusName": "shared", "StatementId": "s", "Principal": OTHER, "Action": "events:PutEvents" })).await;
    let shared = "arn:aws:events:eu-central-1:000000000000:event-bus/shared";
    for (account, arrived) in [(OTHER, 1), ("333333333333", 1)] {
        let caller = || {
            let account = AccountId::parse(account).unwrap();
            Caller::root_user(account, Region::parse("us-east-1").unwrap(), world.world.kernel().new_id())
        };
        let call =
            |operation: &'static str, input: Value| world.world.call_as(caller(), "events", operation, input);
        call("PutRule", json!({ "Name": "f", "EventPattern": "{\"source\":[\"a\"]}" })).await.unwrap();
        call("PutTargets", json!({ "Rule": "f", "Targets": [{ "Id": "t", "Arn": shared }] })).await.unwrap();
        let entry = json!({ "Source": "a", "DetailType": "T", "Detail": "{}" });
        call("PutEvents", json!({ "Entries": [entry] })).await.unwrap();
        world.world.idle().await;
        let found = world.ask(events::SEARCH, json!({ "EventBusName": "shared" })).await;
        let found = found["Events"].as_array().unwrap().clone();
        assert_eq!(found.len(), arrived, "{account}");
        assert_eq!((&found[0]["Account"], &found[0]["Region"]), (&json!(OTHER), &json!("us-east-1")));
    }
}

#[tokio::test]
async fn settings_of_a_bus_are_kept_and_changed() {
    let world = World::new().await;
    let log = json!({ "Level": "INFO", "IncludeDetail": "FULL" });
    let input = json!({ "Name": "b", "Description": "d", "DeadLetterConfig": { "Arn": DEAD }, "LogConfig": log,
        "Tags": [{ "Key": "k", "Value": "v" }] });
    let made = world.ok("CreateEventBus", input).await;
    assert_eq!((&made["LogConfig"], &made["DeadLetterConfig"]["Arn"]), (&log, &json!(DEAD)));
    let arn = made["EventBusArn"].clone();
    assert_eq!(world.ok("ListTagsForResource", json!({ "ResourceARN": arn })).await["Tags"][0]["Value"], "v");
    world.ok("UpdateEventBus", json!({ "Name": "b", "Description": "e", "DeadLetterConfig": {}, "LogConfig": { "Level": "OFF" } })).await;
    let shown = world.ok("DescribeEventBus", json!({ "Name": "b" })).await;
    assert_eq!((&shown["Description"], &shown["LogConfig"]["Level"]), (&json!("e"), &json!("OFF")));
    assert!(shown.get("DeadLetterConfig").is_none());
    for (input, part) in [
        (json!({ "Name": "x", "KmsKeyIdentifier": "k" }), "KmsKeyIdentifier"),
        (json!({ "Name": "x", "EventSourceName": "aws.partner/example.com/a" }), "EventSourceName"),
        (
            json!({ "Name": "x", "DeadLetterConfig": { "Arn": "arn:aws:sns:eu-central-1:000000000000:t" } }),
            "no standard SQS queue",
        ),
        (json!({ "Name": "a/b" }), "'/'"),
    ] {
        let (code, message) = world.refused("CreateEventBus", input).await;
        assert!(code == "ValidationException" && message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn quotas_are_kept_to() {
    let world = World::new().await;
    for n in 0..100 {
        world.ok("CreateEventBus", json!({ "Name": format!("b{n}") })).await;
    }
    assert_eq!(world.refused("CreateEventBus", json!({ "Name": "more" })).await.0, "LimitExceededException");
    let long = format!("{{\"source\":[\"{}\"]}}", "x".repeat(2_048));
    let (code, _) = world.refused("PutRule", json!({ "Name": "r", "EventPattern": long })).await;
    assert_eq!(code, "InvalidEventPatternException");
}

#[tokio::test]
async fn parameters_go_with_the_targets_they_are_of() {
    let world = World::new().await;
    world.ok("PutRule", json!({ "Name": "r", "EventPattern": "{\"source\":[\"a\"]}" })).await;
    let fifo = "arn:aws:sqs:eu-central-1:000000000000:q.fifo";
    let bus = "arn:aws:events:eu-central-1:000000000000:event-bus/default";
    for (target, message) in [
        (json!({ "Id": "t", "Arn": fifo }), "Parameter(s) SqsParameters must be specified for target: t."),
        (
            json!({ "Id": "t", "Arn": bus, "SqsParameters": { "MessageGroupId": "g" } }),
            "Parameter(s) SqsParameters not valid for target: t.",
        ),
        (
            json!({ "Id": "t", "Arn": OUT, "HttpParameters": {} }),
            "Parameter(s) HttpParameters not valid for target: t.",
        ),
        (
            json!({ "Id": "t", "Arn": OUT, "RoleArn": "nonsense" }),
            "Parameter RoleArn is not valid. Reason: RoleArn is not in correct format.",
        ),
    ] {
        assert_eq!(world.refused("PutTargets", json!({ "Rule": "r", "Targets": [target] })).await.1, message);
    }
    for (name, value) in [
        (
            "EcsParameters",
            json!({ "TaskDefinitionArn": "arn:aws:ecs:eu-central-1:000000000000:task-definition/x" }),
        ),
        ("KinesisParameters", json!({ "PartitionKeyPath": "$" })),
        ("RunCommandParameters", json!({ "RunCommandTargets": [{ "Key": "k", "Values": ["v"] }] })),
        ("BatchParameters", json!({ "JobDefinition": "d", "JobName": "n" })),
        ("RedshiftDataParameters", json!({ "Database": "d" })),
        ("SageMakerPipelineParameters", json!({})),
        ("AppSyncParameters", json!({})),
    ] {
        let mut target = json!({ "Id": "t", "Arn": OUT });
        target[name] = value;
        let (code, message) = world.refused("PutTargets", json!({ "Rule": "r", "Targets": [target] })).await;
        assert!(code == "ValidationException" && message.starts_with(name), "{name}: {message}");
    }
    world.ok("CreateEventBus", json!({ "Name": "second" })).await;
    let role = "arn:aws:iam::000000000000:role/x";
    world.ok("PutRule", json!({ "Name": "r", "EventPattern": "{\"source\":[\"a\"]}", "RoleArn": role, "Description": "d" })).await;
    let shown = world.ok("DescribeRule", json!({ "Name": "r" })).await;
    assert_eq!((&shown["RoleArn"], &shown["Description"]), (&json!(role), &json!("d")));
}

#[tokio::test]
async fn a_fifo_queue_gets_its_message_group() {
    let world = World::new().await;
    world.world.ok("sqs", "CreateQueue", json!({ "QueueName": "q.fifo" })).await;
    let fifo = "arn:aws:sqs:eu-central-1:000000000000:q.fifo";
    world
        .rule(
            "r",
            json!({ "source": ["a"] }),
            json!({ "Arn": fifo, "SqsParameters": { "MessageGroupId": "g" } }),
        )
        .await;
    world.put("a", json!({})).await;
    world.world.idle().await;
    let messages = world.messages("q.fifo").await;
    assert_eq!(messages[0]["Attributes"]["MessageGroupId"], "g");
}

#[tokio::test]
async fn rules_are_found_by_bus_name_and_arn() {
    let world = World::new().await;
    let bus = world.ok("CreateEventBus", json!({ "Name": "second" })).await["EventBusArn"].clone();
    world.ok("PutRule", json!({ "Name": "r", "EventPattern": "{\"source\":[\"a\"]}", "EventBusName": bus, "State": "DISABLED" })).await;
    world
        .ok(
            "PutTargets",
            json!({ "Rule": "r", "EventBusName": "second", "Targets": [{ "Id": "t", "Arn": OUT }] }),
        )
        .await;
    let shown = world.ok("DescribeRule", json!({ "Name": "r", "EventBusName": bus })).await;
    assert_eq!((&shown["State"], &shown["EventBusName"]), (&json!("DISABLED"), &json!("second")));
    world.ok("EnableRule", json!({ "Name": "r", "EventBusName": bus })).await;
    let names = world.ok("ListRuleNamesByTarget", json!({ "TargetArn": OUT, "EventBusName": bus })).await;
    assert_eq!(names["RuleNames"], json!(["r"]));
    let entry = json!({ "Source": "a", "DetailType": "T", "Detail": "{}", "EventBusName": bus, "Resources": ["arn:x"], "Time": 1_000 });
    world.put_entry(entry).await;
    let body = world.bodies("out").await.remove(0);
    assert_eq!((&body["time"], &body["resources"]), (&json!("1970-01-01T00:16:40Z"), &json!(["arn:x"])));
}

#[tokio::test]
async fn a_new_bus_of_an_old_name_begins_empty() {
    let world = World::new().await;
    for n in 0..2 {
        world.ok("CreateEventBus", json!({ "Name": "b" })).await;
        assert_eq!(
            world.ask(events::SEARCH, json!({ "EventBusName": "b" })).await["Events"],
            json!([]),
            "{n}"
        );
        for _ in 0..60 {
            let entry = json!({ "Source": "a", "DetailType": "T", "Detail": "{}", "EventBusName": "b" });
            world.ok("PutEvents", json!({ "Entries": vec![entry; 10] })).await;
        }
        world.ok("DeleteEventBus", json!({ "Name": "b" })).await;
        world.world.idle().await;
        world.advance(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn another_account_administers_a_bus_only_as_far_as_its_policy_says() {
    let world = World::new().await;
    world.ok("CreateEventBus", json!({ "Name": "shared" })).await;
    let bus = "arn:aws:events:eu-central-1:000000000000:event-bus/shared";
    let call = |operation: &'static str, input: Value| {
        let account = AccountId::parse(OTHER).unwrap();
        let region = Region::parse("eu-central-1").unwrap();
        let caller = Caller::root_user(account, region, world.world.kernel().new_id());
        world.world.call_as(caller, "events", operation, input)
    };
    let put = json!({ "Name": "r", "EventBusName": bus, "EventPattern": r#"{"source":["a"]}"# });
    let target = json!({ "Rule": "r", "EventBusName": bus, "Targets": [{ "Id": "t", "Arn": OUT }] });
    let rule = json!({ "Name": "r", "EventBusName": bus });
    for (operation, input) in [
        ("DescribeEventBus", json!({ "Name": bus })),
        ("PutRule", put.clone()),
        ("DescribeRule", rule.clone()),
        ("EnableRule", rule.clone()),
        ("DisableRule", rule.clone()),
        ("DeleteRule", rule.clone()),
        ("ListRules", json!({ "EventBusName": bus })),
        ("PutTargets", target.clone()),
        ("RemoveTargets", json!({ "Rule": "r", "EventBusName": bus, "Ids": ["t"] })),
        ("ListTargetsByRule", json!({ "Rule": "r", "EventBusName": bus })),
        ("ListRuleNamesByTarget", json!({ "TargetArn": OUT, "EventBusName": bus })),
        ("ListTagsForResource", json!({ "ResourceARN": bus })),
        // Who may not use a bus is not told whether there is one.
        ("DescribeEventBus", json!({ "Name": "arn:aws:events:eu-central-1:000000000000:event-bus/none" })),
    ] {
        let fault = call(operation, input).await.unwrap_err();
        assert_eq!(fault.code, "AccessDeniedException", "{operation}: {fault}");
    }
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "rules", "Effect": "Allow", "Principal": { "AWS": OTHER }, "Action": ["events:PutRule", "events:PutTargets", "events:DescribeRule"],
        "Resource": "arn:aws:events:eu-central-1:000000000000:rule/shared/*",
    }] });
    world.ok("PutPermission", json!({ "EventBusName": "shared", "Policy": policy.to_string() })).await;
    call("PutRule", put).await.unwrap();
    call("PutTargets", target).await.unwrap();
    let shown = call("DescribeRule", rule.clone()).await.unwrap();
    assert_eq!((&shown["CreatedBy"], &shown["EventBusName"]), (&json!(OTHER), &json!("shared")));
    assert_eq!(call("DeleteRule", rule).await.unwrap_err().code, "AccessDeniedException");
}
