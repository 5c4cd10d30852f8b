//! A change of a schema, and the deployed consumers that it would break.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/r";
const QUEUE: &str = "arn:aws:sqs:eu-central-1:000000000000:out";
const RULES: &str = "arn:aws:events:eu-central-1:000000000000:rule";

fn content(detail: &Value) -> String {
    json!({
        "openapi": "3.0.0", "info": { "title": "Order", "version": "1" }, "paths": {},
        "components": { "schemas": {
            "AWSEvent": {
                "type": "object", "required": ["detail"],
                "x-amazon-events-source": "shop", "x-amazon-events-detail-type": "Order",
                "properties": { "detail": { "$ref": "#/components/schemas/Order" } },
            },
            "Order": detail,
        } },
    })
    .to_string()
}

async fn world() -> World {
    let world =
        World::new(|| vec![events::service(), schemas::service(), sqs::service(), states::service()]).await;
    world.ok("sqs", "CreateQueue", json!({ "QueueName": "out" })).await;
    let definition = json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true,
        "Parameters": { "who.$": "$.customer" } } } });
    let machine = json!({ "name": "m", "roleArn": ROLE, "definition": definition.to_string() });
    world.ok("states", "CreateStateMachine", machine).await;
    world.ok("schemas", "CreateRegistry", json!({ "RegistryName": "shop" })).await;
    let detail = json!({ "type": "object", "required": ["total", "customer"], "properties": {
        "total": { "type": "number" }, "customer": { "type": "string" }, "note": { "type": "string" },
        "state": { "type": "string", "enum": ["NEW", "OLD"] },
    } });
    let schema = json!({ "RegistryName": "shop", "SchemaName": "Order", "Type": "OpenApi3", "Content": content(&detail) });
    world.ok("schemas", "CreateSchema", schema).await;
    world
}

async fn rule(world: &World, name: &str, pattern: Value, target: Value) {
    world.ok("events", "PutRule", json!({ "Name": name, "EventPattern": pattern.to_string() })).await;
    world.ok("events", "PutTargets", json!({ "Rule": name, "Targets": [target] })).await;
}

async fn check(world: &World, detail: Value) -> Value {
    let input = json!({ "RegistryName": "shop", "SchemaName": "Order", "Content": content(&detail) });
    world.ask("schemas", schemas::CHECK_COMPATIBILITY, input).await.unwrap()
}

#[tokio::test]
async fn the_consumers_that_break_are_named() {
    let world = world().await;
    rule(
        &world,
        "pattern",
        json!({ "source": ["shop"], "detail": { "total": [{ "numeric": [">", 1] }], "state": ["NEW"] } }),
        json!({ "Id": "t", "Arn": QUEUE, "InputTransformer": {
            "InputPathsMap": { "n": "$.detail.note" }, "InputTemplate": "\"<n>\"" } }),
    )
    .await;
    let machine = "arn:aws:states:eu-central-1:000000000000:stateMachine:m";
    rule(
        &world,
        "machine",
        json!({ "detail-type": ["Order"] }),
        json!({ "Id": "t", "Arn": machine, "InputPath": "$.detail", "RoleArn": ROLE }),
    )
    .await;
    rule(&world, "whole", json!({ "source": [{ "prefix": "sh" }] }), json!({ "Id": "t", "Arn": QUEUE }))
        .await;
    let other = json!({ "source": ["other"], "detail": { "total": [1] } });
    rule(&world, "other", other, json!({ "Id": "t", "Arn": QUEUE })).await;
    let answer = check(
        &world,
        json!({ "type": "object", "properties": {
            "total": { "type": "string" }, "client": { "type": "string" },
            "state": { "type": "string", "enum": ["OLD"] },
        } }),
    )
    .await;
    let told = |list: &str| -> Vec<String> {
        answer[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
                format!("{} {} {} {}", text("Consumer"), text("Kind"), text("Path"), text("Problem"))
            })
            .collect()
    };
    let renamed = "is removed; client is new beside it and of the same type";
    assert_eq!(
        told("Breaks"),
        [
            format!("{RULES}/pattern RulePattern $.detail.state can no longer be \"NEW\""),
            format!("{RULES}/pattern RulePattern $.detail.total changes its type from number to string"),
            format!("{RULES}/pattern RulePattern $.detail.total is no longer required: it may be absent"),
            format!("{QUEUE} InputTransformer $.detail.note {renamed}: note may have been renamed"),
            format!("{machine} StateMachine $.detail.customer {renamed}: customer may have been renamed"),
        ]
    );
    assert_eq!(answer["Unchecked"], json!([{ "Consumer": QUEUE, "Rule": format!("{RULES}/whole") }]));
    assert_eq!(answer["SchemaVersion"], "1");
}

#[tokio::test]
async fn a_change_that_nobody_notices_breaks_nobody() {
    let world = world().await;
    rule(&world, "r", json!({ "detail": { "note": ["x"] } }), json!({ "Id": "t", "Arn": QUEUE })).await;
    let wider = json!({ "type": "object", "required": ["total", "customer", "fresh"], "properties": {
        "total": { "type": "number" }, "customer": { "type": "string" }, "note": { "type": "string" },
        "state": { "type": "string", "enum": ["NEW", "OLD", "LOST"] }, "fresh": { "type": "string" },
    } });
    let answer = check(&world, wider).await;
    assert_eq!(
        (&answer["Breaks"], &answer["Changes"], &answer["Unchecked"]),
        (&json!([]), &json!([]), &json!([]))
    );
    let broken = json!({ "RegistryName": "shop", "SchemaName": "Order", "Content": "{" });
    let fault = world.ask("schemas", schemas::CHECK_COMPATIBILITY, broken).await.unwrap_err();
    assert_eq!(fault.code, "BadRequestException");
    let none = json!({ "RegistryName": "shop", "SchemaName": "None", "Content": "{}" });
    let fault = world.ask("schemas", schemas::CHECK_COMPATIBILITY, none).await.unwrap_err();
    assert_eq!(fault.code, "NotFoundException");
}

#[tokio::test]
async fn a_schema_of_the_detail_alone_has_the_same_consumers() {
    let world = world().await;
    let detail = |total: &str| {
        json!({ "$schema": "http://json-schema.org/draft-04/schema#", "type": "object",
            "definitions": { "Total": { "type": total } },
            "properties": { "total": { "$ref": "#/definitions/Total" } } })
        .to_string()
    };
    let schema = json!({ "RegistryName": "shop", "SchemaName": "shop@Paid", "Type": "JSONSchemaDraft4",
        "Content": detail("number") });
    world.ok("schemas", "CreateSchema", schema).await;
    let reads = json!({ "source": ["shop"], "detail": { "total": [1] } });
    rule(&world, "r", reads, json!({ "Id": "t", "Arn": QUEUE })).await;
    let other = json!({ "source": ["other"], "detail": { "total": [1] } });
    rule(&world, "other", other, json!({ "Id": "t", "Arn": QUEUE })).await;
    let input = json!({ "RegistryName": "shop", "SchemaName": "shop@Paid", "Content": detail("string") });
    let answer = world.ask("schemas", schemas::CHECK_COMPATIBILITY, input).await.unwrap();
    assert_eq!(
        answer["Breaks"],
        json!([{ "Consumer": format!("{RULES}/r"), "Kind": "RulePattern", "Rule": format!("{RULES}/r"),
            "Path": "$.detail.total", "Problem": "changes its type from number to string" }])
    );
    assert_eq!(answer["Unchecked"], json!([{ "Consumer": QUEUE, "Rule": format!("{RULES}/r") }]));
}
