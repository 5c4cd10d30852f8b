//! HTTP tasks, through a connection of EventBridge, against a server on the loopback interface.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html>
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use testkit::World;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ROLE: &str = "arn:aws:iam::000000000000:role/machine";

/// Says what was asked of it, but for these paths: `/missing` is not there, `/busy` is busy the first time.
#[derive(Clone, Default)]
struct Server {
    port: u16,
    /// Requests as they came: line, headers, body.
    got: Arc<Mutex<Vec<String>>>,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "the server is the world outside, beside the kernel")]
    async fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server { port: listener.local_addr().unwrap().port(), ..Server::default() };
        let own = server.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let own = own.clone();
                tokio::spawn(async move { while own.serve(&mut stream).await.is_some() {} });
            }
        });
        server
    }

    async fn serve(&self, stream: &mut TcpStream) -> Option<()> {
        let mut bytes = Vec::new();
        let request = loop {
            let mut chunk = [0; 4096];
            let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
            bytes.extend_from_slice(&chunk[..n]);
            let text = String::from_utf8(bytes.clone()).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = header(head, "content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() == length {
                break text;
            }
        };
        let before = self.got.lock().unwrap().iter().filter(|got| got.contains("/busy")).count();
        let (status, body) = match request.split(' ').nth(1)? {
            path if path.starts_with("/missing") => (404, r#"{"nobody":"here"}"#),
            path if path.starts_with("/busy") && before == 0 => (503, "busy"),
            path if path.starts_with("/text") => (200, "plain"),
            _ => (200, r#"{"ok":true}"#),
        };
        self.got.lock().unwrap().push(request);
        let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
        let head = format!(
            "HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.ok()
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.got.lock().unwrap())
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let is_named = |line: &&str| line.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name));
    Some(head.lines().find(is_named)?.split_once(':')?.1.trim())
}

/// A world with a connection: its ARN.
async fn world() -> (World, String) {
    let world = World::new(|| vec![events::service(), states::service()]).await;
    let connection = json!({ "Name": "c", "AuthorizationType": "API_KEY", "AuthParameters": {
        "ApiKeyAuthParameters": { "ApiKeyName": "X-Key", "ApiKeyValue": "hidden" },
        "InvocationHttpParameters": { "QueryStringParameters": [{ "Key": "secret", "Value": "too", "IsValueSecret": true }] } } });
    let made = world.ok("events", "CreateConnection", connection).await;
    world.idle().await;
    (world, made["ConnectionArn"].as_str().unwrap().to_owned())
}

fn task(url: &str, connection: &str, more: Value) -> Value {
    let mut parameters = json!({ "ApiEndpoint": url, "Method": "POST",
        "InvocationConfig": { "ConnectionArn": connection } });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": parameters, "End": true })
}

/// Runs a machine of this one state: the status, and the output or the error and its cause.
async fn run(world: &World, name: &str, state: &Value) -> (String, Value) {
    let definition = json!({ "StartAt": "Call", "States": { "Call": state } }).to_string();
    let machine = json!({ "name": name, "definition": definition, "roleArn": ROLE });
    let machine = world.ok("states", "CreateStateMachine", machine).await;
    let start = json!({ "stateMachineArn": machine["stateMachineArn"], "input": r#"{"id":7}"# });
    let started = world.ok("states", "StartExecution", start).await;
    world.advance(std::time::Duration::from_secs(10)).await;
    let shown =
        world.ok("states", "DescribeExecution", json!({ "executionArn": started["executionArn"] })).await;
    let status = shown["status"].as_str().unwrap().to_owned();
    match shown["output"].as_str() {
        Some(output) => (status, serde_json::from_str(output).unwrap()),
        None => (format!("{status} {}", shown["error"].as_str().unwrap()), shown["cause"].clone()),
    }
}

#[tokio::test]
async fn a_request_is_sent_with_the_connections_credentials() {
    let server = Server::start().await;
    let (world, connection) = world().await;
    let more = json!({ "Headers": { "X-One": "1" }, "QueryParameters": { "q": ["a", "b"] },
        "RequestBody": { "id.$": "$.id" } });
    let (status, output) = run(&world, "m", &task(&server.url("/orders"), &connection, more)).await;
    assert_eq!(status, "SUCCEEDED", "{output}");
    assert_eq!((&output["StatusCode"], &output["ResponseBody"]), (&json!(200), &json!({ "ok": true })));
    assert_eq!(output["Headers"]["content-type"], json!(["application/json"]));
    let got = server.take().remove(0);
    assert!(got.starts_with("POST /orders?q=a%2Cb&secret=too "), "{got}");
    let (head, body) = got.split_once("\r\n\r\n").unwrap();
    assert_eq!(
        (header(head, "x-key"), header(head, "x-one"), body),
        (Some("hidden"), Some("1"), r#"{"id":7}"#)
    );

    let form = json!({ "RequestBody": { "a": [1, 2] }, "Headers": { "Content-Type": "application/x-www-form-urlencoded" },
        "Transform": { "RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": { "ArrayFormat": "REPEAT" } } });
    let (status, output) = run(&world, "form", &task(&server.url("/text"), &connection, form)).await;
    assert_eq!((status.as_str(), &output["ResponseBody"]), ("SUCCEEDED", &json!("plain")));
    assert!(server.take()[0].ends_with("\r\n\r\na=1&a=2"));
}

#[tokio::test]
async fn a_status_that_is_none_of_success_fails_the_task() {
    let server = Server::start().await;
    let (world, connection) = world().await;
    let (status, cause) = run(&world, "m", &task(&server.url("/missing"), &connection, json!({}))).await;
    assert_eq!(status, "FAILED States.Http.StatusCode.404");
    assert!(cause.as_str().unwrap().contains(r#""nobody":"here""#), "{cause}");

    let mut again = task(&server.url("/busy"), &connection, json!({ "Method": "GET" }));
    again["Retry"] = json!([{ "ErrorEquals": ["States.Http.StatusCode.503"], "IntervalSeconds": 2 }]);
    server.take();
    let (status, output) = run(&world, "again", &again).await;
    assert_eq!((status.as_str(), &output["StatusCode"]), ("SUCCEEDED", &json!(200)));
    assert_eq!(server.take().len(), 2);

    let nowhere = task("http://127.0.0.1:9/", &connection, json!({}));
    let (status, cause) = run(&world, "nowhere", &nowhere).await;
    assert_eq!(status, "FAILED States.Http.Socket", "{cause}");
}

#[tokio::test]
async fn a_test_shows_request_and_response_and_the_secrets_only_if_asked_to() {
    let server = Server::start().await;
    let (world, connection) = world().await;
    let more = json!({ "RequestBody": { "a": 1 }, "Headers": { "X-One": "1" } });
    let definition = task(&server.url("/orders"), &connection, more).to_string();
    for (reveal, query, key) in [(false, "", false), (true, "?secret=too", true)] {
        let input = json!({ "definition": definition, "roleArn": ROLE, "inspectionLevel": "TRACE",
            "revealSecrets": reveal });
        let answer = world.ok("states", "TestState", input).await;
        assert_eq!(answer["status"], "SUCCEEDED", "{answer}");
        let (request, response) =
            (&answer["inspectionData"]["request"], &answer["inspectionData"]["response"]);
        assert_eq!(request["url"], server.url(&format!("/orders{query}")));
        assert_eq!((&request["method"], &request["body"]), (&json!("POST"), &json!(r#"{"a":1}"#)));
        let headers = request["headers"].as_str().unwrap();
        assert!(headers.contains("x-one: [1]"), "{headers}");
        assert_eq!(headers.contains("x-key: [hidden]"), key, "{headers}");
        assert_eq!((&response["statusCode"], &response["body"]), (&json!("200"), &json!(r#"{"ok":true}"#)));
        assert!(response["headers"].as_str().unwrap().contains("content-type: [application/json]"));
    }
    let input = json!({ "definition": definition, "roleArn": ROLE, "inspectionLevel": "DEBUG" });
    let answer = world.ok("states", "TestState", input).await;
    assert_eq!(answer["inspectionData"].get("request"), None, "only at level TRACE");
}
