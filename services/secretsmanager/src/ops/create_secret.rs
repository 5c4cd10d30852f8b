use std::collections::BTreeMap;

use base::Fault;
use kernel::{Effect, Result, Scope, Tx};

use crate::api::{CreateSecretInput, CreateSecretOutput};
use crate::cipher::{self, Content, DEFAULT_KEY};
use crate::keys::{Sealed, Secret, SecretKey, Version, VersionKey};
use crate::ops::put_secret_value::is_repeated;
use crate::ops::tags;
use crate::secret::{arn, check_name, suffix};
use crate::{fault, stages};

/// A secret, with its first version if the request brings a value. The same request again changes nothing.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>
pub(crate) async fn create_secret(effect: &Effect, input: CreateSecretInput) -> Result<CreateSecretOutput> {
    refuse_what_is_not_honoured(&input)?;
    check_name(&input.name)?;
    let content = Content::of(input.secret_string.clone(), input.secret_binary.clone())?;
    let key = SecretKey { name: input.name.clone() };
    if let Some(present) = effect.transact("LookAtSecret", look, key.clone()).await? {
        return repeated(effect, &input, present, content.as_ref()).await;
    }
    let caller = effect.caller();
    let here = Scope { account: caller.account.clone(), region: caller.region.clone() };
    let suffix = suffix(effect.id());
    let version = match &content {
        None => None,
        Some(content) => {
            let id = input.client_request_token.clone().unwrap_or_else(|| effect.id().to_string());
            let kms_key = input.kms_key_id.clone().unwrap_or_else(|| DEFAULT_KEY.to_owned());
            let arn = arn(&here, &key.name, &suffix);
            let sealed = cipher::seal(effect, &kms_key, &arn, &id, content).await?;
            Some((id, kms_key, sealed))
        }
    };
    effect.transact("CreateSecret", create, New { key, suffix, version, input }).await
}

/// A secret to write.
#[derive(Clone, Debug)]
struct New {
    key: SecretKey,
    suffix: String,
    /// The id, the key and the value of its first version.
    version: Option<(String, String, Sealed)>,
    input: CreateSecretInput,
}

async fn look(tx: &mut Tx, key: SecretKey) -> Result<Option<Secret>> {
    tx.peek(&key).await
}

/// There is a secret of that name: an error, unless this very request made it.
async fn repeated(
    effect: &Effect,
    input: &CreateSecretInput,
    present: Secret,
    content: Option<&Content>,
) -> Result<CreateSecretOutput> {
    if present.deletion.is_some() {
        let message =
            "You can't create this secret because a secret with this name is already scheduled for deletion.";
        return Err(fault::request(message).into());
    }
    let (Some(token), Some(content)) = (&input.client_request_token, content) else {
        return Err(fault::exists(&input.name).into());
    };
    let same = present.versions.contains_key(token)
        && is_repeated(effect, &input.name, &present, token, content).await?;
    if !same {
        return Err(fault::exists(&input.name).into());
    }
    let caller = effect.caller();
    let here = Scope { account: caller.account.clone(), region: caller.region.clone() };
    Ok(CreateSecretOutput {
        arn: Some(arn(&here, &input.name, &present.suffix)),
        name: Some(input.name.clone()),
        version_id: Some(token.clone()),
        replication_status: None,
    })
}

async fn create(tx: &mut Tx, new: New) -> Result<CreateSecretOutput> {
    let New { key, suffix, version, input } = new;
    if tx.get(&key).await?.is_some() {
        return Err(fault::exists(&key.name).into());
    }
    let now = tx.now();
    let mut secret = Secret {
        suffix,
        created_at: now,
        changed_at: now,
        accessed_on: None,
        description: input.description,
        kms_key: input.kms_key_id,
        tags: tags::checked(input.tags.unwrap_or_default())?,
        policy: None,
        deletion: None,
        versions: BTreeMap::new(),
        stages: BTreeMap::new(),
    };
    let mut version_id = None;
    if let Some((id, kms_key, sealed)) = version {
        tx.put(&VersionKey { name: key.name.clone(), id: id.clone() }, &sealed)?;
        secret.versions.insert(id.clone(), Version { created_at: now, kms_key });
        secret.attach(stages::CURRENT, &id)?;
        version_id = Some(id);
    }
    tx.put(&key, &secret)?;
    Ok(CreateSecretOutput {
        arn: Some(secret.arn(tx, &key.name)),
        name: Some(key.name),
        version_id,
        replication_status: None,
    })
}

fn refuse_what_is_not_honoured(input: &CreateSecretInput) -> Result<(), Fault> {
    let refused = [
        ("AddReplicaRegions", input.add_replica_regions.is_some()),
        ("ForceOverwriteReplicaSecret", input.force_overwrite_replica_secret == Some(true)),
        ("Type", input.r#type.is_some()),
        ("CrossAccountPrimaryARN", input.cross_account_primary_arn.is_some()),
    ];
    match refused.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(fault::not_honoured(name)),
        None => Ok(()),
    }
}
