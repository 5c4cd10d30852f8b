//! `DeleteBackup`: the backup is gone at once, its items are removed by tasks. And the internal operation that ends the
//! backup of a deleted table after its time.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteBackup.html>

use std::time::Duration;

use kernel::{Result, Tx};

use super::purge::{Purge, Rows};
use crate::api::{BackupStatus, DeleteBackupInput, DeleteBackupOutput, error};
use crate::keys::BackupKey;
use crate::recovery::backup::{self, Expire};
use crate::recovery::rows::BackupRow;

/// When an expired backup is looked at again that is being restored.
const AGAIN: Duration = Duration::from_secs(60);

pub(crate) async fn delete_backup(tx: &mut Tx, input: DeleteBackupInput) -> Result<DeleteBackupOutput> {
    let (key, row) = backup::find(tx, &input.backup_arn).await?;
    if backup::in_use(tx, &row).await? {
        let text = format!("Backup is being used by another operation: {}", input.backup_arn);
        return Err(error::backup_in_use_exception(text).into());
    }
    remove(tx, &key, &row)?;
    let deleted = BackupRow { status: BackupStatus::Deleted, ..row };
    let described = backup::describe(tx.scope(), &key, &deleted);
    Ok(DeleteBackupOutput { backup_description: Some(described) })
}

/// Internal: the backup's time is over.
pub(crate) async fn expire_backup(tx: &mut Tx, input: Expire) -> Result<()> {
    let key = BackupKey { table: input.table, id: input.id };
    let Some(row) = tx.get(&key).await? else { return Ok(()) };
    match backup::in_use(tx, &row).await? {
        true => backup::plan_expiry(tx, &key, tx.now() + AGAIN),
        false => remove(tx, &key, &row),
    }
}

fn remove(tx: &mut Tx, key: &BackupKey, row: &BackupRow) -> Result<()> {
    tx.delete(key);
    Purge { rows: Rows::Items, space: row.space }.enqueue(tx)
}
