//! EventBridge through the router, with mailboxes in the place of queues, on the virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base::{AccountId, Fault, Region, Timestamp};
use kernel::{Call, Caller, Chance, Clock, Effect, Event, Kernel, Service, TargetKind, Tx};
use serde_json::{Value, json};
use store::Location;

/// A target that fails as often as it says.
#[derive(Default)]
struct Flaky(AtomicU32);

async fn flaky(effect: &Effect, input: Value) -> kernel::Result<()> {
    let left = effect.state::<Flaky>()?;
    if left.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
        return Err(Fault::new("ServiceException", "down").with_status(500).into());
    }
    let send = json!({ "QueueUrl": "out", "MessageBody": input["payload"] });
    effect.call("sqs", "SendMessage", serde_json::to_vec(&send)?.into()).await?;
    Ok(())
}

const FLAKY: TargetKind = TargetKind {
    at_once: |_| false,
    service: "flaky",
    name: "flaky",
    serves: |_| true,
    call: |_, delivery| {
        Call::new("flaky", "Take", &json!({ "payload": delivery.payload }))
            .map_err(|e| Fault::validation(e.to_string()))
    },
};

struct World {
    kernel: Kernel,
    flaky: Arc<Flaky>,
}

impl World {
    async fn new() -> World {
        let clock = Clock::virtual_at(Timestamp::from_iso("2026-01-01T00:00:00Z").unwrap());
        let state = Arc::new(Flaky::default());
        let flaky_service = Service::internal_only("flaky")
            .internal_effect("Take", flaky)
            .targets(&[FLAKY])
            .state(Arc::clone(&state));
        let services = vec![events::service(), testkit::mailbox::service(), flaky_service];
        let kernel = Kernel::new(store::open(&Location::Memory).unwrap(), clock, Chance::seeded(1), services);
        kernel.start().await.unwrap();
        let world = World { kernel, flaky: state };
        for queue in ["out", "dead"] {
            world.call("sqs", "CreateQueue", json!({ "QueueName": queue })).await.unwrap();
        }
        world
    }

    fn caller(&self) -> Caller {
        Caller::root_user(AccountId::default(), Region::parse("eu-central-1").unwrap(), self.kernel.new_id())
    }

    async fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value, Fault> {
        self.kernel.run_document(self.caller(), service, operation, &input).await
    }

    async fn ok(&self, operation: &str, input: Value) -> Value {
        self.call("events", operation, input).await.unwrap()
    }

    async fn refused(&self, operation: &str, input: Value) -> (String, String) {
        let fault = self.call("events", operation, input).await.unwrap_err();
        (fault.code.into_owned(), fault.message)
    }

    /// A rule on the default bus with one target.
    async fn rule(&self, name: &str, pattern: Value, target: Value) {
        self.ok("PutRule", json!({ "Name": name, "EventPattern": pattern.to_string() })).await;
        let mut all = json!({ "Id": "t", "Arn": OUT });
        all.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
        self.ok("PutTargets", json!({ "Rule": name, "Targets": [all] })).await;
    }

    async fn put(&self, source: &str, detail: Value) -> String {
        let entry = json!({ "Source": source, "DetailType": "T", "Detail": detail.to_string() });
        let put = self.ok("PutEvents", json!({ "Entries": [entry] })).await;
        assert_eq!(put["FailedEntryCount"], 0, "{put}");
        put["Entries"][0]["EventId"].as_str().unwrap().to_owned()
    }

    /// The messages of a queue, each received once.
    async fn messages(&self, queue: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let receive = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 43_200, "MessageAttributeNames": ["All"] });
            let got = self.call("sqs", "ReceiveMessage", receive).await.unwrap();
            match got["Messages"].as_array() {
                Some(messages) => all.extend(messages.clone()),
                None => return all,
            }
        }
    }

    async fn bodies(&self, queue: &str) -> Vec<Value> {
        self.kernel.idle().await;
        let messages = self.messages(queue).await;
        messages
            .iter()
            .map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap())
            .collect()
    }

    async fn explain(&self, id: &str) -> Value {
        self.kernel.ask(self.caller(), "events", events::EXPLAIN, &json!({ "id": id })).await.unwrap()
    }
}

const OUT: &str = "arn:aws:sqs:eu-central-1:000000000000:out";
const DEAD: &str = "arn:aws:sqs:eu-central-1:000000000000:dead";
const DOWN: &str = "arn:aws:flaky:eu-central-1:000000000000:x";
const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn an_event_reaches_the_targets_of_matching_rules_only() {
    let world = World::new().await;
    world
        .rule("mine", json!({ "source": ["app"], "detail": { "n": [{ "numeric": [">", 5] }] } }), json!({}))
        .await;
    world.rule("other", json!({ "source": ["elsewhere"] }), json!({})).await;
    let id = world.put("app", json!({ "n": 7 })).await;
    world.put("app", json!({ "n": 3 })).await;
    let bodies = world.bodies("out").await;
    assert_eq!(bodies.len(), 1);
    let expected = json!({
        "version": "0", "id": id, "detail-type": "T", "source": "app", "account": "000000000000",
        "time": "2026-01-01T00:00:00Z", "region": "eu-central-1", "resources": [], "detail": { "n": 7 },
    });
    assert_eq!(bodies[0], expected);
}

#[tokio::test]
async fn changes_of_rules_hold_from_the_next_event_on() {
    let world = World::new().await;
    world.rule("r", json!({ "source": ["a"] }), json!({})).await;
    world.put("a", json!({})).await;
    assert_eq!(world.bodies("out").await.len(), 1);
    world.ok("DisableRule", json!({ "Name": "r" })).await;
    world.put("a", json!({})).await;
    assert_eq!(world.bodies("out").await.len(), 0);
    world.ok("EnableRule", json!({ "Name": "r" })).await;
    world.ok("PutRule", json!({ "Name": "r", "EventPattern": "{\"source\":[\"b\"]}" })).await;
    world.put("a", json!({})).await;
    world.put("b", json!({})).await;
    assert_eq!(world.bodies("out").await.len(), 1);
    world.ok("RemoveTargets", json!({ "Rule": "r", "Ids": ["t"] })).await;
    world.put("b", json!({})).await;
    assert_eq!(world.bodies("out").await.len(), 0);
}

#[tokio::test]
async fn a_target_that_is_down_is_tried_until_it_works() {
    let world = World::new().await;
    world.flaky.0.store(4, Ordering::SeqCst);
    world.rule("r", json!({ "source": ["a"] }), json!({ "Arn": DOWN })).await;
    world.put("a", json!({ "x": 1 })).await;
    assert!(world.bodies("out").await.is_empty());
    world.kernel.advance(Duration::from_secs(60)).await;
    assert_eq!(world.bodies("out").await.len(), 1);
}

#[tokio::test]
async fn what_fails_for_good_goes_to_the_dead_letter_queue_with_its_reasons() {
    let world = World::new().await;
    world.flaky.0.store(u32::MAX, Ordering::SeqCst);
    let dead = json!({ "Arn": DEAD });
    let policy = json!({ "MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3_600 });
    world
        .rule(
            "attempts",
            json!({ "source": ["a"] }),
            json!({ "Arn": DOWN, "DeadLetterConfig": dead, "RetryPolicy": policy }),
        )
        .await;
    world.put("a", json!({ "x": 1 })).await;
    world.kernel.advance(DAY).await;
    let message = world.messages("dead").await.remove(0);
    let attribute =
        |name: &str| message["MessageAttributes"][name]["StringValue"].as_str().unwrap().to_owned();
    assert_eq!(attribute("RULE_ARN"), "arn:aws:events:eu-central-1:000000000000:rule/attempts");
    assert_eq!(attribute("TARGET_ARN"), DOWN);
    assert_eq!(attribute("ERROR_CODE"), "ERROR_FROM_TARGET");
    assert_eq!(attribute("ERROR_MESSAGE"), "down");
    assert_eq!(attribute("RETRY_ATTEMPTS"), "2");
    assert_eq!(attribute("EXHAUSTED_RETRY_CONDITION"), "MaximumRetryAttempts");
    assert!(message["Body"].as_str().unwrap().contains("\"detail\":{\"x\":1}"));
}

#[tokio::test]
async fn by_default_a_target_is_tried_185_times_again_within_a_day() {
    let world = World::new().await;
    world.flaky.0.store(1_000, Ordering::SeqCst);
    world
        .rule("r", json!({ "source": ["a"] }), json!({ "Arn": DOWN, "DeadLetterConfig": { "Arn": DEAD } }))
        .await;
    world.put("a", json!({})).await;
    world.kernel.advance(DAY + DAY).await;
    let attempts = 1_000 - world.flaky.0.load(Ordering::SeqCst);
    assert!((150..=186).contains(&attempts), "{attempts}");
    assert_eq!(world.messages("dead").await.len(), 1);
}

#[tokio::test]
async fn a_target_that_is_gone_is_not_tried_again() {
    let world = World::new().await;
    let gone = "arn:aws:sqs:eu-central-1:000000000000:gone";
    world
        .rule("r", json!({ "source": ["a"] }), json!({ "Arn": gone, "DeadLetterConfig": { "Arn": DEAD } }))
        .await;
    world.put("a", json!({})).await;
    world.kernel.idle().await;
    let message = world.messages("dead").await.remove(0);
    assert_eq!(message["MessageAttributes"]["RETRY_ATTEMPTS"]["StringValue"], "0");
    assert_eq!(message["MessageAttributes"]["ERROR_CODE"]["StringValue"], "NO_RESOURCE");
}

#[tokio::test]
async fn events_of_one_order_reach_a_target_in_order_through_retries() {
    let world = World::new().await;
    world.flaky.0.store(3, Ordering::SeqCst);
    world.rule("r", json!({ "source": ["aws.test"] }), json!({ "Arn": DOWN })).await;
    async fn emit(tx: &mut Tx, n: u32) -> kernel::Result<()> {
        tx.emit(Event {
            source: "aws.test".into(),
            detail_type: "T".into(),
            resources: vec![],
            detail: json!({ "n": n }).to_string(),
            order: Some("execution".into()),
            begins_order: false,
        })?;
        Ok(())
    }
    for n in 0..5 {
        world.kernel.transact("flaky", world.caller(), "Emit", emit, n).await.unwrap();
    }
    world.kernel.advance(Duration::from_secs(120)).await;
    let numbers: Vec<Value> =
        world.bodies("out").await.iter().map(|body| body["detail"]["n"].clone()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn an_event_goes_from_bus_to_bus_as_it_is() {
    let world = World::new().await;
    let bus = world.ok("CreateEventBus", json!({ "Name": "second" })).await["EventBusArn"].clone();
    world
        .ok(
            "PutRule",
            json!({ "Name": "r", "EventBusName": "second", "EventPattern": "{\"source\":[\"a\"]}" }),
        )
        .await;
    world
        .ok(
            "PutTargets",
            json!({ "Rule": "r", "EventBusName": "second", "Targets": [{ "Id": "t", "Arn": OUT }] }),
        )
        .await;
    world.rule("forward", json!({ "source": ["a"] }), json!({ "Arn": bus })).await;
    let id = world.put("a", json!({ "x": 1 })).await;
    let bodies = world.bodies("out").await;
    assert_eq!((bodies.len(), &bodies[0]["id"]), (1, &json!(id)));
    let deleted = world.refused("DeleteEventBus", json!({ "Name": "second" })).await;
    assert_eq!(deleted.0, "ValidationException");
}

#[tokio::test]
async fn a_bus_that_feeds_itself_ends() {
    let world = World::new().await;
    let own = "arn:aws:events:eu-central-1:000000000000:event-bus/default";
    world
        .rule("loop", json!({ "source": ["a"] }), json!({ "Arn": own, "DeadLetterConfig": { "Arn": DEAD } }))
        .await;
    world.put("a", json!({})).await;
    world.kernel.advance(DAY).await;
    assert_eq!(world.messages("dead").await.len(), 1, "the loop is cut, and that is seen");
}

#[tokio::test]
async fn entries_are_refused_one_by_one() {
    let world = World::new().await;
    let entries = json!([
        { "DetailType": "T", "Detail": "{}" },
        { "Source": "a", "DetailType": "T", "Detail": "[1]" },
        { "Source": "aws.ec2", "DetailType": "T", "Detail": "{}" },
        { "Source": "a", "DetailType": "T", "Detail": "{}", "EventBusName": "none" },
        { "Source": "a", "DetailType": "T", "Detail": "{}" },
    ]);
    let put = world.ok("PutEvents", json!({ "Entries": entries })).await;
    assert_eq!(put["FailedEntryCount"], 4);
    let codes: Vec<&str> = (0..4).map(|i| put["Entries"][i]["ErrorCode"].as_str().unwrap()).collect();
    assert_eq!(
        codes,
        [
            "InvalidArgument",
            "MalformedDetail",
            "NotAuthorizedForSourceException",
            "ResourceNotFoundException"
        ]
    );
    assert!(put["Entries"][4]["EventId"].is_string());
    let large = format!("{{\"x\":\"{}\"}}", "y".repeat(1_048_576));
    let entry = json!([{ "Source": "a", "DetailType": "T", "Detail": large }]);
    assert_eq!(world.refused("PutEvents", json!({ "Entries": entry })).await.0, "ValidationException");
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_when_it_is_configured() {
    let world = World::new().await;
    world.ok("PutRule", json!({ "Name": "r", "EventPattern": "{\"source\":[\"a\"]}" })).await;
    let put = |target: Value| json!({ "Rule": "r", "Targets": [target] });
    for (target, part) in [
        (json!({ "Id": "t", "Arn": "arn:aws:kinesis:eu-central-1:000000000000:stream/x" }), "it serves: "),
        (json!({ "Id": "t", "Arn": "nonsense" }), "not in correct format"),
        (json!({ "Id": "t", "Arn": OUT, "Input": "{" }), "JSON text in Input is not valid"),
        (json!({ "Id": "t", "Arn": OUT, "Input": "1", "InputPath": "$" }), "Only one of"),
        (
            json!({ "Id": "t", "Arn": OUT, "KinesisParameters": { "PartitionKeyPath": "$" } }),
            "KinesisParameters",
        ),
        (
            json!({ "Id": "t", "Arn": OUT, "RetryPolicy": { "MaximumEventAgeInSeconds": 59 } }),
            "at 'targets.1.member.retryPolicy.maximumEventAgeInSeconds'",
        ),
        (
            json!({ "Id": "t", "Arn": OUT, "DeadLetterConfig": { "Arn": "arn:aws:sns:eu-central-1:000000000000:x" } }),
            "no standard SQS queue",
        ),
    ] {
        let (code, message) = world.refused("PutTargets", put(target)).await;
        assert!(code == "ValidationException" && message.contains(part), "{code}: {message}");
    }
    let six: Vec<Value> = (0..6).map(|i| json!({ "Id": i.to_string(), "Arn": OUT })).collect();
    assert_eq!(
        world.refused("PutTargets", json!({ "Rule": "r", "Targets": six })).await.0,
        "LimitExceededException"
    );
    for (operation, input, code) in [
        (
            "PutRule",
            json!({ "Name": "x", "EventPattern": "{\"source\":[]}" }),
            "InvalidEventPatternException",
        ),
        ("PutRule", json!({ "Name": "x" }), "ValidationException"),
        ("PutRule", json!({ "Name": "x", "ScheduleExpression": "rate(1 minutes)" }), "ValidationException"),
        ("DescribeRule", json!({ "Name": "none" }), "ResourceNotFoundException"),
        ("DescribeEventBus", json!({ "Name": "none" }), "ResourceNotFoundException"),
        ("CreateEventBus", json!({ "Name": "default" }), "ResourceAlreadyExistsException"),
        ("DeleteEventBus", json!({ "Name": "default" }), "ValidationException"),
    ] {
        assert_eq!(world.refused(operation, input).await.0, code, "{operation}");
    }
    world.ok("PutTargets", put(json!({ "Id": "t", "Arn": OUT }))).await;
    let (_, message) = world.refused("DeleteRule", json!({ "Name": "r" })).await;
    assert_eq!(message, "Rule can't be deleted since it has targets.");
}

#[tokio::test]
async fn an_event_explains_itself_by_the_rules_as_they_stood() {
    let world = World::new().await;
    world.rule("hit", json!({ "source": ["a"] }), json!({})).await;
    world.rule("miss", json!({ "source": ["a"], "detail": { "state": ["on"] } }), json!({})).await;
    world.kernel.advance(Duration::from_secs(1)).await;
    let id = world.put("a", json!({ "state": "off" })).await;
    world.kernel.advance(Duration::from_secs(1)).await;
    world.ok("PutRule", json!({ "Name": "miss", "EventPattern": "{\"source\":[\"z\"]}" })).await;
    world.ok("PutRule", json!({ "Name": "later", "EventPattern": "{\"source\":[\"a\"]}" })).await;
    let explained = world.explain(&id).await;
    let rules = explained["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 2, "a rule that came later had no part in it");
    assert_eq!((&rules[0]["name"], &rules[0]["verdict"]), (&json!("hit"), &json!("Matched")));
    let why = &rules[1]["verdict"]["NotMatched"]["unmatched"][0];
    assert_eq!(
        (&why["path"], &why["wanted"], &why["found"]),
        (&json!("detail.state"), &json!("[\"on\"]"), &json!(["\"off\""]))
    );
    assert!(world.explain("01a2030b-33e1-7cc6-8726-fe8aff0a9428").await.is_null());
}

#[tokio::test]
async fn lists_and_tags() {
    let world = World::new().await;
    for name in ["a1", "a2", "b1"] {
        world.rule(name, json!({ "source": [name] }), json!({})).await;
    }
    let first = world.ok("ListRules", json!({ "NamePrefix": "a", "Limit": 1 })).await;
    assert_eq!(first["Rules"][0]["Name"], "a1");
    let rest = world
        .ok("ListRules", json!({ "NamePrefix": "a", "Limit": 1, "NextToken": first["NextToken"] }))
        .await;
    assert_eq!((&rest["Rules"][0]["Name"], rest["NextToken"].is_null()), (&json!("a2"), true));
    let names = world.ok("ListRuleNamesByTarget", json!({ "TargetArn": OUT })).await;
    assert_eq!(names["RuleNames"], json!(["a1", "a2", "b1"]));
    assert_eq!(world.ok("ListTargetsByRule", json!({ "Rule": "a1" })).await["Targets"][0]["Arn"], OUT);
    let arn = "arn:aws:events:eu-central-1:000000000000:rule/a1";
    world.ok("TagResource", json!({ "ResourceARN": arn, "Tags": [{ "Key": "k", "Value": "v" }] })).await;
    let tags = world.ok("ListTagsForResource", json!({ "ResourceARN": arn })).await;
    assert_eq!(tags["Tags"], json!([{ "Key": "k", "Value": "v" }]));
    world.ok("CreateEventBus", json!({ "Name": "second" })).await;
    let buses = world.ok("ListEventBuses", json!({})).await;
    assert_eq!(buses["EventBuses"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn patterns_are_tested_without_a_rule() {
    let world = World::new().await;
    let event = json!({ "id": "1", "account": "1", "source": "a", "time": "t", "region": "r", "resources": [], "detail-type": "T", "detail": {} });
    let test = |pattern: &str, event: &Value| json!({ "EventPattern": pattern, "Event": event.to_string() });
    assert_eq!(world.ok("TestEventPattern", test(r#"{"source":["a"]}"#, &event)).await["Result"], true);
    assert_eq!(world.ok("TestEventPattern", test(r#"{"source":["b"]}"#, &event)).await["Result"], false);
    assert_eq!(world.refused("TestEventPattern", test("{", &event)).await.0, "InvalidEventPatternException");
    assert_eq!(
        world.refused("TestEventPattern", test(r#"{"source":["a"]}"#, &json!({}))).await.0,
        "ValidationException"
    );
}
