//! What a person does with executions and machines: start, stop, redrive, take the record along, change the definition.

use base::Fault;
use serde_json::{Value, json};
use states::api::{
    RedriveExecution, RedriveExecutionInput, StartExecution, StartExecutionInput, StopExecution,
    StopExecutionInput, UpdateStateMachine, UpdateStateMachineInput,
};

use super::found;
use crate::console::desk::Desk;
use crate::console::express::is_express;
use crate::console::{Answer, Result, history};

/// Starts an execution and shows it.
pub(crate) async fn start(desk: &Desk<'_>) -> Result {
    let input = StartExecutionInput {
        state_machine_arn: desk.form.get("arn").to_owned(),
        name: desk.form.given("name").map(str::to_owned),
        input: desk.form.given("input").map(str::to_owned),
        ..Default::default()
    };
    let started = desk.call::<StartExecution>(&input).await?;
    shown(desk, &started.execution_arn)
}

/// Stops an execution and shows the page from which it was stopped.
pub(crate) async fn stop(desk: &Desk<'_>) -> Result {
    let Some(arn) = desk.form.given("arn") else {
        return Err(Fault::validation("No execution is selected."));
    };
    let given = |name: &str| desk.form.given(name).map(str::to_owned);
    let input =
        StopExecutionInput { execution_arn: arn.to_owned(), error: given("error"), cause: given("cause") };
    desk.call::<StopExecution>(&input).await?;
    match desk.form.given("machine") {
        Some(machine) => Ok(Answer::Goto(desk.link("state-machine").with("arn", machine).to_string())),
        None => shown(desk, arn),
    }
}

/// Lets a failed execution go on from where it failed.
pub(crate) async fn redrive(desk: &Desk<'_>) -> Result {
    let arn = desk.form.get("arn");
    // The form's own token: a form that is sent twice redrives once.
    let client_token = desk.form.given("token").map(str::to_owned);
    let input = RedriveExecutionInput { execution_arn: arn.to_owned(), client_token };
    desk.call::<RedriveExecution>(&input).await?;
    shown(desk, arn)
}

fn shown(desk: &Desk<'_>, arn: &str) -> Result {
    Ok(Answer::Goto(desk.link("execution").with("arn", arn).to_string()))
}

/// Gives a machine another definition; executions that run go on by the old one.
pub(crate) async fn update_machine(desk: &Desk<'_>) -> Result {
    let arn = desk.form.get("arn");
    let input = UpdateStateMachineInput {
        state_machine_arn: arn.to_owned(),
        definition: desk.form.given("definition").map(str::to_owned),
        ..Default::default()
    };
    desk.call::<UpdateStateMachine>(&input).await?;
    Ok(Answer::Goto(desk.link("state-machine").with("arn", arn).with("tab", "definition").to_string()))
}

/// The execution, its definition and its events as a file.
pub(crate) async fn export(desk: &Desk<'_>) -> Result {
    let arn = desk.query.get("arn");
    let found = found::execution(desk, arn).await?;
    let runs_by = found::runs_by(desk, &found).await;
    let definition = runs_by.and_then(|by| serde_json::from_str::<Value>(&by.definition).ok());
    let mut events: Vec<Value> = Vec::new();
    let mut token = None;
    while !is_express(arn) {
        let read = history::of(desk, arn, token).await?;
        events.extend(read.events.into_iter().map(|event| {
            json!({
                "id": event.id, "previousEventId": event.previous, "timestamp": event.at.to_iso_millis(),
                "type": event.kind, "details": event.details,
            })
        }));
        token = read.next_token;
        if token.is_none() {
            break;
        }
    }
    let document = json!({
        "executionArn": found.arn, "stateMachineArn": found.machine_arn, "name": found.name,
        "status": found.status, "startDate": found.started.to_iso_millis(),
        "stopDate": found.ended.map(|at| at.to_iso_millis()), "input": found.input, "output": found.output,
        "error": found.error, "cause": found.cause, "redriveCount": found.redrives, "definition": definition,
        "events": events,
    });
    let name = found.arn.rsplit(':').next().unwrap_or("execution");
    let text = format!("{document:#}\n");
    Ok(Answer::File { name: format!("{name}.json"), kind: "application/json", bytes: text.into() })
}
