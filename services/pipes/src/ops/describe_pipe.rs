use kernel::{Result, Tx};

use crate::api::{
    CloudwatchLogsLogDestination, DescribePipeInput, DescribePipeOutput, PipeLogConfiguration,
    PipeLogConfigurationParameters, PipeState, RequestedPipeState, RequestedPipeStateDescribeResponse,
};
use crate::pipe;

/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_DescribePipe.html>
pub(crate) async fn describe_pipe(tx: &mut Tx, input: DescribePipeInput) -> Result<DescribePipeOutput> {
    let (key, found) = pipe::find(tx, &input.name).await?;
    let desired = match (found.state, found.desired) {
        (PipeState::Deleting, _) => RequestedPipeStateDescribeResponse::Deleted,
        (_, RequestedPipeState::Running) => RequestedPipeStateDescribeResponse::Running,
        (_, RequestedPipeState::Stopped) => RequestedPipeStateDescribeResponse::Stopped,
    };
    let settings = found.settings;
    Ok(DescribePipeOutput {
        arn: Some(pipe::arn(tx.scope(), &key.name)),
        name: Some(key.name),
        description: settings.description,
        desired_state: Some(desired),
        current_state: Some(found.state),
        state_reason: found.reason,
        source: Some(settings.source),
        source_parameters: Some(settings.source_parameters),
        enrichment: settings.enrichment,
        enrichment_parameters: settings.enrichment_parameters,
        target: Some(settings.target),
        target_parameters: Some(settings.target_parameters),
        role_arn: Some(settings.role_arn),
        tags: Some(found.tags),
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
        log_configuration: settings.log.map(log),
        kms_key_identifier: None,
    })
}

/// As it was given; the destinations that are not served cannot have been.
fn log(given: PipeLogConfigurationParameters) -> PipeLogConfiguration {
    let group = given.cloudwatch_logs_log_destination;
    PipeLogConfiguration {
        cloudwatch_logs_log_destination: group
            .map(|group| CloudwatchLogsLogDestination { log_group_arn: Some(group.log_group_arn) }),
        level: Some(given.level),
        include_execution_data: given.include_execution_data,
        ..PipeLogConfiguration::default()
    }
}
