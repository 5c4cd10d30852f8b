//! Repositories as they are found and shown.

use base::Arn;
use kernel::{Result, Tx};

use crate::keys::{Repository, RepositoryKey};
use crate::{api, fault};

/// The id of the account's own registry.
pub(crate) fn registry(tx: &Tx) -> String {
    tx.scope().account.to_string()
}

/// The repository of that name, guarded. There are no other registries than the account's own.
///
/// # Errors
/// `RepositoryNotFoundException`.
pub(crate) async fn find(
    tx: &mut Tx,
    registry_id: Option<&String>,
    name: String,
) -> Result<(RepositoryKey, Repository)> {
    let own = registry(tx);
    let registry_id = registry_id.unwrap_or(&own);
    let key = RepositoryKey { name };
    match tx.get(&key).await? {
        Some(repository) if *registry_id == own => Ok((key, repository)),
        _ => Err(fault::not_found(&key.name, registry_id).into()),
    }
}

/// A repository's ARN.
pub(crate) fn arn(tx: &Tx, name: &str) -> String {
    let resource = format!("repository/{name}");
    Arn::new("ecr", &tx.scope().region, &tx.scope().account, resource).to_string()
}

/// As answers carry it.
pub(crate) fn show(tx: &Tx, key: &RepositoryKey, repository: &Repository) -> api::Repository {
    let (account, region) = (&tx.scope().account, &tx.scope().region);
    api::Repository {
        repository_arn: Some(arn(tx, &key.name)),
        registry_id: Some(account.to_string()),
        repository_name: Some(key.name.clone()),
        repository_uri: Some(format!("{account}.dkr.ecr.{region}.amazonaws.com/{}", key.name)),
        created_at: Some(repository.created_at),
        image_tag_mutability: Some(repository.mutability),
        image_tag_mutability_exclusion_filters: Some(repository.exclusions.clone())
            .filter(|filters| !filters.is_empty()),
        image_scanning_configuration: Some(api::ImageScanningConfiguration {
            scan_on_push: Some(repository.scan_on_push),
        }),
        encryption_configuration: Some(api::EncryptionConfiguration {
            encryption_type: api::EncryptionType::Aes256,
            kms_key: None,
        }),
    }
}
