//! Starting and stopping.

use kernel::{Result, Tx};

use crate::api::{
    PipeState, RequestedPipeState, StartPipeInput, StartPipeOutput, StopPipeInput, StopPipeOutput,
};
use crate::keys::Pipe;
use crate::pipe;

/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_StartPipe.html>
pub(crate) async fn start_pipe(tx: &mut Tx, input: StartPipeInput) -> Result<StartPipeOutput> {
    let changed = change(tx, &input.name, RequestedPipeState::Running).await?;
    Ok(StartPipeOutput {
        arn: Some(pipe::arn(tx.scope(), &input.name)),
        name: Some(input.name),
        desired_state: Some(changed.desired),
        current_state: Some(changed.state),
        creation_time: Some(changed.created_at),
        last_modified_time: Some(changed.modified_at),
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_StopPipe.html>
pub(crate) async fn stop_pipe(tx: &mut Tx, input: StopPipeInput) -> Result<StopPipeOutput> {
    let changed = change(tx, &input.name, RequestedPipeState::Stopped).await?;
    Ok(StopPipeOutput {
        arn: Some(pipe::arn(tx.scope(), &input.name)),
        name: Some(input.name),
        desired_state: Some(changed.desired),
        current_state: Some(changed.state),
        creation_time: Some(changed.created_at),
        last_modified_time: Some(changed.modified_at),
    })
}

/// A pipe that is where it shall be stays there.
async fn change(tx: &mut Tx, name: &str, desired: RequestedPipeState) -> Result<Pipe> {
    let (key, before) = pipe::find_settled(tx, name).await?;
    let (on_its_way, there) = match desired {
        RequestedPipeState::Running => (PipeState::Starting, PipeState::Running),
        RequestedPipeState::Stopped => (PipeState::Stopping, PipeState::Stopped),
    };
    if before.state == there {
        return Ok(before);
    }
    let changed = Pipe { desired, state: on_its_way, modified_at: tx.now(), ..before };
    pipe::set_out(tx, &key, &changed)?;
    Ok(changed)
}
