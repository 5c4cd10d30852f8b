use kernel::{Effect, Parts, Result, Tx};

use super::create_state_machine::scope_of;
use super::start_execution::{NewExecution, Started, start};
use crate::api::{
    BillingDetails, CloudWatchEventsExecutionDataDetails, ExecutionStatus as Status, IncludedData,
    StartSyncExecutionInput, StartSyncExecutionOutput, StateMachineType, SyncExecutionStatus,
};
use crate::arn::ExecutionId;
use crate::execution::{End, Execution};
use crate::fault;
use crate::keys::{ExecutionKey, ExpressKey};

/// The memory that AWS bills is a multiple of this; no execution here is measured, so that each costs one.
const BILLED_MEMORY_MB: i64 = 64;
/// The time that AWS bills is a multiple of this.
const BILLED_MS: i64 = 100;

/// Runs an execution of an EXPRESS machine and answers with its end. One that waits for nothing takes one commit; any
/// other goes on in tasks, whatever becomes of the caller.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html>
pub(crate) async fn start_sync_execution(
    effect: &Effect,
    input: StartSyncExecutionInput,
) -> Result<StartSyncExecutionOutput> {
    let with_data = input.included_data != Some(IncludedData::MetadataOnly);
    let (id, mut execution) = effect.transact("StartSyncExecution", begin, input).await?;
    while execution.end.is_none() {
        let uuid = id.express_id().unwrap_or_default();
        // Asked for before the look, so that what comes in between wakes us.
        let wake = effect.watch::<ExpressKey>(&Parts::of(id.machine()).and(&uuid));
        execution = effect.transact("StartSyncExecution", look, id.clone()).await?;
        if execution.end.is_none() {
            wake.await;
        }
    }
    let scope = scope_of(effect);
    let Execution { started_at, input, trace_header, end, .. } = execution;
    let end = end.unwrap_or(End {
        status: Status::Aborted,
        at: started_at,
        output: None,
        error: None,
        cause: None,
        rest: None,
    });
    let details = || Some(CloudWatchEventsExecutionDataDetails { included: Some(with_data) });
    Ok(StartSyncExecutionOutput {
        execution_arn: id.arn(&scope),
        state_machine_arn: Some(id.machine_arn(&scope)),
        name: Some(id.name().to_owned()),
        start_date: started_at,
        stop_date: end.at,
        status: match end.status {
            Status::Succeeded => SyncExecutionStatus::Succeeded,
            Status::TimedOut => SyncExecutionStatus::TimedOut,
            _ => SyncExecutionStatus::Failed,
        },
        input: Some(input).filter(|_| with_data),
        input_details: details(),
        output_details: details(),
        output: end.output.filter(|_| with_data),
        error: end.error,
        cause: end.cause,
        trace_header,
        billing_details: Some(BillingDetails {
            billed_memory_used_in_mb: Some(BILLED_MEMORY_MB),
            billed_duration_in_milliseconds: Some(billed(end.at.as_millis() - started_at.as_millis())),
        }),
    })
}

async fn begin(tx: &mut Tx, input: StartSyncExecutionInput) -> Result<(ExecutionId, Execution)> {
    let new = NewExecution {
        machine_arn: input.state_machine_arn,
        name: input.name,
        input: input.input,
        trace_header: input.trace_header,
        parent: None,
        only: Some(StateMachineType::Express),
    };
    match start(tx, new).await? {
        Started::New(id, execution) | Started::Known(id, execution, _) => Ok((id, *execution)),
    }
}

/// The execution as it is now.
async fn look(tx: &mut Tx, id: ExecutionId) -> Result<Execution> {
    if let Some(running) = tx.peek(&ExecutionKey { id: id.key() }).await? {
        return Ok(running);
    }
    let uuid = id.express_id().unwrap_or_default();
    match tx.peek(&ExpressKey { machine: id.machine().to_owned(), id: uuid }).await? {
        Some(ended) => Ok(ended.execution),
        // Its machine was deleted with it.
        None => Err(fault::machine_does_not_exist(&id.machine_arn(tx.scope())).into()),
    }
}

fn billed(ms: i64) -> i64 {
    (ms.max(1) + BILLED_MS - 1) / BILLED_MS * BILLED_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_billed_by_the_tenth_of_a_second() {
        assert_eq!([0, 1, 100, 101, 1_000].map(billed), [100, 100, 100, 200, 1_000]);
    }
}
