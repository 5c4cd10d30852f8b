//! Pipes: where they stand, and from which state to which they go.

use base::Arn;
use kernel::{Call, NewTask, Result, Scope, Tx};

use crate::api::{PipeState, RequestedPipeState};
use crate::fault;
use crate::keys::{Pipe, PipeKey};
use crate::ops::transition::{TRANSITION, Transition};
use crate::{NAME, PRINCIPAL};

/// The pipe's ARN.
pub(crate) fn arn(scope: &Scope, name: &str) -> String {
    Arn::new("pipes", &scope.region, &scope.account, format!("pipe/{name}")).to_string()
}

/// The pipe, guarded.
pub(crate) async fn find(tx: &mut Tx, name: &str) -> Result<(PipeKey, Pipe)> {
    let key = PipeKey { name: name.to_owned() };
    match tx.get(&key).await? {
        Some(pipe) => Ok((key, pipe)),
        None => Err(fault::no_such_pipe(name).into()),
    }
}

/// The pipe, guarded, if it is not on its way from one state to another.
pub(crate) async fn find_settled(tx: &mut Tx, name: &str) -> Result<(PipeKey, Pipe)> {
    let (key, pipe) = find(tx, name).await?;
    let moving = matches!(
        pipe.state,
        PipeState::Creating
            | PipeState::Updating
            | PipeState::Deleting
            | PipeState::Starting
            | PipeState::Stopping
    );
    if moving { Err(fault::busy(name, pipe.state.as_str()).into()) } else { Ok((key, pipe)) }
}

/// Writes the pipe in a state that it leaves by itself, and the task by which it does.
pub(crate) fn set_out(tx: &mut Tx, key: &PipeKey, pipe: &Pipe) -> Result<()> {
    tx.put(key, pipe)?;
    let Scope { account, region } = tx.scope().clone();
    let caller = Some(tx.caller().as_service(PRINCIPAL, account, region));
    let transition = Transition { name: key.name.clone(), generation: pipe.generation };
    let call = Call::new(NAME, TRANSITION, &transition)?;
    tx.enqueue_quietly(tx.now(), NewTask { caller, ..NewTask::new(call) })?;
    Ok(())
}

/// The state in which a pipe arrives that has set out in `from`; `None` if that is no state to set out from.
pub(crate) fn arrival(from: PipeState, desired: RequestedPipeState) -> Option<PipeState> {
    match from {
        PipeState::Creating | PipeState::Updating | PipeState::Starting | PipeState::Stopping => {
            Some(match desired {
                RequestedPipeState::Running => PipeState::Running,
                RequestedPipeState::Stopped => PipeState::Stopped,
            })
        }
        _ => None,
    }
}

/// The state of a pipe that could not arrive.
pub(crate) fn failure(from: PipeState) -> PipeState {
    match from {
        PipeState::Creating => PipeState::CreateFailed,
        PipeState::Updating => PipeState::UpdateFailed,
        PipeState::Stopping => PipeState::StopFailed,
        _ => PipeState::StartFailed,
    }
}
