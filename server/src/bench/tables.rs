//! The rows of DynamoDB.

use anyhow::ensure;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::DYNAMODB;
use super::load::{Figures, Meter, Subject, Turn};

/// How many items are read and updated.
const ITEMS: usize = 2_000;
/// How many items a partition of the queried table has.
const PARTITION: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scanned {
    items: Vec<Counter>,
    last_evaluated_key: Option<Value>,
}

#[derive(Deserialize)]
struct Counter {
    n: Number,
}

#[derive(Deserialize)]
struct Number {
    #[serde(rename = "N")]
    digits: String,
}

/// PutItem of 1 KiB, each of its own key.
///
/// # Errors
/// A request failed.
pub(crate) async fn put_item(subject: &Subject) -> anyhow::Result<Figures> {
    let table = table(subject, "put").await?;
    let body = |turn: Turn| put_body(&table, &format!("{}-{}", turn.connection, turn.number), 0);
    subject.measure(&DYNAMODB, "PutItem", body).await
}

/// GetItem of 1 KiB, of 2,000 items.
///
/// # Errors
/// A request failed.
pub(crate) async fn get_item(subject: &Subject) -> anyhow::Result<Figures> {
    let table = table(subject, "get").await?;
    subject.fill(&DYNAMODB, "PutItem", ITEMS, |index| put_body(&table, &index.to_string(), 0)).await?;
    let bodies: Vec<Bytes> = (0..ITEMS)
        .map(|item| json!({"TableName": table, "Key": key(&item.to_string(), 0)}).to_string().into())
        .collect();
    subject.measure(&DYNAMODB, "GetItem", |turn| bodies[scattered(turn) % ITEMS].clone()).await
}

/// Query of ten items of 1 KiB, of 200 partitions.
///
/// # Errors
/// A request failed.
pub(crate) async fn query(subject: &Subject) -> anyhow::Result<Figures> {
    let table = table(subject, "query").await?;
    let put = |index: usize| put_body(&table, &(index / PARTITION).to_string(), index % PARTITION);
    subject.fill(&DYNAMODB, "PutItem", ITEMS, put).await?;
    let bodies: Vec<Bytes> = (0..ITEMS / PARTITION)
        .map(|partition| {
            let values = json!({":pk": {"S": partition.to_string()}});
            json!({"TableName": table, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values})
                .to_string()
                .into()
        })
        .collect();
    subject.measure(&DYNAMODB, "Query", |turn| bodies[scattered(turn) % bodies.len()].clone()).await
}

/// UpdateItem that counts up under a condition, of 2,000 items. The sum must be the number of answers.
///
/// # Errors
/// A request failed, or an update was lost.
pub(crate) async fn update_item(subject: &Subject) -> anyhow::Result<Figures> {
    let table = table(subject, "update").await?;
    let zero = |index: usize| {
        let mut item = key(&index.to_string(), 0);
        item["n"] = json!({"N": "0"});
        json!({"TableName": table, "Item": item}).to_string().into()
    };
    subject.fill(&DYNAMODB, "PutItem", ITEMS, zero).await?;
    let bodies: Vec<Bytes> = (0..ITEMS).map(|item| update_body(&table, item)).collect();
    let head = subject.address.head(&DYNAMODB, "UpdateItem")?;
    let mut connections = subject.connect_all().await?;
    let meter = Meter::start(subject);
    let body = |turn| bodies[scattered(turn) % ITEMS].clone();
    let mut answered = subject.load(&mut connections, &head, body).await?;
    let count = answered.times.len();
    let figures = meter.stop(count).with_times(&mut answered.times);
    let sum = sum(subject, &table).await?;
    ensure!(sum == count, "{count} updates were answered and {sum} are in the table");
    Ok(figures)
}

async fn sum(subject: &Subject, table: &str) -> anyhow::Result<usize> {
    let head = subject.address.head(&DYNAMODB, "Scan")?;
    let mut connection = subject.address.connect().await?;
    let mut input = json!({"TableName": table, "ConsistentRead": true});
    let mut sum = 0;
    loop {
        let scanned: Scanned = connection.ask(&head, &input).await?;
        for counter in &scanned.items {
            sum += counter.n.digits.parse::<usize>()?;
        }
        match scanned.last_evaluated_key {
            Some(last) => input["ExclusiveStartKey"] = last,
            None => return Ok(sum),
        }
    }
}

async fn table(subject: &Subject, name: &str) -> anyhow::Result<String> {
    let name = format!("{}-{name}", subject.prefix);
    let head = subject.address.head(&DYNAMODB, "CreateTable")?;
    let input = json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    });
    let _: Value = subject.address.connect().await?.ask(&head, &input).await?;
    Ok(name)
}

fn key(partition: &str, sort: usize) -> Value {
    json!({"pk": {"S": partition}, "sk": {"N": sort.to_string()}})
}

/// An item of 1 KiB, with attributes as people have them.
fn put_body(table: &str, partition: &str, sort: usize) -> Bytes {
    let mut item = key(partition, sort);
    item["customer"] = json!({"S": "c-0815"});
    item["total"] = json!({"N": "129.95"});
    item["tags"] = json!({"L": [{"S": "new"}, {"BOOL": true}]});
    item["text"] = json!({"S": "x".repeat(960)});
    json!({"TableName": table, "Item": item}).to_string().into()
}

fn update_body(table: &str, item: usize) -> Bytes {
    let input = json!({
        "TableName": table, "Key": key(&item.to_string(), 0),
        "UpdateExpression": "SET n = n + :one", "ConditionExpression": "n >= :zero",
        "ExpressionAttributeValues": {":one": {"N": "1"}, ":zero": {"N": "0"}},
    });
    input.to_string().into()
}

/// Numbers that visit everything in no order, the same in every run.
fn scattered(turn: Turn) -> usize {
    let index = (turn.number << 8) + turn.connection;
    index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}
