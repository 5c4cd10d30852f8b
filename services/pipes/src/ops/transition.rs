use base::{Arn, Fault};
use kernel::{Effect, Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::api::{PipeState, RequestedPipeState};
use crate::keys::{Pipe, PipeKey, Place, PlaceKey, RunningKey, Settings, house};
use crate::poller::{Pollers, run_of};
use crate::source::ask;
use crate::{fault, pipe, stream};

/// The internal operation by which a pipe arrives in the state that it has set out for.
pub(crate) const TRANSITION: &str = "TransitionPipe";

/// Which pipe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Transition {
    pub name: String,
    pub generation: Uuid,
}

/// Looks whether the source is there, writes the state, and lets a pipe that runs be read for.
pub(crate) async fn transition(effect: &Effect, input: Transition) -> Result<()> {
    let found = effect.transact("TransitionPipe", load, input.clone()).await?;
    let Some(found) = found else { return Ok(()) };
    let source = if found.state != PipeState::Deleting && found.desired == RequestedPipeState::Running {
        look_at(effect, &found.settings).await?
    } else {
        Source::Unasked
    };
    let arrived = effect.transact("TransitionPipe", arrive, (input.clone(), source)).await?;
    if let Some(run) = arrived {
        effect
            .state::<Pollers>()?
            .start(effect.kernel(), run_of(effect.caller(), &input.name, (input.generation, run)));
    }
    Ok(())
}

async fn load(tx: &mut Tx, which: Transition) -> Result<Option<Pipe>> {
    let found = tx.peek(&PipeKey { name: which.name }).await?;
    Ok(found.filter(|pipe| pipe.generation == which.generation))
}

/// What a look at the source has shown.
#[derive(Clone, Debug)]
enum Source {
    Unasked,
    /// It can be read.
    There,
    /// It is a stream, and a pipe that was never read for begins here.
    Begins(String),
    /// It cannot be read, and will not be by trying again.
    Missing(String),
}

async fn look_at(effect: &Effect, settings: &Settings) -> Result<Source> {
    let source = &settings.source;
    let arn: Arn = source.parse().map_err(|_| fault::invalid(format!("{source} is not a valid ARN.")))?;
    let asked = match &settings.source_parameters.dynamo_db_stream_parameters {
        Some(given) => stream::beginning(effect, &arn, given.starting_position).await.map(Source::Begins),
        None => look_at_queue(effect, &arn).await.map(|()| Source::There),
    };
    match asked {
        Err(fault) if fault.status < 500 => {
            Ok(Source::Missing(format!("The source cannot be read: {}", fault.message)))
        }
        Err(fault) => Err(fault.into()),
        Ok(found) => Ok(found),
    }
}

async fn look_at_queue(effect: &Effect, arn: &Arn) -> Result<(), Fault> {
    let source = arn.to_string();
    let input = json!({ "QueueUrl": source, "AttributeNames": ["QueueArn"] });
    ask(effect, effect.caller(), arn, "sqs", "GetQueueAttributes", &input).await.map(drop)
}

/// The number of the run that begins, if one does.
async fn arrive(tx: &mut Tx, (which, source): (Transition, Source)) -> Result<Option<u64>> {
    let key = PipeKey { name: which.name };
    let Some(found) = tx.get(&key).await?.filter(|pipe| pipe.generation == which.generation) else {
        return Ok(None);
    };
    let scope = tx.scope().clone();
    let running = RunningKey {
        account: scope.account.to_string(),
        region: scope.region.to_string(),
        name: key.name.clone(),
    };
    let place = PlaceKey { name: key.name.clone(), generation: found.generation };
    if found.state == PipeState::Deleting {
        tx.delete(&place);
        tx.delete(&key);
        tx.enter(house());
        tx.delete(&running);
        return Ok(None);
    }
    let Some(state) = pipe::arrival(found.state, found.desired) else {
        // The task is run again after a crash: the pipe has arrived, and only its reading is to be begun.
        return Ok((found.state == PipeState::Running).then_some(found.run));
    };
    let reason = match source {
        Source::Begins(position) => {
            if tx.get(&place).await?.is_none() {
                tx.put(&place, &Place { position })?;
            }
            None
        }
        Source::Missing(reason) => Some(reason),
        Source::Unasked | Source::There => None,
    };
    let state = if reason.is_some() { pipe::failure(found.state) } else { state };
    let runs = state == PipeState::Running;
    let run = found.run + u64::from(runs);
    tx.put(&key, &Pipe { state, reason, run, ..found })?;
    tx.enter(house());
    if runs {
        tx.put(&running, &())?;
    } else {
        tx.delete(&running);
    }
    Ok(runs.then_some(run))
}
