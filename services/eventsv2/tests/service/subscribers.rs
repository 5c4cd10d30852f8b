use serde_json::{Value, json};

use crate::support::{ROLE, make_bus, queue, subscribe, subscriber, world};

#[tokio::test]
async fn a_subscriber_is_shown_with_its_defaults_changed_listed_and_deleted() {
    let (world, bus) = world().await;
    let filter = json!({ "Filters": [{ "Scope": "DATA", "Pattern": r#"{"a":[1]}"# }] });
    let arn = subscribe(&world, &bus, json!({ "FilterConfiguration": filter, "Description": "d" })).await;
    assert!(arn.starts_with("arn:aws:events:eu-central-1:000000000000:subscriber/s/"), "{arn}");
    let named = json!({ "SubscriberArn": arn });
    let shown = world.ok("eventsv2", "DescribeSubscriber", named.clone()).await;
    for (name, expected) in [
        ("Type", json!("UNORDERED")),
        ("StartingPosition", json!("LATEST")),
        ("State", json!("RUNNING")),
        (
            "RetryPolicy",
            json!({ "MaxRetryAttempts": 5, "MaxEventAgeInSeconds": 300, "RetryStrategy": "ALL" }),
        ),
        ("BatchConfiguration", json!({ "MaxBatchSize": 10, "MaxBatchWindowInSeconds": 0 })),
        ("FilterConfiguration", filter),
        ("InvokeConfiguration", json!({ "TargetArn": queue("inbox"), "RoleArn": ROLE })),
    ] {
        assert_eq!(shown[name], expected, "{name}");
    }
    let change = json!({
        "SubscriberArn": arn, "FilterConfiguration": {}, "RetryPolicy": { "MaxRetryAttempts": 1 },
        "InvokeConfiguration": { "RoleArn": ROLE, "SqsParameters": { "DelaySeconds": "5" } },
        "BatchConfiguration": { "MaxBatchSize": 1 }, "OnFailureConfiguration": { "Arn": queue("dead") },
    });
    world.ok("eventsv2", "UpdateSubscriber", change).await;
    let shown = world.ok("eventsv2", "DescribeSubscriber", named.clone()).await;
    assert_eq!((&shown["Description"], &shown["FilterConfiguration"]), (&json!("d"), &Value::Null));
    assert_eq!(shown["InvokeConfiguration"]["TargetArn"], queue("inbox"));
    assert_eq!(shown["InvokeConfiguration"]["SqsParameters"]["DelaySeconds"], "5");
    assert_eq!(
        (&shown["RetryPolicy"]["MaxRetryAttempts"], &shown["RetryPolicy"]["MaxEventAgeInSeconds"]),
        (&json!(1), &json!(300))
    );
    assert_eq!(shown["OnFailureConfiguration"]["Arn"], queue("dead"));
    let other = make_bus(&world, "other").await;
    subscribe(&world, &other, json!({ "Name": "t" })).await;
    for (input, expected) in [
        (json!({}), &["s", "t"][..]),
        (json!({ "EventBusArn": bus }), &["s"]),
        (json!({ "EventBusArn": other, "NamePrefix": "x" }), &[]),
        (json!({ "NamePrefix": "t" }), &["t"]),
    ] {
        let listed = world.ok("eventsv2", "ListSubscribers", input.clone()).await;
        let names: Vec<&str> =
            listed["Subscribers"].as_array().unwrap().iter().map(|s| s["Name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{input}");
    }
    world.ok("eventsv2", "DeleteSubscriber", named.clone()).await;
    assert_eq!(world.refused("eventsv2", "DeleteSubscriber", named).await.code, "ResourceNotFoundException");
    world.ok("eventsv2", "DeleteEventBus", json!({ "EventBusArn": bus })).await;
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_by_name() {
    let (world, bus) = world().await;
    let target = |arn: &str| json!({ "InvokeConfiguration": { "TargetArn": arn } });
    let filter = |scope: &str, pattern: &str| json!({ "FilterConfiguration": { "Filters": [{ "Scope": scope, "Pattern": pattern }] } });
    let expression = |text: &str| json!({ "Transformer": { "Type": "JSONATA", "JsonataConfiguration": { "Expression": text } } });
    let here = "eu-central-1:000000000000";
    for (changes, message) in [
        (
            target(&format!("arn:aws:kinesis:{here}:stream/s")),
            "A Kinesis stream as the target of a subscriber is not implemented",
        ),
        (
            target(&format!("arn:aws:firehose:{here}:deliverystream/s")),
            "A Firehose delivery stream as the target",
        ),
        (target(&format!("arn:aws:events:{here}:api-destination/a/b")), "An API destination as the target"),
        (target(&format!("arn:aws:execute-api:{here}:a/s/GET")), "An API Gateway method as the target"),
        (target("arn:aws:events:::aws-sdk:dynamodb:putItem"), "A universal target (aws-sdk) as the target"),
        (target(&format!("arn:aws:ecs:{here}:cluster/c")), "TargetArn is not a supported subscriber target"),
        (
            target(&format!("arn:aws:lambda:{here}:function:f")),
            "function:f as the target of a subscriber is not implemented",
        ),
        (
            target("arn:aws:sqs:eu-central-1:111111111111:q"),
            "Target resource account (111111111111) must match",
        ),
        (target("arn:aws:sqs:us-east-1:000000000000:q"), "TargetArn must be in region eu-central-1"),
        (target(&bus), "must not reference the subscriber's own event bus"),
        (
            json!({ "InvokeConfiguration": { "SnsParameters": {} } }),
            "SnsParameters is not supported for target",
        ),
        (
            json!({ "InvokeConfiguration": { "RoleArn": "arn:aws:iam::111111111111:role/r" } }),
            "RoleArn must belong to the calling account",
        ),
        (
            json!({ "InvokeConfiguration": { "SqsParameters": { "MessageGroupId": "{% ( %}" } } }),
            "SqsParameters.MessageGroupId: the JSONata expression",
        ),
        (json!({ "FilterConfiguration": {} }), "must contain at least one filter"),
        (filter("DATA", r#"{"a":[{"wildcard":"*"}]}"#), "wildcard is not supported"),
        (filter("METADATA", r#"{"a":[{"exists":true}]}"#), "exact values only"),
        (expression("{% $events. %}"), "the JSONata expression cannot be parsed"),
        (expression("{% $other %}"), "reads $other; only $events is there"),
        (json!({ "Transformer": { "Type": "JSONATA" } }), "Expression is required"),
        (
            json!({ "LogConfiguration": { "Level": "INFO" } }),
            "LogConfiguration.Level other than OFF is not implemented",
        ),
        (
            json!({ "OnFailureConfiguration": { "Arn": queue("dead.fifo") } }),
            "of a FIFO queue is not implemented",
        ),
    ] {
        let fault = world.refused("eventsv2", "CreateSubscriber", subscriber(&bus, changes)).await;
        assert_eq!(fault.code, "InvalidInputException", "{}", fault.message);
        assert!(fault.message.contains(message), "{}", fault.message);
    }
    let lambda = json!({ "LambdaParameters": { "TenantId": "t" }, "TargetArn": format!("arn:aws:lambda:{here}:function:f") });
    let fault = world
        .refused("eventsv2", "CreateSubscriber", subscriber(&bus, json!({ "InvokeConfiguration": lambda })))
        .await;
    assert_eq!(fault.message, "LambdaParameters.TenantId is not implemented by Buswork");
    assert_eq!(world.ok("eventsv2", "ListSubscribers", json!({})).await["Subscribers"], json!([]));
}

#[tokio::test]
async fn names_are_taken_once_and_tokens_repeat() {
    let (world, bus) = world().await;
    let first =
        world.ok("eventsv2", "CreateSubscriber", subscriber(&bus, json!({ "ClientToken": "t" }))).await;
    let again =
        world.ok("eventsv2", "CreateSubscriber", subscriber(&bus, json!({ "ClientToken": "t" }))).await;
    assert_eq!(first["SubscriberArn"], again["SubscriberArn"]);
    for (changes, code) in [
        (json!({}), "ResourceAlreadyExistsException"),
        (json!({ "Name": "u", "ClientToken": "t" }), "IdempotentParameterMismatchException"),
    ] {
        assert_eq!(world.refused("eventsv2", "CreateSubscriber", subscriber(&bus, changes)).await.code, code);
    }
}
