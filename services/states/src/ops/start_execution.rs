use base::{Fault, Timestamp};
use kernel::{Result, Tx};
use serde_json::Value;

use crate::api::{StartExecutionInput, StartExecutionOutput, StateMachineType};
use crate::arn::{ExecutionId, check_name};
use crate::execution::{Execution, Parent};
use crate::fault;
use crate::keys::ExecutionKey;
use crate::machine::definition;
use crate::run::Live;
use crate::version::{Start, resolve};

/// The most bytes of an input.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const INPUT_BYTES_MAX: usize = 262_144;

/// Starts an execution and runs it as far as it goes by itself. The same name and input again, while it runs, answers
/// as the first request did; EXPRESS machines begin another execution.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>
pub(crate) async fn start_execution(tx: &mut Tx, input: StartExecutionInput) -> Result<StartExecutionOutput> {
    let new = NewExecution {
        machine_arn: input.state_machine_arn,
        name: input.name,
        input: input.input,
        trace_header: input.trace_header,
        parent: None,
        only: None,
    };
    match start(tx, new).await? {
        Started::New(id, execution) => Ok(answer(tx, &id, execution.started_at)),
        Started::Known(id, known, same_input) if known.end.is_none() && same_input => {
            Ok(answer(tx, &id, known.started_at))
        }
        Started::Known(id, ..) => Err(fault::execution_already_exists(&id.arn(tx.scope())).into()),
    }
}

/// What an execution starts with.
pub(crate) struct NewExecution {
    pub machine_arn: String,
    /// A fresh one if it is `None`.
    pub name: Option<String>,
    /// `{}` if it is `None`.
    pub input: Option<String>,
    pub trace_header: Option<String>,
    pub parent: Option<Parent>,
    /// The type that the machine must have, if not any will do.
    pub only: Option<StateMachineType>,
}

/// What a start comes to.
pub(crate) enum Started {
    /// The execution has started; it may have ended already.
    New(ExecutionId, Box<Execution>),
    /// There is one of that name, with the same input or another.
    Known(ExecutionId, Box<Execution>, bool),
}

/// Starts an execution, unless there is one of that name.
pub(crate) async fn start(tx: &mut Tx, new: NewExecution) -> Result<Started> {
    let name = new.name.unwrap_or_else(|| tx.id().to_string());
    check_name(&name)?;
    let input = new.input.unwrap_or_else(|| "{}".to_owned());
    let parsed = parse(&input)?;
    let Start { key, machine, revision, version, alias } = resolve(tx, &new.machine_arn).await?;
    let express = machine.is_express();
    if new.only.is_some_and(|only| only != machine.kind) {
        return Err(fault::wrong_machine_type().into());
    }
    let id = if express {
        ExecutionId::express(&key.name, &name, tx.id())
    } else {
        ExecutionId::new(&key.name, &name)
    };
    if !express && let Some(known) = tx.get(&ExecutionKey { id: id.key() }).await? {
        let same = known.input == input;
        return Ok(Started::Known(id, Box::new(known), same));
    }
    let definition = definition(tx, &key.name, revision).await?;
    let execution = Execution {
        revision,
        started_at: tx.now(),
        seq: tx.seq(),
        input,
        trace_header: new.trace_header,
        parent: new.parent,
        end: None,
        version,
        alias,
        map: None,
        redrives: None,
    };
    let execution = Live::begin(tx, id.clone(), execution, definition, parsed)?;
    Ok(Started::New(id, Box::new(execution)))
}

fn parse(input: &str) -> Result<Value, Fault> {
    if input.len() > INPUT_BYTES_MAX {
        let message = format!(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: \
             Member must have length less than or equal to {INPUT_BYTES_MAX}"
        );
        return Err(Fault::validation(message));
    }
    serde_json::from_str(input).map_err(|error| fault::invalid_input(&error.to_string()))
}

fn answer(tx: &Tx, id: &ExecutionId, start_date: Timestamp) -> StartExecutionOutput {
    StartExecutionOutput { execution_arn: id.arn(tx.scope()), start_date }
}
