//! `DescribeBackup`: a backup, and the table as it was.

use kernel::{Result, Tx};

use crate::api::{DescribeBackupInput, DescribeBackupOutput};
use crate::recovery::backup;

pub(crate) async fn describe_backup(tx: &mut Tx, input: DescribeBackupInput) -> Result<DescribeBackupOutput> {
    let (key, row) = backup::find(tx, &input.backup_arn).await?;
    let described = backup::describe(tx.scope(), &key, &row);
    Ok(DescribeBackupOutput { backup_description: Some(described) })
}
