use kernel::{Result, Tx};

use super::redrive_execution::is_deleting;
use crate::api::{
    CloudWatchEventsExecutionDataDetails, DescribeExecutionInput, DescribeExecutionOutput,
    ExecutionRedriveStatus, IncludedData,
};
use crate::arn::{ExecutionId, map_run_arn};
use crate::execution::Execution;
use crate::fault;
use crate::keys::ExecutionKey;
use crate::redrive::{self, DELETING};

/// An execution: its input, and how it ended if it has.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html>
pub(crate) async fn describe_execution(
    tx: &mut Tx,
    input: DescribeExecutionInput,
) -> Result<DescribeExecutionOutput> {
    let (id, execution) = find(tx, &input.execution_arn).await?;
    let with_data = input.included_data != Some(IncludedData::MetadataOnly);
    let details = || Some(CloudWatchEventsExecutionDataDetails { included: Some(with_data) });
    let status = execution.status();
    let (redrive_count, redrive_date) = (execution.redrive_count(), execution.redrive_date());
    let (redrive_status, redrive_status_reason) = match redrive::status(&execution, tx.now()) {
        (ExecutionRedriveStatus::Redrivable, _) if is_deleting(tx, &id).await? => {
            (ExecutionRedriveStatus::NotRedrivable, Some(DELETING.to_owned()))
        }
        decided => decided,
    };
    let (version_arn, alias_arn) =
        (execution.version_arn(tx.scope(), &id), execution.alias_arn(tx.scope(), &id));
    let end = execution.end;
    let output = end.as_ref().and_then(|end| end.output.clone());
    Ok(DescribeExecutionOutput {
        execution_arn: id.arn(tx.scope()),
        state_machine_arn: id.machine_arn(tx.scope()),
        name: Some(id.name().to_owned()),
        status,
        start_date: execution.started_at,
        stop_date: end.as_ref().map(|end| end.at),
        input: Some(execution.input).filter(|_| with_data),
        input_details: details(),
        output_details: output.as_ref().and_then(|_| details()),
        output: output.filter(|_| with_data),
        trace_header: execution.trace_header,
        error: end.as_ref().and_then(|end| end.error.clone()),
        cause: end.and_then(|end| end.cause).filter(|_| with_data),
        redrive_count: Some(i32::try_from(redrive_count).unwrap_or(i32::MAX)),
        redrive_status: Some(redrive_status),
        redrive_status_reason,
        map_run_arn: execution.map.map(|map| map_run_arn(tx.scope(), &map.run)),
        state_machine_version_arn: version_arn,
        state_machine_alias_arn: alias_arn,
        redrive_date,
    })
}

/// The execution of that ARN.
pub(crate) async fn find(tx: &mut Tx, arn: &str) -> Result<(ExecutionId, Execution)> {
    let id = ExecutionId::parse(tx.scope(), arn)?;
    match tx.peek(&ExecutionKey { id: id.key() }).await? {
        Some(execution) => Ok((id, execution)),
        None => Err(fault::execution_does_not_exist(arn).into()),
    }
}
