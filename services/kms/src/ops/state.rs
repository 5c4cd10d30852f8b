//! Whether a key may be used, and its end.

use std::time::Duration;

use base::Fault;
use kernel::{Call, NewTask, Parts, Result, Tx};
use uuid::Uuid;

use crate::api::{
    CancelKeyDeletionInput, CancelKeyDeletionOutput, DisableKeyInput, DisableKeyOutput, EnableKeyInput,
    EnableKeyOutput, KeyState, ScheduleKeyDeletionInput, ScheduleKeyDeletionOutput,
};
use crate::fault;
use crate::find;
use crate::keys::{AliasKey, Deletion, MasterKey, MasterKeyKey};

/// The internal operation that removes a key whose waiting time is over.
pub(crate) const DELETE: &str = "DeleteKey";

/// The days that a key waits for its deletion.
const WINDOW_DAYS: std::ops::RangeInclusive<i32> = 7..=30;
/// Aliases read at once.
const ALIASES_MAX: usize = 10_000;

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html>
pub(crate) async fn enable_key(tx: &mut Tx, input: EnableKeyInput) -> Result<EnableKeyOutput> {
    switch(tx, &input.key_id, true).await?;
    Ok(EnableKeyOutput {})
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html>
pub(crate) async fn disable_key(tx: &mut Tx, input: DisableKeyInput) -> Result<DisableKeyOutput> {
    switch(tx, &input.key_id, false).await?;
    Ok(DisableKeyOutput {})
}

async fn switch(tx: &mut Tx, key_id: &str, enabled: bool) -> Result<()> {
    let (key, master) = own(tx, key_id).await?;
    find::not_going(tx, &key, &master)?;
    tx.put(&key, &MasterKey { enabled, ..master })
}

/// The key goes after 7 to 30 days; until then it encrypts nothing and can be kept after all.
///
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html>
pub(crate) async fn schedule_key_deletion(
    tx: &mut Tx,
    input: ScheduleKeyDeletionInput,
) -> Result<ScheduleKeyDeletionOutput> {
    let (key, master) = own(tx, &input.key_id).await?;
    find::not_going(tx, &key, &master)?;
    let window_days = input.pending_window_in_days.unwrap_or(*WINDOW_DAYS.end());
    if !WINDOW_DAYS.contains(&window_days) {
        let message = "PendingWindowInDays must be between 7 and 30 days.";
        return Err(Fault::validation(message).into());
    }
    let at = tx.now() + Duration::from_secs(u64::from(window_days.unsigned_abs()) * 86_400);
    let task = tx.enqueue_quietly(at, NewTask::new(Call::new("kms", DELETE, &key.id)?))?;
    tx.put(&key, &MasterKey { deletion: Some(Deletion { at, window_days, task }), ..master })?;
    Ok(ScheduleKeyDeletionOutput {
        key_id: Some(find::arn(tx, key.id)),
        deletion_date: Some(at),
        key_state: Some(KeyState::PendingDeletion),
        pending_window_in_days: Some(window_days),
    })
}

/// The key stays, disabled.
///
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html>
pub(crate) async fn cancel_key_deletion(
    tx: &mut Tx,
    input: CancelKeyDeletionInput,
) -> Result<CancelKeyDeletionOutput> {
    let (key, master) = find::key(tx, &input.key_id).await?;
    let arn = find::arn(tx, key.id);
    let Some(deletion) = &master.deletion else {
        return Err(fault::invalid_state(&arn, "not pending deletion").into());
    };
    tx.cancel(&deletion.task);
    tx.put(&key, &MasterKey { deletion: None, enabled: false, ..master })?;
    Ok(CancelKeyDeletionOutput { key_id: Some(arn) })
}

/// The key and its aliases go. No alias comes to a key that waits for its deletion, so the scan sees all of them.
pub(crate) async fn delete_key(tx: &mut Tx, id: Uuid) -> Result<()> {
    let key = MasterKeyKey { id };
    let Some(master) = tx.get(&key).await? else { return Ok(()) };
    if master.deletion.is_none_or(|deletion| deletion.at > tx.now()) {
        return Ok(());
    }
    if let Some(rotation) = &master.rotation {
        tx.cancel(&rotation.task);
    }
    tx.delete(&key);
    for (alias_key, alias) in tx.scan::<AliasKey>(Parts::none(), ALIASES_MAX).await? {
        if alias.target == id {
            tx.delete(&alias_key);
        }
    }
    Ok(())
}

/// A key of the account's own: AWS's keys are not changed by anybody.
pub(crate) async fn own(tx: &mut Tx, key_id: &str) -> Result<(MasterKeyKey, MasterKey)> {
    let (key, master) = find::key(tx, key_id).await?;
    if master.managed_by_aws {
        let message = format!("{} is a key that AWS manages; it cannot be changed.", find::arn(tx, key.id));
        return Err(Fault::access_denied(message).into());
    }
    Ok((key, master))
}
