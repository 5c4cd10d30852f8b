use std::sync::Arc;

use serde_json::{Value, json};
use testkit::{World, mailbox};

use crate::flaky::{self, Log};
use crate::support::{
    bodies, furnish, grouped, make_bus, messages, publish, publish_numbers, queue, raw, subscribe, text,
    world,
};

#[tokio::test]
async fn filters_choose_by_data_metadata_and_system_metadata() {
    let (world, bus) = world().await;
    let filters = json!([
        { "Scope": "DATA", "Pattern": r#"{"total":[{"numeric":[">",100]}]}"# },
        { "Scope": "METADATA", "Pattern": r#"{"tenant":["acme"]}"# },
        { "Scope": "SYSTEM_METADATA", "Pattern": r#"{"ContentType":[{"prefix":"application/"}]}"# },
    ]);
    subscribe(&world, &bus, json!({ "FilterConfiguration": { "Filters": filters } })).await;
    let entry = |total: u32, tenant: &str| {
        let mut entry = raw(&json!({ "total": total }));
        entry["Metadata"] = json!({ "tenant": tenant });
        entry
    };
    publish(&world, &bus, &[entry(101, "acme"), entry(100, "acme"), entry(102, "other"), entry(103, "acme")])
        .await;
    world.idle().await;
    let mut totals: Vec<u64> =
        bodies(&world, "inbox").await.iter().map(|body| body["total"].as_u64().unwrap()).collect();
    totals.sort_unstable();
    assert_eq!(totals, [101, 103]);
}

#[tokio::test]
async fn a_changed_filter_holds_from_then_on_and_an_empty_one_is_none() {
    let (world, bus) = world().await;
    let filter = |n: u32| json!({ "Filters": [{ "Scope": "DATA", "Pattern": format!(r#"{{"n":[{n}]}}"#) }] });
    let arn = subscribe(&world, &bus, json!({ "FilterConfiguration": filter(1) })).await;
    publish_numbers(&world, &bus, [1, 2]).await;
    for (change, sent, expected) in [(filter(2), [3, 2], &[2][..]), (json!({}), [4, 5], &[4, 5])] {
        world
            .ok(
                "eventsv2",
                "UpdateSubscriber",
                json!({ "SubscriberArn": arn, "FilterConfiguration": change }),
            )
            .await;
        let _ = messages(&world, "inbox").await;
        publish_numbers(&world, &bus, sent).await;
        assert_eq!(crate::support::numbers(&world, "inbox").await, expected);
    }
}

#[tokio::test]
async fn transformers_make_what_the_target_gets() {
    let (world, bus) = world().await;
    for (name, transformer, expected) in [
        ("raw", json!({ "Type": "RAW" }), r#"{"id":7}"#),
        (
            "shape",
            jsonata("{ 'order': $events.Data.id, 'how': $events.SystemMetadata.'aws:DeliveryType' }"),
            r#"{"order":7,"how":"LIVE"}"#,
        ),
        ("plain", jsonata("'order ' & $events.Data.id"), "order 7"),
    ] {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": name })).await;
        let invoke = json!({ "TargetArn": queue(name) });
        let arn = subscribe(
            &world,
            &bus,
            json!({ "Name": name, "InvokeConfiguration": invoke, "Transformer": transformer }),
        )
        .await;
        publish(&world, &bus, &[raw(&json!({ "id": 7 }))]).await;
        world.idle().await;
        assert_eq!(messages(&world, name).await[0]["Body"], expected);
        world.ok("eventsv2", "DeleteSubscriber", json!({ "SubscriberArn": arn })).await;
    }
}

fn jsonata(expression: &str) -> Value {
    json!({ "Type": "JSONATA", "JsonataConfiguration": { "Expression": format!("{{% {expression} %}}") } })
}

#[tokio::test]
async fn parameters_may_be_expressions() {
    let (world, bus) = world().await;
    let parameters = json!({
        "MessageGroupId": "{% $events.SystemMetadata.EventGroupId %}",
        "MessageAttributes": { "tenant": { "DataType": "String", "StringValue": "{% $events.Data.tenant %}" } },
    });
    subscribe(&world, &bus, json!({ "InvokeConfiguration": { "SqsParameters": parameters } })).await;
    publish(&world, &bus, &[grouped(&json!({ "tenant": "acme" }), "g1")]).await;
    world.idle().await;
    let message = &messages(&world, "inbox").await[0];
    assert_eq!(message["Attributes"]["MessageGroupId"], "g1");
    assert_eq!(message["MessageAttributes"]["tenant"]["StringValue"], "acme");
}

#[tokio::test]
async fn a_group_keeps_its_order_while_others_go_on() {
    let log = Arc::new(Log::default());
    let theirs = Arc::clone(&log);
    let world =
        World::new(move || vec![eventsv2::service(), mailbox::service(), flaky::service(&theirs)]).await;
    let bus = furnish(&world).await;
    let invoke = json!({ "TargetArn": flaky::ARN });
    subscribe(&world, &bus, json!({ "Type": "FIFO", "InvokeConfiguration": invoke })).await;
    *log.failures.lock().unwrap() = 3;
    publish(&world, &bus, &[grouped(&json!("a1"), "a")]).await;
    world.idle().await;
    // The first of its group fails for a while: the second waits, another group does not.
    *log.failures.lock().unwrap() = 0;
    publish(&world, &bus, &[grouped(&json!("a2"), "a"), grouped(&json!("b1"), "b")]).await;
    world.idle().await;
    assert_eq!(*log.given.lock().unwrap(), ["\"a1\"", "\"b1\""]);
    world.advance(std::time::Duration::from_secs(10)).await;
    assert_eq!(*log.given.lock().unwrap(), ["\"a1\"", "\"b1\"", "\"a1\"", "\"a2\""]);
}

#[tokio::test]
async fn a_bus_forwards_to_a_bus() {
    let (world, bus) = world().await;
    let next = make_bus(&world, "next").await;
    let parameters = json!({
        "Metadata": { "by": "forwarder" }, "SystemMetadata": { "EventGroupId": "{% $events.Data.detail.group %}" },
        "DeduplicationConfiguration": { "DeduplicationType": "CONTENT_BASED" },
    });
    let invoke = json!({ "TargetArn": next, "EventBusV2Parameters": parameters });
    subscribe(&world, &bus, json!({ "Name": "f", "InvokeConfiguration": invoke })).await;
    subscribe(&world, &next, json!({ "Transformer": { "Type": "WITH_METADATA" } })).await;
    let entry = json!({ "Source": "shop", "DetailType": "Sold", "Detail": r#"{"group":"g"}"# });
    world.ok("eventsv2", "PutEvents", json!({ "EventBusArn": bus, "Entries": [entry] })).await;
    world.idle().await;
    let seen = bodies(&world, "inbox").await;
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (&seen[0]["Data"]["detail"], &seen[0]["Metadata"]),
        (&json!({ "group": "g" }), &json!({ "by": "forwarder" }))
    );
    let system = &seen[0]["SystemMetadata"];
    assert_eq!((&system["aws:Source"], &system["EventGroupId"]), (&json!("shop"), &json!("g")));
}

#[tokio::test]
async fn an_event_is_found_on_the_trace_with_its_delivery() {
    let (world, bus) = world().await;
    subscribe(&world, &bus, json!({})).await;
    let told = publish(&world, &bus, &[raw(&json!(1))]).await;
    world.idle().await;
    let spans = world.spans(&text(&told[0]["EventId"])).await;
    let mut operations: Vec<&str> = spans.iter().map(|span| span.operation.as_str()).collect();
    // Spans of one millisecond stand in any order.
    operations.sort_unstable();
    assert_eq!(operations, ["eventsv2:PutRawEvents", "eventsv2:ReadLog", "sqs:SendMessage"]);
}
