//! Repositories.

use base::Fault;
use kernel::{Parts, Result, Tx};

use crate::api::{
    CreateRepositoryInput, CreateRepositoryOutput, DeleteRepositoryInput, DeleteRepositoryOutput,
    DescribeRepositoriesInput, DescribeRepositoriesOutput, EncryptionType,
};
use crate::keys::{Repository, RepositoryKey};
use crate::ops::{images, tags};
use crate::repository::{find, registry, show};
use crate::{fault, keys};

/// The page size if none is asked for, and the largest.
const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

/// Encryption by keys of KMS is refused: there is nothing to encrypt.
///
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html>
pub(crate) async fn create_repository(
    tx: &mut Tx,
    input: CreateRepositoryInput,
) -> Result<CreateRepositoryOutput> {
    let own = registry(tx);
    if let Some(other) = input.registry_id.filter(|id| *id != own) {
        return Err(fault::invalid(format!("The registry {other} is not the caller's own")).into());
    }
    let encryption = input.encryption_configuration.map(|encryption| encryption.encryption_type);
    if encryption.is_some_and(|kind| kind != EncryptionType::Aes256) {
        return Err(fault::invalid("encryption by KMS is not implemented by Buswork").into());
    }
    let key = RepositoryKey { name: input.repository_name };
    if tx.get(&key).await?.is_some() {
        return Err(fault::already_exists(&key.name, &own).into());
    }
    let mutability = input.image_tag_mutability.unwrap_or_default();
    let exclusions = input.image_tag_mutability_exclusion_filters.unwrap_or_default();
    images::check(mutability, &exclusions)?;
    let scanning = input.image_scanning_configuration.and_then(|scanning| scanning.scan_on_push);
    let repository = Repository {
        created_at: tx.now(),
        mutability,
        exclusions,
        scan_on_push: scanning.unwrap_or(false),
        lifecycle_policy: None,
        policy: None,
        tags: tags::checked(input.tags.unwrap_or_default())?,
    };
    tx.put(&key, &repository)?;
    Ok(CreateRepositoryOutput { repository: Some(show(tx, &key, &repository)) })
}

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html>
pub(crate) async fn describe_repositories(
    tx: &mut Tx,
    input: DescribeRepositoriesInput,
) -> Result<DescribeRepositoriesOutput> {
    if let Some(names) = input.repository_names {
        if input.next_token.is_some() || input.max_results.is_some() {
            return Err(fault::invalid("Names and pages of repositories are mutually exclusive.").into());
        }
        let mut repositories = Vec::with_capacity(names.len());
        for name in names {
            let (key, repository) = find(tx, input.registry_id.as_ref(), name).await?;
            repositories.push(show(tx, &key, &repository));
        }
        return Ok(DescribeRepositoriesOutput { repositories: Some(repositories), next_token: None });
    }
    let own = registry(tx);
    if input.registry_id.is_some_and(|id| id != own) {
        return Ok(DescribeRepositoriesOutput { repositories: Some(Vec::new()), next_token: None });
    }
    let limit = input.max_results.map_or(PAGE, |limit| (limit.unsigned_abs() as usize).min(PAGE_MAX));
    let mut rows = match input.next_token {
        None => tx.scan::<RepositoryKey>(Parts::none(), limit + 1).await?,
        Some(name) => {
            let after = RepositoryKey { name };
            tx.scan_after(Parts::none(), &after, limit + 1, kernel::Direction::Forward).await?
        }
    };
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_token = rows.last().filter(|_| more).map(|(key, _)| key.name.clone());
    let repositories = rows.iter().map(|(key, repository)| show(tx, key, repository)).collect();
    Ok(DescribeRepositoriesOutput { repositories: Some(repositories), next_token })
}

/// `force` or not: a repository has no images that could keep it.
///
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html>
pub(crate) async fn delete_repository(
    tx: &mut Tx,
    input: DeleteRepositoryInput,
) -> Result<DeleteRepositoryOutput> {
    let (key, repository) = find(tx, input.registry_id.as_ref(), input.repository_name).await?;
    tx.delete(&key);
    Ok(DeleteRepositoryOutput { repository: Some(show(tx, &key, &repository)) })
}

/// The name of the repository in an ARN.
///
/// # Errors
/// `InvalidParameterException`: it is none of a repository of this account and region.
pub(crate) async fn find_by_arn(tx: &mut Tx, text: &str) -> Result<(RepositoryKey, keys::Repository)> {
    let invalid = || -> Fault {
        fault::invalid(format!(
            "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN' {text}"
        ))
    };
    let arn: base::Arn = text.parse().map_err(|_| invalid())?;
    let ours = arn.service == "ecr" && arn.region_name().as_ref() == Some(&tx.scope().region);
    let name = arn.resource_after("repository").filter(|_| ours).ok_or_else(invalid)?;
    let registry = arn.account_id().map(|account| account.to_string());
    find(tx, registry.as_ref(), name.to_owned()).await
}
