//! `SendTaskSuccess`, `SendTaskFailure`, `SendTaskHeartbeat`: the holder of a task token speaks.

use asl::{Stimulus, WaitId};
use base::Fault;
use kernel::{Result, Tx};
use serde_json::Value;

use crate::api::{
    SendTaskFailureInput, SendTaskFailureOutput, SendTaskHeartbeatInput, SendTaskHeartbeatOutput,
    SendTaskSuccessInput, SendTaskSuccessOutput,
};
use crate::fault;
use crate::keys::ExecutionKey;
use crate::run::Live;
use crate::token::Token;

/// The most bytes of an output.
const OUTPUT_BYTES_MAX: usize = 262_144;

/// The task did its work.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html>
pub(crate) async fn send_task_success(
    tx: &mut Tx,
    input: SendTaskSuccessInput,
) -> Result<SendTaskSuccessOutput> {
    let (live, wait_id) = find(tx, &input.task_token).await?;
    let output = parse(&input.output)?;
    tell(tx, live, Stimulus::TaskSucceeded { wait_id, output })?;
    Ok(SendTaskSuccessOutput {})
}

/// The task failed.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html>
pub(crate) async fn send_task_failure(
    tx: &mut Tx,
    input: SendTaskFailureInput,
) -> Result<SendTaskFailureOutput> {
    let (live, wait_id) = find(tx, &input.task_token).await?;
    tell(tx, live, Stimulus::TaskFailed { wait_id, error: input.error, cause: input.cause })?;
    Ok(SendTaskFailureOutput {})
}

/// The task is being worked on.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskHeartbeat.html>
pub(crate) async fn send_task_heartbeat(
    tx: &mut Tx,
    input: SendTaskHeartbeatInput,
) -> Result<SendTaskHeartbeatOutput> {
    let (live, wait_id) = find(tx, &input.task_token).await?;
    tell(tx, live, Stimulus::Heartbeat { wait_id })?;
    Ok(SendTaskHeartbeatOutput {})
}

/// The execution whose open task the token names.
async fn find(tx: &mut Tx, token: &str) -> Result<(Live, WaitId)> {
    let token = Token::parse(token).ok_or_else(fault::invalid_token)?;
    let Some(mut live) = Live::load(tx, &token.execution).await? else {
        let known = tx.peek(&ExecutionKey { id: token.execution.key() }).await?;
        let gone = if known.is_some() { fault::task_timed_out() } else { fault::task_does_not_exist() };
        return Err(gone.into());
    };
    match live.task(token.wait) {
        Some(task) if task.nonce == Some(token.nonce) => Ok((live, token.wait)),
        _ => Err(fault::task_timed_out().into()),
    }
}

fn tell(tx: &mut Tx, mut live: Live, stimulus: Stimulus) -> Result<()> {
    live.step(tx, stimulus)?;
    live.store(tx)
}

fn parse(output: &str) -> Result<Value, Fault> {
    if output.len() > OUTPUT_BYTES_MAX {
        return Err(fault::invalid_output(&format!("longer than {OUTPUT_BYTES_MAX} bytes")));
    }
    serde_json::from_str(output).map_err(|error| fault::invalid_output(&error.to_string()))
}
