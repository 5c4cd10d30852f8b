//! Keys as such.

use base::Fault;
use kernel::{Parts, Result, Tx};
use uuid::Uuid;

use crate::api::{
    CreateKeyInput, CreateKeyOutput, CustomerMasterKeySpec, DescribeKeyInput, DescribeKeyOutput,
    EncryptionAlgorithmSpec, KeyListEntry, KeyManagerType, KeyMetadata, KeySpec, KeyState, KeyUsageType,
    ListKeysInput, ListKeysOutput, OriginType, ResourceOwnerType, UpdateKeyDescriptionInput,
    UpdateKeyDescriptionOutput,
};
use crate::keys::{MasterKey, MasterKeyKey};
use crate::ops::{no_grants, policy, tags};
use crate::paging::{limit, page};
use crate::{fault, find};

/// Keys read at once.
const KEYS_MAX: usize = 10_000;

/// A symmetric key. Other specs, imported material, key stores and keys of several regions are refused by name.
///
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html>
pub(crate) async fn create_key(tx: &mut Tx, input: CreateKeyInput) -> Result<CreateKeyOutput> {
    refuse_what_is_not_honoured(&input)?;
    if let Some(policy) = &input.policy {
        policy::check(policy)?;
    }
    let fresh = find::new(tx);
    let master = MasterKey {
        description: input.description.unwrap_or_default(),
        policy: input.policy.unwrap_or_else(|| fresh.policy.clone()),
        tags: tags::checked(input.tags.unwrap_or_default())?,
        ..fresh
    };
    let key = MasterKeyKey { id: find::new_id(tx) };
    tx.put(&key, &master)?;
    Ok(CreateKeyOutput { key_metadata: Some(show(tx, &key, &master)) })
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>
pub(crate) async fn describe_key(tx: &mut Tx, input: DescribeKeyInput) -> Result<DescribeKeyOutput> {
    no_grants(input.grant_tokens.as_ref())?;
    let (key, master) = find::key_or_alias(tx, &input.key_id).await?;
    Ok(DescribeKeyOutput { key_metadata: Some(show(tx, &key, &master)) })
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html>
pub(crate) async fn list_keys(tx: &mut Tx, input: ListKeysInput) -> Result<ListKeysOutput> {
    if input.resource_owners.is_some_and(|owners| owners.iter().any(|it| *it != ResourceOwnerType::VSelf)) {
        return Err(fault::unsupported("ResourceOwners other than SELF").into());
    }
    let marker = match &input.marker {
        Some(marker) => Some(Uuid::parse_str(marker).map_err(|_| fault::invalid_marker())?.to_string()),
        None => None,
    };
    let all = tx.scan::<MasterKeyKey>(Parts::none(), KEYS_MAX).await?;
    let (keys, next_marker) =
        page(all, |(key, _)| key.id.to_string(), marker.as_deref(), limit(input.limit, 100, 1_000));
    let show = |(key, _): (MasterKeyKey, MasterKey)| KeyListEntry {
        key_id: Some(key.id.to_string()),
        key_arn: Some(find::arn(tx, key.id)),
    };
    let keys = keys.into_iter().map(show).collect();
    Ok(ListKeysOutput { keys: Some(keys), truncated: Some(next_marker.is_some()), next_marker })
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html>
pub(crate) async fn update_key_description(
    tx: &mut Tx,
    input: UpdateKeyDescriptionInput,
) -> Result<UpdateKeyDescriptionOutput> {
    let (key, master) = find::key(tx, &input.key_id).await?;
    find::not_going(tx, &key, &master)?;
    tx.put(&key, &MasterKey { description: input.description, ..master })?;
    Ok(UpdateKeyDescriptionOutput {})
}

fn show(tx: &Tx, key: &MasterKeyKey, master: &MasterKey) -> KeyMetadata {
    let state = match (&master.deletion, master.enabled) {
        (Some(_), _) => KeyState::PendingDeletion,
        (None, true) => KeyState::Enabled,
        (None, false) => KeyState::Disabled,
    };
    let manager = if master.managed_by_aws { KeyManagerType::Aws } else { KeyManagerType::Customer };
    KeyMetadata {
        aws_account_id: Some(tx.scope().account.to_string()),
        key_id: key.id.to_string(),
        arn: Some(find::arn(tx, key.id)),
        creation_date: Some(master.created_at),
        enabled: Some(state == KeyState::Enabled),
        description: Some(master.description.clone()),
        key_usage: Some(KeyUsageType::EncryptDecrypt),
        key_state: Some(state),
        deletion_date: master.deletion.as_ref().map(|deletion| deletion.at),
        origin: Some(OriginType::AwsKms),
        key_manager: Some(manager),
        customer_master_key_spec: Some(CustomerMasterKeySpec::SymmetricDefault),
        key_spec: Some(KeySpec::SymmetricDefault),
        encryption_algorithms: Some(vec![EncryptionAlgorithmSpec::SymmetricDefault]),
        multi_region: Some(false),
        current_key_material_id: master.material.last().map(|material| material.id.clone()),
        ..KeyMetadata::default()
    }
}

fn refuse_what_is_not_honoured(input: &CreateKeyInput) -> Result<(), Fault> {
    let other_spec = input.key_spec.is_some_and(|spec| spec != KeySpec::SymmetricDefault);
    let other_old_spec =
        input.customer_master_key_spec.is_some_and(|spec| spec != CustomerMasterKeySpec::SymmetricDefault);
    let refused = [
        ("a KeySpec other than SYMMETRIC_DEFAULT", other_spec || other_old_spec),
        (
            "a KeyUsage other than ENCRYPT_DECRYPT",
            input.key_usage.is_some_and(|usage| usage != KeyUsageType::EncryptDecrypt),
        ),
        ("an Origin other than AWS_KMS", input.origin.is_some_and(|origin| origin != OriginType::AwsKms)),
        ("CustomKeyStoreId", input.custom_key_store_id.is_some()),
        ("XksKeyId", input.xks_key_id.is_some()),
        ("MultiRegion", input.multi_region == Some(true)),
    ];
    match refused.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(fault::unsupported(name)),
        None => Ok(()),
    }
}
