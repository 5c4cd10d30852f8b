//! `ListBackups`: the backups of a table, or of all, by table and time.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListBackups.html>

use base::{Arn, Fault};
use kernel::{Direction, Parts, Result, Tx};

use crate::api::{BackupType, BackupTypeFilter, ListBackupsInput, ListBackupsOutput};
use crate::keys::BackupKey;
use crate::recovery::backup;
use crate::recovery::rows::BackupRow;
use crate::tables;

const BACKUPS_MAX: usize = 100;
const ROWS_AT_ONCE: usize = 100;

pub(crate) async fn list_backups(tx: &mut Tx, input: ListBackupsInput) -> Result<ListBackupsOutput> {
    let limit = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(BACKUPS_MAX);
    let table = input.table_name.as_deref().map(|name| tables::own_name(tx, name)).transpose()?;
    let below = table.map_or_else(Parts::none, Parts::of);
    let mut after = start(&input, table)?;
    let mut found = Vec::new();
    loop {
        let rows = match &after {
            None => tx.scan::<BackupKey>(below.clone(), ROWS_AT_ONCE).await?,
            Some(after) => tx.scan_after(below.clone(), after, ROWS_AT_ONCE, Direction::Forward).await?,
        };
        let ended = rows.len() < ROWS_AT_ONCE;
        for (key, row) in rows {
            if shown(&row, &input) {
                found.push(backup::summary(tx.scope(), &key, &row));
            }
            after = Some(key);
            // One more than wanted says that there are more.
            if found.len() > limit {
                break;
            }
        }
        if ended || found.len() > limit {
            break;
        }
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more).and_then(|last| last.backup_arn.clone());
    Ok(ListBackupsOutput { backup_summaries: Some(found), last_evaluated_backup_arn: last })
}

/// Where to go on: behind a backup, which is one of the table's if a table was named.
fn start(input: &ListBackupsInput, table: Option<&str>) -> Result<Option<BackupKey>, Fault> {
    let Some(text) = &input.exclusive_start_backup_arn else { return Ok(None) };
    let key = text.parse::<Arn>().ok().and_then(|arn| backup::key_of(&arn));
    let key = key.filter(|key| table.is_none_or(|table| key.table == table));
    key.map(Some).ok_or_else(|| Fault::validation(format!("Invalid ExclusiveStartBackupArn: {text}")))
}

/// Whether the request asks for such a backup: by default for those that were asked for.
fn shown(row: &BackupRow, input: &ListBackupsInput) -> bool {
    let kind = match input.backup_type.unwrap_or(BackupTypeFilter::User) {
        BackupTypeFilter::All => true,
        BackupTypeFilter::User => row.kind == BackupType::User,
        BackupTypeFilter::System => row.kind == BackupType::System,
        BackupTypeFilter::AwsBackup => row.kind == BackupType::AwsBackup,
    };
    kind && input.time_range_lower_bound.is_none_or(|bound| row.created >= bound)
        && input.time_range_upper_bound.is_none_or(|bound| row.created < bound)
}
