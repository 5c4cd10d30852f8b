//! What AWS has not: events are searched, followed and sent again.

use serde_json::{Value, json};

use crate::world::{DEFAULT_BUS, MINUTE, OUT, World};

fn numbers(found: &Value) -> Vec<i64> {
    let of = |event: &Value| {
        let envelope: Value = serde_json::from_str(event["Event"].as_str().unwrap()).unwrap();
        envelope["detail"]["n"].as_i64().unwrap()
    };
    found["Events"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn events_are_found_newest_first_by_what_they_are() {
    let world = World::new().await;
    for n in 0..5 {
        world
            .put(if n % 2 == 0 { "even" } else { "odd" }, json!({ "n": n, "text": format!("Word{n}") }))
            .await;
        world.advance(MINUTE).await;
    }
    let search = |more: Value| world.ask(events::SEARCH, more);
    assert_eq!(numbers(&search(json!({})).await), [4, 3, 2, 1, 0]);
    assert_eq!(numbers(&search(json!({ "Source": "odd" })).await), [3, 1]);
    assert_eq!(numbers(&search(json!({ "DetailType": "T", "Text": "word2" })).await), [2]);
    assert_eq!(
        numbers(&search(json!({ "EventPattern": "{\"detail\":{\"n\":[{\"numeric\":[\">\",2]}]}}" })).await),
        [4, 3]
    );
    let start = 1_767_225_600_000_i64;
    let window = json!({ "From": start + 60_000, "To": start + 180_000, "EventBusName": DEFAULT_BUS });
    assert_eq!(numbers(&search(window).await), [2, 1]);
    let first = search(json!({ "Limit": 2 })).await;
    assert_eq!(numbers(&first), [4, 3]);
    let rest = search(json!({ "Limit": 3, "NextToken": first["NextToken"] })).await;
    assert_eq!(numbers(&rest), [2, 1, 0]);
    let found = &first["Events"][0];
    assert_eq!((&found["Source"], &found["Time"]), (&json!("even"), &json!("2026-01-01T00:04:00Z")));
    assert_eq!((&found["EventBusName"], &found["IngestedAt"]), (&json!("default"), &json!(start + 240_000)));
}

#[tokio::test]
async fn a_tail_gives_each_event_once_and_waits_for_the_next() {
    let world = World::new().await;
    world.put("a", json!({ "n": 0 })).await;
    world.advance(MINUTE).await;
    let pattern = "{\"source\":[\"a\"]}";
    let mut tail = world.ask(events::TAIL, json!({ "EventPattern": pattern })).await;
    assert_eq!(tail["Events"], json!([]), "a tail begins with the present");
    let mut seen = Vec::new();
    for n in 1..30 {
        world.put("a", json!({ "n": n })).await;
        world.put("b", json!({ "n": n })).await;
        if n % 3 == 0 {
            let input = json!({ "EventPattern": pattern, "Cursor": tail["Cursor"], "Limit": 2 });
            tail = world.ask(events::TAIL, input).await;
            seen.extend(numbers(&tail));
        }
        if n % 7 == 0 {
            world.advance(MINUTE).await;
        }
    }
    let input = json!({ "EventPattern": pattern, "Cursor": tail["Cursor"] });
    tail = world.ask(events::TAIL, input).await;
    seen.extend(numbers(&tail));
    seen.sort_unstable();
    assert_eq!(seen, (1..30).collect::<Vec<_>>());
    let input = json!({ "EventPattern": pattern, "Cursor": tail["Cursor"], "WaitSeconds": 20 });
    let (waited, ()) = tokio::join!(world.ask(events::TAIL, input), async {
        world.put("b", json!({ "n": 30 })).await;
        world.put("a", json!({ "n": 31 })).await;
    });
    assert_eq!(numbers(&waited), [31]);
}

#[tokio::test]
async fn an_event_is_sent_again_by_the_rules_as_they_stand() {
    let world = World::new().await;
    let id = world.put("a", json!({ "n": 1 })).await;
    let fault = world.world.ask("events", events::REDELIVER, json!({ "EventId": id })).await.unwrap_err();
    assert_eq!(fault.code, "ValidationException", "no rule matches yet");
    world.rule("fixed", json!({ "source": ["a"] }), json!({})).await;
    world.rule("other", json!({ "source": ["a"] }), json!({ "Input": "\"other\"" })).await;
    let sent = world.ask(events::REDELIVER, json!({ "EventId": id, "RuleName": "fixed" })).await;
    assert_eq!(
        sent["Deliveries"][0],
        json!({ "EventId": id, "RuleName": "fixed", "TargetId": "t", "TargetArn": OUT })
    );
    let bodies = world.bodies("out").await;
    assert_eq!((bodies.len(), &bodies[0]["id"]), (1, &json!(id)));
    world.ask(events::REDELIVER, json!({ "EventId": id, "EventBusName": "default" })).await;
    assert_eq!(world.bodies("out").await.len(), 2);
    let dead = "arn:aws:sqs:eu-central-1:000000000000:dead";
    world.ask(events::REDELIVER, json!({ "EventId": id, "TargetArn": dead })).await;
    assert_eq!(world.bodies("dead").await[0]["id"], id, "to a target of no rule, as it is");
    let spans = world.world.spans(&id).await;
    let again = spans
        .iter()
        .flat_map(|span| &span.notes)
        .filter(|note| note.detail.as_ref().is_some_and(|detail| detail["again"] == "redelivered"));
    assert_eq!(again.count(), 3, "each redelivery is on the trace");
    let none = json!({ "EventId": "01a2030b-33e1-7cc6-8726-fe8aff0a9428" });
    let fault = world.world.ask("events", events::REDELIVER, none).await.unwrap_err();
    assert_eq!(fault.code, "ResourceNotFoundException");
}

#[tokio::test]
async fn all_events_since_a_time_are_sent_again() {
    let world = World::new().await;
    for n in 0..5 {
        world.put("a", json!({ "n": n })).await;
    }
    world.advance(MINUTE).await;
    let from = world.now().as_millis();
    for n in 0..230 {
        world.put("a", json!({ "n": n })).await;
    }
    world.rule("late", json!({ "source": ["a"] }), json!({})).await;
    let sent = world
        .ask(events::REDELIVER, json!({ "FromTime": from, "EventBusName": "default", "RuleName": "late" }))
        .await;
    assert_eq!((&sent["Events"], &sent["More"]), (&json!(100), &json!(true)));
    assert_eq!(world.bodies("out").await.len(), 230);
}

#[tokio::test]
async fn an_explanation_has_the_text_as_it_was_written() {
    let world = World::new().await;
    let entry = json!({ "Source": "a", "DetailType": "T", "Detail": "{\"total\": 250.10, \"id\": 12345678901234567890}" });
    let id = world.put_entry(entry).await;
    let explained = world.ask(events::EXPLAIN, json!({ "id": id })).await;
    let text = explained["text"].as_str().unwrap();
    assert!(text.ends_with("\"detail\":{\"total\": 250.10, \"id\": 12345678901234567890}}"), "{text}");
}

#[tokio::test]
async fn an_event_is_found_by_the_trace_header_that_it_came_with() {
    let world = World::new().await;
    let root = "1-5759e988-bd862e3fe1be46a994272793";
    let header = format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1");
    let id = world
        .put_entry(json!({ "Source": "a", "DetailType": "T", "Detail": "{}", "TraceHeader": header }))
        .await;
    let chains = world.world.chains(root).await;
    assert_eq!(chains.len(), 1);
    assert_eq!(chains[0].root.to_string(), id);
}
