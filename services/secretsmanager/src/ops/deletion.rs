//! The end of secrets, and their rescue.

use std::time::Duration;

use base::Fault;
use kernel::{Call, Error, NewTask, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::api::{DeleteSecretInput, DeleteSecretOutput, RestoreSecretInput, RestoreSecretOutput};
use crate::fault;
use crate::keys::{Deletion, Secret, SecretKey, VersionKey};
use crate::secret::{find_any, marked};

/// The internal operation that removes a secret whose recovery window is over.
pub(crate) const EXPIRE: &str = "ExpireSecret";

/// The days for which a secret can be rescued, unless asked for.
const WINDOW_DAYS: i64 = 30;

/// A secret to remove; the suffix tells it from a later one of its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Expire {
    name: String,
    suffix: String,
}

/// The secret goes after 7 to 30 days, or at once if that is asked for.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>
pub(crate) async fn delete_secret(tx: &mut Tx, input: DeleteSecretInput) -> Result<DeleteSecretOutput> {
    let force = input.force_delete_without_recovery == Some(true);
    let days = window(input.recovery_window_in_days, force)?;
    let found = find_any(tx, &input.secret_id).await;
    let (key, mut secret) = match found {
        // To delete at once what is not there is no error, so that it can be repeated.
        Err(Error::Fault(fault)) if force && fault.code == "ResourceNotFoundException" => {
            let (name, deletion_date) = (Some(input.secret_id), Some(tx.now()));
            return Ok(DeleteSecretOutput { arn: None, name, deletion_date });
        }
        found => found?,
    };
    let arn = Some(secret.arn(tx, &key.name));
    if force {
        remove(tx, &key, &secret);
        return Ok(DeleteSecretOutput { arn, name: Some(key.name), deletion_date: Some(tx.now()) });
    }
    if secret.deletion.is_some() {
        let message =
            "You can't perform this operation on the secret because it was already scheduled for deletion.";
        return Err(fault::request(message).into());
    }
    let at = tx.now() + Duration::from_secs(days * 86_400);
    let expire = Expire { name: key.name.clone(), suffix: secret.suffix.clone() };
    let task = tx.enqueue_quietly(at, NewTask::new(Call::new("secretsmanager", EXPIRE, &expire)?))?;
    secret.deletion = Some(Deletion { asked_at: tx.now(), at, task });
    tx.put(&key, &secret)?;
    Ok(DeleteSecretOutput { arn, name: Some(key.name), deletion_date: Some(at) })
}

/// The secret stays.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RestoreSecret.html>
pub(crate) async fn restore_secret(tx: &mut Tx, input: RestoreSecretInput) -> Result<RestoreSecretOutput> {
    let (key, mut secret) = find_any(tx, &input.secret_id).await?;
    if let Some(deletion) = secret.deletion.take() {
        tx.cancel(&deletion.task);
        tx.put(&key, &secret)?;
    }
    Ok(RestoreSecretOutput { arn: Some(secret.arn(tx, &key.name)), name: Some(key.name) })
}

/// Removes a secret whose time has come.
pub(crate) async fn expire(tx: &mut Tx, expire: Expire) -> Result<()> {
    let key = SecretKey { name: expire.name };
    let Some(secret) = tx.get(&key).await? else { return Ok(()) };
    if secret.suffix == expire.suffix && marked(&secret).is_some_and(|at| at <= tx.now()) {
        remove(tx, &key, &secret);
    }
    Ok(())
}

fn remove(tx: &mut Tx, key: &SecretKey, secret: &Secret) {
    if let Some(deletion) = &secret.deletion {
        tx.cancel(&deletion.task);
    }
    for id in secret.versions.keys() {
        tx.delete(&VersionKey { name: key.name.clone(), id: id.clone() });
    }
    tx.delete(key);
}

/// The days for which the secret can be rescued.
fn window(asked: Option<i64>, force: bool) -> Result<u64, Fault> {
    match asked {
        Some(_) if force => Err(fault::parameter(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        )),
        asked => match asked.unwrap_or(WINDOW_DAYS) {
            days @ 7..=30 => Ok(days.unsigned_abs()),
            _ => Err(fault::parameter(
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            )),
        },
    }
}
