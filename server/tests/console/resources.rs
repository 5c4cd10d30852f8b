//! Tables and queues.

use std::time::Duration;

use serde_json::json;

use crate::world::{World, assert_order, readable, text_of};

#[tokio::test]
async fn a_table_shows_its_items_with_the_key_first() {
    let world = World::new().await;
    let table = json!({
        "TableName": "executions",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "executionId", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "executionId", "KeyType": "HASH" }],
    });
    world.call("dynamodb", "CreateTable", table).await;
    world.kernel.advance(Duration::from_secs(5)).await;
    for (id, status) in [("a", "SUCCEEDED"), ("b", "FAILED"), ("c", "ABORTED"), ("<d>", "SUCCEEDED")] {
        let item =
            json!({ "clientId": { "S": "90876" }, "executionId": { "S": id }, "status": { "S": status } });
        world.call("dynamodb", "PutItem", json!({ "TableName": "executions", "Item": item })).await;
    }
    let page = world.read("table", &[("name", "executions")]).await;
    assert_order(&page, &["Items returned (4)", "executionId clientId status"]);
    assert!(page.contains("90876 FAILED"), "{page}");
    let (_, source) = world.source("table", &[("name", "executions")]).await;
    assert!(!source.contains("<d>") && source.contains("&#60;d&#62;"), "{source}");
    assert_order(&world.read("tables", &[]).await, &["Tables (1)", "executions", "ACTIVE", "executionId"]);
}

#[tokio::test]
async fn items_are_read_a_page_at_a_time() {
    let world = World::new().await;
    let table = json!({
        "TableName": "many",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "N" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
    });
    world.call("dynamodb", "CreateTable", table).await;
    world.kernel.advance(Duration::from_secs(5)).await;
    for id in 0..130 {
        let item = json!({ "TableName": "many", "Item": { "id": { "N": id.to_string() } } });
        world.call("dynamodb", "PutItem", item).await;
    }
    let (_, first) = world.source("table", &[("name", "many")]).await;
    assert_order(&readable(&first), &["Items returned (100)", "page 1"]);
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let token = next.split("token=").nth(1).unwrap();
    let token = form_urlencoded::parse(format!("t={token}").as_bytes()).next().unwrap().1.into_owned();
    let second = world.read("table", &[("name", "many"), ("token", &token)]).await;
    assert_order(&second, &["Items returned (30)", "page 2"]);
}

#[tokio::test]
async fn a_queue_is_looked_into_without_receiving() {
    let world = World::new().await;
    let created = world.call("sqs", "CreateQueue", json!({ "QueueName": "orders" })).await;
    let url = text_of(&created, "QueueUrl");
    world.call("sqs", "SendMessage", json!({ "QueueUrl": url, "MessageBody": r#"{"order": 7}"# })).await;
    for _ in 0..2 {
        let page = world.read("queue", &[("name", "orders")]).await;
        assert_order(
            &page,
            &["Available 1", "In flight 0", "Messages (1)", "available", "0", "\"order\" : 7"],
        );
    }
    assert_order(&world.read("queues", &[]).await, &["Queues (1)", "orders Standard 1 0 0"]);
}
