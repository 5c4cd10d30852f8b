use kernel::{Effect, Result, Scope, Tx};

use crate::api::{PutSecretValueInput, PutSecretValueOutput};
use crate::cipher::{self, Content, DEFAULT_KEY};
use crate::keys::{Sealed, Secret, SecretKey, Version, VersionKey};
use crate::secret::{self, arn};
use crate::{fault, stages};

/// A version of a secret. The same request again changes nothing.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>
pub(crate) async fn put_secret_value(
    effect: &Effect,
    input: PutSecretValueInput,
) -> Result<PutSecretValueOutput> {
    if input.rotation_token.is_some() {
        return Err(fault::not_honoured("RotationToken").into());
    }
    let Some(content) = Content::of(input.secret_string, input.secret_binary)? else {
        return Err(fault::request("You must provide either SecretString or SecretBinary.").into());
    };
    let stages = input.version_stages.unwrap_or_else(|| vec![stages::CURRENT.to_owned()]);
    let version =
        seal_version(effect, &input.secret_id, input.client_request_token, None, stages, content).await?;
    effect.transact("PutSecretValue", put, version).await
}

/// A version to write.
#[derive(Clone, Debug)]
pub(crate) struct NewVersion {
    pub key: SecretKey,
    /// Whose version it is: a secret of that name that was made since is another.
    pub suffix: String,
    pub id: String,
    pub kms_key: String,
    /// `None` if the version is there already, with this value.
    pub sealed: Option<Sealed>,
    pub stages: Vec<String>,
}

/// Encrypts a value for a version of that secret, by a new key if one is given.
///
/// # Errors
/// `ResourceExistsException`: the version is there with another value.
pub(crate) async fn seal_version(
    effect: &Effect,
    secret_id: &str,
    token: Option<String>,
    kms_key: Option<String>,
    stages: Vec<String>,
    content: Content,
) -> Result<NewVersion> {
    let (key, present) = effect.transact("LookAtSecret", look, secret_id.to_owned()).await?;
    let id = token.unwrap_or_else(|| effect.id().to_string());
    let kms_key = kms_key.or_else(|| present.kms_key.clone()).unwrap_or_else(|| DEFAULT_KEY.to_owned());
    let sealed = match present.versions.contains_key(&id) {
        true if is_repeated(effect, &key.name, &present, &id, &content).await? => None,
        true => return Err(fault::version_exists().into()),
        false => {
            let arn = own_arn(effect, &key.name, &present);
            Some(cipher::seal(effect, &kms_key, &arn, &id, &content).await?)
        }
    };
    Ok(NewVersion { key, suffix: present.suffix, id, kms_key, sealed, stages })
}

/// Whether a version that is there has this value.
pub(crate) async fn is_repeated(
    effect: &Effect,
    name: &str,
    present: &Secret,
    id: &str,
    content: &Content,
) -> Result<bool> {
    let version = VersionKey { name: name.to_owned(), id: id.to_owned() };
    let Some(sealed) = effect.transact("LookAtVersion", value, version).await? else { return Ok(false) };
    let arn = own_arn(effect, name, present);
    Ok(cipher::open(effect, &arn, id, &sealed).await? == *content)
}

fn own_arn(effect: &Effect, name: &str, secret: &Secret) -> String {
    let caller = effect.caller();
    let here = Scope { account: caller.account.clone(), region: caller.region.clone() };
    arn(&here, name, &secret.suffix)
}

async fn look(tx: &mut Tx, id: String) -> Result<(SecretKey, Secret)> {
    secret::find(tx, &id).await
}

async fn value(tx: &mut Tx, key: VersionKey) -> Result<Option<Sealed>> {
    tx.peek(&key).await
}

async fn put(tx: &mut Tx, version: NewVersion) -> Result<PutSecretValueOutput> {
    let (key, mut secret) = secret::find(tx, &version.key.name).await?;
    let id = version.id.clone();
    add(tx, &key, &mut secret, version)?;
    tx.put(&key, &secret)?;
    Ok(PutSecretValueOutput {
        arn: Some(secret.arn(tx, &key.name)),
        name: Some(key.name),
        version_stages: Some(secret.stages_of(&id)),
        version_id: Some(id),
    })
}

/// Adds a version to a secret that the caller writes. One that is there already stays as it is, with its labels.
pub(crate) fn add(tx: &mut Tx, key: &SecretKey, secret: &mut Secret, version: NewVersion) -> Result<()> {
    let Some(sealed) = version.sealed else { return Ok(()) };
    if version.suffix != secret.suffix {
        return Err(fault::not_found().into());
    }
    if secret.versions.contains_key(&version.id) {
        return Err(fault::version_exists().into());
    }
    let now = tx.now();
    tx.put(&VersionKey { name: key.name.clone(), id: version.id.clone() }, &sealed)?;
    let first = secret.versions.is_empty();
    secret.versions.insert(version.id.clone(), Version { created_at: now, kms_key: version.kms_key });
    for stage in &version.stages {
        secret.attach(stage, &version.id)?;
    }
    if first {
        secret.attach(stages::CURRENT, &version.id)?;
    }
    for gone in secret.surplus()? {
        tx.delete(&VersionKey { name: key.name.clone(), id: gone.clone() });
        secret.versions.remove(&gone);
    }
    secret.changed_at = now;
    Ok(())
}
