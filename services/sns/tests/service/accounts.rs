//! What other accounts may do.

use serde_json::{Value, json};

use crate::world::{QUEUES, World};

const DENIED: &str =
    "AuthorizationErrorException: User: arn:aws:iam::111111111111:root is not authorized to perform: SNS:";

#[tokio::test]
async fn other_accounts_do_not_administer_a_topic() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    let subscription = world.subscribe(&topic, "q", json!({})).await;
    for (operation, input) in [
        ("GetTopicAttributes", json!({})),
        ("SetTopicAttributes", json!({ "AttributeName": "Policy", "AttributeValue": "{}" })),
        (
            "AddPermission",
            json!({ "Label": "l", "AWSAccountId": ["111111111111"], "ActionName": ["Publish"] }),
        ),
        ("RemovePermission", json!({ "Label": "l" })),
        ("ListSubscriptionsByTopic", json!({})),
        ("TagResource", json!({ "Tags": [{ "Key": "k", "Value": "v" }] })),
        ("UntagResource", json!({ "TagKeys": ["k"] })),
        ("ListTagsForResource", json!({})),
        ("GetSubscriptionAttributes", json!({})),
        (
            "SetSubscriptionAttributes",
            json!({ "AttributeName": "RawMessageDelivery", "AttributeValue": "true" }),
        ),
        ("Unsubscribe", json!({})),
        ("Publish", json!({ "Message": "x" })),
        ("Subscribe", json!({ "Protocol": "sqs", "Endpoint": format!("{QUEUES}:other") })),
        ("DeleteTopic", json!({})),
    ] {
        let mut all = input;
        let of = match operation {
            "GetSubscriptionAttributes" | "SetSubscriptionAttributes" | "Unsubscribe" => "SubscriptionArn",
            "TagResource" | "UntagResource" | "ListTagsForResource" => "ResourceArn",
            _ => "TopicArn",
        };
        all[of] = if of == "SubscriptionArn" { json!(subscription) } else { json!(topic) };
        let refused = world.as_other(operation, all).await.unwrap_err();
        assert_eq!(refused, format!("{DENIED}{operation} on resource: {topic}"));
    }
    let entries = json!([{ "Id": "a", "Message": "x" }]);
    let batch = json!({ "TopicArn": topic, "PublishBatchRequestEntries": entries });
    assert!(world.as_other("PublishBatch", batch).await.unwrap_err().contains("SNS:Publish on"));
    assert_eq!(world.as_other("ListTopics", json!({})).await.unwrap()["Topics"], json!([]));
    world.publish(&topic, json!({ "Message": "still here" })).await;
    assert_eq!(world.bodies("q").await[0]["Message"], "still here");
}

#[tokio::test]
async fn a_policy_lets_other_accounts_publish_and_subscribe() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    let allow = json!({ "TopicArn": topic, "Label": "l", "AWSAccountId": ["111111111111"], "ActionName": ["Publish"] });
    world.ok("AddPermission", allow).await;
    let subscribe = json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": format!("{QUEUES}:q") });
    assert!(world.as_other("Subscribe", subscribe.clone()).await.unwrap_err().starts_with(DENIED));
    let policy =
        json!({ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "sns:*", "Resource": topic } });
    let set = json!({ "TopicArn": topic, "AttributeName": "Policy", "AttributeValue": policy.to_string() });
    world.ok("SetTopicAttributes", set).await;
    let arn = world.as_other("Subscribe", subscribe).await.unwrap()["SubscriptionArn"].clone();
    world.as_other("Publish", json!({ "TopicArn": topic, "Message": "from outside" })).await.unwrap();
    world.0.idle().await;
    assert_eq!(world.bodies("q").await[0]["Message"], "from outside");
    let mine = world.as_other("GetSubscriptionAttributes", json!({ "SubscriptionArn": arn })).await.unwrap();
    assert_eq!(mine["Attributes"]["Owner"], "111111111111");
    world.as_other("GetTopicAttributes", json!({ "TopicArn": topic })).await.unwrap_err();
    world.as_other("Unsubscribe", json!({ "SubscriptionArn": arn })).await.unwrap();
    let left = world.ok("ListSubscriptions", json!({})).await;
    assert_eq!(left["Subscriptions"], json!([]));
}

#[tokio::test]
async fn nobody_signs_to_confirm_and_strangers_do_not_take_away_what_is_protected() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    let by_queue = world.subscribe(&topic, "q", json!({})).await;
    let stranger = async |operation: &str, input: Value| {
        let caller = kernel::Caller { principal: sns::ANONYMOUS.to_owned(), ..world.0.caller() };
        world.0.call_as(caller, "sns", operation, input).await
    };
    assert!(sns::is_open("ConfirmSubscription") && sns::is_open("Unsubscribe") && !sns::is_open("Publish"));
    let refused = stranger("Unsubscribe", json!({ "SubscriptionArn": by_queue })).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_ref()), (403, "AuthorizationErrorException"));
    let wrong =
        stranger("ConfirmSubscription", json!({ "TopicArn": topic, "Token": "0" })).await.unwrap_err();
    assert!(wrong.message.contains("Token"));
}

#[tokio::test]
async fn what_is_too_long_for_a_key_is_refused() {
    let world = World::new().await;
    let topic = world.topic("t", json!({})).await;
    let long = "x".repeat(20_000);
    let http = |bytes: usize| {
        let endpoint = format!("http://127.0.0.1:1/{}", "x".repeat(bytes - 19));
        json!({ "TopicArn": topic, "Protocol": "http", "Endpoint": endpoint })
    };
    world.ok("Subscribe", http(2_048)).await;
    let named = format!("{topic}{long}");
    for (operation, input) in [
        ("Subscribe", http(2_049)),
        (
            "Subscribe",
            json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": format!("{QUEUES}:{long}") }),
        ),
        ("Publish", json!({ "TopicArn": named, "Message": "x" })),
        ("DeleteTopic", json!({ "TopicArn": named })),
        ("Unsubscribe", json!({ "SubscriptionArn": format!("{named}:{}", uuid::Uuid::nil()) })),
        ("ListTopics", json!({ "NextToken": long })),
        ("ListTopics", json!({ "NextToken": "nonsense" })),
        ("ListSubscriptions", json!({ "NextToken": format!("{long}:{}", uuid::Uuid::nil()) })),
        (
            "ListSubscriptionsByTopic",
            json!({ "TopicArn": topic, "NextToken": format!("a:{}", uuid::Uuid::nil()) }),
        ),
    ] {
        let refused = world.refused(operation, input).await;
        assert!(
            refused.starts_with("InvalidParameterException: Invalid parameter: "),
            "{operation}: {refused}"
        );
    }
}
