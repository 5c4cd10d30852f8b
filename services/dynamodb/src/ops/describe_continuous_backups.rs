//! `DescribeContinuousBackups`: says that there are none, for there are none.

use kernel::{Result, Tx};

use crate::api::{
    ContinuousBackupsDescription, ContinuousBackupsStatus, DescribeContinuousBackupsInput,
    DescribeContinuousBackupsOutput, PointInTimeRecoveryDescription, PointInTimeRecoveryStatus, error,
};
use crate::keys::TableKey;
use crate::tables;

pub(crate) async fn describe_continuous_backups(
    tx: &mut Tx,
    input: DescribeContinuousBackupsInput,
) -> Result<DescribeContinuousBackupsOutput> {
    let name = tables::name_of(&input.table_name).to_owned();
    if tx.peek(&TableKey { name: name.clone() }).await?.is_none() {
        return Err(error::table_not_found_exception(format!("Table not found: {name}")).into());
    }
    Ok(DescribeContinuousBackupsOutput {
        continuous_backups_description: Some(ContinuousBackupsDescription {
            continuous_backups_status: ContinuousBackupsStatus::Disabled,
            point_in_time_recovery_description: Some(PointInTimeRecoveryDescription {
                point_in_time_recovery_status: Some(PointInTimeRecoveryStatus::Disabled),
                ..PointInTimeRecoveryDescription::default()
            }),
        }),
    })
}
