//! A kernel in memory, and what a person reads on the pages over it.

use std::time::Duration;

use base::{AccountId, Region, Timestamp};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kernel::{Caller, Chance, Clock, Kernel};
use serde_json::{Value, json};
use server::access::Operators;
use server::console;
use store::Location;

pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/machine";
pub(crate) const HOST: &str = "127.0.0.1:4566";

pub(crate) struct World {
    pub kernel: Kernel,
}

impl World {
    pub(crate) async fn new() -> World {
        let start = Timestamp::from_iso("2026-11-22T10:20:19.500Z").unwrap();
        let services = vec![
            dynamodb::service(),
            events::service(),
            logs::service(),
            schemas::service(),
            sqs::service(),
            states::service(),
        ];
        let engine = store::open(&Location::Memory).unwrap();
        let kernel = Kernel::new(engine, Clock::virtual_at(start), Chance::seeded(7), services);
        kernel.start().await.unwrap();
        World { kernel }
    }

    pub(crate) async fn call(&self, service: &str, operation: &str, input: Value) -> Value {
        let region = Region::parse(REGION).unwrap();
        let caller = Caller::root_user(AccountId::default(), region, self.kernel.new_id());
        self.kernel.run_document(caller, service, operation, &input).await.unwrap()
    }

    /// A machine that fails, waits or succeeds as its input says.
    pub(crate) async fn machine(&self, name: &str) -> String {
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

    /// A machine of a definition.
    pub(crate) async fn machine_of(&self, name: &str, definition: Value, more: Value) -> String {
        let mut input = json!({ "name": name, "definition": definition.to_string(), "roleArn": ROLE });
        input.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        text_of(&self.call("states", "CreateStateMachine", input).await, "stateMachineArn")
    }

    pub(crate) async fn execute(&self, machine: &str, name: &str, input: Value) -> String {
        let input = json!({ "stateMachineArn": machine, "name": name, "input": input.to_string() });
        let started = self.call("states", "StartExecution", input).await;
        self.kernel.advance(Duration::from_millis(10)).await;
        text_of(&started, "executionArn")
    }

    /// Four executions as the sample applications leave them: two succeeded, one failed, one stopped.
    pub(crate) async fn four(&self) -> String {
        let machine = self.machine("dev-meetup-deposit").await;
        self.execute(&machine, "first", json!({ "amount": 50 })).await;
        self.execute(&machine, "failing", json!({ "fail": true })).await;
        let stopped = self.execute(&machine, "stopped", json!({ "wait": 60 })).await;
        let stop = json!({ "executionArn": stopped, "error": "Teller", "cause": "closed" });
        self.call("states", "StopExecution", stop).await;
        self.execute(&machine, "last", json!({ "amount": 51 })).await;
        machine
    }

    pub(crate) async fn ask(&self, request: Request<Bytes>) -> (Response<()>, String) {
        let (parts, body) =
            console::answer(&self.kernel, &Operators::everybody(), &request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (Response::from_parts(parts, ()), String::from_utf8(body.to_vec()).unwrap())
    }

    /// The source of a page.
    pub(crate) async fn source(&self, page: &str, parameters: &[(&str, &str)]) -> (StatusCode, String) {
        let query = encoded(&[&[("region", REGION)], parameters].concat());
        let uri = format!("{}/{page}?{query}", console::PATH);
        let request = Request::get(uri).header("host", HOST).body(Bytes::new()).unwrap();
        let (response, text) = self.ask(request).await;
        (response.status(), text)
    }

    /// What a person reads on a page.
    pub(crate) async fn read(&self, page: &str, parameters: &[(&str, &str)]) -> String {
        let (status, source) = self.source(page, parameters).await;
        assert_eq!(status, StatusCode::OK, "{source}");
        readable(&source)
    }

    pub(crate) async fn post(
        &self,
        page: &str,
        origin: &str,
        form: &[(&str, &str)],
    ) -> (StatusCode, String, String) {
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

pub(crate) fn text_of(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A page without its tags, with one blank between words.
pub(crate) fn readable(source: &str) -> String {
    let mut text = String::new();
    for part in source.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        text.push(' ');
    }
    let text =
        text.replace("&quot;", "\"").replace("&#34;", "\"").replace("&#39;", "'").replace("&#62;", ">");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn assert_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, tail)) = rest.split_once(part) else {
            panic!("`{part}` is not where it should be in: {text}")
        };
        rest = tail;
    }
}
