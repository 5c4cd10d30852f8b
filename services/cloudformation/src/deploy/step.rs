//! One step: begin, call, end. Holds no transaction across a call.

use kernel::{Effect, Result, Tx};

use super::begin::{Deleting, Job, Making, begin, provider as provider_of};
use super::custom::{self, Question};
use super::end::{Outcome, end};
use super::{StepInput, dynamic, nested, wait};
use crate::provider::{self, Failure, Made, Provider, ResourceType, Special};
use crate::resource::{Action, Doing, Standing};

/// Runs a step. An error means that another run may succeed.
pub(crate) async fn step(effect: &Effect, input: StepInput) -> Result<()> {
    let job = effect.transact("BeginResource", begin, input.clone()).await?;
    let done = match job {
        Job::Over => return Ok(()),
        Job::Make(making) => make(effect, &input, *making).await?,
        Job::Delete(deleting) => delete(effect, &input, deleting).await?,
    };
    let request = effect.task().unwrap_or_else(|| effect.id()).to_string();
    let outcome = match done {
        // What a custom resource answers goes on with the step; nothing is to be written before.
        Ok(Outcome::Waiting(None)) => return Ok(()),
        Ok(outcome) => outcome,
        Err(failure) if failure.is_transient() => return Err(failure.fault.into()),
        Err(failure) => Outcome::failed(&failure, &input.logical_id, &request),
    };
    effect.transact("EndResource", end, (input, outcome)).await
}

async fn make(effect: &Effect, input: &StepInput, mut making: Making) -> Result<Result<Outcome, Failure>> {
    match dynamic::resolve(effect, &making.doing.target.properties).await {
        Ok(resolved) => making.doing.target.properties = resolved,
        Err(failure) if making.again => return Ok(Err(failure)),
        Err(failure) => return Ok(Err(failure.untouched())),
    }
    match dynamic::resolve(effect, &making.old).await {
        Ok(resolved) => making.old = resolved,
        Err(failure) if failure.is_transient() => return Ok(Err(failure)),
        // What a reference named may be gone by now, or never have been there: the way back stays open.
        Err(_) => {}
    }
    rename(making.kind, &mut making.doing.target);
    match making.kind.special {
        Special::None => Ok(provide(effect, input, making).await?.map(Outcome::Made)),
        Special::Stack => nested::make(effect, input, &making).await.map(Ok),
        Special::BucketDeployment => {
            let Doing { action, target, .. } = &making.doing;
            let old = Some(&making.old).filter(|_| *action == Action::Update);
            let id = if target.id.is_empty() {
                target.name.clone().unwrap_or_default()
            } else {
                target.id.clone()
            };
            Ok(provider::deploy_files(effect, &id, old, &target.properties).await.map(Outcome::Made))
        }
        Special::WaitConditionHandle => wait::make_handle(effect, input).await.map(Ok),
        Special::WaitCondition => wait::wait(effect, input, &making).await.map(Ok),
        Special::Custom => {
            let updates = making.doing.action == Action::Update;
            custom::ask(effect, Question::make(input, &making.doing, making.old, updates)).await?;
            Ok(Ok(Outcome::Waiting(None)))
        }
    }
}

/// A name that the template gives may have been a reference.
fn rename(kind: &ResourceType, standing: &mut Standing) {
    let given = kind.name_property().and_then(|property| standing.properties.get(property)?.as_str());
    if let Some(name) = given {
        standing.name = Some(name.to_owned());
    }
}

async fn provide(effect: &Effect, input: &StepInput, making: Making) -> Result<Result<Made, Failure>> {
    let Making { kind, doing, old, again } = making;
    let provider = Provider::new(effect, kind);
    let Doing { action, target, sent, settling, .. } = doing;
    let name = target.name.as_deref();
    if settling {
        return Ok(provider.settle((&target.id, name), &target.properties).await);
    }
    if action == Action::Update {
        let names = (target.id.as_str(), name);
        return Ok(match again {
            true => provider.finish(names, &old, &target.properties).await,
            false => provider.update(names, &old, &target.properties).await,
        });
    }
    let given = kind.name_property().filter(|property| target.properties.contains_key(*property));
    let mut resumed = given.is_none() || sent;
    if let (Some(_), Some(name), Some(_), false) = (given, name, kind.read, sent) {
        match provider.exists(name, &target.properties).await {
            Err(failure) => return Ok(Err(failure)),
            Ok(true) => return Ok(Err(provider.taken(name))),
            Ok(false) => effect.transact("SendResource", mark_sent, input.clone()).await?,
        }
        resumed = false;
    }
    Ok(provider.create(name, &target.properties, resumed).await)
}

/// From here on, what bears the name is ours.
async fn mark_sent(tx: &mut Tx, input: StepInput) -> Result<()> {
    if let Some(mut resource) = tx.get(&input.row()).await?
        && let Some(doing) = &mut resource.doing
    {
        doing.sent = true;
        tx.put(&input.row(), &resource)?;
    }
    Ok(())
}

async fn delete(effect: &Effect, input: &StepInput, deleting: Deleting) -> Result<Result<Outcome, Failure>> {
    for mut old in deleting.doomed.into_iter().filter(|old| !deleting.gone.contains(&old.id)) {
        // What a reference named may be gone by now, and few deletions look at properties.
        if let Ok(resolved) = dynamic::resolve(effect, &old.properties).await {
            old.properties = resolved;
        }
        rename(provider_of(&old.kind)?, &mut old);
        let kind = provider_of(&old.kind)?;
        let outcome = match kind.special {
            Special::None => match remove(effect, kind, &old, deleting.going.as_deref()).await {
                Ok(true) => Outcome::Gone,
                Ok(false) => Outcome::Going(old.id),
                Err(failure) => return Ok(Err(failure)),
            },
            Special::BucketDeployment => match provider::delete_deployment(effect, &old.properties).await {
                Ok(()) => Outcome::Gone,
                Err(failure) => return Ok(Err(failure)),
            },
            Special::WaitConditionHandle => {
                wait::remove(effect, &old).await?;
                Outcome::Gone
            }
            // Its signals are its handle's, or went when it stood.
            Special::WaitCondition => Outcome::Gone,
            Special::Stack => nested::delete(effect, input, &old).await?,
            Special::Custom => {
                custom::ask(effect, Question::delete(input, &old)).await?;
                Outcome::Waiting(None)
            }
        };
        if !matches!(outcome, Outcome::Gone) {
            return Ok(Ok(outcome));
        }
    }
    Ok(Ok(Outcome::Gone))
}

async fn remove(
    effect: &Effect,
    kind: &'static ResourceType,
    old: &Standing,
    going: Option<&str>,
) -> Result<bool, Failure> {
    let provider = Provider::new(effect, kind);
    let (id, name) = (old.id.as_str(), old.name.as_deref());
    match going == Some(id) {
        true => provider.is_gone((id, name), &old.properties).await,
        false => provider.delete((id, name), &old.properties).await,
    }
}
