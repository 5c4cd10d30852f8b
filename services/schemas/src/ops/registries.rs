//! Registries.

use kernel::{Parts, Result, Tx};

use crate::api::{
    CreateRegistryInput, CreateRegistryOutput, DeleteRegistryInput, DeleteRegistryOutput,
    DescribeRegistryInput, DescribeRegistryOutput, ListRegistriesInput, ListRegistriesOutput,
    RegistrySummary, UpdateRegistryInput, UpdateRegistryOutput,
};
use crate::aws;
use crate::fault;
use crate::keys::{Registry, RegistryKey, SchemaKey};
use crate::name::{self, AWS_REGISTRY};
use crate::ops::{limit, page, tags};

/// The most registries of an account and region. AWS's quota is 10 and adjustable.
pub(crate) const REGISTRIES_MAX: usize = 100;

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname.html>
pub(crate) async fn create_registry(tx: &mut Tx, input: CreateRegistryInput) -> Result<CreateRegistryOutput> {
    name::check_registry(&input.registry_name)?;
    let tags = tags::checked(input.tags.unwrap_or_default())?;
    let key = RegistryKey { name: input.registry_name };
    if tx.get(&key).await?.is_some() {
        return Err(fault::conflict(format!("Registry with name {} already exists.", key.name)).into());
    }
    if tx.scan::<RegistryKey>(Parts::none(), REGISTRIES_MAX).await?.len() == REGISTRIES_MAX {
        return Err(fault::forbidden(format!("There can be at most {REGISTRIES_MAX} registries.")).into());
    }
    let registry = Registry { description: input.description, tags, policy: None };
    tx.put(&key, &registry)?;
    Ok(CreateRegistryOutput {
        registry_arn: Some(name::registry_arn(tx.scope(), &key.name)),
        registry_name: Some(key.name),
        description: registry.description,
        tags: Some(registry.tags),
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname.html>
pub(crate) async fn describe_registry(
    tx: &mut Tx,
    input: DescribeRegistryInput,
) -> Result<DescribeRegistryOutput> {
    let name = input.registry_name;
    let (description, tags) = if name == AWS_REGISTRY {
        (Some(aws::DESCRIPTION.to_owned()), [].into())
    } else {
        let (_, registry) = find(tx, &name).await?;
        (registry.description, registry.tags)
    };
    Ok(DescribeRegistryOutput {
        registry_arn: Some(name::registry_arn(tx.scope(), &name)),
        registry_name: Some(name),
        description,
        tags: Some(tags),
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname.html>
pub(crate) async fn update_registry(tx: &mut Tx, input: UpdateRegistryInput) -> Result<UpdateRegistryOutput> {
    name::check_registry(&input.registry_name)?;
    let (key, mut registry) = find(tx, &input.registry_name).await?;
    registry.description = input.description.or(registry.description);
    tx.put(&key, &registry)?;
    Ok(UpdateRegistryOutput {
        registry_arn: Some(name::registry_arn(tx.scope(), &key.name)),
        registry_name: Some(key.name),
        description: registry.description,
        tags: Some(registry.tags),
    })
}

/// Deletes a registry that has no schema any more.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname.html>
pub(crate) async fn delete_registry(tx: &mut Tx, input: DeleteRegistryInput) -> Result<DeleteRegistryOutput> {
    name::check_registry(&input.registry_name)?;
    let (key, _) = find(tx, &input.registry_name).await?;
    if !tx.scan::<SchemaKey>(Parts::of(&key.name), 1).await?.is_empty() {
        let message = format!("Registry {} has schemas; delete them first.", key.name);
        return Err(fault::bad_request(message).into());
    }
    tx.delete(&key);
    Ok(DeleteRegistryOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries.html>
pub(crate) async fn list_registries(tx: &mut Tx, input: ListRegistriesInput) -> Result<ListRegistriesOutput> {
    let limit = limit(input.limit)?;
    let (local, of_aws) = match input.scope.as_deref() {
        None => (true, true),
        Some(scope) if scope.eq_ignore_ascii_case("LOCAL") => (true, false),
        Some(scope) if scope.eq_ignore_ascii_case("AWS") => (false, true),
        Some(scope) => {
            return Err(fault::bad_request(format!("Scope must be LOCAL or AWS, not {scope}.")).into());
        }
    };
    let rows = if local { tx.scan::<RegistryKey>(Parts::none(), REGISTRIES_MAX).await? } else { Vec::new() };
    let mut found: Vec<RegistrySummary> = rows
        .into_iter()
        .map(|(key, registry)| RegistrySummary {
            registry_arn: Some(name::registry_arn(tx.scope(), &key.name)),
            registry_name: Some(key.name),
            tags: Some(registry.tags),
        })
        .collect();
    if of_aws {
        found.push(RegistrySummary {
            registry_arn: Some(name::registry_arn(tx.scope(), AWS_REGISTRY)),
            registry_name: Some(AWS_REGISTRY.to_owned()),
            tags: Some([].into()),
        });
    }
    found.sort_by(|a, b| a.registry_name.cmp(&b.registry_name));
    let prefix = input.registry_name_prefix.unwrap_or_default();
    let named = |registry: &RegistrySummary| {
        registry.registry_name.as_ref().is_some_and(|name| name.starts_with(&prefix))
    };
    let name = |registry: &RegistrySummary| registry.registry_name.clone().unwrap_or_default();
    let named = found.into_iter().filter(named).map(|registry| (name(&registry), registry));
    let (page, next_token) = page(named, |(name, _)| name, input.next_token.as_deref(), limit);
    let registries = page.into_iter().map(|(_, registry)| registry).collect();
    Ok(ListRegistriesOutput { registries: Some(registries), next_token })
}

/// The registry, guarded; not AWS's own.
pub(crate) async fn find(tx: &mut Tx, name: &str) -> Result<(RegistryKey, Registry)> {
    let key = RegistryKey { name: name.to_owned() };
    match tx.get(&key).await? {
        Some(registry) => Ok((key, registry)),
        None => Err(fault::no_such_registry(name).into()),
    }
}
