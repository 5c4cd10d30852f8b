//! Retention.

use kernel::{Result, Tx};

use crate::api::{
    DeleteRetentionPolicyInput, DeleteRetentionPolicyOutput, PutRetentionPolicyInput,
    PutRetentionPolicyOutput,
};
use crate::fault;
use crate::keys::{Group, GroupKey};
use crate::ops::remove;

/// The days that AWS takes.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const DAYS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
pub(crate) async fn put_retention_policy(
    tx: &mut Tx,
    input: PutRetentionPolicyInput,
) -> Result<PutRetentionPolicyOutput> {
    if !DAYS.contains(&input.retention_in_days) {
        return Err(fault::invalid("The specified retention policy is not valid.").into());
    }
    let (key, mut group) = find(tx, input.log_group_name).await?;
    let looked_after = group.retention_days.is_some();
    group.retention_days = Some(input.retention_in_days);
    tx.put(&key, &group)?;
    if !looked_after {
        remove::schedule(tx, &key.name, group.generation)?;
    }
    Ok(PutRetentionPolicyOutput {})
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteRetentionPolicy.html>
pub(crate) async fn delete_retention_policy(
    tx: &mut Tx,
    input: DeleteRetentionPolicyInput,
) -> Result<DeleteRetentionPolicyOutput> {
    let (key, mut group) = find(tx, input.log_group_name).await?;
    group.retention_days = None;
    // Whoever looks after the group finds another generation and ends.
    group.generation = tx.id();
    tx.put(&key, &group)?;
    Ok(DeleteRetentionPolicyOutput {})
}

async fn find(tx: &mut Tx, name: String) -> Result<(GroupKey, Group)> {
    let key = GroupKey { name };
    match tx.get(&key).await? {
        Some(group) => Ok((key, group)),
        None => Err(fault::no_such_group().into()),
    }
}
