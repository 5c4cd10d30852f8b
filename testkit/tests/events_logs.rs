//! What a bus says of its work, in the real CloudWatch Logs.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use serde_json::{Value, json};
use testkit::World;

const QUEUES: &str = "arn:aws:sqs:eu-central-1:000000000000";

/// The lines of a bus that logs as `config` says: one event that matches a rule with a target that works and one with a
/// target that is gone, then one event that matches nothing.
async fn lines(config: Value) -> Vec<Value> {
    let world = World::new(|| vec![events::service(), sqs::service(), logs::service()]).await;
    for queue in ["out", "dead"] {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": queue })).await;
    }
    world.ok("events", "CreateEventBus", json!({ "Name": "b", "LogConfig": config })).await;
    for (rule, queue) in [("works", "out"), ("fails", "gone")] {
        let pattern = json!({ "source": ["a"] }).to_string();
        world
            .ok("events", "PutRule", json!({ "Name": rule, "EventBusName": "b", "EventPattern": pattern }))
            .await;
        let target = json!({ "Id": "t", "Arn": format!("{QUEUES}:{queue}"), "DeadLetterConfig": { "Arn": format!("{QUEUES}:dead") } });
        world
            .ok("events", "PutTargets", json!({ "Rule": rule, "EventBusName": "b", "Targets": [target] }))
            .await;
    }
    for source in ["a", "nobody"] {
        let entry =
            json!({ "Source": source, "DetailType": "T", "Detail": "{\"n\":1}", "EventBusName": "b" });
        world.ok("events", "PutEvents", json!({ "Entries": [entry] })).await;
        world.idle().await;
    }
    let group = json!({ "logGroupName": "/aws/vendedlogs/events/event-bus/b" });
    let found = match world.call("logs", "FilterLogEvents", group).await {
        Ok(found) => found,
        Err(fault) => {
            assert_eq!(fault.code, "ResourceNotFoundException");
            return Vec::new();
        }
    };
    let parse = |event: &Value| serde_json::from_str(event["message"].as_str().unwrap()).unwrap();
    found["events"].as_array().unwrap().iter().map(parse).collect()
}

fn steps(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["message_type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_bus_logs_as_much_as_its_level_says() {
    assert!(lines(json!({ "Level": "OFF" })).await.is_empty());
    let errors = lines(json!({ "Level": "ERROR" })).await;
    assert_eq!(steps(&errors), ["INVOCATION_FAILURE", "INVOCATION_DLQ"]);
    assert_eq!(errors[0]["error"]["error_code"], "QueueDoesNotExist");
    assert_eq!(errors[1]["details"]["dlq_arn"], format!("{QUEUES}:dead"));
    let infos = lines(json!({ "Level": "INFO" })).await;
    assert_eq!(
        steps(&infos)[..6],
        [
            "EVENT_RECEIPT",
            "RULE_MATCH_START",
            "RULE_MATCH",
            "INVOCATION_START",
            "RULE_MATCH",
            "INVOCATION_START"
        ]
    );
    let mut ends = steps(&infos)[6..9].to_vec();
    ends.sort_unstable();
    assert_eq!(ends, ["INVOCATION_DLQ", "INVOCATION_FAILURE", "INVOCATION_SUCCESS"]);
    assert_eq!(steps(&infos)[9..], ["EVENT_RECEIPT", "RULE_MATCH_START", "NO_STANDARD_RULES_MATCHED"]);
    let traces = lines(json!({ "Level": "TRACE" })).await;
    assert_eq!(steps(&traces)[..3], ["EVENT_RECEIPT", "EVENT_INGEST_SUCCESS", "RULE_MATCH_START"]);
}

#[tokio::test]
async fn a_line_has_the_events_detail_only_if_the_bus_says_so() {
    let plain = lines(json!({ "Level": "INFO", "IncludeDetail": "NONE" })).await;
    assert_eq!(plain[0]["details"].get("event_detail"), None);
    assert_eq!(plain[0]["details"]["source"], "a");
    assert_eq!(plain[0]["resource_arn"], "arn:aws:events:eu-central-1:000000000000:event-bus/b");
    let full = lines(json!({ "Level": "INFO", "IncludeDetail": "FULL" })).await;
    assert_eq!(full[0]["details"]["event_detail"], json!({ "n": 1 }));
}

#[tokio::test]
async fn a_log_group_as_target_gets_the_event_as_a_line() {
    let world = World::new(|| vec![events::service(), logs::service()]).await;
    world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "/aws/events/all" })).await;
    world.ok("events", "PutRule", json!({ "Name": "r", "EventPattern": "{\"source\":[\"a\"]}" })).await;
    let group = "arn:aws:logs:eu-central-1:000000000000:log-group:/aws/events/all";
    world.ok("events", "PutTargets", json!({ "Rule": "r", "Targets": [{ "Id": "t", "Arn": group }] })).await;
    let entry = json!({ "Source": "a", "DetailType": "T", "Detail": "{\"n\":1}" });
    let put = world.ok("events", "PutEvents", json!({ "Entries": [entry] })).await;
    world.idle().await;
    let found = world.ok("logs", "FilterLogEvents", json!({ "logGroupName": "/aws/events/all" })).await;
    let line: Value = serde_json::from_str(found["events"][0]["message"].as_str().unwrap()).unwrap();
    assert_eq!((&line["id"], &line["detail"]), (&put["Entries"][0]["EventId"], &json!({ "n": 1 })));
}
