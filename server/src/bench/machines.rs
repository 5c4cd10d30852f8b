//! The rows of Step Functions.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Connection, STATES, pause};
use super::load::{Figures, Meter, Subject, Turn};
use super::queues::PATIENCE;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    state_machine_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    executions: Vec<Value>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Ended {
    status: String,
}

/// Standard executions of three Pass states; ends when all have SUCCEEDED.
///
/// # Errors
/// A request failed, or an execution did not succeed.
pub(crate) async fn three_passes(subject: &Subject) -> anyhow::Result<Figures> {
    let machine = machine(subject, "passes", "STANDARD", &passes()).await?;
    let head = subject.address.head(&STATES, "StartExecution")?;
    let body = start_body(&machine);
    let mut connections = subject.connect_all().await?;
    let meter = Meter::start(subject);
    let mut answered = subject.load(&mut connections, &head, |_| body.clone()).await?;
    let count = answered.times.len();
    let connection = &mut connections[0];
    until_ended(subject, connection, &machine).await?;
    let figures = meter.stop(count).with_times(&mut answered.times);
    let succeeded = count_succeeded(subject, connection, &machine).await?;
    ensure!(succeeded == count, "{count} executions were started and {succeeded} succeeded");
    Ok(figures)
}

/// StartExecution of a machine that then waits, so that little but the start is measured.
///
/// # Errors
/// A request failed.
pub(crate) async fn start_execution(subject: &Subject) -> anyhow::Result<Figures> {
    let body = start_body(&machine(subject, "waits", "STANDARD", &waits()).await?);
    subject.measure(&STATES, "StartExecution", |_| body.clone()).await
}

/// A machine whose executions stand in a Wait state.
pub(crate) struct Waiting {
    /// Its ARN.
    pub(crate) arn: String,
    /// How fast they were started.
    pub(crate) figures: Figures,
}

/// Starts so many Standard executions that stand in a Wait state.
///
/// # Errors
/// A request failed.
pub(crate) async fn start_waiting(subject: &Subject, count: usize) -> anyhow::Result<Waiting> {
    let arn = machine(subject, "waiting", "STANDARD", &waits()).await?;
    let body = start_body(&arn);
    let meter = Meter::start(subject);
    subject.fill(&STATES, "StartExecution", count, |_| body.clone()).await?;
    some_wait(subject, &arn).await?;
    Ok(Waiting { arn, figures: meter.stop(count) })
}

/// Makes sure that the server answers and has executions of that machine which run.
///
/// # Errors
/// It does not answer, or there are none.
pub(crate) async fn some_wait(subject: &Subject, machine: &str) -> anyhow::Result<()> {
    let head = subject.address.head(&STATES, "ListExecutions")?;
    let input = json!({"stateMachineArn": machine, "statusFilter": "RUNNING", "maxResults": 1});
    let listed: Listed = subject.address.connect().await?.ask(&head, &input).await?;
    ensure!(!listed.executions.is_empty(), "no execution of {machine} waits");
    Ok(())
}

/// Synchronous Express executions of three Pass states.
///
/// # Errors
/// A request failed, or an execution did not succeed.
pub(crate) async fn express_sync(subject: &Subject) -> anyhow::Result<Figures> {
    let machine = machine(subject, "express", "EXPRESS", &passes()).await?;
    let head = subject.address.head(&STATES, "StartSyncExecution")?;
    let input = json!({"stateMachineArn": machine, "input": INPUT});
    let ended: Ended = subject.address.connect().await?.ask(&head, &input).await?;
    ensure!(ended.status == "SUCCEEDED", "the execution is {}", ended.status);
    let body = start_body(&machine);
    subject.measure(&STATES, "StartSyncExecution", |_: Turn| body.clone()).await
}

const INPUT: &str = r#"{"order":"4711","total":129.95}"#;

fn passes() -> Value {
    json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Pass", "Result": {"checked": true}, "ResultPath": "$.check", "Next": "C"},
        "C": {"Type": "Pass", "End": true},
    }})
}

fn waits() -> Value {
    json!({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 86_400, "End": true}}})
}

fn start_body(machine: &str) -> Bytes {
    json!({"stateMachineArn": machine, "input": INPUT}).to_string().into()
}

async fn machine(subject: &Subject, name: &str, kind: &str, definition: &Value) -> anyhow::Result<String> {
    let head = subject.address.head(&STATES, "CreateStateMachine")?;
    let input = json!({
        "name": format!("{}-{name}", subject.prefix), "type": kind, "definition": definition.to_string(),
        "roleArn": "arn:aws:iam::000000000000:role/bench",
    });
    let created: Created = subject.address.connect().await?.ask(&head, &input).await?;
    Ok(created.state_machine_arn)
}

async fn until_ended(subject: &Subject, connection: &mut Connection, machine: &str) -> anyhow::Result<()> {
    let head = subject.address.head(&STATES, "ListExecutions")?;
    let input = json!({"stateMachineArn": machine, "statusFilter": "RUNNING", "maxResults": 1});
    let until = Instant::now() + PATIENCE;
    loop {
        let listed: Listed = connection.ask(&head, &input).await?;
        // A page may be empty and yet not the last.
        if listed.executions.is_empty() && listed.next_token.is_none() {
            return Ok(());
        }
        if Instant::now() > until {
            bail!("some executions have not ended after {} s", PATIENCE.as_secs());
        }
        pause(Duration::from_millis(20)).await;
    }
}

async fn count_succeeded(
    subject: &Subject,
    connection: &mut Connection,
    machine: &str,
) -> anyhow::Result<usize> {
    let head = subject.address.head(&STATES, "ListExecutions")?;
    let mut input = json!({"stateMachineArn": machine, "statusFilter": "SUCCEEDED", "maxResults": 1000});
    let mut count = 0;
    loop {
        let listed: Listed = connection.ask(&head, &input).await?;
        count += listed.executions.len();
        match listed.next_token {
            Some(token) => input["nextToken"] = token.into(),
            None => return Ok(count),
        }
    }
}
