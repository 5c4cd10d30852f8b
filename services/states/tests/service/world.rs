//! A kernel with its store, which may be killed and started again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base::{AccountId, Fault, Region, Timestamp};
use futures::future::BoxFuture;
use kernel::trace::Chain;
use kernel::{Caller, Chance, Clock, Kernel, Tx};
use serde_json::{Value, json};
use store::Location;
use store::bytes::Bytes;
use store::engine::{Commit, CommitError, Direction, Engine, KeyRange, Snapshot, StoreError, Version};
use store::floor::ScanFloor;
use store::watch::{SharedEngine, Wake};

use crate::neighbours::{self, Calls};

pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/machine";
pub(crate) const START_MS: i64 = 1_767_225_600_000;

/// Stops taking commits when so many have been taken: the process has died there.
struct Mortal {
    inner: SharedEngine,
    left: Arc<AtomicI64>,
}

impl Engine for Mortal {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        self.inner.snapshot()
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Version, CommitError>> {
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Box::pin(async { Err(StoreError::Unavailable("the process is dead".to_owned()).into()) });
        }
        self.inner.commit(commit)
    }

    fn watch(&self, prefix: &[u8]) -> Wake {
        self.inner.watch(prefix)
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.close()
    }

    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn floor(&self) -> &ScanFloor {
        self.inner.floor()
    }
}

pub(crate) struct World {
    pub kernel: Kernel,
    engine: SharedEngine,
    clock: Clock,
    calls: Calls,
    left: Arc<AtomicI64>,
    seed: u64,
}

impl World {
    pub(crate) async fn new() -> World {
        let clock = Clock::virtual_at(Timestamp::from_millis(START_MS));
        let engine = store::open(&Location::Memory).unwrap();
        let calls = Calls::default();
        let left = Arc::new(AtomicI64::new(i64::MAX));
        let kernel = assemble(&engine, &clock, &calls, &left, 1);
        kernel.start().await.unwrap();
        World { kernel, engine, clock, calls, left, seed: 1 }
    }

    /// The process dies after so many more commits.
    pub(crate) fn die_after(&self, commits: i64) {
        self.left.store(commits, Ordering::SeqCst);
    }

    /// Whether it has died.
    pub(crate) fn is_dead(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    /// Another process over the same store.
    pub(crate) async fn restart(&mut self) {
        self.restart_after(0).await;
    }

    /// The same, so many seconds after the first one died.
    pub(crate) async fn restart_after(&mut self, seconds: u64) {
        self.die_after(0);
        self.kernel.halt().await;
        self.clock.set(self.clock.now() + Duration::from_secs(seconds));
        self.left = Arc::new(AtomicI64::new(i64::MAX));
        self.seed += 1;
        self.kernel = assemble(&self.engine, &self.clock, &self.calls, &self.left, self.seed);
        self.kernel.start().await.unwrap();
    }

    pub(crate) async fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value, Fault> {
        let caller = Caller::root_user(
            AccountId::default(),
            Region::parse("eu-west-1").unwrap(),
            self.kernel.new_id(),
        );
        self.kernel.run_document(caller, service, operation, &input).await
    }

    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        self.call("states", operation, input).await.unwrap()
    }

    /// `Code: message` of a refusal.
    pub(crate) async fn refused(&self, operation: &str, input: Value) -> String {
        self.call("states", operation, input).await.unwrap_err().to_string()
    }

    pub(crate) async fn create(&self, name: &str, definition: &Value) -> String {
        let input = json!({ "name": name, "definition": definition.to_string(), "roleArn": ROLE });
        let made = self.ok("CreateStateMachine", input).await;
        made["stateMachineArn"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn start(&self, machine: &str, name: &str, input: &str) -> String {
        let input = json!({ "stateMachineArn": machine_arn(machine), "name": name, "input": input });
        let started = self.ok("StartExecution", input).await;
        started["executionArn"].as_str().unwrap().to_owned()
    }

    /// Creates a machine, starts it and lets it run as far as it goes without time passing.
    pub(crate) async fn run(&self, definition: &Value, input: &str) -> String {
        self.create("m", definition).await;
        let arn = self.start("m", "e", input).await;
        self.kernel.idle().await;
        arn
    }

    pub(crate) async fn advance(&self, seconds: u64) {
        self.kernel.advance(Duration::from_secs(seconds)).await;
    }

    pub(crate) async fn describe(&self, arn: &str) -> Value {
        self.ok("DescribeExecution", json!({ "executionArn": arn })).await
    }

    /// The status, with output or error and cause.
    pub(crate) async fn end(&self, arn: &str) -> String {
        let shown = self.describe(arn).await;
        let text = |name: &str| shown[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
        format!("{}{}{}{}", shown["status"].as_str().unwrap(), text("output"), text("error"), text("cause"))
    }

    pub(crate) async fn history(&self, arn: &str) -> Vec<Value> {
        let mut events = Vec::new();
        let mut input = json!({ "executionArn": arn, "maxResults": 1000 });
        loop {
            let mut page = self.ok("GetExecutionHistory", input.clone()).await;
            events.append(page["events"].as_array_mut().unwrap());
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => return events,
            }
        }
    }

    /// One event on one line: `4<3 +2s TaskStarted {"resource":…}`, without what differs from run to run.
    pub(crate) async fn lines(&self, arn: &str) -> Vec<String> {
        self.history(arn).await.iter().map(line).collect()
    }

    /// The types of the events alone.
    pub(crate) async fn types(&self, arn: &str) -> Vec<String> {
        self.history(arn).await.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// Everything that came to the bus, in order.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let events = self.call("events", "Recorded", json!({})).await.unwrap();
        events.as_array().unwrap().clone()
    }

    /// The details of the status events.
    pub(crate) async fn statuses(&self) -> Vec<Value> {
        let events = self.events().await;
        let details = events.iter().filter(|event| event["source"] == "aws.states");
        details.map(|event| event["detail"].clone()).collect()
    }

    /// How many rows the service has. A key is a shard, then the service's name.
    pub(crate) async fn rows(&self) -> usize {
        let all = KeyRange { start: Bytes::new(), end: Bytes::new() };
        let snapshot = self.engine.snapshot().await.unwrap();
        let rows = snapshot.scan(all, 100_000, Direction::Forward).await.unwrap();
        rows.iter().filter(|(key, _)| key.get(1..7) == Some(&b"states"[..])).count()
    }

    /// The chains of causes that `subject` belongs to.
    pub(crate) async fn chains(&self, subject: &str) -> Vec<Chain> {
        let caller = self.kernel.house_caller();
        self.kernel.transact("kernel", caller, "Find", find_chains, subject.to_owned()).await.unwrap()
    }

    /// Has the runner do a call, as whoever delivers to a target does.
    pub(crate) async fn task(&self, call: kernel::Call) {
        let input = serde_json::to_value(&call).unwrap();
        self.call("events", "Relay", input).await.unwrap();
    }

    pub(crate) async fn queue(&self, name: &str) -> String {
        let made = self.call("sqs", "CreateQueue", json!({ "QueueName": name })).await.unwrap();
        made["QueueUrl"].as_str().unwrap().to_owned()
    }

    /// Takes the messages of a queue: their bodies.
    pub(crate) async fn receive(&self, url: &str) -> Vec<String> {
        let input = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 });
        let received = self.call("sqs", "ReceiveMessage", input).await.unwrap();
        let messages = received["Messages"].as_array().cloned().unwrap_or_default();
        messages.iter().map(|message| message["Body"].as_str().unwrap().to_owned()).collect()
    }

    /// The task token in the one message of a queue.
    pub(crate) async fn token(&self, url: &str) -> String {
        let bodies = self.receive(url).await;
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        let body: Value = serde_json::from_str(&bodies[0]).unwrap();
        body["token"].as_str().unwrap().to_owned()
    }
}

async fn find_chains(tx: &mut Tx, subject: String) -> kernel::Result<Vec<Chain>> {
    kernel::trace::find(tx, &subject).await
}

fn assemble(engine: &SharedEngine, clock: &Clock, calls: &Calls, left: &Arc<AtomicI64>, seed: u64) -> Kernel {
    let mut services = neighbours::services(Arc::clone(calls));
    services.extend([testkit::mailbox::service(), states::service()]);
    let mortal = Arc::new(Mortal { inner: Arc::clone(engine), left: Arc::clone(left) });
    Kernel::new(mortal, clock.clone(), Chance::seeded(seed), services)
}

pub(crate) fn machine_arn(name: &str) -> String {
    format!("arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:{name}")
}

pub(crate) fn function(name: &str) -> String {
    format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{name}")
}

fn line(event: &Value) -> String {
    let seconds = event["timestamp"].as_f64().unwrap() - START_MS as f64 / 1000.0;
    let details = event.as_object().unwrap().iter().find(|(name, _)| name.ends_with("Details"));
    let details = details.map(|(_, details)| {
        let mut details = details.clone();
        let members = details.as_object_mut().unwrap();
        members.retain(|name, _| !matches!(name.as_str(), "inputDetails" | "outputDetails" | "roleArn"));
        format!(" {}", plain(&details.to_string()))
    });
    format!(
        "{}<{} +{seconds}s {}{}",
        event["id"],
        event["previousEventId"],
        event["type"].as_str().unwrap(),
        details.unwrap_or_default()
    )
}

/// A text without what differs from run to run: ids and tokens.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run: String =
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-+/=".contains(*c)).collect();
        let is_uuid = run.len() == 36 && run.bytes().filter(|b| *b == b'-').count() == 4;
        let is_token = run.starts_with('A') && run.len() > 24 && !run.contains('-');
        match (is_uuid, is_token, run.is_empty()) {
            (true, ..) => out.push_str("<id>"),
            (_, true, _) => out.push_str("<token>"),
            (.., true) => out.push(first),
            _ => out.push_str(&run),
        }
        rest = &rest[run.len().max(if run.is_empty() { first.len_utf8() } else { 0 })..];
    }
    out
}
