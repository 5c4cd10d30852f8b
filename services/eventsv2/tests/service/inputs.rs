//! What the members of inputs do, for the operations that other tests do not call with them.

use serde_json::{Value, json};
use testkit::World;

use crate::support::{ROLE, make_bus, publish, publish_numbers, queue, raw, subscribe, subscriber, world};

/// All that a listing gives, page by page with one item each.
async fn listed(world: &World, operation: &str, filter: &Value, list: &str) -> Vec<String> {
    let (mut names, mut input) = (Vec::new(), filter.clone());
    input["MaxResults"] = json!(1);
    for _ in 0..10 {
        let answer = world.ok("eventsv2", operation, input.clone()).await;
        let page = answer[list].as_array().unwrap();
        assert!(page.len() <= 1, "{operation}: {page:?}");
        names.extend(page.iter().map(|item| item["Name"].as_str().unwrap().to_owned()));
        if answer["NextToken"].is_null() {
            break;
        }
        input["NextToken"] = answer["NextToken"].clone();
    }
    names
}

fn source(bus: &str, name: &str) -> Value {
    let events = json!({
        "AwsService": "aws.s3", "Pattern": r#"{"detail":{"x":[1]}}"#, "OnFailureConfiguration": { "Arn": queue("dead") },
    });
    json!({
        "Name": name, "EventBusArn": bus, "Configuration": { "AwsServiceEventsConfiguration": events },
        "Description": "d", "Tags": { "k": "v" }, "ClientToken": name,
    })
}

#[tokio::test]
async fn what_is_listed_is_filtered_and_paged() {
    let (world, bus) = world().await;
    let other = make_bus(&world, "other").await;
    for (number, on) in [&bus, &bus, &other].into_iter().enumerate() {
        let name = ["x1", "x2", "y"][number];
        subscribe(&world, on, json!({ "Name": name })).await;
        world.ok("eventsv2", "CreateEventSource", source(on, name)).await;
    }
    for n in ["x1", "x2"] {
        make_bus(&world, n).await;
    }
    let (by_name, by_bus) = (json!({ "NamePrefix": "x" }), json!({ "EventBusArn": bus }));
    for (operation, filter, list) in [
        ("ListEventBuses", by_name.clone(), "EventBuses"),
        ("ListSubscribers", by_name.clone(), "Subscribers"),
        ("ListSubscribers", by_bus.clone(), "Subscribers"),
        ("ListEventSources", by_name, "EventSources"),
        ("ListEventSources", by_bus, "EventSources"),
    ] {
        assert_eq!(listed(&world, operation, &filter, list).await, ["x1", "x2"], "{operation} {filter}");
    }
}

#[tokio::test]
async fn a_bus_is_made_with_what_is_said_of_it() {
    let (world, _) = world().await;
    let bus = json!({
        "Name": "new", "Description": "d", "Tags": { "k": "v" }, "StorageConfiguration": { "RetentionPeriodInDays": 3 },
    });
    let arn = world.ok("eventsv2", "CreateEventBus", bus).await["EventBusArn"].clone();
    let shown = world.ok("eventsv2", "DescribeEventBus", json!({ "EventBusArn": arn })).await;
    assert_eq!(shown["Description"], "d");
    assert_eq!(shown["StorageConfiguration"]["RetentionPeriodInDays"], 3);
    let tags = world.ok("eventsv2", "ListTagsForResource", json!({ "ResourceArn": arn })).await;
    assert_eq!(tags["Tags"], json!({ "k": "v" }));
    let update = json!({ "EventBusArn": arn, "EncryptionConfiguration": { "KmsKeyIdentifier": "k" } });
    let fault = world.refused("eventsv2", "UpdateEventBus", update).await;
    assert_eq!(fault.message, "EncryptionConfiguration.KmsKeyIdentifier is not implemented by Buswork");
}

#[tokio::test]
async fn an_event_source_is_shown_and_changed() {
    let (world, bus) = world().await;
    let made = world.ok("eventsv2", "CreateEventSource", source(&bus, "s")).await;
    let again = world.ok("eventsv2", "CreateEventSource", source(&bus, "s")).await;
    assert_eq!(made["EventSourceArn"], again["EventSourceArn"], "the same under its token");
    let named = json!({ "EventSourceArn": made["EventSourceArn"] });
    let shown = world.ok("eventsv2", "DescribeEventSource", named.clone()).await;
    assert_eq!(shown["Configuration"], source(&bus, "s")["Configuration"]);
    assert_eq!((&shown["Description"], &shown["EventBusArn"]), (&json!("d"), &json!(bus)));
    let tags =
        world.ok("eventsv2", "ListTagsForResource", json!({ "ResourceArn": made["EventSourceArn"] })).await;
    assert_eq!(tags["Tags"], json!({ "k": "v" }));
    let changed = json!({ "AwsServiceEventsConfiguration": {
        "AwsService": "aws.sqs", "Pattern": r#"{"detail":{"y":[1]}}"#, "OnFailureConfiguration": { "Arn": queue("inbox") },
    } });
    let mut update = named.clone();
    update["Configuration"] = changed.clone();
    update["Description"] = json!("e");
    world.ok("eventsv2", "UpdateEventSource", update).await;
    let shown = world.ok("eventsv2", "DescribeEventSource", named.clone()).await;
    assert_eq!((&shown["Configuration"], &shown["Description"]), (&changed, &json!("e")));
    let mut update = named;
    update["Configuration"] = json!({ "PartnerEventsConfiguration": {
        "PartnerEventSourceArn": "arn:aws:events:eu-central-1::event-source/aws.partner/x.com/y",
    } });
    let fault = world.refused("eventsv2", "UpdateEventSource", update).await;
    assert_eq!(fault.message, "PartnerEventsConfiguration is not implemented by Buswork");
    let mut nowhere = source(&bus, "t");
    let events = &mut nowhere["Configuration"]["AwsServiceEventsConfiguration"];
    events["OnFailureConfiguration"] = json!({ "Arn": queue("dead.fifo") });
    let fault = world.refused("eventsv2", "CreateEventSource", nowhere).await;
    assert!(fault.message.starts_with("OnFailureConfiguration.Arn of a FIFO queue"), "{}", fault.message);
}

#[tokio::test]
async fn what_is_set_of_a_subscriber_is_shown_whichever_operation_has_set_it() {
    for operation in ["CreateSubscriber", "UpdateSubscriber"] {
        let (world, bus) = world().await;
        let other_role = "arn:aws:iam::000000000000:role/other";
        let filters = json!({
            "Language": "EVENT_BRIDGE_PATTERN", "Filters": [{ "Scope": "DATA", "Pattern": r#"{"n":[1]}"# }],
        });
        let jsonata =
            json!({ "Type": "JSONATA", "JsonataConfiguration": { "Expression": "{% $events.Data.n %}" } });
        let retry = json!({ "MaxRetryAttempts": 3, "MaxEventAgeInSeconds": 61, "RetryStrategy": "ALL" });
        for (number, (member, value)) in [
            ("Description", json!("d")),
            ("FilterConfiguration", filters),
            ("BatchConfiguration", json!({ "MaxBatchSize": 2, "MaxBatchWindowInSeconds": 3 })),
            ("Transformer", jsonata),
            ("RetryPolicy", retry),
            ("OnFailureConfiguration", json!({ "Arn": queue("dead") })),
            ("LogConfiguration", json!({ "Level": "OFF", "IncludePayload": "ON_ERROR_ONLY" })),
            ("State", json!("STOPPED")),
            (
                "InvokeConfiguration",
                json!({ "RoleArn": other_role, "SqsParameters": { "MessageGroupId": "g" } }),
            ),
        ]
        .into_iter()
        .enumerate()
        {
            let name = json!({ "Name": format!("s{number}") });
            let arn = if operation == "CreateSubscriber" {
                let mut changes = name;
                changes[member] = value.clone();
                subscribe(&world, &bus, changes).await
            } else {
                let arn = subscribe(&world, &bus, name).await;
                let mut update = json!({ "SubscriberArn": arn });
                update[member] = value.clone();
                world.ok("eventsv2", "UpdateSubscriber", update).await;
                arn
            };
            let shown = world.ok("eventsv2", "DescribeSubscriber", json!({ "SubscriberArn": arn })).await;
            let mut expected = value;
            if member == "InvokeConfiguration" {
                expected["TargetArn"] = json!(queue("inbox"));
            }
            assert_eq!(shown[member], expected, "{operation}");
        }
    }
}

#[tokio::test]
async fn an_updated_subscriber_delivers_as_it_says() {
    let (world, bus) = world().await;
    let arn = subscribe(&world, &bus, json!({})).await;
    let sqs = json!({
        "MessageGroupId": "g", "MessageDeduplicationId": "{% 'd' & $events.Data.n %}",
        "MessageAttributes": {
            "text": { "DataType": "String", "StringValue": "s" }, "bytes": { "DataType": "Binary", "BinaryValue": "AAE=" },
        },
    });
    let update = json!({
        "SubscriberArn": arn, "InvokeConfiguration": { "RoleArn": ROLE, "SqsParameters": sqs },
        "Transformer": { "Type": "JSONATA", "JsonataConfiguration": { "Expression": "{% $events.Data.n %}" } },
    });
    world.ok("eventsv2", "UpdateSubscriber", update).await;
    publish_numbers(&world, &bus, [7]).await;
    let sent = crate::support::messages(&world, "inbox").await.remove(0);
    assert_eq!((&sent["Body"], &sent["Attributes"]["MessageGroupId"]), (&json!("7"), &json!("g")));
    assert_eq!(sent["MessageAttributes"]["text"]["StringValue"], "s");
}

#[tokio::test]
async fn a_block_that_is_not_the_targets_is_refused_by_both_operations() {
    let (world, bus) = world().await;
    let arn = subscribe(&world, &bus, json!({ "Name": "there" })).await;
    for (name, block) in [
        ("LambdaParameters", json!({ "Qualifier": "q" })),
        ("SnsParameters", json!({ "Subject": "s" })),
        ("KinesisParameters", json!({ "PartitionKey": "k" })),
        ("StepFunctionsParameters", json!({ "Name": "n" })),
        ("HttpParameters", json!({ "HeaderParameters": { "a": "b" } })),
        ("UniversalTargetParameters", json!({ "Input": "{}" })),
        ("EventBusV2Parameters", json!({ "Metadata": { "a": "b" } })),
    ] {
        let made = subscriber(&bus, json!({ "Name": "new", "InvokeConfiguration": { name: block } }));
        let update = json!({ "SubscriberArn": arn, "InvokeConfiguration": { "RoleArn": ROLE, name: block } });
        for (operation, input) in [("CreateSubscriber", made), ("UpdateSubscriber", update)] {
            let fault = world.refused("eventsv2", operation, input).await;
            assert!(
                fault.message.starts_with(&format!("{name} is not supported for target")),
                "{operation}: {}",
                fault.message
            );
        }
    }
    let log = json!({ "SubscriberArn": arn, "LogConfiguration": { "Level": "INFO" } });
    let fault = world.refused("eventsv2", "UpdateSubscriber", log).await;
    assert_eq!(fault.message, "LogConfiguration.Level other than OFF is not implemented by Buswork");
}

#[tokio::test]
async fn raw_events_have_metadata_groups_and_ids() {
    let (world, bus) = world().await;
    subscribe(&world, &bus, json!({ "Transformer": { "Type": "WITH_METADATA" } })).await;
    let mut entry = raw(&json!({ "n": 1 }));
    entry["Metadata"] = json!({ "tenant": "acme" });
    entry["SystemMetadata"]["EventGroupId"] = "g".into();
    entry["SystemMetadata"]["DeduplicationId"] = "d".into();
    publish(&world, &bus, &[entry]).await;
    world.idle().await;
    let body = crate::support::bodies(&world, "inbox").await.remove(0);
    assert_eq!(body["Metadata"], json!({ "tenant": "acme" }));
    let system = &body["SystemMetadata"];
    assert_eq!((&system["EventGroupId"], &system["DeduplicationId"]), (&json!("g"), &json!("d")));
    assert_eq!(system["ContentType"], "application/json");
    let input = json!({
        "EventBusArn": bus, "Entries": [raw(&json!(1)), raw(&json!(1))],
        "DeduplicationConfiguration": { "DeduplicationType": "CONTENT_BASED" },
    });
    let answer = world.ok("eventsv2", "PutRawEvents", input).await;
    let code = |n: usize| answer["Entries"][n]["SuccessCode"].clone();
    assert_eq!((code(0), code(1)), (json!("PUBLISHED"), json!("DEDUPLICATED")));
}
