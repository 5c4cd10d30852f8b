//! `DescribeContinuousBackups`: whether a table can be restored to a point in time, and to which.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html>

use base::Timestamp;
use kernel::{Result, Tx};
use store::Stored;

use crate::api::{
    ContinuousBackupsDescription, ContinuousBackupsStatus, DescribeContinuousBackupsInput,
    DescribeContinuousBackupsOutput, PointInTimeRecoveryDescription, PointInTimeRecoveryStatus, error,
};
use crate::keys::TableKey;
use crate::recovery::{self, rows::Period};
use crate::table::Table;
use crate::tables;

pub(crate) async fn describe_continuous_backups(
    tx: &mut Tx,
    input: DescribeContinuousBackupsInput,
) -> Result<DescribeContinuousBackupsOutput> {
    let table = table(tx, &input.table_name).await?;
    let history = recovery::find(tx, &table).await?;
    let period = history.and_then(|(_, row)| row.recovery);
    let described = describe(period.as_ref(), tx.now());
    Ok(DescribeContinuousBackupsOutput { continuous_backups_description: Some(described) })
}

/// The table that a request about backups names; these requests have a refusal of their own.
pub(super) async fn table(tx: &mut Tx, table_name: &str) -> Result<Table> {
    let name = tables::own_name(tx, table_name)?.to_owned();
    match tx.get(&TableKey { name: name.clone() }).await? {
        Some(row) => Ok(Table::from_bytes(&row.0)?),
        None => Err(error::table_not_found_exception(format!("Table not found: {name}")).into()),
    }
}

/// Backups are possible at any time; whether a point in time can be restored is another matter. The latest one is now: a
/// change is in the history with the commit that makes it.
pub(super) fn describe(period: Option<&Period>, now: Timestamp) -> ContinuousBackupsDescription {
    let recovery = match period {
        None => PointInTimeRecoveryDescription {
            point_in_time_recovery_status: Some(PointInTimeRecoveryStatus::Disabled),
            ..PointInTimeRecoveryDescription::default()
        },
        Some(period) => PointInTimeRecoveryDescription {
            point_in_time_recovery_status: Some(PointInTimeRecoveryStatus::Enabled),
            recovery_period_in_days: Some(period.days),
            earliest_restorable_date_time: period.earliest(now),
            latest_restorable_date_time: period.since.map(|_| now),
        },
    };
    ContinuousBackupsDescription {
        continuous_backups_status: ContinuousBackupsStatus::Enabled,
        point_in_time_recovery_description: Some(recovery),
    }
}
