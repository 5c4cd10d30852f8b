use base::tags;
use kernel::{Effect, Result, Tx};

use crate::api::{CreatePipeInput, CreatePipeOutput, PipeState, RequestedPipeState};
use crate::keys::{Pipe, PipeKey, Settings};
use crate::{check, fault, pipe};

/// Makes a pipe; it is `CREATING` until its source was looked at.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_CreatePipe.html>
pub(crate) async fn create_pipe(effect: &Effect, mut input: CreatePipeInput) -> Result<CreatePipeOutput> {
    if input.kms_key_identifier.as_ref().is_some_and(|key| !key.is_empty()) {
        return Err(fault::not_honoured("KmsKeyIdentifier").into());
    }
    let settings = Settings {
        description: input.description.take(),
        source: input.source.clone(),
        source_parameters: input.source_parameters.take().unwrap_or_default(),
        enrichment: input.enrichment.take().filter(|arn| !arn.is_empty()),
        enrichment_parameters: input.enrichment_parameters.take(),
        target: input.target.clone(),
        target_parameters: input.target_parameters.take().unwrap_or_default(),
        role_arn: input.role_arn.clone(),
        log: input.log_configuration.take(),
    };
    check::settings(effect.kernel(), &input.name, &settings)?;
    Box::pin(effect.transact("CreatePipe", create, (input, settings))).await
}

async fn create(tx: &mut Tx, (input, settings): (CreatePipeInput, Settings)) -> Result<CreatePipeOutput> {
    let key = PipeKey { name: input.name };
    if tx.get(&key).await?.is_some() {
        return Err(fault::pipe_exists(&key.name).into());
    }
    let made = Pipe {
        generation: tx.id(),
        created_at: tx.now(),
        modified_at: tx.now(),
        desired: input.desired_state.unwrap_or(RequestedPipeState::Running),
        state: PipeState::Creating,
        reason: None,
        run: 0,
        settings,
        tags: tags::collect(input.tags.unwrap_or_default()).map_err(|why| fault::invalid(why.to_string()))?,
    };
    pipe::set_out(tx, &key, &made)?;
    Ok(CreatePipeOutput {
        arn: Some(pipe::arn(tx.scope(), &key.name)),
        name: Some(key.name),
        desired_state: Some(made.desired),
        current_state: Some(made.state),
        creation_time: Some(made.created_at),
        last_modified_time: Some(made.modified_at),
    })
}
