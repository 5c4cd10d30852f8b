//! `UpdateContinuousBackups`: turns point-in-time recovery on or off, or changes for how long.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html>

use base::Fault;
use kernel::{Result, Tx};

use super::describe_continuous_backups::{describe, table};
use crate::api::{
    PointInTimeRecoverySpecification, UpdateContinuousBackupsInput, UpdateContinuousBackupsOutput, error,
};
use crate::recovery::rows::Period;
use crate::recovery::{self, DAYS_MAX};
use crate::table::Table;

pub(crate) async fn update_continuous_backups(
    tx: &mut Tx,
    input: UpdateContinuousBackupsInput,
) -> Result<UpdateContinuousBackupsOutput> {
    let table = table(tx, &input.table_name).await?;
    if table.is_restoring() {
        let text = format!("Backups are being enabled for the table: {}. Please retry later", table.name);
        return Err(error::continuous_backups_unavailable_exception(text).into());
    }
    let wanted = input.point_in_time_recovery_specification;
    let period = match wanted.point_in_time_recovery_enabled {
        true => Some(enable(tx, &table, &wanted).await?),
        false => {
            disable(tx, &table, &wanted).await?;
            None
        }
    };
    let described = describe(period.as_ref(), tx.now());
    Ok(UpdateContinuousBackupsOutput { continuous_backups_description: Some(described) })
}

async fn enable(tx: &mut Tx, table: &Table, wanted: &PointInTimeRecoverySpecification) -> Result<Period> {
    let days = wanted.recovery_period_in_days.unwrap_or(DAYS_MAX);
    let now = tx.now();
    let (log, mut row) = recovery::begin(tx, table).await?;
    let period = match row.recovery.take() {
        None => Period { since: None, days, task: recovery::plan_tick(tx, log, now)? },
        // What a shorter period has given up, a longer one does not bring back.
        Some(period) => Period { since: period.earliest(now), days, ..period },
    };
    row.recovery = Some(period.clone());
    recovery::settle(tx, log, row).await?;
    Ok(period)
}

async fn disable(tx: &mut Tx, table: &Table, wanted: &PointInTimeRecoverySpecification) -> Result<()> {
    if wanted.recovery_period_in_days.is_some() {
        let text = "RecoveryPeriodInDays cannot be specified when PointInTimeRecoveryEnabled is false";
        return Err(Fault::validation(text).into());
    }
    let Some((log, mut row)) = recovery::find(tx, table).await? else { return Ok(()) };
    let Some(period) = row.recovery.take() else { return Ok(()) };
    tx.cancel(&period.task);
    recovery::settle(tx, log, row).await
}
