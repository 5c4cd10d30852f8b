//! `RestoreTableToPointInTime`: makes a table of what another one's items were. They are copied by tasks.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html>

use base::{Fault, Timestamp};
use kernel::{Result, Tx};
use store::Stored;

use super::describe_continuous_backups::table;
use crate::api::{
    RestoreTableToPointInTimeInput, RestoreTableToPointInTimeOutput, TableDescription, TableStatus, error,
};
use crate::keys::{TableKey, TableRow};
use crate::recovery;
use crate::recovery::copy;
use crate::recovery::rows::{CopyRow, Makes, Period, Place, Step};
use crate::table::{Overrides, Restored, Table, arn, describe, restore};
use crate::tables;

pub(crate) async fn restore_table_to_point_in_time(
    tx: &mut Tx,
    input: RestoreTableToPointInTimeInput,
) -> Result<RestoreTableToPointInTimeOutput> {
    let source = table(tx, source_of(&input)?).await?;
    let unavailable = || {
        let text = format!("Point in time recovery is not enabled for table '{}'", source.name);
        error::point_in_time_recovery_unavailable_exception(text)
    };
    let (log, mut history) = recovery::find(tx, &source).await?.ok_or_else(unavailable)?;
    let period = history.recovery.as_ref().ok_or_else(unavailable)?;
    let at = wanted(&input, period, tx.now())?;
    let overrides = Overrides {
        billing: input.billing_mode_override,
        globals: input.global_secondary_index_override,
        locals: input.local_secondary_index_override,
        provisioned: input.provisioned_throughput_override,
        on_demand: input.on_demand_throughput_override,
        sse: input.sse_specification_override,
        vectors: input.vector_index_override,
    };
    let restored = Restored {
        table: arn(tx.scope(), &source.name),
        backup: None,
        at: at.unwrap_or_else(|| tx.now()),
        in_progress: true,
    };
    let (target, description) = make(tx, &source, &input.target_table_name, overrides, restored).await?;
    let (from, step) = match at {
        // As it is now is as it is behind this very commit.
        None => (Place::behind(tx.seq()), Step::Begin),
        Some(at) => {
            let from = recovery::start_for(tx, log, at).await?;
            (from, Step::Seek { from, at })
        }
    };
    let id = tx.random();
    history.holds.insert(id, from);
    recovery::settle(tx, log, history).await?;
    let makes = Makes::Table(target.name);
    let row = CopyRow { from: source.space, log: Some(log), into: target.space, makes, backup: None, step };
    copy::begin(tx, id, &row)?;
    Ok(RestoreTableToPointInTimeOutput { table_description: Some(description) })
}

fn source_of(input: &RestoreTableToPointInTimeInput) -> Result<&str, Fault> {
    match (&input.source_table_name, &input.source_table_arn) {
        (Some(name), None) => Ok(name),
        (None, Some(arn)) => Ok(arn),
        (None, None) => Err(Fault::validation("Either SourceTableName or SourceTableArn must be specified")),
        (Some(_), Some(_)) => {
            Err(Fault::validation("Both SourceTableName and SourceTableArn cannot be specified"))
        }
    }
}

/// The moment that is asked for; `None` for the latest.
fn wanted(
    input: &RestoreTableToPointInTimeInput,
    period: &Period,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let latest = input.use_latest_restorable_time == Some(true);
    match (latest, input.restore_date_time) {
        (true, None) => Ok(None),
        (false, Some(at)) if at <= now && period.earliest(now).is_some_and(|earliest| earliest <= at) => {
            Ok(Some(at))
        }
        (false, Some(_)) => Err(error::invalid_restore_time_exception(
            "An invalid restore time was specified. RestoreDateTime must be between EarliestRestorableDateTime and \
             LatestRestorableDateTime.",
        )),
        (true, Some(_)) => {
            Err(Fault::validation("Both RestoreDateTime and UseLatestRestorableTime cannot be specified"))
        }
        (false, None) => {
            Err(Fault::validation("Either RestoreDateTime or UseLatestRestorableTime must be specified"))
        }
    }
}

/// Makes the table that a restore fills; nobody reads or writes it until then.
pub(super) async fn make(
    tx: &mut Tx,
    source: &Table,
    name: &str,
    overrides: Overrides,
    restored: Restored,
) -> Result<(Table, TableDescription)> {
    let (id, now) = (tx.id(), tx.now());
    let made = restore(source, name, overrides, (id, now), || tx.random())?;
    if let Some(TableRow(bytes)) = tx.get(&TableKey { name: name.to_owned() }).await? {
        return Err(match Table::from_bytes(&bytes)?.is_restoring() {
            true => error::table_in_use_exception(format!("Table is being restored: {name}")),
            false => error::table_already_exists_exception(format!("Table already exists: {name}")),
        }
        .into());
    }
    let made = Table { restored: Some(restored), ..made };
    tables::put(tx, &made)?;
    let description = describe(&made, tx.scope(), TableStatus::Creating, &Default::default());
    Ok((made, description))
}
