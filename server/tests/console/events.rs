//! Where events went.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::json;
use server::console;

use crate::world::{HOST, REGION, World, assert_order, readable, text_of};

/// A bus with a rule that matches and a queue, a rule that does not match, and one that is disabled.
async fn shop(world: &World) -> String {
    for queue in ["all", "gone"] {
        world.call("sqs", "CreateQueue", json!({ "QueueName": queue })).await;
    }
    let arn = |queue: &str| format!("arn:aws:sqs:{REGION}:000000000000:{queue}");
    let rules = [
        ("everything", json!({ "source": ["shop"] }), "ENABLED", "all"),
        ("lost", json!({ "source": ["shop"] }), "ENABLED", "gone"),
        ("big", json!({ "detail": { "amount": [{ "numeric": [">", 100] }] } }), "ENABLED", "all"),
        ("old", json!({ "source": ["shop"] }), "DISABLED", "all"),
    ];
    for (name, pattern, state, queue) in rules {
        let rule = json!({ "Name": name, "EventPattern": pattern.to_string(), "State": state });
        world.call("events", "PutRule", rule).await;
        let targets = json!({ "Rule": name, "Targets": [{ "Id": "t", "Arn": arn(queue) }] });
        world.call("events", "PutTargets", targets).await;
    }
    let url = text_of(&world.call("sqs", "GetQueueUrl", json!({ "QueueName": "gone" })).await, "QueueUrl");
    world.call("sqs", "DeleteQueue", json!({ "QueueUrl": url })).await;
    world.kernel.advance(Duration::from_secs(1)).await;
    let entry = |amount: u32| json!({ "Source": "shop", "DetailType": "OrderPlaced", "Detail": json!({ "amount": amount }).to_string() });
    let put = world.call("events", "PutEvents", json!({ "Entries": [entry(500), entry(20)] })).await;
    world.kernel.idle().await;
    text_of(&put["Entries"][1], "EventId")
}

#[tokio::test]
async fn an_event_shows_where_it_went_and_why() {
    let world = World::new().await;
    let id = shop(&world).await;
    let page = world.read("event", &[("id", &id)]).await;
    assert_order(&page, &["OrderPlaced", "from shop", "2 of 4 rules matched"]);
    assert_order(&page, &["everything matched", ":all", "delivered", "after 0 ms"]);
    assert_order(
        &page,
        &["lost matched", ":gone", "given up", "QueueDoesNotExist", "no dead-letter queue is configured"],
    );
    assert_order(&page, &["big not matched", "detail.amount", "wanted a number > 100", "found 20"]);
    assert!(page.contains("old disabled"), "{page}");
    assert_order(&page, &["events:PutEvents", "event", &id, "sqs:SendMessage rule everything delivered"]);
    // From another region's page as well: an id names one event wherever it is.
    let elsewhere = format!("{}/event?region=us-east-1&id={id}", console::PATH);
    let request = Request::get(elsewhere).header("host", HOST).body(Bytes::new()).unwrap();
    assert!(readable(&world.ask(request).await.1).contains("2 of 4 rules matched"));
    let overview = world.read("", &[]).await;
    assert_order(&overview, &["Latest events", "OrderPlaced", "1 of 2 failed", "Rules 4"]);
    let unknown = world.read("event", &[("id", "0193a000-0000-7000-8000-000000000000")]).await;
    assert!(unknown.contains("Nothing on the trace has this id"), "{unknown}");
}

#[tokio::test]
async fn an_execution_leads_to_its_chain_of_causes() {
    let world = World::new().await;
    let machine = world.machine("dev-meetup-deposit").await;
    let arn = world.execute(&machine, "one", json!({})).await;
    let page = world.read("event", &[("id", &arn)]).await;
    assert_order(
        &page,
        &["Chain of causes of", &arn, "Its events (2)", "aws.states", "states:StartExecution"],
    );
}

#[tokio::test]
async fn buses_show_their_rules() {
    let world = World::new().await;
    shop(&world).await;
    let page = world.read("event-buses", &[]).await;
    assert_order(
        &page,
        &["Event buses (1)", "default", "big ENABLED", "\"numeric\"", ":all", "old DISABLED"],
    );
}

#[tokio::test]
async fn an_event_is_found_by_its_text() {
    let world = World::new().await;
    let id = shop(&world).await;
    let all = world.read("events", &[("text", "orderplaced")]).await;
    assert_order(&all, &["Events (2)", "default", "OrderPlaced", &id]);
    let one = world.read("events", &[("pattern", r#"{"detail":{"amount":[20]}}"#)]).await;
    assert_order(&one, &["Events (1)", &id]);
    let none = world.read("events", &[("text", "nobody wrote this")]).await;
    assert!(none.contains(" has this: other regions are searched"), "{none}");
    let broken = world.read("events", &[("pattern", "{")]).await;
    assert!(broken.contains("InvalidEventPatternException"), "{broken}");
    // An id needs no search.
    let uri = format!("{}/events?region={REGION}&text={id}", console::PATH);
    let request = Request::get(uri).header("host", HOST).body(Bytes::new()).unwrap();
    let location = world.ask(request).await.0.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.contains("/event?") && location.contains(&id), "{location}");
}

#[tokio::test]
async fn what_fails_is_on_the_front_page() {
    let world = World::new().await;
    let front = world.read("", &[]).await;
    assert!(front.contains("Every delivery of late has arrived"), "{front}");
    assert_order(&front, &["Why did my event not arrive?", "Events that did not arrive", "None of late"]);
    let id = shop(&world).await;
    let front = world.read("", &[]).await;
    assert_order(&front, &["Needs attention", ":gone", "2 failed", "QueueDoesNotExist", "Latest events"]);
    assert!(front.contains(&id), "{front}");
    let reason =
        ["Events that did not arrive", "undelivered", "OrderPlaced", "QueueDoesNotExist", &id, "lost"];
    assert_order(&front, &reason);
}

#[tokio::test]
async fn an_event_is_sent_again() {
    let world = World::new().await;
    let id = shop(&world).await;
    let target = format!("arn:aws:sqs:{REGION}:000000000000:all");
    let form = [("id", id.as_str()), ("bus", "default"), ("rule", "everything"), ("target", &target)];
    let (status, location, text) = world.post("event/redeliver", &format!("http://{HOST}"), &form).await;
    assert_eq!(status, 303, "{text}");
    assert!(location.contains("/event?") && location.contains(&id), "{location}");
    world.kernel.idle().await;
    let page = world.read("event", &[("id", &id)]).await;
    assert_order(&page, &["Sent again (1)", ":all", "everything", "delivered", "attempt 1: delivered"]);
    let form = [("id", id.as_str()), ("rule", "big")];
    let (status, _, text) = world.post("event/redeliver", &format!("http://{HOST}"), &form).await;
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("matches event"), "{text}");
    let (status, ..) = world.post("event/redeliver", "http://elsewhere.example", &form).await;
    assert_eq!(status, 403);
}
