//! New material from time to time. What old material encrypted can be decrypted as long as the key lives.

use std::time::Duration;

use base::Timestamp;
use kernel::{Call, NewTask, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::{
    DisableKeyRotationInput, DisableKeyRotationOutput, EnableKeyRotationInput, EnableKeyRotationOutput,
    GetKeyRotationStatusInput, GetKeyRotationStatusOutput,
};
use crate::find;
use crate::keys::{MasterKeyKey, Rotation};
use crate::ops::state::own;

/// The internal operation that gives a key new material.
pub(crate) const ROTATE: &str = "RotateKey";

/// The days between two rotations unless asked for.
const PERIOD_DAYS: i32 = 365;

/// A rotation that has come due; `at` tells it from one that was planned otherwise since.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Due {
    id: Uuid,
    at: Timestamp,
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html>
pub(crate) async fn enable_key_rotation(
    tx: &mut Tx,
    input: EnableKeyRotationInput,
) -> Result<EnableKeyRotationOutput> {
    let (key, mut master) = own(tx, &input.key_id).await?;
    find::usable(tx, &key, &master)?;
    let before = master.rotation.take();
    let asked = input.rotation_period_in_days;
    let period_days =
        asked.or_else(|| before.as_ref().map(|before| before.period_days)).unwrap_or(PERIOD_DAYS);
    if let Some(before) = before {
        tx.cancel(&before.task);
    }
    master.rotation = Some(plan(tx, &key, period_days)?);
    tx.put(&key, &master)?;
    Ok(EnableKeyRotationOutput {})
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html>
pub(crate) async fn disable_key_rotation(
    tx: &mut Tx,
    input: DisableKeyRotationInput,
) -> Result<DisableKeyRotationOutput> {
    let (key, mut master) = own(tx, &input.key_id).await?;
    find::usable(tx, &key, &master)?;
    if let Some(rotation) = master.rotation.take() {
        tx.cancel(&rotation.task);
        tx.put(&key, &master)?;
    }
    Ok(DisableKeyRotationOutput {})
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html>
pub(crate) async fn get_key_rotation_status(
    tx: &mut Tx,
    input: GetKeyRotationStatusInput,
) -> Result<GetKeyRotationStatusOutput> {
    let (key, master) = find::key(tx, &input.key_id).await?;
    Ok(GetKeyRotationStatusOutput {
        key_rotation_enabled: Some(master.rotation.is_some() && master.deletion.is_none()),
        key_id: Some(find::arn(tx, key.id)),
        rotation_period_in_days: master.rotation.as_ref().map(|rotation| rotation.period_days),
        next_rotation_date: master.rotation.as_ref().map(|rotation| rotation.next_at),
        ..GetKeyRotationStatusOutput::default()
    })
}

/// A key that is disabled or goes is not given new material; it is looked at again after the next period.
pub(crate) async fn rotate(tx: &mut Tx, due: Due) -> Result<()> {
    let key = MasterKeyKey { id: due.id };
    let Some(mut master) = tx.get(&key).await? else { return Ok(()) };
    let Some(rotation) = master.rotation.as_ref().filter(|rotation| rotation.next_at == due.at) else {
        return Ok(());
    };
    let period_days = rotation.period_days;
    if find::usable(tx, &key, &master).is_ok() {
        master.material.push(find::new_material(tx));
    }
    master.rotation = Some(plan(tx, &key, period_days)?);
    tx.put(&key, &master)
}

fn plan(tx: &mut Tx, key: &MasterKeyKey, period_days: i32) -> Result<Rotation> {
    let next_at = tx.now() + Duration::from_secs(u64::from(period_days.unsigned_abs()) * 86_400);
    let due = Due { id: key.id, at: next_at };
    let task = tx.enqueue_quietly(next_at, NewTask::new(Call::new("kms", ROTATE, &due)?))?;
    Ok(Rotation { period_days, next_at, task })
}
