//! HTTP endpoints: they confirm, they get messages, and they are tried again.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::world::{QUEUES, World};

/// What an endpoint has been sent, and what it answers next; 200 when it has nothing more to say.
#[derive(Clone, Default)]
struct Endpoint {
    seen: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Endpoint {
    fn seen(&self) -> Vec<(HeaderMap, String)> {
        self.seen.lock().unwrap().drain(..).collect()
    }

    fn answers(&self, answers: &[u16]) {
        self.answers.lock().unwrap().extend(answers);
    }
}

async fn take(State(endpoint): State<Endpoint>, headers: HeaderMap, body: String) -> StatusCode {
    endpoint.seen.lock().unwrap().push((headers, body));
    let answer = endpoint.answers.lock().unwrap().pop_front();
    StatusCode::from_u16(answer.unwrap_or(200)).unwrap()
}

/// Runs a test beside an endpoint on loopback.
async fn with_endpoint<F: Future<Output = ()>>(test: impl FnOnce(Endpoint, String) -> F) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    let endpoint = Endpoint::default();
    let app = Router::new().route("/in", axum::routing::post(take)).with_state(endpoint.clone());
    tokio::select! {
        served = axum::serve(listener, app) => panic!("the endpoint ended: {served:?}"),
        () = test(endpoint, url) => {}
    }
}

/// A topic with a confirmed endpoint.
async fn subscribed(world: &World, endpoint: &Endpoint, url: &str, attributes: Value) -> (String, String) {
    let topic = world.topic("t", json!({})).await;
    let subscribe =
        json!({ "TopicArn": topic, "Protocol": "http", "Endpoint": url, "Attributes": attributes });
    assert_eq!(world.ok("Subscribe", subscribe).await["SubscriptionArn"], "pending confirmation");
    world.0.idle().await;
    let (headers, body) = endpoint.seen().remove(0);
    assert_eq!(headers["x-amz-sns-message-type"], "SubscriptionConfirmation");
    let body: Value = serde_json::from_str(&body).unwrap();
    let confirm = json!({ "TopicArn": topic, "Token": body["Token"] });
    let confirmed = world.ok("ConfirmSubscription", confirm).await;
    (topic, confirmed["SubscriptionArn"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_endpoint_confirms_and_gets_messages_from_then_on() {
    with_endpoint(async |endpoint, url| {
        let world = World::new().await;
        let topic = world.topic("t", json!({})).await;
        let subscribe = json!({ "TopicArn": topic, "Protocol": "http", "Endpoint": url });
        world.ok("Subscribe", subscribe.clone()).await;
        world.publish(&topic, json!({ "Message": "too early" })).await;
        let (_, body) = endpoint.seen().remove(0);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["Type"], &body["TopicArn"]), (&json!("SubscriptionConfirmation"), &json!(topic)));
        let link = body["SubscribeURL"].as_str().unwrap();
        assert!(
            link.contains("Action=ConfirmSubscription") && link.contains(body["Token"].as_str().unwrap())
        );
        let listed = world.ok("ListSubscriptionsByTopic", json!({ "TopicArn": topic })).await;
        assert_eq!(listed["Subscriptions"][0]["SubscriptionArn"], "PendingConfirmation");
        let wrong = json!({ "TopicArn": topic, "Token": "0000" });
        assert_eq!(
            world.refused("ConfirmSubscription", wrong).await,
            "InvalidParameterException: Invalid parameter: Token"
        );
        let confirm = json!({ "TopicArn": topic, "Token": body["Token"] });
        let arn = world.ok("ConfirmSubscription", confirm).await["SubscriptionArn"].clone();
        let published = world.publish(&topic, json!({ "Message": "hello" })).await;
        let (headers, body) = endpoint.seen().remove(0);
        assert_eq!(headers["x-amz-sns-message-type"], "Notification");
        assert_eq!(headers["x-amz-sns-message-id"], published["MessageId"].as_str().unwrap());
        assert_eq!(headers["x-amz-sns-subscription-arn"], arn.as_str().unwrap());
        assert_eq!(headers["content-type"], "text/plain; charset=UTF-8");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["Message"], "hello");
        world.ok("Unsubscribe", json!({ "SubscriptionArn": arn })).await;
        world.publish(&topic, json!({ "Message": "too late" })).await;
        assert!(endpoint.seen().is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_is_tried_again_as_its_policy_says() {
    with_endpoint(async |endpoint, url| {
        let world = World::new().await;
        let policy = json!({
            "healthyRetryPolicy": { "minDelayTarget": 5, "maxDelayTarget": 20, "numRetries": 3, "numNoDelayRetries": 1, "numMaxDelayRetries": 1, "backoffFunction": "exponential" },
            "requestPolicy": { "headerContentType": "application/json" },
        });
        let attributes = json!({ "DeliveryPolicy": policy.to_string(), "RawMessageDelivery": "true",
            "RedrivePolicy": format!(r#"{{"deadLetterTargetArn":"{QUEUES}:dead"}}"#) });
        let (topic, _) = subscribed(&world, &endpoint, &url, attributes).await;
        endpoint.answers(&[500, 503, 429]);
        world.publish(&topic, json!({ "Message": "persistent" })).await;
        let attempts = async |seconds: u64| {
            world.0.advance(Duration::from_secs(seconds)).await;
            endpoint.seen().len()
        };
        assert_eq!(attempts(0).await, 2, "the first retry comes at once");
        assert_eq!((attempts(4).await, attempts(1).await), (0, 1), "the second after five seconds");
        assert_eq!(attempts(19).await, 0);
        world.0.advance(Duration::from_secs(1)).await;
        let (headers, body) = endpoint.seen().remove(0);
        assert_eq!((&headers["content-type"], body.as_str()), (&"application/json".parse().unwrap(), "persistent"));
        assert_eq!(headers["x-amz-sns-rawdelivery"], "true");
        endpoint.answers(&[500, 500, 500, 500]);
        world.publish(&topic, json!({ "Message": "lost" })).await;
        assert_eq!(attempts(600).await, 4);
        assert_eq!(world.messages("dead").await[0]["Body"], "lost");
        endpoint.answers(&[404]);
        world.publish(&topic, json!({ "Message": "refused" })).await;
        assert_eq!(attempts(600).await, 1, "what the endpoint refuses is not tried again");
        assert_eq!(world.messages("dead").await[0]["Body"], "refused");
    })
    .await;
}

#[tokio::test]
async fn attempts_go_on_after_a_crash() {
    with_endpoint(async |endpoint, url| {
        let mut world = World::new().await;
        let (topic, _) = subscribed(&world, &endpoint, &url, json!({})).await;
        endpoint.answers(&[500, 500]);
        world.publish(&topic, json!({ "Message": "x" })).await;
        assert_eq!(endpoint.seen().len(), 1);
        world.0.crash().await;
        world.0.advance(Duration::from_secs(19)).await;
        assert!(endpoint.seen().is_empty(), "not before its time");
        world.0.advance(Duration::from_secs(60)).await;
        assert_eq!(endpoint.seen().len(), 2, "the second attempt failed, the third did not");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_left_of_the_attempts_of_a_delivery_that_was_refused_in_the_end() {
    with_endpoint(async |endpoint, url| {
        let world = World::new().await;
        let (topic, _) = subscribed(&world, &endpoint, &url, json!({})).await;
        let before = world.rows().await;
        for answers in [&[500, 404][..], &[500, 200], &[500, 500, 500, 500]] {
            endpoint.answers(answers);
            world.publish(&topic, json!({ "Message": "x" })).await;
            assert_eq!(world.rows().await, before + 1, "the first failure is counted");
            world.0.advance(Duration::from_secs(600)).await;
            assert_eq!((endpoint.seen().len(), world.rows().await), (answers.len(), before), "{answers:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_has_the_links_confirms_and_unsubscribes_without_a_signature() {
    with_endpoint(async |endpoint, url| {
        let world = World::new().await;
        let topic = world.topic("t", json!({})).await;
        world.ok("Subscribe", json!({ "TopicArn": topic, "Protocol": "http", "Endpoint": url })).await;
        world.0.idle().await;
        let body: Value = serde_json::from_str(&endpoint.seen().remove(0).1).unwrap();
        let anonymous = async |operation: &str, input: Value| {
            let caller = kernel::Caller { principal: sns::ANONYMOUS.to_owned(), ..world.0.caller() };
            world.0.call_as(caller, "sns", operation, input).await.unwrap()
        };
        let confirm =
            json!({ "TopicArn": topic, "Token": body["Token"], "AuthenticateOnUnsubscribe": "true" });
        let arn = anonymous("ConfirmSubscription", confirm).await["SubscriptionArn"].clone();
        let got = world.ok("GetSubscriptionAttributes", json!({ "SubscriptionArn": arn })).await;
        let shown = ["PendingConfirmation", "ConfirmationWasAuthenticated"];
        assert_eq!(
            shown.map(|name| &got["Attributes"][name]),
            ["false", "false"],
            "only who signs can ask for it"
        );
        anonymous("Unsubscribe", json!({ "SubscriptionArn": arn })).await;
        assert_eq!(world.ok("ListSubscriptions", json!({})).await["Subscriptions"], json!([]));
    })
    .await;
}
