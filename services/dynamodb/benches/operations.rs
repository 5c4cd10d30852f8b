//! What one operation costs behind the router's door: document in, document out, on a store in memory.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use base::{AccountId, Region};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use kernel::{Caller, Chance, Clock, Kernel};
use store::Location;
use tokio::runtime::Runtime;

struct World {
    runtime: Runtime,
    kernel: Kernel,
}

impl World {
    fn new() -> World {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let kernel = runtime.block_on(async {
            let engine = store::open(&Location::Memory).unwrap();
            Kernel::new(engine, Clock::real(), Chance::seeded(1), vec![dynamodb::service()])
        });
        World { runtime, kernel }
    }

    fn call(&self, operation: &str, input: impl Into<Bytes>) -> Bytes {
        let caller = Caller::root_user(AccountId::default(), Region::default(), self.kernel.new_id());
        self.runtime.block_on(self.kernel.call(caller, "dynamodb", operation, input.into())).unwrap()
    }
}

/// An item of about 1 KiB with ten attributes.
fn item(partition: usize, sort: usize) -> String {
    let text = "x".repeat(900);
    format!(
        r#"{{"pk":{{"S":"user#{partition}"}},"sk":{{"N":"{sort}"}},"text":{{"S":"{text}"}},"n":{{"N":"42"}},"ok":{{"BOOL":true}},"a":{{"S":"alpha"}},"b":{{"S":"beta"}},"c":{{"N":"3.25"}},"d":{{"L":[{{"S":"one"}}]}},"e":{{"M":{{"k":{{"S":"v"}}}}}}}}"#
    )
}

fn key(partition: usize, sort: usize) -> String {
    format!(r#"{{"pk":{{"S":"user#{partition}"}},"sk":{{"N":"{sort}"}}}}"#)
}

const TABLE: &str = r#"{"TableName":"bench","BillingMode":"PAY_PER_REQUEST",
    "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],
    "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}"#;

fn operations(criterion: &mut Criterion) {
    let world = World::new();
    world.call("CreateTable", TABLE);
    let put = |n: usize| format!(r#"{{"TableName":"bench","Item":{}}}"#, item(n / 10 % 1000, n % 10));
    for n in 0..10_000 {
        world.call("PutItem", put(n));
    }
    let mut n = 0;
    let mut next = move || {
        n += 7919;
        n
    };
    criterion.bench_function("put_item_1k", |bench| bench.iter(|| world.call("PutItem", put(next()))));
    let get = |n: usize| format!(r#"{{"TableName":"bench","Key":{}}}"#, key(n / 10 % 1000, n % 10));
    criterion.bench_function("get_item_1k", |bench| bench.iter(|| world.call("GetItem", get(next()))));
    let query = |n: usize| {
        let values = format!(r#"{{":p":{{"S":"user#{}"}}}}"#, n % 1000);
        format!(
            r#"{{"TableName":"bench","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{values},"Limit":10}}"#
        )
    };
    criterion.bench_function("query_10_of_1k", |bench| bench.iter(|| world.call("Query", query(next()))));
    let update = |n: usize| {
        let key = key(n / 10 % 1000, n % 10);
        format!(
            r#"{{"TableName":"bench","Key":{key},"UpdateExpression":"SET n = n + :one","ConditionExpression":"n >= :zero","ExpressionAttributeValues":{{":one":{{"N":"1"}},":zero":{{"N":"0"}}}}}}"#
        )
    };
    criterion.bench_function("update_item_conditional", |bench| {
        bench.iter(|| world.call("UpdateItem", update(next())));
    });
}

criterion_group!(benches, operations);
criterion_main!(benches);
