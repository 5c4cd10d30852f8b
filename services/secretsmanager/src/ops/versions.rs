//! Versions and the labels that are attached to them.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    ListSecretVersionIdsInput, ListSecretVersionIdsOutput, SecretVersionsListEntry,
    UpdateSecretVersionStageInput, UpdateSecretVersionStageOutput,
};
use crate::fault;
use crate::keys::Secret;
use crate::secret::{find, find_any};
use crate::stages::CURRENT;

/// The page size if none is asked for, and the largest.
const PAGE: usize = 100;

/// Versions with labels; those without, too, if that is asked for.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html>
pub(crate) async fn list_secret_version_ids(
    tx: &mut Tx,
    input: ListSecretVersionIdsInput,
) -> Result<ListSecretVersionIdsOutput> {
    let (key, secret) = find_any(tx, &input.secret_id).await?;
    let deprecated = input.include_deprecated == Some(true);
    let mut ids: Vec<&String> = secret.versions.keys().collect();
    ids.retain(|id| deprecated || secret.stages.values().any(|attached| attached == *id));
    if let Some(token) = &input.next_token {
        let at = ids.iter().position(|id| *id == token).ok_or_else(fault::invalid_token)?;
        ids.drain(..=at);
    }
    let limit = input.max_results.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
    let more = ids.len() > limit;
    ids.truncate(limit);
    let next_token = ids.last().filter(|_| more).map(|id| (*id).clone());
    let versions = ids.into_iter().map(|id| show(&secret, id)).collect();
    Ok(ListSecretVersionIdsOutput {
        versions: Some(versions),
        next_token,
        arn: Some(secret.arn(tx, &key.name)),
        name: Some(key.name),
    })
}

fn show(secret: &Secret, id: &str) -> SecretVersionsListEntry {
    let version = secret.versions.get(id);
    SecretVersionsListEntry {
        version_id: Some(id.to_owned()),
        version_stages: Some(secret.stages_of(id)).filter(|stages| !stages.is_empty()),
        last_accessed_date: None,
        created_date: version.map(|version| version.created_at),
        kms_key_ids: version.map(|version| vec![version.kms_key.clone()]),
    }
}

/// Attaches a label to a version, moves it, or takes it off.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html>
pub(crate) async fn update_secret_version_stage(
    tx: &mut Tx,
    input: UpdateSecretVersionStageInput,
) -> Result<UpdateSecretVersionStageOutput> {
    let (key, mut secret) = find(tx, &input.secret_id).await?;
    let stage = &input.version_stage;
    check_source(&secret, stage, input.remove_from_version_id.as_deref())?;
    match &input.move_to_version_id {
        Some(id) if !secret.versions.contains_key(id) => return Err(fault::no_such_version(id).into()),
        Some(id) => secret.attach(stage, id)?,
        None if stage == CURRENT => {
            return Err(fault::parameter(
                "You can only move staging label AWSCURRENT to a different secret version. It can't be completely \
                 removed.",
            )
            .into());
        }
        None if input.remove_from_version_id.is_none() => {
            let message = "Either RemoveFromVersionId or MoveToVersionId must be given.";
            return Err(fault::parameter(message).into());
        }
        None => {
            secret.stages.remove(stage);
        }
    }
    secret.changed_at = tx.now();
    tx.put(&key, &secret)?;
    Ok(UpdateSecretVersionStageOutput { arn: Some(secret.arn(tx, &key.name)), name: Some(key.name) })
}

/// Who moves a label says from where, so that nobody moves what somebody else has moved already.
fn check_source(secret: &Secret, stage: &str, from: Option<&str>) -> Result<(), Fault> {
    match (secret.stages.get(stage), from) {
        (Some(attached), Some(from)) if attached == from => Ok(()),
        (None, None) => Ok(()),
        (Some(attached), None) => Err(fault::parameter(format!(
            "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version \
             {attached}, so you must explicitly reference that version in RemoveFromVersionId."
        ))),
        (_, Some(from)) => Err(fault::parameter(format!(
            "The version {from} of RemoveFromVersionId does not have the staging label {stage} attached."
        ))),
    }
}
