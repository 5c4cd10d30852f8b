//! `CreateBackup`: keeps a table's items as they are behind this commit, and its settings. They are copied by tasks.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateBackup.html>

use kernel::{Result, Tx};

use super::describe_continuous_backups::table;
use super::describe_table::sizes;
use crate::api::{CreateBackupInput, CreateBackupOutput, error};
use crate::recovery::rows::{CopyRow, Makes, Place, Step};
use crate::recovery::{self, backup, copy};

pub(crate) async fn create_backup(tx: &mut Tx, input: CreateBackupInput) -> Result<CreateBackupOutput> {
    let table = table(tx, &input.table_name).await?;
    if table.is_restoring() {
        let text = format!("Table is being created: {}", table.name);
        return Err(error::table_in_use_exception(text).into());
    }
    let size = sizes(tx, &table).await?.get(&table.space).copied().unwrap_or_default();
    let key = backup::new_key(tx, &table);
    let row = backup::asked_for(tx, &table, input.backup_name, size);
    tx.put(&key, &row)?;
    let details = backup::details(tx.scope(), &key, &row);
    // Without point-in-time recovery the history lasts as long as the copying.
    let (log, mut history) = recovery::begin(tx, &table).await?;
    let id = tx.random();
    history.holds.insert(id, Place::behind(tx.seq()));
    recovery::settle(tx, log, history).await?;
    let makes = Makes::Backup(key.table, key.id);
    let step = Step::Begin;
    let copied = CopyRow { from: table.space, log: Some(log), into: row.space, makes, backup: None, step };
    copy::begin(tx, id, &copied)?;
    Ok(CreateBackupOutput { backup_details: Some(details) })
}
