//! The rows of EventBridge.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use bytes::Bytes;
use futures::future::try_join;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{EVENTS, SCHEMAS, SQS, pause};
use super::load::{Figures, Meter, Subject, percentiles};
use super::queues::{self, Queue};

/// How many events the latency is measured with.
const SAMPLES: usize = 200;

/// A bus with rules, one of which sends what is put here into a queue.
struct Bus {
    name: String,
    queue: Queue,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    failed_entry_count: u32,
}

/// PutEvents with `entries` events a request on a bus of `rules` rules; ends when all are in the queue.
///
/// # Errors
/// A request failed, or an event was not delivered exactly once.
pub(crate) async fn put_events(subject: &Subject, entries: usize, rules: usize) -> anyhow::Result<Figures> {
    let bus = bus(subject, &format!("put-{entries}-{rules}"), rules).await?;
    flood(subject, &bus, entries).await
}

/// PutEvents with `rules` rules, and how much more of the server's time it takes than with one.
///
/// # Errors
/// As [`put_events`].
pub(crate) async fn put_events_ratio(subject: &Subject, rules: usize) -> anyhow::Result<Figures> {
    let one = bus(subject, "ratio-1", 1).await?;
    let many = bus(subject, &format!("ratio-{rules}"), rules).await?;
    let with_one = flood(subject, &one, 1).await?;
    let with_many = flood(subject, &many, 1).await?;
    let by_cpu = with_many.cpu_micros.zip(with_one.cpu_micros).map(|(many, one)| many / one);
    let by_rate = with_one.per_second.zip(with_many.per_second).map(|(one, many)| one / many);
    Ok(Figures { ratio: by_cpu.or(by_rate), ..with_many })
}

/// PutEvents on a bus with one validation policy that warns, whose schema the events keep to, and how much more of the
/// server's time that takes than without a policy.
///
/// # Errors
/// As [`put_events`], or the server has no validation.
pub(crate) async fn validation_ratio(subject: &Subject) -> anyhow::Result<Figures> {
    let without = bus(subject, "unchecked", 1).await?;
    let with = bus(subject, "checked", 1).await?;
    hold_to_schema(subject, &with).await?;
    let without = flood(subject, &without, 1).await?;
    let with = flood(subject, &with, 1).await?;
    let by_cpu = with.cpu_micros.zip(without.cpu_micros).map(|(with, without)| with / without);
    let by_rate = without.per_second.zip(with.per_second).map(|(without, with)| without / with);
    Ok(Figures { ratio: by_cpu.or(by_rate), ..with })
}

async fn hold_to_schema(subject: &Subject, bus: &Bus) -> anyhow::Result<()> {
    let registry = format!("{}-bench", subject.prefix);
    let schema = json!({
        "type": "object", "required": ["order", "customer", "total", "items"],
        "properties": {
            "order": {"type": "string"}, "customer": {"type": "string"}, "currency": {"enum": ["EUR", "USD"]},
            "total": {"type": "number", "minimum": 0},
            "items": {"type": "array", "items": {"type": "object", "required": ["sku"],
                "properties": {"sku": {"type": "string"}, "count": {"type": "integer"}}}},
        },
    });
    let path = format!("/v1/registries/name/{registry}");
    let mut connection = subject.address.connect().await?;
    let head = subject.address.path(&SCHEMAS, Method::POST, &path)?;
    let _: Value = connection.ask(&head, &json!({})).await?;
    let head = subject.address.path(&SCHEMAS, Method::POST, &format!("{path}/schemas/name/order"))?;
    let content = json!({"Type": "JSONSchemaDraft4", "Content": schema.to_string()});
    let _: Value = connection.ask(&head, &content).await?;
    let head = subject.address.path(&EVENTS, Method::POST, "/_buswork/ask/events/PutValidationPolicy")?;
    let policy = json!({
        "EventBusName": bus.name, "Source": "bench.orders", "Mode": "WARN",
        "RegistryName": registry, "SchemaName": "order",
    });
    let _: Value = connection.ask(&head, &policy).await?;
    Ok(())
}

/// From PutEvents to the message in the answer of a long poll that waits already, one event at a time.
///
/// # Errors
/// A request failed, or not exactly one message came.
pub(crate) async fn long_poll(subject: &Subject) -> anyhow::Result<Figures> {
    let bus = bus(subject, "poll", 1).await?;
    let (mut receiver, mut sender) = (subject.address.connect().await?, subject.address.connect().await?);
    let to_receive = subject.address.head(&SQS, "ReceiveMessage")?;
    let to_delete = subject.address.head(&SQS, "DeleteMessageBatch")?;
    let to_put = subject.address.head(&EVENTS, "PutEvents")?;
    let body = put_body(&bus.name, 1);
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let poll = async {
            let messages = queues::receive(&mut receiver, &to_receive, &bus.queue, 20).await?;
            anyhow::Ok((messages, Instant::now()))
        };
        let put = async {
            // The poll is to be waiting when the event comes.
            pause(Duration::from_millis(3)).await;
            let start = Instant::now();
            sender.send(&to_put, body.clone()).await?;
            anyhow::Ok(start)
        };
        let ((messages, end), start) = try_join(poll, put).await?;
        ensure!(messages.len() == 1, "one event was put and {} messages came", messages.len());
        times.push(end.duration_since(start));
        queues::delete(&mut receiver, &to_delete, &bus.queue, &messages).await?;
    }
    Ok(Figures { millis: percentiles(&mut times), ..Figures::default() })
}

async fn flood(subject: &Subject, bus: &Bus, entries: usize) -> anyhow::Result<Figures> {
    let head = subject.address.head(&EVENTS, "PutEvents")?;
    let body = put_body(&bus.name, entries);
    let mut connections = subject.connect_all().await?;
    let put: Put = serde_json::from_slice(&connections[0].send(&head, body.clone()).await?)?;
    if put.failed_entry_count > 0 {
        bail!("{} of {entries} entries failed", put.failed_entry_count);
    }
    queues::until_delivered(subject, &bus.queue, entries).await?;
    let meter = Meter::start(subject);
    let mut answered = subject.load(&mut connections, &head, |_| body.clone()).await?;
    let count = answered.times.len() * entries;
    queues::until_delivered(subject, &bus.queue, count + entries).await?;
    Ok(meter.stop(count).with_times(&mut answered.times))
}

async fn bus(subject: &Subject, name: &str, rules: usize) -> anyhow::Result<Bus> {
    let queue = queues::queue(subject, name).await?;
    let name = format!("{}-{name}", subject.prefix);
    let mut connection = subject.address.connect().await?;
    let head = subject.address.head(&EVENTS, "CreateEventBus")?;
    let _: Value = connection.ask(&head, &json!({"Name": name})).await?;
    // The first rule matches; the others differ from it in one value and send into the same queue.
    let rule = |index: usize| {
        let source = if index == 0 { "bench.orders".to_owned() } else { format!("bench.other.{index}") };
        let pattern = json!({"source": [source], "detail": {"total": [{"numeric": [">", 100]}]}});
        let rule = format!("rule-{index}");
        json!({"Name": rule, "EventBusName": name, "EventPattern": pattern.to_string()})
    };
    let target = |index: usize| {
        let rule = format!("rule-{index}");
        json!({"Rule": rule, "EventBusName": name, "Targets": [{"Id": "queue", "Arn": queue.arn}]})
    };
    subject.fill(&EVENTS, "PutRule", rules, |index| rule(index).to_string().into()).await?;
    subject.fill(&EVENTS, "PutTargets", rules, |index| target(index).to_string().into()).await?;
    Ok(Bus { name, queue })
}

fn put_body(bus: &str, entries: usize) -> Bytes {
    let detail = json!({
        "order": "4711", "customer": "c-0815", "total": 129.95, "currency": "EUR",
        "items": [{"sku": "a-1", "count": 2}, {"sku": "b-7", "count": 1}],
    });
    let entry = json!({"EventBusName": bus, "Source": "bench.orders", "DetailType": "OrderPlaced",
        "Detail": detail.to_string()});
    json!({"Entries": vec![entry; entries]}).to_string().into()
}
