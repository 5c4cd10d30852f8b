//! The console's pages over a kernel in memory: what a person reads on them, and what their forms do.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use base::{AccountId, Region, Timestamp};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kernel::{Caller, Chance, Clock, Kernel};
use serde_json::{Value, json};
use server::console;
use store::Location;

const REGION: &str = "eu-central-1";
const ROLE: &str = "arn:aws:iam::000000000000:role/machine";
const HOST: &str = "127.0.0.1:4566";

struct World {
    kernel: Kernel,
}

impl World {
    async fn new() -> World {
        let start = Timestamp::from_iso("2026-11-22T10:20:19.500Z").unwrap();
        let services =
            vec![dynamodb::service(), events::service(), logs::service(), sqs::service(), states::service()];
        let engine = store::open(&Location::Memory).unwrap();
        let kernel = Kernel::new(engine, Clock::virtual_at(start), Chance::seeded(7), services);
        kernel.start().await.unwrap();
        World { kernel }
    }

    async fn call(&self, service: &str, operation: &str, input: Value) -> Value {
        let region = Region::parse(REGION).unwrap();
        let caller = Caller::root_user(AccountId::default(), region, self.kernel.new_id());
        self.kernel.run_document(caller, service, operation, &input).await.unwrap()
    }

    /// A machine that fails, waits or succeeds as its input says.
    async fn machine(&self, name: &str) -> String {
        let definition = json!({
            "StartAt": "Choose",
            "States": {
                "Choose": {
                    "Type": "Choice",
                    "Choices": [
                        { "Variable": "$.fail", "IsPresent": true, "Next": "Fail" },
                        { "Variable": "$.wait", "IsPresent": true, "Next": "Wait" },
                    ],
                    "Default": "Done",
                },
                "Wait": { "Type": "Wait", "SecondsPath": "$.wait", "Next": "Done" },
                "Fail": { "Type": "Fail", "Error": "OutOfPaper", "Cause": "the <b>ticket</b> machine" },
                "Done": { "Type": "Pass", "End": true },
            },
        });
        let input = json!({ "name": name, "definition": definition.to_string(), "roleArn": ROLE });
        text_of(&self.call("states", "CreateStateMachine", input).await, "stateMachineArn")
    }

    async fn execute(&self, machine: &str, name: &str, input: Value) -> String {
        let input = json!({ "stateMachineArn": machine, "name": name, "input": input.to_string() });
        let started = self.call("states", "StartExecution", input).await;
        self.kernel.advance(Duration::from_millis(10)).await;
        text_of(&started, "executionArn")
    }

    /// Four executions as the sample applications leave them: two succeeded, one failed, one stopped.
    async fn four(&self) -> String {
        let machine = self.machine("dev-meetup-deposit").await;
        self.execute(&machine, "first", json!({ "amount": 50 })).await;
        self.execute(&machine, "failing", json!({ "fail": true })).await;
        let stopped = self.execute(&machine, "stopped", json!({ "wait": 60 })).await;
        let stop = json!({ "executionArn": stopped, "error": "Teller", "cause": "closed" });
        self.call("states", "StopExecution", stop).await;
        self.execute(&machine, "last", json!({ "amount": 51 })).await;
        machine
    }

    async fn ask(&self, request: Request<Bytes>) -> (Response<()>, String) {
        let (parts, body) = console::answer(&self.kernel, &request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (Response::from_parts(parts, ()), String::from_utf8(body.to_vec()).unwrap())
    }

    /// The source of a page.
    async fn source(&self, page: &str, parameters: &[(&str, &str)]) -> (StatusCode, String) {
        let query = encoded(&[&[("region", REGION)], parameters].concat());
        let uri = format!("{}/{page}?{query}", console::PATH);
        let request = Request::get(uri).header("host", HOST).body(Bytes::new()).unwrap();
        let (response, text) = self.ask(request).await;
        (response.status(), text)
    }

    /// What a person reads on a page.
    async fn read(&self, page: &str, parameters: &[(&str, &str)]) -> String {
        let (status, source) = self.source(page, parameters).await;
        assert_eq!(status, StatusCode::OK, "{source}");
        readable(&source)
    }

    async fn post(&self, page: &str, origin: &str, form: &[(&str, &str)]) -> (StatusCode, String, String) {
        let request = Request::post(format!("{}/{page}?region={REGION}", console::PATH))
            .header("host", HOST)
            .header("origin", origin)
            .body(encoded(form).into())
            .unwrap();
        let (response, text) = self.ask(request).await;
        let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        (response.status(), location.unwrap_or_default(), readable(&text))
    }
}

fn text_of(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A page without its tags, with one blank between words.
fn readable(source: &str) -> String {
    let mut text = String::new();
    for part in source.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        text.push(' ');
    }
    let text =
        text.replace("&quot;", "\"").replace("&#34;", "\"").replace("&#39;", "'").replace("&#62;", ">");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn assert_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, tail)) = rest.split_once(part) else {
            panic!("`{part}` is not where it should be in: {text}")
        };
        rest = tail;
    }
}

#[tokio::test]
async fn a_machine_shows_its_executions_newest_first() {
    let world = World::new().await;
    let machine = world.four().await;
    let page = world.read("state-machine", &[("arn", &machine)]).await;
    assert!(page.contains("Executions (4)"), "{page}");
    assert!(page.contains("1–4 of 4"), "{page}");
    assert_order(
        &page,
        &[
            "Name",
            "Status",
            "Started",
            "End time",
            "last",
            "SUCCEEDED",
            "2026-11-22 10:20:19.530Z",
            "stopped",
            "ABORTED",
            "failing",
            "FAILED",
            "first",
            "SUCCEEDED",
            "2026-11-22 10:20:19.500Z",
        ],
    );
    let list = world.read("state-machines", &[]).await;
    assert!(list.contains("State machines (1)") && list.contains("dev-meetup-deposit STANDARD"), "{list}");
}

#[tokio::test]
async fn executions_are_searched_filtered_and_sorted() {
    let world = World::new().await;
    let machine = world.four().await;
    let check = async |parameters: &[(&str, &str)], parts: &[&str]| {
        let page = world.read("state-machine", &[&[("arn", machine.as_str())], parameters].concat()).await;
        assert_order(&page, parts);
    };
    check(&[("status", "SUCCEEDED")], &["Executions (2)", "last SUCCEEDED", "first SUCCEEDED"]).await;
    check(&[("status", "ABORTED")], &["Executions (1)", "stopped ABORTED"]).await;
    check(&[("status", "TIMED_OUT")], &["Executions (0)", "No execution matches."]).await;
    check(&[("name", "FAIL")], &["Executions (1)", "failing FAILED"]).await;
    check(&[("name", "st"), ("status", "SUCCEEDED")], &["Executions (2)"]).await;
    check(&[("sort", "name")], &["failing FAILED", "first SUCCEEDED", "last SUCCEEDED", "stopped ABORTED"])
        .await;
    check(
        &[("sort", "started"), ("order", "up")],
        &["first SUCC", "failing FAILED", "stopped AB", "last SUCC"],
    )
    .await;
}

#[tokio::test]
async fn executions_are_shown_a_page_at_a_time() {
    let world = World::new().await;
    let machine = world.machine("busy").await;
    for number in 1..=30 {
        world.execute(&machine, &format!("run-{number:02}"), json!({})).await;
    }
    let first = world.read("state-machine", &[("arn", &machine)]).await;
    assert_order(&first, &["Executions (30)", "1–25 of 30", "run-30", "run-06"]);
    assert!(!first.contains("run-05"), "{first}");
    let second = world.read("state-machine", &[("arn", &machine), ("page", "2")]).await;
    assert_order(&second, &["26–30 of 30", "run-05", "run-01"]);
}

#[tokio::test]
async fn an_execution_shows_how_it_went() {
    let world = World::new().await;
    let machine = world.four().await;
    let arn = |name: &str| machine.replace(":stateMachine:", ":execution:") + ":" + name;
    let page = world.read("execution", &[("arn", &arn("first"))]).await;
    assert_order(
        &page,
        &["SUCCEEDED", "State transitions 2", "Input", "\"amount\" : 50", "Output", "\"amount\" : 50"],
    );
    assert_order(
        &page,
        &["Events (6)", "1 ExecutionStarted –", "2 ChoiceStateEntered Choose", "6 ExecutionSucceeded"],
    );
    let (_, failed) = world.source("execution", &[("arn", &arn("failing"))]).await;
    assert!(failed.contains("the &lt;b&gt;ticket&lt;/b&gt; machine"), "{failed}");
    assert_order(&readable(&failed), &["OutOfPaper", "FAILED", "There is none."]);
    let turned = world.read("execution", &[("arn", &arn("first")), ("order", "down")]).await;
    assert_order(&turned, &["6 ExecutionSucceeded", "1 ExecutionStarted"]);
    let stopped = world.read("execution", &[("arn", &arn("stopped"))]).await;
    assert_order(&stopped, &["Teller", "closed", "ABORTED", "Wait"]);
}

#[tokio::test]
async fn executions_are_started_and_stopped_by_the_pages_own_forms_only() {
    let world = World::new().await;
    let machine = world.machine("dev-meetup-deposit").await;
    let form = [("arn", machine.as_str()), ("name", "mine"), ("input", r#"{"wait": 60}"#)];
    let (status, ..) = world.post("execution/start", "http://evil.example", &form).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, location, _) = world.post("execution/start", "http://127.0.0.1:4566", &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(location.ends_with("mine"), "{location}");
    let arn = machine.replace(":stateMachine:", ":execution:") + ":mine";
    let page = world.read("execution", &[("arn", &arn)]).await;
    assert_order(&page, &["Stop execution", "RUNNING", "It is still running."]);

    let stop = [("arn", arn.as_str()), ("machine", machine.as_str()), ("error", "Teller")];
    let (status, ..) = world.post("execution/stop", "null", &stop).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, location, _) = world.post("execution/stop", "http://127.0.0.1:4566", &stop).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(location.contains("/state-machine?"), "{location}");
    let page = world.read("state-machine", &[("arn", &machine)]).await;
    assert_order(&page, &["Executions (1)", "mine ABORTED"]);
}

#[tokio::test]
async fn faults_are_shown_in_the_services_words() {
    let world = World::new().await;
    let machine = world.machine("dev-meetup-deposit").await;
    let form = [("arn", machine.as_str()), ("input", "{no json")];
    let (status, _, page) = world.post("execution/start", "http://127.0.0.1:4566", &form).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("InvalidExecutionInput"), "{page}");
    let (status, page) = world.source("state-machine", &[("arn", &format!("{machine}-gone"))]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("StateMachineDoesNotExist"), "{page}");
    let (status, page) = world.source("nowhere", &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(page.contains("the console has no page `nowhere`"), "{page}");
    // Lambda is not part of this server: its list says so, and the overview does without it.
    let (status, page) = world.source("functions", &[]).await;
    assert_eq!(status, StatusCode::NOT_IMPLEMENTED);
    assert!(page.contains("lambda:ListFunctions is not implemented"), "{page}");
    assert_order(&world.read("", &[]).await, &["State machines 1", "Functions –", "Latest events"]);
}

#[tokio::test]
async fn a_table_shows_its_items_with_the_key_first() {
    let world = World::new().await;
    let table = json!({
        "TableName": "executions",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "executionId", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "executionId", "KeyType": "HASH" }],
    });
    world.call("dynamodb", "CreateTable", table).await;
    world.kernel.advance(Duration::from_secs(5)).await;
    for (id, status) in [("a", "SUCCEEDED"), ("b", "FAILED"), ("c", "ABORTED"), ("<d>", "SUCCEEDED")] {
        let item =
            json!({ "clientId": { "S": "90876" }, "executionId": { "S": id }, "status": { "S": status } });
        world.call("dynamodb", "PutItem", json!({ "TableName": "executions", "Item": item })).await;
    }
    let page = world.read("table", &[("name", "executions")]).await;
    assert_order(&page, &["Items returned (4)", "executionId clientId status"]);
    assert!(page.contains("90876 FAILED"), "{page}");
    let (_, source) = world.source("table", &[("name", "executions")]).await;
    assert!(!source.contains("<d>") && source.contains("&#60;d&#62;"), "{source}");
    assert_order(&world.read("tables", &[]).await, &["Tables (1)", "executions", "ACTIVE", "executionId"]);
}

#[tokio::test]
async fn items_are_read_a_page_at_a_time() {
    let world = World::new().await;
    let table = json!({
        "TableName": "many",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "N" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
    });
    world.call("dynamodb", "CreateTable", table).await;
    world.kernel.advance(Duration::from_secs(5)).await;
    for id in 0..130 {
        let item = json!({ "TableName": "many", "Item": { "id": { "N": id.to_string() } } });
        world.call("dynamodb", "PutItem", item).await;
    }
    let (_, first) = world.source("table", &[("name", "many")]).await;
    assert_order(&readable(&first), &["Items returned (100)", "page 1"]);
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let token = next.split("token=").nth(1).unwrap();
    let token = form_urlencoded::parse(format!("t={token}").as_bytes()).next().unwrap().1.into_owned();
    let second = world.read("table", &[("name", "many"), ("token", &token)]).await;
    assert_order(&second, &["Items returned (30)", "page 2"]);
}

#[tokio::test]
async fn a_queue_is_looked_into_without_receiving() {
    let world = World::new().await;
    let created = world.call("sqs", "CreateQueue", json!({ "QueueName": "orders" })).await;
    let url = text_of(&created, "QueueUrl");
    world.call("sqs", "SendMessage", json!({ "QueueUrl": url, "MessageBody": r#"{"order": 7}"# })).await;
    for _ in 0..2 {
        let page = world.read("queue", &[("name", "orders")]).await;
        assert_order(
            &page,
            &["Available 1", "In flight 0", "Messages (1)", "available", "0", "\"order\" : 7"],
        );
    }
    assert_order(&world.read("queues", &[]).await, &["Queues (1)", "orders Standard 1 0 0"]);
}

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
    assert_order(&overview, &["Rules 4", "Latest events", "OrderPlaced", "1 of 2 failed"]);
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
async fn browsers_find_the_console_and_clients_do_not() {
    let request = |path: &str, headers: &[(&str, &str)]| {
        let request = Request::get(path).header("host", HOST);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(Bytes::new()).unwrap()
    };
    let is_for =
        |path: &str, headers: &[(&str, &str)]| console::is_for(&request(path, headers).into_parts().0);
    let html = ("accept", "text/html,application/xhtml+xml");
    assert!(is_for("/", &[html]));
    assert!(!is_for("/", &[]));
    assert!(!is_for("/", &[html, ("authorization", "AWS4-HMAC-SHA256 …")]));
    assert!(!is_for("/?X-Amz-Signature=1", &[html]));
    assert!(!is_for("/bucket", &[html]));
    assert!(is_for("/_buswork/console", &[]) && is_for("/_buswork/console/queues", &[]));
    assert!(!is_for("/_buswork/consoles", &[]) && !is_for("/_buswork/health", &[]));

    let world = World::new().await;
    world.machine("here").await;
    let (response, _) = world.ask(request("/", &[html])).await;
    assert_eq!(response.headers()["location"], "/_buswork/console/");
    // Without a region in the address it is the one where something is.
    let (response, _) = world.ask(request("/_buswork/console/queues", &[])).await;
    assert_eq!(response.headers()["location"], "/_buswork/console/queues?region=eu-central-1");
    let foreign =
        Request::get("/_buswork/console/").header("host", "rebound.example:4566").body(Bytes::new()).unwrap();
    assert_eq!(world.ask(foreign).await.0.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn assets_are_in_the_binary() {
    let world = World::new().await;
    for (name, kind) in
        [("console.css", "text/css"), ("console.js", "text/javascript"), ("icon.svg", "image/svg")]
    {
        let uri = format!("{}/assets/{name}", console::PATH);
        let request = Request::get(uri).header("host", HOST).body(Bytes::new()).unwrap();
        let (response, text) = world.ask(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind));
        assert!(!text.contains("http://") || name == "icon.svg", "{name} refers to another server");
    }
}
