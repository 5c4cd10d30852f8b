//! `RestoreTableFromBackup`: makes a table of a backup. Its items are copied by tasks.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableFromBackup.html>

use kernel::{Result, Tx};

use super::restore_table_to_point_in_time::make;
use crate::api::{BackupStatus, RestoreTableFromBackupInput, RestoreTableFromBackupOutput, error};
use crate::recovery::rows::{BackupRow, CopyRow, Makes, Step};
use crate::recovery::{backup, copy};
use crate::table::{Overrides, Restored, arn};

pub(crate) async fn restore_table_from_backup(
    tx: &mut Tx,
    input: RestoreTableFromBackupInput,
) -> Result<RestoreTableFromBackupOutput> {
    let (key, row) = backup::find(tx, &input.backup_arn).await?;
    if row.status != BackupStatus::Available {
        let text = format!("Backup is not available yet: {}", input.backup_arn);
        return Err(error::backup_in_use_exception(text).into());
    }
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
        table: arn(tx.scope(), &row.table.name),
        backup: Some(backup::arn(tx.scope(), &key)),
        at: row.created,
        in_progress: true,
    };
    let (target, description) = make(tx, &row.table, &input.target_table_name, overrides, restored).await?;
    tx.put(&key, &BackupRow { restores: row.restores + 1, ..row.clone() })?;
    let copied = CopyRow {
        from: row.space,
        log: None,
        into: target.space,
        makes: Makes::Table(target.name),
        backup: Some((key.table, key.id)),
        step: Step::Copy { after: None, first: None },
    };
    let id = tx.random();
    copy::begin(tx, id, &copied)?;
    Ok(RestoreTableFromBackupOutput { table_description: Some(description) })
}
