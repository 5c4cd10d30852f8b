use base::{Fault, Timestamp};
use kernel::{Direction, Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use super::map_run::find as find_run;
use crate::api::{
    ExecutionListItem, ExecutionRedriveFilter, ExecutionStatus as Status, ListExecutionsInput,
    ListExecutionsOutput,
};
use crate::arn::{ExecutionId, MachineRef, Qualifier, map_run_arn};
use crate::execution::{STATUSES, code};
use crate::keys::{AliasKey, Listed, ListedKey, MachineKey, VersionKey};
use crate::{fault, page};

/// The last execution of a page.
#[derive(Serialize, Deserialize)]
struct Place(Timestamp, u64, String);

/// A machine's executions, the newest first.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html>
pub(crate) async fn list_executions(tx: &mut Tx, input: ListExecutionsInput) -> Result<ListExecutionsOutput> {
    if input.redrive_filter.is_some() && input.map_run_arn.is_none() {
        return Err(Fault::validation("redriveFilter can only be specified together with mapRunArn").into());
    }
    let list = match (input.state_machine_arn, input.map_run_arn) {
        (Some(machine_arn), None) => list_of(tx, &machine_arn).await?,
        (None, Some(map_run_arn)) => find_run(tx, &map_run_arn).await?.0,
        _ => {
            return Err(Fault::validation("Must specify exactly one of stateMachineArn and mapRunArn").into());
        }
    };
    let limit = page::size(input.max_results);
    let of = format!("{list} {:?} {:?}", input.status_filter, input.redrive_filter);
    let after: Option<Place> =
        input.next_token.as_deref().map(|token| page::place(&of, token)).transpose()?;
    let wanted: &[Status] = match &input.status_filter {
        // What waits for its redrive is listed as it ended.
        Some(Status::PendingRedrive) => &[],
        Some(status) => std::slice::from_ref(status),
        None => &STATUSES,
    };
    let filter = input.redrive_filter;
    let mut found = Vec::new();
    for status in wanted {
        let rows = newest(tx, &list, *status, after.as_ref(), (limit + 1, filter)).await?;
        found.extend(rows.into_iter().map(|(key, listed)| (key, listed, *status)));
    }
    found.sort_by(|(a, ..), (b, ..)| (b.started_at, b.seq, &b.name).cmp(&(a.started_at, a.seq, &a.name)));
    let more = found.len() > limit;
    found.truncate(limit);
    let next_token = match found.last() {
        Some((last, ..)) if more => {
            Some(page::token(&of, &Place(last.started_at, last.seq, last.name.clone()))?)
        }
        _ => None,
    };
    let executions = found.into_iter().map(|(key, listed, status)| item(tx, key, listed, status)).collect();
    Ok(ListExecutionsOutput { executions, next_token })
}

/// The name of the list: a machine's, or that of one of its versions or aliases.
async fn list_of(tx: &mut Tx, arn: &str) -> Result<String> {
    let MachineRef { name, qualifier } = MachineRef::parse(tx.scope(), arn)?;
    let machine = tx.peek(&MachineKey { name: name.clone() }).await?;
    let machine = machine.ok_or_else(|| fault::machine_does_not_exist(arn))?;
    if machine.is_express() {
        return Err(fault::wrong_machine_type().into());
    }
    let known = match &qualifier {
        None => return Ok(name),
        Some(Qualifier::Version(number)) => {
            tx.peek(&VersionKey { machine: name.clone(), number: *number }).await?.is_some()
        }
        Some(Qualifier::Alias(alias)) => {
            tx.peek(&AliasKey { machine: name.clone(), name: alias.clone() }).await?.is_some()
        }
    };
    match (known, qualifier) {
        (true, Some(Qualifier::Version(number))) => Ok(format!("{name}:{number}")),
        (true, Some(Qualifier::Alias(alias))) => Ok(format!("{name}:{alias}")),
        _ => Err(fault::resource_not_found(arn).into()),
    }
}

/// The newest executions of one status, before the place where the last page ended.
async fn newest(
    tx: &mut Tx,
    machine: &str,
    status: Status,
    after: Option<&Place>,
    (limit, filter): (usize, Option<ExecutionRedriveFilter>),
) -> Result<Vec<(ListedKey, Listed)>> {
    let parts = Parts::of(machine).and(&code(status));
    let mut before = after.map(|Place(started_at, seq, name)| ListedKey {
        machine: machine.to_owned(),
        status: code(status),
        started_at: *started_at,
        seq: *seq,
        name: name.clone(),
    });
    let mut found = Vec::new();
    loop {
        let rows = match &before {
            None => tx.scan_back::<ListedKey>(parts.clone(), limit).await?,
            Some(before) => tx.scan_after(parts.clone(), before, limit, Direction::Backward).await?,
        };
        let more = rows.len() == limit;
        before = rows.last().map(|(key, _)| key.clone());
        found.extend(rows.into_iter().filter(|(_, listed)| match filter {
            None => true,
            Some(ExecutionRedriveFilter::Redriven) => listed.redriven.is_some(),
            Some(ExecutionRedriveFilter::NotRedriven) => listed.redriven.is_none(),
        }));
        if !more || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
    }
}

fn item(tx: &Tx, key: ListedKey, listed: Listed, status: Status) -> ExecutionListItem {
    let machine = key.machine.split(':').next().unwrap_or_default();
    let id = ExecutionId::new(machine, &key.name);
    let machine_arn = id.machine_arn(tx.scope());
    ExecutionListItem {
        execution_arn: id.arn(tx.scope()),
        name: key.name,
        status,
        start_date: key.started_at,
        stop_date: listed.stopped_at,
        map_run_arn: listed.items.map(|_| map_run_arn(tx.scope(), &key.machine)),
        item_count: listed.items.and_then(|items| i32::try_from(items).ok()),
        redrive_count: Some(listed.redriven.map_or(0, |(count, _)| i32::try_from(count).unwrap_or(i32::MAX))),
        redrive_date: listed.redriven.map(|(_, at)| at),
        state_machine_version_arn: listed.version.map(|version| format!("{machine_arn}:{version}")),
        state_machine_alias_arn: listed.alias.map(|alias| format!("{machine_arn}:{alias}")),
        state_machine_arn: machine_arn,
    }
}
