//! What the command line tells of events.

use serde_json::{Value, json};

use crate::server::{Answer, REGION, Server, command};

async fn call(server: &Server, service: &str, target: &str, input: Value) -> Value {
    let answer: Answer = server.call(service, target, input).await;
    assert!(answer.status.is_success(), "{answer:?}");
    serde_json::from_str(&answer.text).unwrap_or_default()
}

fn ask(server: &Server, arguments: &[&str]) -> (bool, String) {
    let mut command = command(arguments);
    let output = command.env("AWS_ENDPOINT_URL", &server.address).env("AWS_REGION", REGION).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn told(server: &Server, arguments: &[&str]) -> String {
    let (done, text) = ask(server, arguments);
    assert!(done, "{arguments:?}: {text}");
    text
}

/// Asks again until it is told: deliveries take a moment.
fn told_at_last(server: &Server, arguments: &[&str], wanted: &str) -> String {
    for _ in 0..200 {
        let text = told(server, arguments);
        if text.contains(wanted) {
            return text;
        }
    }
    panic!("{arguments:?} never says {wanted}: {}", told(server, arguments))
}

/// A queue that gets orders, and a rule whose queue is gone, with a dead-letter queue.
async fn shop(server: &Server) -> String {
    let arn = |queue: &str| format!("arn:aws:sqs:{REGION}:000000000000:{queue}");
    for queue in ["orders", "dead"] {
        call(server, "sqs", "AmazonSQS.CreateQueue", json!({ "QueueName": queue })).await;
    }
    let rules = [
        ("all-orders", json!({ "source": ["shop"] }), json!({ "Id": "q", "Arn": arn("orders") })),
        (
            "lost",
            json!({ "source": ["shop"] }),
            json!({ "Id": "g", "Arn": arn("gone"), "DeadLetterConfig": { "Arn": arn("dead") } }),
        ),
        (
            "big-orders",
            json!({ "detail": { "amount": [{ "numeric": [">", 100] }] } }),
            json!({ "Id": "q", "Arn": arn("orders") }),
        ),
    ];
    for (name, pattern, target) in rules {
        let rule = json!({ "Name": name, "EventPattern": pattern.to_string() });
        call(server, "events", "AWSEvents.PutRule", rule).await;
        call(server, "events", "AWSEvents.PutTargets", json!({ "Rule": name, "Targets": [target] })).await;
    }
    put(server, 20).await
}

async fn put(server: &Server, amount: u32) -> String {
    let entry = json!({
        "Source": "shop", "DetailType": "OrderPlaced", "Detail": json!({ "amount": amount }).to_string(),
    });
    let put = call(server, "events", "AWSEvents.PutEvents", json!({ "Entries": [entry] })).await;
    put["Entries"][0]["EventId"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_explains_itself() {
    let server = Server::start(&["--in-memory"]);
    let id = shop(&server).await;
    let text = told_at_last(&server, &["explain", &id], "dead letter in");
    for part in [
        "OrderPlaced from shop",
        "sent by arn:aws:iam::000000000000:root with events:PutEvents",
        "2 of 3 rules matched",
        "+ all-orders: matched",
        ":orders: delivered",
        ":gone: dead letter",
        "- big-orders: not matched",
        "detail.amount: wanted a number > 100, found 20",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    let document: Value = serde_json::from_str(&told(&server, &["explain", &id, "--json"])).unwrap();
    let rule = |name: &str| {
        let rules = document["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["name"] == name).unwrap().clone()
    };
    assert_eq!(rule("all-orders")["targets"][0]["attempts"][0]["answer"], "delivered");
    assert_eq!(rule("big-orders")["reasons"][0]["path"], "detail.amount");
    assert_eq!(document["region"], REGION);
    let (found, text) = ask(&server, &["explain", "0193a000-0000-7000-8000-000000000000"]);
    assert!(!found && text.contains("no event that is kept has the id"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_one_request_do_not_tell_of_each_other() {
    let server = Server::start(&["--in-memory"]);
    for name in ["a", "b"] {
        call(&server, "sqs", "AmazonSQS.CreateQueue", json!({ "QueueName": name })).await;
        let rule = json!({ "Name": name, "EventPattern": json!({ "detail-type": [name] }).to_string() });
        call(&server, "events", "AWSEvents.PutRule", rule).await;
        let target = json!({ "Id": "q", "Arn": format!("arn:aws:sqs:{REGION}:000000000000:{name}") });
        call(&server, "events", "AWSEvents.PutTargets", json!({ "Rule": name, "Targets": [target] })).await;
    }
    let entry = |kind| json!({ "Source": "shop", "DetailType": kind, "Detail": "{}" });
    let entries = ["a", "b", "c"].map(entry);
    let put = call(&server, "events", "AWSEvents.PutEvents", json!({ "Entries": entries })).await;
    let told = |n: usize| {
        let id = put["Entries"][n]["EventId"].as_str().unwrap();
        let text = told(&server, &["explain", id]);
        (text.contains(":a: delivered"), text.contains(":b: delivered"), text)
    };
    let (a, b, c) = (told(0), told(1), told(2));
    assert!(a.0 && !a.1, "{}", a.2);
    assert!(!b.0 && b.1, "{}", b.2);
    assert!(!c.0 && !c.1 && !c.2.contains("SendMessage"), "{}", c.2);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_and_followed() {
    let server = Server::start(&["--in-memory"]);
    let id = shop(&server).await;
    let other = put(&server, 500).await;
    let all = told(&server, &["events", "search"]);
    assert!(all.contains(&id) && all.contains(&other), "{all}");
    let some = told(&server, &["events", "search", "\"AMOUNT\":500"]);
    assert!(!some.contains(&id) && some.contains(&other), "{some}");
    let pattern = r#"{"detail":{"amount":[{"numeric":["<",100]}]}}"#;
    let some = told(&server, &["events", "search", "--pattern", pattern, "--json"]);
    let event: Value = serde_json::from_str(some.trim()).unwrap();
    assert_eq!(event["EventId"], id.as_str());
    assert!(!ask(&server, &["events", "search", "--from", "yesterday"]).0);

    let address = server.address.clone();
    let tail = tokio::task::spawn_blocking(move || {
        let mut command =
            command(&["tail", "--count", "1", "--pattern", r#"{"detail-type":["OrderPlaced"]}"#]);
        command.env("AWS_ENDPOINT_URL", address).env("AWS_REGION", REGION).output().unwrap()
    });
    // The tail begins with the present: what it shows is one of those that come while it runs.
    let mut sent = Vec::new();
    while !tail.is_finished() {
        sent.push(put(&server, 1).await);
    }
    let text = String::from_utf8(tail.await.unwrap().stdout).unwrap();
    assert!(sent.iter().any(|id| text.contains(id)), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_sent_again() {
    let server = Server::start(&["--in-memory"]);
    let id = shop(&server).await;
    told_at_last(&server, &["explain", &id], "dead letter in");
    let text = told(&server, &["redeliver", &id, "--rule", "all-orders"]);
    assert!(text.contains("1 deliveries of 1 events begun") && text.contains(":orders"), "{text}");
    told_at_last(
        &server,
        &["explain", &id],
        "redelivered\n      -> arn:aws:sqs:eu-central-1:000000000000:orders: delivered",
    );

    // The target that was missing is there now: the dead letter goes to it, and is gone.
    call(&server, "sqs", "AmazonSQS.CreateQueue", json!({ "QueueName": "gone" })).await;
    let text = told(&server, &["redeliver", "--dead-letter", "dead"]);
    assert!(text.contains(":gone by rule lost"), "{text}");
    let url = call(&server, "sqs", "AmazonSQS.GetQueueUrl", json!({ "QueueName": "gone" })).await;
    let receive = json!({ "QueueUrl": url["QueueUrl"], "WaitTimeSeconds": 10 });
    let received = call(&server, "sqs", "AmazonSQS.ReceiveMessage", receive).await;
    assert!(received["Messages"][0]["Body"].as_str().unwrap().contains(&id), "{received}");
    let (done, text) = ask(&server, &["redeliver", "--dead-letter", "dead"]);
    assert!(!done && text.contains("has no such letter"), "{text}");

    let text = told(&server, &["redeliver", "--from", "2020-01-01T00:00:00Z", "--bus", "default"]);
    assert!(text.contains("of 1 events begun"), "{text}");
    assert!(!ask(&server, &["redeliver"]).0);
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_speak_before_events_and_deployments() {
    let server = Server::start(&["--in-memory"]);
    shop(&server).await;
    let schema = |kind: &str| {
        json!({
            "$schema": "http://json-schema.org/draft-04/schema#", "title": "OrderPlaced", "type": "object",
            "required": ["detail"],
            "properties": {
                "source": { "type": "string" },
                "detail": { "type": "object", "required": ["amount"], "properties": { "amount": { "type": kind } } },
            },
            "x-amazon-events-source": "shop", "x-amazon-events-detail-type": "OrderPlaced",
        })
        .to_string()
    };
    let ask = |operation: [&str; 2], input: Value| {
        told(&server, &["call", operation[0], operation[1], &input.to_string()])
    };
    ask(["schemas", "CreateRegistry"], json!({ "RegistryName": "shop" }));
    let made = json!({
        "RegistryName": "shop", "SchemaName": "OrderPlaced", "Type": "JSONSchemaDraft4", "Content": schema("number"),
    });
    ask(["schemas", "CreateSchema"], made);
    let policy = json!({
        "Source": "shop", "Mode": "QUARANTINE", "RegistryName": "shop", "SchemaName": "OrderPlaced",
    });
    ask(["events", "PutValidationPolicy"], policy);

    let good = put(&server, 5).await;
    let text = told(&server, &["explain", &good]);
    assert!(text.contains("valid by schema shop/OrderPlaced version 1"), "{text}");
    let entry = json!({ "Source": "shop", "DetailType": "OrderPlaced", "Detail": "{\"amount\":\"many\"}" });
    let put = call(&server, "events", "AWSEvents.PutEvents", json!({ "Entries": [entry] })).await;
    let bad = put["Entries"][0]["EventId"].as_str().unwrap();
    let text = told(&server, &["explain", bad]);
    assert!(text.contains("quarantined by schema shop/OrderPlaced version 1"), "{text}");
    assert!(text.contains("sent by arn:aws:iam::000000000000:root"), "{text}");
    assert!(text.contains("at /detail/amount: ") && text.contains("0 of 0 rules matched"), "{text}");
    let kept = ask(["events", "ListQuarantinedEvents"], json!({}));
    assert!(kept.contains(bad) && !kept.contains(&good), "{kept}");

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("OrderPlaced.json");
    let check = |content: String| {
        std::fs::write(&file, content).unwrap();
        let mut command = command(&["schemas", "check", file.to_str().unwrap(), "--registry", "shop"]);
        let output =
            command.env("AWS_ENDPOINT_URL", &server.address).env("AWS_REGION", REGION).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    assert_eq!(check(schema("number")), (Some(0), "no known consumer breaks\n".to_owned()));
    let (code, text) = check(schema("string"));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("rule/big-orders (RulePattern): $.detail.amount"), "{text}");
}
