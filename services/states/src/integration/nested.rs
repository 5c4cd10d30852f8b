//! `states:startExecution`: a task that is an execution.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html>

use asl::{Pattern, WaitId};
use kernel::Scope;
use serde_json::{Map, Value, json};

use super::answer::{Answer, started};
use super::{Asked, Asker, Refused, call, shape};
use crate::api::ExecutionStatus as Status;
use crate::arn::ExecutionId;
use crate::execution::{Execution, Parent};
use crate::ops::start_child;

/// The call that starts the execution. What waits for its end knows its name beforehand.
pub(super) fn start(
    asker: &Asker<'_>,
    pattern: Pattern,
    mut members: Map<String, Value>,
    wait: WaitId,
) -> Result<Asked, Refused> {
    if let Some(input) = members.get_mut("Input") {
        shape::stringify(input);
    }
    if matches!(pattern, Pattern::RequestResponse | Pattern::WaitForTaskToken) {
        return call("states", "StartExecution", &shape::camel_top(members));
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let (machine_arn, name) = (text("StateMachineArn").unwrap_or_default(), text("Name"));
    let name = name.unwrap_or_else(|| asker.fresh.to_string());
    // Of a version or an alias, the machine.
    let machine = machine_arn.split(':').nth(6).unwrap_or_default();
    let child = ExecutionId::new(machine, &name);
    let input = start_child::StartChild {
        machine_arn: machine_arn.clone(),
        name,
        input: text("Input"),
        parent: Parent { execution: asker.id.clone(), wait },
    };
    let input = serde_json::to_value(&input)
        .map_err(|error| Refused::parameters(&Value::Object(members.clone()), &error.to_string()))?;
    Ok(Asked { child: Some(child), ..call("states", start_child::START_CHILD, &input)? })
}

/// The result of a task whose execution `id` has ended.
pub(crate) fn ended(scope: &Scope, id: &ExecutionId, execution: &Execution, pattern: Pattern) -> Answer {
    let described = describe(scope, id, execution, pattern);
    if execution.status() == Status::Succeeded {
        return Answer::Succeeded(described);
    }
    Answer::Failed { error: "States.TaskFailed".to_owned(), cause: described.to_string() }
}

/// What `StartExecution` answered, for a task whose execution ended before the answer came.
pub(crate) fn submitted(scope: &Scope, id: &ExecutionId, execution: &Execution, request_id: &str) -> Value {
    let answer = json!({
        "executionArn": id.arn(scope), "startDate": execution.started_at.as_epoch_seconds(),
    });
    let members = if let Value::Object(members) = answer { members } else { Map::new() };
    started(members, request_id)
}

/// The execution as a task sees it: times in milliseconds, and for `.sync:2` input and output as JSON.
fn describe(scope: &Scope, id: &ExecutionId, execution: &Execution, pattern: Pattern) -> Value {
    let data = |text: &str| match pattern {
        Pattern::Sync2 => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        _ => Value::from(text),
    };
    let end = execution.end.as_ref();
    let mut members = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    };
    add("Cause", end.and_then(|end| end.cause.clone()).map(Value::from));
    add("Error", end.and_then(|end| end.error.clone()).map(Value::from));
    add("ExecutionArn", Some(id.arn(scope).into()));
    add("Input", Some(data(&execution.input)));
    add("InputDetails", Some(json!({ "Included": true })));
    add("Name", Some(id.name().into()));
    let output = end.and_then(|end| end.output.as_deref());
    add("Output", output.map(data));
    add("OutputDetails", output.map(|_| json!({ "Included": true })));
    add("StartDate", Some(execution.started_at.as_millis().into()));
    add("StateMachineArn", Some(id.machine_arn(scope).into()));
    add("Status", Some(execution.status().as_str().into()));
    add("StopDate", end.map(|end| end.at.as_millis().into()));
    Value::Object(members)
}
