use kernel::{Effect, Result, Tx};

use crate::api::{
    PipeSourceDynamoDBStreamParameters, PipeSourceParameters, PipeSourceSqsQueueParameters, PipeState,
    UpdatePipeInput, UpdatePipeOutput, UpdatePipeSourceDynamoDBStreamParameters, UpdatePipeSourceParameters,
};
use crate::keys::{Pipe, Settings};
use crate::{check, fault, pipe};

/// Changes what the request names; the rest stays. The source stays in any case.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_UpdatePipe.html>
pub(crate) async fn update_pipe(effect: &Effect, input: UpdatePipeInput) -> Result<UpdatePipeOutput> {
    if input.kms_key_identifier.as_ref().is_some_and(|key| !key.is_empty()) {
        return Err(fault::not_honoured("KmsKeyIdentifier").into());
    }
    let before = effect.transact("UpdatePipe", load, input.name.clone()).await?;
    let settings = changed(before.settings, &input)?;
    check::settings(effect.kernel(), &input.name, &settings)?;
    Box::pin(effect.transact("UpdatePipe", update, (input, settings))).await
}

async fn load(tx: &mut Tx, name: String) -> Result<Pipe> {
    Ok(pipe::find_settled(tx, &name).await?.1)
}

/// The settings after the request.
fn changed(before: Settings, input: &UpdatePipeInput) -> Result<Settings> {
    let source_parameters = match &input.source_parameters {
        Some(parameters) => source(before.source_parameters, parameters)?,
        None => before.source_parameters,
    };
    let enrichment = match &input.enrichment {
        Some(arn) => Some(arn.clone()).filter(|arn| !arn.is_empty()),
        None => before.enrichment,
    };
    // Parameters go with the enrichment that they were for.
    let kept = before.enrichment_parameters.filter(|_| enrichment.is_some());
    Ok(Settings {
        description: input.description.clone().or(before.description),
        source: before.source,
        source_parameters,
        enrichment,
        enrichment_parameters: input.enrichment_parameters.clone().or(kept),
        target: input.target.clone().unwrap_or(before.target),
        target_parameters: input.target_parameters.clone().unwrap_or(before.target_parameters),
        role_arn: input.role_arn.clone(),
        log: input.log_configuration.clone().or(before.log),
    })
}

fn source(before: PipeSourceParameters, given: &UpdatePipeSourceParameters) -> Result<PipeSourceParameters> {
    let is_stream = before.dynamo_db_stream_parameters.is_some();
    let (what, takes) =
        if is_stream { ("stream", "DynamoDBStreamParameters") } else { ("queue", "SqsQueueParameters") };
    let all = [
        ("SqsQueueParameters", given.sqs_queue_parameters.is_some()),
        ("DynamoDBStreamParameters", given.dynamo_db_stream_parameters.is_some()),
        ("KinesisStreamParameters", given.kinesis_stream_parameters.is_some()),
        ("ActiveMQBrokerParameters", given.active_mq_broker_parameters.is_some()),
        ("RabbitMQBrokerParameters", given.rabbit_mq_broker_parameters.is_some()),
        ("ManagedStreamingKafkaParameters", given.managed_streaming_kafka_parameters.is_some()),
        ("SelfManagedKafkaParameters", given.self_managed_kafka_parameters.is_some()),
    ];
    if let Some((name, _)) = all.iter().find(|(name, given)| *given && *name != takes) {
        let message = format!("{name} do not go with a {what} as the source, which takes {takes}.");
        return Err(fault::invalid(message).into());
    }
    let queue = given.sqs_queue_parameters.as_ref().map(|given| PipeSourceSqsQueueParameters {
        batch_size: given.batch_size,
        maximum_batching_window_in_seconds: given.maximum_batching_window_in_seconds,
    });
    Ok(PipeSourceParameters {
        filter_criteria: given.filter_criteria.clone().or(before.filter_criteria),
        sqs_queue_parameters: queue.or(before.sqs_queue_parameters),
        dynamo_db_stream_parameters: match (
            before.dynamo_db_stream_parameters,
            &given.dynamo_db_stream_parameters,
        ) {
            (Some(before), Some(given)) => Some(stream(before, given)),
            (before, _) => before,
        },
        ..PipeSourceParameters::default()
    })
}

/// The parameters of a stream after the request: what it names is changed, where the stream is begun is not.
fn stream(
    before: PipeSourceDynamoDBStreamParameters,
    given: &UpdatePipeSourceDynamoDBStreamParameters,
) -> PipeSourceDynamoDBStreamParameters {
    PipeSourceDynamoDBStreamParameters {
        batch_size: given.batch_size.or(before.batch_size),
        dead_letter_config: match &given.dead_letter_config {
            // A configuration without an ARN takes the queue away.
            Some(config) => {
                Some(config.clone()).filter(|config| config.arn.as_ref().is_some_and(|arn| !arn.is_empty()))
            }
            None => before.dead_letter_config,
        },
        on_partial_batch_item_failure: given
            .on_partial_batch_item_failure
            .or(before.on_partial_batch_item_failure),
        maximum_batching_window_in_seconds: given
            .maximum_batching_window_in_seconds
            .or(before.maximum_batching_window_in_seconds),
        maximum_record_age_in_seconds: given
            .maximum_record_age_in_seconds
            .or(before.maximum_record_age_in_seconds),
        maximum_retry_attempts: given.maximum_retry_attempts.or(before.maximum_retry_attempts),
        parallelization_factor: given.parallelization_factor.or(before.parallelization_factor),
        starting_position: before.starting_position,
    }
}

async fn update(tx: &mut Tx, (input, settings): (UpdatePipeInput, Settings)) -> Result<UpdatePipeOutput> {
    let (key, before) = pipe::find_settled(tx, &input.name).await?;
    let changed = Pipe {
        desired: input.desired_state.unwrap_or(before.desired),
        state: PipeState::Updating,
        modified_at: tx.now(),
        settings,
        ..before
    };
    pipe::set_out(tx, &key, &changed)?;
    Ok(UpdatePipeOutput {
        arn: Some(pipe::arn(tx.scope(), &key.name)),
        name: Some(key.name),
        desired_state: Some(changed.desired),
        current_state: Some(changed.state),
        creation_time: Some(changed.created_at),
        last_modified_time: Some(changed.modified_at),
    })
}
