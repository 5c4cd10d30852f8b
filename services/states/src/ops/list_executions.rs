use base::{Fault, Timestamp};
use kernel::{Direction, Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::api::{
    ExecutionListItem, ExecutionRedriveFilter, ExecutionStatus as Status, ListExecutionsInput,
    ListExecutionsOutput,
};
use crate::arn::ExecutionId;
use crate::execution::{STATUSES, code};
use crate::keys::{Listed, ListedKey};
use crate::machine::find;
use crate::page;

/// The last execution of a page.
#[derive(Serialize, Deserialize)]
struct Place(Timestamp, u64, String);

/// A machine's executions, the newest first.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html>
pub(crate) async fn list_executions(tx: &mut Tx, input: ListExecutionsInput) -> Result<ListExecutionsOutput> {
    let Some(machine_arn) = input.state_machine_arn.filter(|_| input.map_run_arn.is_none()) else {
        let message = "Exactly one of stateMachineArn and mapRunArn is needed, and map runs are not implemented \
                       by Buswork";
        return Err(Fault::validation(message).into());
    };
    let (machine, _) = find(tx, &machine_arn).await?;
    let limit = page::size(input.max_results);
    let after: Option<Place> = input.next_token.as_deref().map(page::place).transpose()?;
    let wanted: &[Status] = match (&input.redrive_filter, &input.status_filter) {
        // Nothing is ever redriven.
        (Some(ExecutionRedriveFilter::Redriven), _) | (_, Some(Status::PendingRedrive)) => &[],
        (_, Some(status)) => std::slice::from_ref(status),
        (_, None) => &STATUSES,
    };
    let mut found = Vec::new();
    for status in wanted {
        let rows = newest(tx, &machine.name, *status, after.as_ref(), limit + 1).await?;
        found.extend(rows.into_iter().map(|(key, listed)| (key, listed, *status)));
    }
    found.sort_by(|(a, ..), (b, ..)| (b.started_at, b.seq, &b.name).cmp(&(a.started_at, a.seq, &a.name)));
    let more = found.len() > limit;
    found.truncate(limit);
    let next_token = match found.last() {
        Some((last, ..)) if more => Some(page::token(&Place(last.started_at, last.seq, last.name.clone()))?),
        _ => None,
    };
    let executions = found.into_iter().map(|(key, listed, status)| item(tx, key, &listed, status)).collect();
    Ok(ListExecutionsOutput { executions, next_token })
}

/// The newest executions of one status, before the place where the last page ended.
async fn newest(
    tx: &mut Tx,
    machine: &str,
    status: Status,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<(ListedKey, Listed)>> {
    let parts = Parts::of(machine).and(&code(status));
    let Some(Place(started_at, seq, name)) = after else { return tx.scan_back(parts, limit).await };
    let before = ListedKey {
        machine: machine.to_owned(),
        status: code(status),
        started_at: *started_at,
        seq: *seq,
        name: name.clone(),
    };
    tx.scan_after(parts, &before, limit, Direction::Backward).await
}

fn item(tx: &Tx, key: ListedKey, listed: &Listed, status: Status) -> ExecutionListItem {
    let id = ExecutionId::new(&key.machine, &key.name);
    ExecutionListItem {
        execution_arn: id.arn(tx.scope()),
        state_machine_arn: id.machine_arn(tx.scope()),
        name: key.name,
        status,
        start_date: key.started_at,
        stop_date: listed.stopped_at,
        redrive_count: Some(0),
        ..ExecutionListItem::default()
    }
}
