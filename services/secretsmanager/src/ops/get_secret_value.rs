use base::{Fault, Timestamp};
use kernel::{Effect, Error, Result, Tx};

use crate::api::{GetSecretValueInput, GetSecretValueOutput};
use crate::keys::{Sealed, VersionKey};
use crate::{cipher, fault, secret, stages};

const DAY_MS: i64 = 86_400_000;

/// The value of a version: the current one, unless an id or a label is given.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
pub(crate) async fn get_secret_value(
    effect: &Effect,
    input: GetSecretValueInput,
) -> Result<GetSecretValueOutput> {
    let found = effect.transact("FindSecretValue", find, input).await?;
    let content = cipher::open(effect, &found.arn, &found.version, &found.sealed).await?;
    Ok(GetSecretValueOutput {
        arn: Some(found.arn),
        name: Some(found.name),
        version_id: Some(found.version),
        secret_binary: content.bytes(),
        secret_string: content.text(),
        version_stages: Some(found.stages).filter(|stages| !stages.is_empty()),
        created_date: Some(found.created_at),
    })
}

struct Found {
    arn: String,
    name: String,
    version: String,
    stages: Vec<String>,
    created_at: Timestamp,
    sealed: Sealed,
}

/// The version that is asked for. That it is read is written once a day.
async fn find(tx: &mut Tx, input: GetSecretValueInput) -> Result<Found> {
    let (key, mut secret) = secret::find(tx, &input.secret_id).await?;
    let id = wanted(&secret, input.version_id, input.version_stage)?;
    let Some(version) = secret.versions.get(&id).cloned() else {
        return Err(fault::no_such_version(&id).into());
    };
    let Some(sealed) = tx.peek(&VersionKey { name: key.name.clone(), id: id.clone() }).await? else {
        return Err(Error::bug("read the value of a secret's version"));
    };
    let today = Timestamp::from_millis(tx.now().as_millis().div_euclid(DAY_MS) * DAY_MS);
    if secret.accessed_on != Some(today) {
        secret.accessed_on = Some(today);
        tx.put(&key, &secret)?;
    }
    Ok(Found {
        arn: secret.arn(tx, &key.name),
        name: key.name,
        stages: secret.stages_of(&id),
        version: id,
        created_at: version.created_at,
        sealed,
    })
}

fn wanted(secret: &crate::keys::Secret, id: Option<String>, stage: Option<String>) -> Result<String, Fault> {
    let attached = |stage: &str| secret.stages.get(stage).cloned().ok_or_else(|| fault::no_such_stage(stage));
    match (id, stage) {
        (Some(id), None) => Ok(id),
        (None, stage) => attached(stage.as_deref().unwrap_or(stages::CURRENT)),
        (Some(id), Some(stage)) if attached(&stage)? == id => Ok(id),
        (Some(_), Some(_)) => Err(fault::request(
            "You provided a VersionStage that is not associated to the provided VersionId.",
        )),
    }
}
