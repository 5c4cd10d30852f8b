//! PutEvents through the router on the memory engine, with 1, 100 and 5,000 rules of which one matches; its target
//! is a mailbox in the place of a queue. The ratios count.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use base::{AccountId, Region};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use kernel::{Caller, Chance, Clock, Kernel};
use serde_json::{Value, json};
use store::Location;

const OUT: &str = "arn:aws:sqs:eu-central-1:000000000000:out";

fn caller(kernel: &Kernel) -> Caller {
    Caller::root_user(AccountId::default(), Region::parse("eu-central-1").unwrap(), kernel.new_id())
}

async fn call(kernel: &Kernel, service: &str, operation: &str, input: Value) {
    kernel.run_document(caller(kernel), service, operation, &input).await.unwrap();
}

async fn kernel_with(rules: usize) -> Kernel {
    let services = vec![events::service(), testkit::mailbox::service()];
    let engine = store::open(&Location::Memory).unwrap();
    let kernel = Kernel::new(engine, Clock::real(), Chance::seeded(1), services);
    kernel.start().await.unwrap();
    call(&kernel, "sqs", "CreateQueue", json!({ "QueueName": "out" })).await;
    for number in 0..rules {
        let pattern = json!({ "source": [format!("app-{number}")] }).to_string();
        let name = format!("rule-{number}");
        call(&kernel, "events", "PutRule", json!({ "Name": name, "EventPattern": pattern })).await;
        call(
            &kernel,
            "events",
            "PutTargets",
            json!({ "Rule": name, "Targets": [{ "Id": "t", "Arn": OUT }] }),
        )
        .await;
    }
    kernel
}

fn put_events(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let detail = json!({ "order": 4711, "note": "x".repeat(600) }).to_string();
    let entry = json!({ "Source": "app-0", "DetailType": "Placed", "Detail": detail });
    let input: Bytes = serde_json::to_vec(&json!({ "Entries": [entry] })).unwrap().into();
    for rules in [1, 100, 5_000] {
        let kernel = runtime.block_on(kernel_with(rules));
        criterion.bench_function(&format!("put_events/{rules}_rules"), |bencher| {
            bencher.iter(|| {
                runtime.block_on(kernel.call(caller(&kernel), "events", "PutEvents", input.clone())).unwrap()
            });
        });
        runtime.block_on(kernel.idle());
    }
}

criterion_group!(benches, put_events);
criterion_main!(benches);
