//! The operations on map runs.

use asl::{Counts, MapRunStatus as Status, MapRunStimulus};
use base::Fault;
use kernel::{Direction, Parts, Result, Tx};

use super::describe_execution;
use crate::api::{
    DescribeMapRunInput, DescribeMapRunOutput, ListMapRunsInput, ListMapRunsOutput, MapRunExecutionCounts,
    MapRunItemCounts, MapRunListItem, MapRunStatus, UpdateMapRunInput, UpdateMapRunOutput,
};
use crate::arn::{map_run_arn, map_run_id};
use crate::fault;
use crate::keys::{Compact, MapRunKey, MapRunOfKey};
use crate::map_run::{LiveRun, MapRow};
use crate::page;

/// A map run with its counters.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeMapRun.html>
pub(crate) async fn describe_map_run(
    tx: &mut Tx,
    input: DescribeMapRunInput,
) -> Result<DescribeMapRunOutput> {
    let (_, row) = find(tx, &input.map_run_arn).await?;
    let plan = row.run.plan();
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Ok(DescribeMapRunOutput {
        map_run_arn: input.map_run_arn,
        execution_arn: row.execution.arn(tx.scope()),
        status: match row.run.status() {
            Status::Running => MapRunStatus::Running,
            Status::Succeeded => MapRunStatus::Succeeded,
            Status::Failed => MapRunStatus::Failed,
            Status::Aborted => MapRunStatus::Aborted,
        },
        start_date: row.started_at,
        stop_date: row.ended_at,
        max_concurrency: i32::try_from(plan.max_concurrency).unwrap_or(i32::MAX),
        tolerated_failure_percentage: plan.tolerated_failure_percentage.unwrap_or_default(),
        tolerated_failure_count: plan.tolerated_failure_count.map(signed).unwrap_or_default(),
        item_counts: items(row.run.item_counts()),
        execution_counts: executions(row.run.execution_counts()),
        redrive_count: Some(i32::try_from(row.run.redrive_count()).unwrap_or(i32::MAX)),
        redrive_date: row.redriven_at,
    })
}

fn items(counts: Counts) -> MapRunItemCounts {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    MapRunItemCounts {
        pending: signed(counts.pending),
        running: signed(counts.running),
        succeeded: signed(counts.succeeded),
        failed: signed(counts.failed),
        timed_out: signed(counts.timed_out),
        aborted: signed(counts.aborted),
        total: signed(counts.total),
        results_written: signed(counts.results_written),
        failures_not_redrivable: Some(signed(counts.failures_not_redrivable)),
        pending_redrive: Some(signed(counts.pending_redrive)),
    }
}

fn executions(counts: Counts) -> MapRunExecutionCounts {
    let items = items(counts);
    MapRunExecutionCounts {
        pending: items.pending,
        running: items.running,
        succeeded: items.succeeded,
        failed: items.failed,
        timed_out: items.timed_out,
        aborted: items.aborted,
        total: items.total,
        results_written: items.results_written,
        failures_not_redrivable: items.failures_not_redrivable,
        pending_redrive: items.pending_redrive,
    }
}

/// The map runs of an execution, the oldest first.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListMapRuns.html>
pub(crate) async fn list_map_runs(tx: &mut Tx, input: ListMapRunsInput) -> Result<ListMapRunsOutput> {
    let (id, _) = describe_execution::find(tx, &input.execution_arn).await?;
    let limit = page::size(input.max_results);
    let parts = Parts::of(id.as_str());
    let mut found = match &input.next_token {
        None => tx.scan::<MapRunOfKey>(parts, limit + 1).await?,
        Some(token) => {
            let (started_at, run) = page::place(id.as_str(), token)?;
            let last = MapRunOfKey { execution: id.key(), started_at, id: run };
            tx.scan_after(parts, &last, limit + 1, Direction::Forward).await?
        }
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let next_token = match found.last() {
        Some((last, ())) if more => Some(page::token(id.as_str(), &(last.started_at, &last.id))?),
        _ => None,
    };
    let mut map_runs = Vec::with_capacity(found.len());
    for (of, ()) in found {
        let row = tx.peek(&MapRunKey { id: of.id.clone() }).await?;
        map_runs.push(MapRunListItem {
            execution_arn: input.execution_arn.clone(),
            map_run_arn: map_run_arn(tx.scope(), &of.id),
            state_machine_arn: format!("{}/{}", id.machine_arn(tx.scope()), label(&of.id)),
            start_date: of.started_at,
            stop_date: row.and_then(|Compact(row)| row.ended_at),
        });
    }
    Ok(ListMapRunsOutput { map_runs, next_token })
}

/// Gives a map run that is under way another concurrency or other tolerances.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateMapRun.html>
pub(crate) async fn update_map_run(tx: &mut Tx, input: UpdateMapRunInput) -> Result<UpdateMapRunOutput> {
    let id = map_run_id(tx.scope(), &input.map_run_arn)?;
    let Some(mut live) = LiveRun::load(tx, &id).await? else {
        return Err(fault::resource_not_found(&input.map_run_arn).into());
    };
    if live.row().run.status() != Status::Running {
        return Err(Fault::validation("Map Run is not in a running state and cannot be updated").into());
    }
    let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
    let update = MapRunStimulus::Update {
        max_concurrency: input.max_concurrency.map(|most| unsigned(most.into())),
        tolerated_failure_count: input.tolerated_failure_count.map(unsigned),
        tolerated_failure_percentage: input.tolerated_failure_percentage,
    };
    live.step(tx, update)?;
    live.store(tx).await?;
    Ok(UpdateMapRunOutput {})
}

/// The label in a map run's id, `machine/label:uuid`.
fn label(id: &str) -> &str {
    let name = id.split(':').next().unwrap_or_default();
    name.rsplit_once('/').map_or("", |(_, label)| label)
}

/// The map run of that ARN with its id.
pub(crate) async fn find(tx: &mut Tx, arn: &str) -> Result<(String, MapRow)> {
    let id = map_run_id(tx.scope(), arn)?;
    match tx.peek(&MapRunKey { id: id.clone() }).await? {
        Some(Compact(row)) => Ok((id, row)),
        None => Err(fault::resource_not_found(arn).into()),
    }
}
