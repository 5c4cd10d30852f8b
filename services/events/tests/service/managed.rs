//! Rules that services manage.

use serde_json::json;

use crate::world::{OUT, World};

#[tokio::test]
async fn a_managed_rule_sends_events_and_is_changed_by_its_manager_only() {
    let world = World::new().await;
    let put = json!({
        "Name": "Schemas", "EventPattern": "{\"source\":[\"a\"]}", "ManagedBy": "schemas.amazonaws.com",
        "Targets": [{ "Id": "t", "Arn": OUT }],
    });
    let made = world.ask(events::PUT_MANAGED_RULE, put.clone()).await;
    assert_eq!(made["RuleArn"], "arn:aws:events:eu-central-1:000000000000:rule/Schemas");
    world.put("a", json!({})).await;
    assert_eq!(world.bodies("out").await.len(), 1);
    let rule = world.ok("ListRules", json!({})).await["Rules"][0].clone();
    assert_eq!(rule["ManagedBy"], "schemas.amazonaws.com");
    let arn = rule["Arn"].clone();
    for (operation, input) in [
        ("PutRule", json!({ "Name": "Schemas", "EventPattern": "{\"source\":[\"b\"]}" })),
        ("PutTargets", json!({ "Rule": "Schemas", "Targets": [{ "Id": "u", "Arn": OUT }] })),
        ("RemoveTargets", json!({ "Rule": "Schemas", "Ids": ["t"] })),
        ("DisableRule", json!({ "Name": "Schemas" })),
        ("EnableRule", json!({ "Name": "Schemas" })),
        ("DeleteRule", json!({ "Name": "Schemas" })),
        ("TagResource", json!({ "ResourceARN": arn, "Tags": [{ "Key": "k", "Value": "v" }] })),
        ("UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["k"] })),
    ] {
        assert_eq!(world.refused(operation, input).await.0, "ManagedRuleException", "{operation}");
    }
    let fault = world
        .world
        .ask("events", events::DELETE_MANAGED_RULE, json!({ "Name": "Schemas", "ManagedBy": "other" }))
        .await
        .unwrap_err();
    assert_eq!(fault.code, "ManagedRuleException");
    world
        .ask(events::DELETE_MANAGED_RULE, json!({ "Name": "Schemas", "ManagedBy": "schemas.amazonaws.com" }))
        .await;
    world.put("a", json!({})).await;
    assert!(world.bodies("out").await.is_empty());
    world.ask(events::PUT_MANAGED_RULE, put).await;
    world.ok("RemoveTargets", json!({ "Rule": "Schemas", "Ids": ["t"], "Force": true })).await;
    world.ok("DeleteRule", json!({ "Name": "Schemas", "Force": true })).await;
    assert_eq!(world.ok("ListRules", json!({})).await["Rules"], json!([]));
}
