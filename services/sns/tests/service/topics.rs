//! Topics and subscriptions as resources.

use serde_json::{Value, json};

use crate::world::{QUEUES, TOPICS, World};

#[tokio::test]
async fn topics_are_made_once_listed_and_taken_away() {
    let world = World::new().await;
    let arn = world.topic("t", json!({ "DisplayName": "T" })).await;
    assert_eq!(arn, format!("{TOPICS}:t"));
    assert_eq!(world.topic("t", json!({ "DisplayName": "T" })).await, arn);
    let again = json!({ "Name": "t", "Attributes": { "DisplayName": "other" } });
    assert!(world.refused("CreateTopic", again).await.contains("already exists with different attributes"));
    for number in 0..120 {
        world.topic(&format!("topic-{number:03}"), json!({})).await;
    }
    let first = world.ok("ListTopics", json!({})).await;
    assert_eq!(first["Topics"].as_array().unwrap().len(), 100);
    let rest = world.ok("ListTopics", json!({ "NextToken": first["NextToken"] })).await;
    assert_eq!((rest["Topics"].as_array().unwrap().len(), rest["NextToken"].is_null()), (21, true));
    world.subscribe(&arn, "q", json!({})).await;
    for _ in 0..2 {
        world.ok("DeleteTopic", json!({ "TopicArn": arn })).await;
    }
    assert!(world.ok("ListSubscriptions", json!({})).await["Subscriptions"].as_array().unwrap().is_empty());
    let refused = world.refused("Publish", json!({ "TopicArn": arn, "Message": "x" })).await;
    assert_eq!(refused, "NotFoundException: Topic does not exist");
}

#[tokio::test]
async fn attributes_are_set_and_given_back() {
    let world = World::new().await;
    let arn = world.topic("t.fifo", json!({ "FifoTopic": "true" })).await;
    let set =
        |name: &str, value: &str| json!({ "TopicArn": arn, "AttributeName": name, "AttributeValue": value });
    world.ok("SetTopicAttributes", set("ContentBasedDeduplication", "true")).await;
    world.ok("SetTopicAttributes", set("DisplayName", "Shown")).await;
    world.ok("SetTopicAttributes", set("TracingConfig", "Active")).await;
    world.ok("SetTopicAttributes", set("SQSSuccessFeedbackSampleRate", "30")).await;
    world.subscribe(&arn, "q.fifo", json!({})).await;
    let got = world.ok("GetTopicAttributes", json!({ "TopicArn": arn })).await;
    let shown = [
        "DisplayName",
        "FifoTopic",
        "ContentBasedDeduplication",
        "SubscriptionsConfirmed",
        "Owner",
        "TracingConfig",
        "SQSSuccessFeedbackSampleRate",
    ]
    .map(|name| got["Attributes"][name].as_str().unwrap().to_owned());
    assert_eq!(shown, ["Shown", "true", "true", "1", "000000000000", "Active", "30"]);
    let policy: Value = serde_json::from_str(got["Attributes"]["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"][0]["Sid"], "__default_statement_ID");
    for (name, value, part) in [
        ("KmsMasterKeyId", "alias/k", "not supported by Buswork"),
        ("HTTPSuccessFeedbackRoleArn", "r", "not supported by Buswork"),
        ("HTTPSuccessFeedbackSampleRate", "101", "from 0 to 100"),
        ("HTTPSuccessFeedback", "1", "AttributeName"),
        ("ArchivePolicy", "{}", "not supported by Buswork"),
        ("Policy", "[", "Policy"),
        ("TracingConfig", "active", "PassThrough or Active"),
        ("Nonsense", "x", "AttributeName"),
        ("FifoTopic", "false", "cannot be changed"),
        (
            "DeliveryPolicy",
            r#"{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":1}}}"#,
            "throttlePolicy",
        ),
    ] {
        let refused = world.refused("SetTopicAttributes", set(name, value)).await;
        assert!(refused.contains(part), "{refused}");
    }
    let add =
        json!({ "TopicArn": arn, "Label": "l", "AWSAccountId": ["111122223333"], "ActionName": ["Publish"] });
    world.ok("AddPermission", add.clone()).await;
    assert!(world.refused("AddPermission", add).await.contains("Statement already exists"));
    let statements = async || {
        let got = world.ok("GetTopicAttributes", json!({ "TopicArn": arn })).await;
        let policy: Value = serde_json::from_str(got["Attributes"]["Policy"].as_str().unwrap()).unwrap();
        policy["Statement"].as_array().unwrap().len()
    };
    assert_eq!(statements().await, 2);
    world.ok("RemovePermission", json!({ "TopicArn": arn, "Label": "l" })).await;
    assert_eq!(statements().await, 1);
}

#[tokio::test]
async fn subscriptions_are_made_once_listed_and_described() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    let arn = world.subscribe(&topic, "q", json!({ "FilterPolicy": r#"{"a":["b"]}"# })).await;
    assert!(arn.starts_with(&format!("{topic}:")));
    assert_eq!(world.subscribe(&topic, "q", json!({})).await, arn, "an endpoint is subscribed once");
    let other = json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": format!("{QUEUES}:q"), "Attributes": { "RawMessageDelivery": "true" } });
    assert!(world.refused("Subscribe", other).await.contains("already exists with different attributes"));
    let got = world.ok("GetSubscriptionAttributes", json!({ "SubscriptionArn": arn })).await;
    let attributes = &got["Attributes"];
    let shown =
        ["Protocol", "PendingConfirmation", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery"]
            .map(|name| attributes[name].as_str().unwrap().to_owned());
    assert_eq!(shown, ["sqs", "false", r#"{"a":["b"]}"#, "MessageAttributes", "false"]);
    for number in 0..105 {
        world.subscribe(&topic, &format!("q{number}"), json!({})).await;
    }
    for operation in ["ListSubscriptions", "ListSubscriptionsByTopic"] {
        let mut input = json!({});
        if operation == "ListSubscriptionsByTopic" {
            input["TopicArn"] = json!(topic);
        }
        let first = world.ok(operation, input.clone()).await;
        input["NextToken"] = first["NextToken"].clone();
        let rest = world.ok(operation, input).await;
        let count = |page: &Value| page["Subscriptions"].as_array().unwrap().len();
        assert_eq!((count(&first), count(&rest), rest["NextToken"].is_null()), (100, 6, true), "{operation}");
    }
    for _ in 0..2 {
        world.ok("Unsubscribe", json!({ "SubscriptionArn": arn })).await;
    }
    let gone = world.refused("GetSubscriptionAttributes", json!({ "SubscriptionArn": arn })).await;
    assert_eq!(gone, "NotFoundException: Subscription does not exist");
}

#[tokio::test]
async fn what_is_not_served_or_out_of_bounds_is_refused_by_name() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    for (protocol, endpoint, part) in [
        ("sms", "+491234", "the protocol sms is not supported by Buswork"),
        ("email", "a@b.example", "the protocol email is not supported by Buswork"),
        ("application", "arn:x", "the protocol application is not supported by Buswork"),
        ("firehose", "arn:x", "the protocol firehose is not supported by Buswork"),
        ("pigeon", "x", "does not support this protocol string: pigeon"),
        ("http", "https://example.invalid/", "must match the specified protocol"),
        ("sqs", "nonsense", "SQS endpoint ARN"),
        ("lambda", "arn:aws:lambda:eu-central-1:000000000000:layer:x", "Lambda endpoint ARN"),
    ] {
        let input = json!({ "TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint });
        let refused = world.refused("Subscribe", input).await;
        assert!(refused.contains(part), "{refused}");
    }
    let queue = format!("{QUEUES}:q");
    for (name, value, part) in [
        ("FilterPolicy", "{", "FilterPolicy: failed to parse JSON"),
        ("FilterPolicyScope", "Everything", "Invalid value [Everything]"),
        ("RedrivePolicy", r#"{"deadLetterTargetArn":"x"}"#, "RedrivePolicy"),
        ("DeliveryPolicy", r#"{"healthyRetryPolicy":{}}"#, "does not support a delivery policy"),
        ("ReplayPolicy", "{}", "not supported by Buswork"),
    ] {
        let input =
            json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": queue, "Attributes": { name: value } });
        let refused = world.refused("Subscribe", input).await;
        assert!(refused.contains(part), "{refused}");
    }
    for (input, part) in [
        (json!({ "PhoneNumber": "+491234", "Message": "x" }), "PhoneNumber is not supported by Buswork"),
        (json!({ "Message": "x" }), "TopicArn or TargetArn"),
        (json!({ "TopicArn": topic, "Message": "" }), "Empty message"),
        (json!({ "TopicArn": topic, "Message": "x", "Subject": "a\nb" }), "Subject"),
        (json!({ "TopicArn": topic, "Message": "x".repeat(262_145) }), "Message too long"),
        (
            json!({ "TopicArn": topic, "Message": "x", "MessageAttributes": { "a": { "DataType": "Number", "StringValue": "x" } } }),
            "'a' with type 'Number'",
        ),
        (json!({ "TopicArn": "nonsense", "Message": "x" }), "TopicArn"),
    ] {
        let refused = world.refused("Publish", input).await;
        assert!(refused.contains(part), "{refused}");
    }
    assert!(world.refused("CreateTopic", json!({ "Name": "a b" })).await.contains("Topic Name"));
}

#[tokio::test]
async fn topics_have_tags() {
    let world = World::new().await;
    let arn = world.topic("t", json!({})).await;
    let tag = |key: &str| json!({ "Key": key, "Value": "v" });
    world.ok("TagResource", json!({ "ResourceArn": arn, "Tags": [tag("a"), tag("b")] })).await;
    world.ok("UntagResource", json!({ "ResourceArn": arn, "TagKeys": ["a"] })).await;
    assert_eq!(
        world.ok("ListTagsForResource", json!({ "ResourceArn": arn })).await["Tags"],
        json!([tag("b")])
    );
    let gone = json!({ "ResourceArn": format!("{TOPICS}:gone") });
    assert!(world.refused("ListTagsForResource", gone).await.starts_with("ResourceNotFoundException"));
}
