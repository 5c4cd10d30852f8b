//! Schemas, validation and quarantine, archives and replays.

use http::StatusCode;
use serde_json::{Value, json};

use crate::world::{HOST, REGION, World, assert_order, text_of};

const SCHEMA: &str = r#"{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":["total"],
    "properties":{"total":{"type":"number"},"orderNumber":{"type":"string"}}}"#;

async fn registry(world: &World) {
    world.call("schemas", "CreateRegistry", json!({ "RegistryName": "shop" })).await;
    let schema = json!({ "RegistryName": "shop", "SchemaName": "Order", "Type": "JSONSchemaDraft4", "Content": SCHEMA });
    world.call("schemas", "CreateSchema", schema).await;
}

fn own() -> String {
    format!("http://{HOST}")
}

#[tokio::test]
async fn schemas_are_found_by_name_and_by_content() {
    let world = World::new().await;
    registry(&world).await;
    let all = world.read("schemas", &[]).await;
    assert_order(&all, &["AWS event schema registry", "Discovered", "Custom", "Order shop 1"]);
    assert!(all.contains("aws.states@StepFunctionsExecutionStatusChange aws.events"), "{all}");
    let found = world.read("schemas", &[("text", "stateMachineArn")]).await;
    assert_order(&found, &["Found in", "StepFunctionsExecutionStatusChange", "version 1"]);
    assert!(!found.contains("Order shop"), "{found}");
    let found = world.read("schemas", &[("text", "ORDERNUMBER"), ("tab", "custom")]).await;
    assert_order(&found, &["Order shop 1", "version 1"]);
    let none = world.read("schemas", &[("tab", "discovered")]).await;
    assert!(none.contains("Nothing was discovered yet"), "{none}");
    let none = world.read("schemas", &[("text", "nobody wrote this")]).await;
    assert!(none.contains("No schema has"), "{none}");
}

#[tokio::test]
async fn a_schema_has_versions_and_code() {
    let world = World::new().await;
    registry(&world).await;
    let second = SCHEMA.replace("orderNumber", "number");
    let update = json!({ "RegistryName": "shop", "SchemaName": "Order", "Content": second, "Type": "JSONSchemaDraft4" });
    world.call("schemas", "UpdateSchema", update).await;
    let names = [("registry", "shop"), ("name", "Order")];
    let page = world.read("schema", &names).await;
    assert_order(
        &page,
        &["Order", "Version shown 2", "\"number\"", "Versions (2)", "Version 2", "Version 1", "TypeScript"],
    );
    let first = world.read("schema", &[&names[..], &[("version", "1")]].concat()).await;
    assert_order(&first, &["Version shown 1", "\"orderNumber\""]);
    let form = [&names[..], &[("version", "2"), ("language", "Java8")]].concat();
    let (status, _, text) = world.post("schema/code", &own(), &form).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
}

#[tokio::test]
async fn an_event_in_quarantine_is_corrected_and_released() {
    let world = World::new().await;
    registry(&world).await;
    let empty = world.read("validation", &[]).await;
    assert_order(
        &empty,
        &["Quarantine (0)", "No event is in quarantine", "Policies (0)", "No bus has a policy"],
    );
    let policy = [
        ("bus", "default"),
        ("source", "till"),
        ("mode", "QUARANTINE"),
        ("registry", "shop"),
        ("schema", "Order"),
    ];
    let (status, _, text) = world.post("validation/put", &own(), &policy).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    let put = async |detail: &str| {
        let entry = json!({ "Source": "till", "DetailType": "Order", "Detail": detail });
        let put = world.call("events", "PutEvents", json!({ "Entries": [entry] })).await;
        text_of(&put["Entries"][0], "EventId")
    };
    let (bad, worse) = (put(r#"{"total":"much"}"#).await, put("{}").await);
    let page = world.read("validation", &[]).await;
    assert_order(
        &page,
        &["Quarantine (2)", "from till on bus default", &bad, "/detail/total", "Correct and release"],
    );
    assert_order(
        &page,
        &["Policies (1)", "default till * quarantine", "shop/Order version 1", "follows the newest version"],
    );
    let front = world.read("", &[]).await;
    assert_order(&front, &["Events that did not arrive", "quarantined", "held back before any rule"]);

    let still_bad = [("bus", "default"), ("id", bad.as_str()), ("detail", r#"{"total":"more"}"#)];
    let (status, _, text) = world.post("validation/release", &own(), &still_bad).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
    let (status, ..) = world.post("validation/release", "http://elsewhere.example", &still_bad).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let right = [("bus", "default"), ("id", bad.as_str()), ("detail", r#"{"total":7}"#)];
    let (status, location, text) = world.post("validation/release", &own(), &right).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    assert!(location.contains(&bad), "{location}");
    assert!(world.read("event", &[("id", &bad)]).await.contains("released"));
    let (status, ..) = world.post("validation/discard", &own(), &[("bus", "default"), ("id", &worse)]).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(world.read("validation", &[]).await.contains("Quarantine (0)"));
    let front = world.read("", &[]).await;
    assert!(front.contains("None of late"), "{front}");
    let gone = [("bus", "default"), ("source", "till"), ("detail-type", "*")];
    let (status, _, text) = world.post("validation/delete", &own(), &gone).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    assert!(world.read("validation", &[]).await.contains("Policies (0)"));
}

#[tokio::test]
async fn an_archive_is_replayed() {
    let world = World::new().await;
    let empty = world.read("archives", &[]).await;
    assert_order(&empty, &["Archives (0)", "There is no archive", "Replays (0)", "Nothing was replayed."]);
    let bus = format!("arn:aws:events:{REGION}:000000000000:event-bus/default");
    let made = json!({ "ArchiveName": "all", "EventSourceArn": bus });
    let archive = text_of(&world.call("events", "CreateArchive", made).await, "ArchiveArn");
    let entry: Value = json!({ "Source": "till", "DetailType": "Order", "Detail": "{}" });
    world.call("events", "PutEvents", json!({ "Entries": [entry] })).await;
    world.kernel.idle().await;
    let page = world.read("archives", &[]).await;
    assert_order(&page, &["Archives (1)", "all default ENABLED 1", "for ever"]);
    let replay = [
        ("name", "again"),
        ("archive", archive.as_str()),
        ("bus", bus.as_str()),
        ("from", "2026-11-22T10:00"),
        ("to", "2026-11-22T10:20:30"),
    ];
    world.kernel.advance(std::time::Duration::from_secs(60)).await;
    let (status, _, text) = world.post("replay/start", &own(), &replay).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    world.kernel.idle().await;
    let page = world.read("archives", &[]).await;
    assert_order(&page, &["Replays (1)", "again", "of all", "COMPLETED", "100 %"]);
    let (status, _, text) = world.post("replay/cancel", &own(), &[("name", "again")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
}
