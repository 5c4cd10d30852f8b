//! Many random operations against a model in memory: tables and indexes must say the same as the model at every moment,
//! and no increment may be lost however many clients meet on one item.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use base::{AccountId, Fault, Region, Timestamp};
use kernel::{Caller, Chance, Clock, Kernel};
use proptest::prelude::*;
use serde_json::{Value, json};
use store::Location;

fn kernel() -> Kernel {
    let engine = store::open(&Location::Memory).unwrap();
    let clock = Clock::virtual_at(Timestamp::from_iso("2026-01-01T00:00:00Z").unwrap());
    Kernel::new(engine, clock, Chance::seeded(7), vec![dynamodb::service()])
}

async fn call(kernel: &Kernel, operation: &str, input: Value) -> Result<Value, Fault> {
    let caller = Caller::root_user(AccountId::default(), Region::default(), kernel.new_id());
    let output = kernel.call(caller, "dynamodb", operation, input.to_string().into()).await?;
    Ok(serde_json::from_slice(&output).unwrap())
}

async fn table(kernel: &Kernel) {
    let key = |hash: &str, range: &str| json!([{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]);
    let input = json!({
        "TableName": "model", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"},
            {"AttributeName": "g", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}],
        "KeySchema": key("pk", "sk"),
        "LocalSecondaryIndexes": [
            {"IndexName": "local", "KeySchema": key("pk", "n"), "Projection": {"ProjectionType": "ALL"}}],
        "GlobalSecondaryIndexes": [
            {"IndexName": "global", "KeySchema": key("g", "n"), "Projection": {"ProjectionType": "KEYS_ONLY"}}],
    });
    call(kernel, "CreateTable", input).await.unwrap();
}

/// What is done to one of a few items.
#[derive(Clone, Debug)]
enum Step {
    Put { pk: u8, sk: i32, g: Option<u8>, n: Option<i32> },
    SetN { pk: u8, sk: i32, n: i32 },
    RemoveG { pk: u8, sk: i32 },
    Delete { pk: u8, sk: i32 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || (0..3_u8, -3..3_i32);
    let step = prop_oneof![
        4 => (key(), prop::option::of(0..3_u8), prop::option::of(-20..20_i32))
            .prop_map(|((pk, sk), g, n)| Step::Put { pk, sk, g, n }),
        2 => (key(), -20..20_i32).prop_map(|((pk, sk), n)| Step::SetN { pk, sk, n }),
        1 => key().prop_map(|(pk, sk)| Step::RemoveG { pk, sk }),
        2 => key().prop_map(|(pk, sk)| Step::Delete { pk, sk }),
    ];
    prop::collection::vec(step, 1..40)
}

type Model = BTreeMap<(u8, i32), (Option<u8>, Option<i32>)>;

fn key(pk: u8, sk: i32) -> Value {
    json!({"pk": {"S": format!("p{pk}")}, "sk": {"N": sk.to_string()}})
}

async fn apply(kernel: &Kernel, model: &mut Model, step: &Step) {
    match *step {
        Step::Put { pk, sk, g, n } => {
            let mut item = key(pk, sk);
            if let Some(g) = g {
                item["g"] = json!({"S": format!("g{g}")});
            }
            if let Some(n) = n {
                item["n"] = json!({"N": n.to_string()});
            }
            call(kernel, "PutItem", json!({"TableName": "model", "Item": item})).await.unwrap();
            model.insert((pk, sk), (g, n));
        }
        Step::SetN { pk, sk, n } => {
            let values = json!({":n": {"N": n.to_string()}});
            let input = json!({"TableName": "model", "Key": key(pk, sk), "UpdateExpression": "SET n = :n",
                "ExpressionAttributeValues": values});
            call(kernel, "UpdateItem", input).await.unwrap();
            model.entry((pk, sk)).or_default().1 = Some(n);
        }
        Step::RemoveG { pk, sk } => {
            let input = json!({"TableName": "model", "Key": key(pk, sk), "UpdateExpression": "REMOVE g"});
            call(kernel, "UpdateItem", input).await.unwrap();
            if let Some(item) = model.get_mut(&(pk, sk)) {
                item.0 = None;
            }
        }
        Step::Delete { pk, sk } => {
            call(kernel, "DeleteItem", json!({"TableName": "model", "Key": key(pk, sk)})).await.unwrap();
            model.remove(&(pk, sk));
        }
    }
}

/// The keys that a query finds, page by page.
async fn query(
    kernel: &Kernel,
    index: Option<&str>,
    name: &str,
    value: String,
    forward: bool,
) -> Vec<(u8, i32)> {
    let mut found = Vec::new();
    let mut start: Option<Value> = None;
    loop {
        let mut input = json!({"TableName": "model", "KeyConditionExpression": "#k = :k", "Limit": 2,
            "ScanIndexForward": forward, "ExpressionAttributeNames": {"#k": name},
            "ExpressionAttributeValues": {":k": {"S": value}}});
        if let Some(index) = index {
            input["IndexName"] = json!(index);
        }
        if let Some(start) = start {
            input["ExclusiveStartKey"] = start;
        }
        let page = call(kernel, "Query", input).await.unwrap();
        for item in page["Items"].as_array().unwrap() {
            let pk = item["pk"]["S"].as_str().unwrap()[1..].parse().unwrap();
            let sk = item["sk"]["N"].as_str().unwrap().parse().unwrap();
            found.push((pk, sk));
        }
        match page.get("LastEvaluatedKey") {
            Some(last) => start = Some(last.clone()),
            None => return found,
        }
    }
}

async fn compare(kernel: &Kernel, model: &Model) {
    for n in 0..3_u8 {
        let own: Vec<(u8, i32)> = model.keys().filter(|(pk, _)| *pk == n).copied().collect();
        assert_eq!(query(kernel, None, "pk", format!("p{n}"), true).await, own);
        let reversed: Vec<(u8, i32)> = own.iter().rev().copied().collect();
        assert_eq!(query(kernel, None, "pk", format!("p{n}"), false).await, reversed);
        let sorted = |belongs: &dyn Fn(u8, Option<u8>) -> bool| {
            let mut keys: Vec<(i32, (u8, i32))> = model
                .iter()
                .filter(|((pk, _), (g, _))| belongs(*pk, *g))
                .filter_map(|(key, (_, n))| n.map(|n| (n, *key)))
                .collect();
            keys.sort_unstable();
            keys
        };
        // Entries of equal sort keys stand in no order that AWS promises; ours is the items' own bytes.
        let local = sorted(&|pk, _| pk == n).into_iter().map(|(_, key)| key).collect::<Vec<_>>();
        assert_eq!(query(kernel, Some("local"), "pk", format!("p{n}"), true).await, local);
        let global = sorted(&|_, g| g == Some(n)).into_iter().map(|(_, key)| key).collect::<Vec<_>>();
        assert_eq!(query(kernel, Some("global"), "g", format!("g{n}"), true).await, global);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn tables_and_indexes_agree_with_a_model(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let kernel = kernel();
            table(&kernel).await;
            let mut model = Model::new();
            for step in &steps {
                apply(&kernel, &mut model, step).await;
            }
            compare(&kernel, &model).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_is_lost() {
    const CLIENTS: usize = 12;
    const ROUNDS: usize = 40;
    let kernel = kernel();
    table(&kernel).await;
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let kernel = kernel.clone();
        clients.spawn(async move {
            let mut done = [0; 2];
            for round in 0..ROUNDS {
                let hot = (client + round) % 2;
                let values = json!({":one": {"N": "1"}, ":max": {"N": "100"}});
                let input = json!({"TableName": "model", "Key": key(hot as u8, 0), "UpdateExpression": "ADD n :one",
                    "ConditionExpression": "attribute_not_exists(n) OR n < :max", "ExpressionAttributeValues": values});
                match call(&kernel, "UpdateItem", input).await {
                    Ok(_) => done[hot] += 1,
                    Err(fault) => assert_eq!(fault.code, "ConditionalCheckFailedException"),
                }
            }
            done
        });
    }
    let done =
        clients.join_all().await.into_iter().fold([0; 2], |sum, done| [sum[0] + done[0], sum[1] + done[1]]);
    for (hot, count) in done.into_iter().enumerate() {
        let input = json!({"TableName": "model", "Key": key(hot as u8, 0)});
        let item = call(&kernel, "GetItem", input).await.unwrap();
        assert_eq!(item["Item"]["n"]["N"], count.to_string());
        assert_eq!(count, 100, "the condition stops at 100");
    }
}

/// A text of `bytes` bytes that is not all the same.
fn text(bytes: usize) -> String {
    "0123456789abcdef".chars().cycle().take(bytes).collect()
}

#[tokio::test]
async fn large_items_and_full_pages() {
    let kernel = kernel();
    table(&kernel).await;
    // "pk" + "p0" + "sk" + two bytes for the number + "t": what is left is the text.
    let largest = 409_600 - 4 - 4 - 1;
    let put = |sk: i32, bytes: usize| {
        let mut item = key(0, sk);
        item["t"] = json!({"S": text(bytes)});
        json!({"TableName": "model", "Item": item})
    };
    for sk in 1..=5 {
        call(&kernel, "PutItem", put(sk, largest)).await.unwrap();
    }
    let fault = call(&kernel, "PutItem", put(6, largest + 1)).await.unwrap_err();
    assert_eq!(fault.message, "Item size has exceeded the maximum allowed size");
    let got = call(&kernel, "GetItem", json!({"TableName": "model", "Key": key(0, 3)})).await.unwrap();
    assert_eq!(got["Item"]["t"]["S"], text(largest));
    // A page ends behind the item that fills its megabyte: the third.
    let scan = call(&kernel, "Scan", json!({"TableName": "model"})).await.unwrap();
    assert_eq!(scan["Count"], 3);
    let rest = json!({"TableName": "model", "ExclusiveStartKey": scan["LastEvaluatedKey"]});
    let rest = call(&kernel, "Scan", rest).await.unwrap();
    assert_eq!((&rest["Count"], rest.get("LastEvaluatedKey")), (&json!(2), None));
    // A transaction reads four megabytes at most.
    let get = |sk: i32| json!({"Get": {"TableName": "model", "Key": key(0, sk)}});
    for sk in 7..=12 {
        call(&kernel, "PutItem", put(sk, largest)).await.unwrap();
    }
    let read = |sks: &[i32]| json!({"TransactItems": sks.iter().map(|sk| get(*sk)).collect::<Vec<Value>>()});
    call(&kernel, "TransactGetItems", read(&[1, 2, 3, 4, 5, 7, 8, 9, 10, 13])).await.unwrap();
    let fault =
        call(&kernel, "TransactGetItems", read(&[1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12])).await.unwrap_err();
    assert_eq!(fault.message, "The aggregate size of the items in the transaction exceeds the limit of 4 MB");
    for sk in 7..=12 {
        let key = json!({"TableName": "model", "Key": key(0, sk)});
        call(&kernel, "DeleteItem", key).await.unwrap();
    }
    // Shrinking an item leaves nothing of its chunks behind.
    call(&kernel, "PutItem", put(3, 10)).await.unwrap();
    let got = call(&kernel, "GetItem", json!({"TableName": "model", "Key": key(0, 3)})).await.unwrap();
    assert_eq!(got["Item"]["t"]["S"], text(10));
    let update = json!({"TableName": "model", "Key": key(0, 4), "UpdateExpression": "SET u = :u",
        "ExpressionAttributeValues": {":u": {"S": "one more"}}});
    let fault = call(&kernel, "UpdateItem", update).await.unwrap_err();
    assert_eq!(fault.message, "Item size to update has exceeded the maximum allowed size");
}

#[tokio::test]
async fn a_batch_takes_what_one_commit_holds() {
    let kernel = kernel();
    table(&kernel).await;
    let put = |sk: i32| {
        let mut item = key(0, sk);
        item["t"] = json!({"S": text(400_000)});
        json!({"PutRequest": {"Item": item}})
    };
    let all: Vec<Value> = (0..25).map(put).collect();
    let mut left = json!({ "model": all });
    let mut rounds = 0;
    while left.as_object().is_some_and(|left| !left.is_empty()) {
        let answer = call(&kernel, "BatchWriteItem", json!({ "RequestItems": left })).await.unwrap();
        left = answer["UnprocessedItems"].clone();
        rounds += 1;
    }
    assert!(rounds > 1);
    let keys: Vec<Value> = (0..25).map(|sk| key(0, sk)).collect();
    let input = json!({"RequestItems": {"model": {"Keys": keys, "ProjectionExpression": "sk"}}});
    let answer = call(&kernel, "BatchGetItem", input).await.unwrap();
    assert_eq!(answer["Responses"]["model"].as_array().unwrap().len(), 25);
    assert_eq!(answer["UnprocessedKeys"], json!({}));
}

#[tokio::test]
async fn counts_of_a_large_table_are_estimates() {
    let kernel = kernel();
    table(&kernel).await;
    for batch in 0..60 {
        let put = |n: i32| {
            let item = json!({"pk": {"S": format!("p{}", batch * 25 + n)}, "sk": {"N": "1"}});
            json!({"PutRequest": {"Item": item}})
        };
        let all: Vec<Value> = (0..25).map(put).collect();
        call(&kernel, "BatchWriteItem", json!({"RequestItems": {"model": all}})).await.unwrap();
    }
    let described = call(&kernel, "DescribeTable", json!({"TableName": "model"})).await.unwrap();
    let count = described["Table"]["ItemCount"].as_i64().unwrap();
    assert!((1_200..=1_800).contains(&count), "{count} is far from 1500");
}
