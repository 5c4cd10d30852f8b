//! Keys by what requests call them: ids, ARNs, aliases.

use std::collections::BTreeMap;

use base::{Arn, Fault};
use kernel::{Error, Result, Tx};
use uuid::Uuid;

use crate::cipher::{self, Context, Head, Unusable};
use crate::fault;
use crate::keys::{Alias, AliasKey, MasterKey, MasterKeyKey, Material};

/// Aliases of the keys that AWS's services use unless told otherwise. Their keys are made when they are first asked for.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html>
const OF_AWS: [&str; 10] = [
    "alias/aws/dynamodb",
    "alias/aws/ecr",
    "alias/aws/events",
    "alias/aws/lambda",
    "alias/aws/logs",
    "alias/aws/s3",
    "alias/aws/secretsmanager",
    "alias/aws/sns",
    "alias/aws/sqs",
    "alias/aws/ssm",
];

/// The beginning of aliases that only AWS's keys have.
pub(crate) const RESERVED: &str = "alias/aws/";

/// A key's ARN in the caller's account and region.
pub(crate) fn arn(tx: &Tx, id: Uuid) -> String {
    here(tx, format!("key/{id}"))
}

/// An alias's ARN; its name begins with `alias/`.
pub(crate) fn alias_arn(tx: &Tx, name: &str) -> String {
    here(tx, name.to_owned())
}

fn here(tx: &Tx, resource: String) -> String {
    Arn::new("kms", &tx.scope().region, &tx.scope().account, resource).to_string()
}

/// The resource that `text` names: the part of an ARN behind account and region, or `text` itself.
///
/// # Errors
/// `NotFoundException`: an ARN of another service, account or region. No other account's keys are reached.
fn resource(tx: &Tx, text: &str) -> Result<String, Fault> {
    if !text.starts_with("arn:") {
        return Ok(text.to_owned());
    }
    let arn: Arn = text.parse().map_err(|_| fault::invalid_key_id(text))?;
    let ours = arn.service == "kms"
        && arn.account_id().as_ref() == Some(&tx.scope().account)
        && arn.region_name().as_ref() == Some(&tx.scope().region);
    match arn.resource.strip_prefix("key/") {
        _ if !ours => Err(fault::no_such_key(text)),
        Some(id) => Ok(id.to_owned()),
        None => Ok(arn.resource.clone()),
    }
}

/// The key that an id or an ARN names, guarded.
///
/// # Errors
/// `NotFoundException`, also for aliases: what changes a key is told the key itself.
pub(crate) async fn key(tx: &mut Tx, text: &str) -> Result<(MasterKeyKey, MasterKey)> {
    let resource = resource(tx, text)?;
    let id = Uuid::parse_str(&resource).map_err(|_| fault::invalid_key_id(text))?;
    by_id(tx, id).await
}

/// The key that an id, an ARN or an alias names, guarded. An alias of AWS's gets its key now if it has none.
///
/// # Errors
/// `NotFoundException`.
pub(crate) async fn key_or_alias(tx: &mut Tx, text: &str) -> Result<(MasterKeyKey, MasterKey)> {
    let name = resource(tx, text)?;
    if !name.starts_with("alias/") {
        return key(tx, text).await;
    }
    match tx.get(&AliasKey { name: name.clone() }).await? {
        Some(alias) => by_id(tx, alias.target).await,
        None if OF_AWS.contains(&name.as_str()) => make_for_aws(tx, name),
        None => Err(fault::no_such_alias(&alias_arn(tx, &name)).into()),
    }
}

async fn by_id(tx: &mut Tx, id: Uuid) -> Result<(MasterKeyKey, MasterKey)> {
    let key = MasterKeyKey { id };
    match tx.get(&key).await? {
        Some(master) => Ok((key, master)),
        None => Err(fault::no_such_key(&arn(tx, id)).into()),
    }
}

fn make_for_aws(tx: &mut Tx, name: String) -> Result<(MasterKeyKey, MasterKey)> {
    let now = tx.now();
    let key = MasterKeyKey { id: new_id(tx) };
    let service = name.trim_start_matches(RESERVED);
    let description = format!("Default key that protects my data of {service} when no other key is defined");
    let master = MasterKey { description, managed_by_aws: true, ..new(tx) };
    tx.put(&key, &master)?;
    tx.put(&AliasKey { name }, &Alias { target: key.id, created_at: now, updated_at: now })?;
    Ok((key, master))
}

/// A key with fresh material and the policy that lets its account do everything.
pub(crate) fn new(tx: &Tx) -> MasterKey {
    MasterKey {
        material: vec![new_material(tx)],
        created_at: tx.now(),
        description: String::new(),
        policy: default_policy(tx),
        enabled: true,
        deletion: None,
        rotation: None,
        tags: BTreeMap::new(),
        managed_by_aws: false,
    }
}

/// 256 bits by chance.
pub(crate) fn new_material(tx: &Tx) -> Material {
    let id = random(tx, 32).iter().map(|byte| format!("{byte:02x}")).collect();
    Material { id, bytes: random(tx, 32).into(), created_at: tx.now() }
}

/// A key's id: of version 4, as AWS's are, and clients take none above 5.
pub(crate) fn new_id(tx: &Tx) -> Uuid {
    let bits = u128::from(tx.random()) << 64 | u128::from(tx.random());
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
}

/// So many bytes by chance.
pub(crate) fn random(tx: &Tx, count: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        bytes.extend(tx.random().to_be_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
fn default_policy(tx: &Tx) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{}:root", tx.scope().account) },
            "Action": "kms:*",
            "Resource": "*",
        }],
    })
    .to_string()
}

/// Refuses a key that may not encrypt or decrypt now.
pub(crate) fn usable(tx: &Tx, key: &MasterKeyKey, master: &MasterKey) -> Result<(), Fault> {
    not_going(tx, key, master)?;
    if master.enabled { Ok(()) } else { Err(fault::disabled(&arn(tx, key.id))) }
}

/// Refuses a key that waits for its deletion.
pub(crate) fn not_going(tx: &Tx, key: &MasterKeyKey, master: &MasterKey) -> Result<(), Fault> {
    match &master.deletion {
        Some(_) => Err(fault::invalid_state(&arn(tx, key.id), "pending deletion")),
        None => Ok(()),
    }
}

/// Encrypts with the key's current material.
pub(crate) fn seal(
    tx: &Tx,
    key: &MasterKeyKey,
    master: &MasterKey,
    context: &Context,
    plaintext: &[u8],
) -> Result<Vec<u8>> {
    usable(tx, key, master)?;
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&random(tx, 12));
    let number = u32::try_from(master.material.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let head = Head { key: key.id, material: number };
    let Some(material) = master.material.last() else {
        return Err(Error::bug("encrypt with a key that has no material"));
    };
    cipher::seal(head, material.bytes.as_bytes(), nonce, context, plaintext)
        .map_err(|Unusable| Error::bug("encrypt with a key's material"))
}

/// What a ciphertext was made of, and by which key.
pub(crate) struct Opened {
    pub key: MasterKeyKey,
    pub material_id: String,
    pub plaintext: Vec<u8>,
}

/// Decrypts with the key and material that the ciphertext names.
///
/// # Errors
/// It is damaged or of another context; its key is gone, disabled, or not the one that `expected` names.
pub(crate) async fn open(
    tx: &mut Tx,
    expected: Option<&str>,
    context: &Context,
    ciphertext: &[u8],
) -> Result<Opened> {
    let head = Head::of(ciphertext)?;
    if let Some(expected) = expected {
        let (wanted, _) = key_or_alias(tx, expected).await?;
        if wanted.id != head.key {
            return Err(fault::incorrect_key().into());
        }
    }
    let key = MasterKeyKey { id: head.key };
    let Some(master) = tx.get(&key).await? else { return Err(fault::unreachable_key().into()) };
    usable(tx, &key, &master)?;
    let Some(material) = master.material.get(head.material as usize) else {
        return Err(fault::invalid_ciphertext().into());
    };
    let plaintext = cipher::open(material.bytes.as_bytes(), context, ciphertext)?;
    Ok(Opened { key, material_id: material.id.clone(), plaintext })
}
