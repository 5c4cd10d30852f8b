//! Aliases.

use base::Fault;
use kernel::{Parts, Result, Tx};

use crate::api::{
    AliasListEntry, CreateAliasInput, CreateAliasOutput, DeleteAliasInput, DeleteAliasOutput,
    ListAliasesInput, ListAliasesOutput, UpdateAliasInput, UpdateAliasOutput,
};
use crate::fault;
use crate::find::{self, RESERVED};
use crate::keys::{Alias, AliasKey};
use crate::paging::{limit, page};

/// Aliases read at once.
const ALIASES_MAX: usize = 10_000;

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html>
pub(crate) async fn create_alias(tx: &mut Tx, input: CreateAliasInput) -> Result<CreateAliasOutput> {
    check_name(&input.alias_name)?;
    let (key, master) = find::key(tx, &input.target_key_id).await?;
    find::not_going(tx, &key, &master)?;
    let alias_key = AliasKey { name: input.alias_name };
    if tx.get(&alias_key).await?.is_some() {
        return Err(fault::alias_exists(&find::alias_arn(tx, &alias_key.name)).into());
    }
    let now = tx.now();
    tx.put(&alias_key, &Alias { target: key.id, created_at: now, updated_at: now })?;
    Ok(CreateAliasOutput {})
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html>
pub(crate) async fn update_alias(tx: &mut Tx, input: UpdateAliasInput) -> Result<UpdateAliasOutput> {
    check_name(&input.alias_name)?;
    let (alias_key, alias) = find_alias(tx, input.alias_name).await?;
    let (key, master) = find::key(tx, &input.target_key_id).await?;
    find::not_going(tx, &key, &master)?;
    let updated_at = tx.now();
    tx.put(&alias_key, &Alias { target: key.id, updated_at, ..alias })?;
    Ok(UpdateAliasOutput {})
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html>
pub(crate) async fn delete_alias(tx: &mut Tx, input: DeleteAliasInput) -> Result<DeleteAliasOutput> {
    check_name(&input.alias_name)?;
    let (alias_key, _) = find_alias(tx, input.alias_name).await?;
    tx.delete(&alias_key);
    Ok(DeleteAliasOutput {})
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html>
pub(crate) async fn list_aliases(tx: &mut Tx, input: ListAliasesInput) -> Result<ListAliasesOutput> {
    let wanted = match &input.key_id {
        Some(text) => Some(find::key(tx, text).await?.0.id),
        None => None,
    };
    let mut all = tx.scan::<AliasKey>(Parts::none(), ALIASES_MAX).await?;
    all.retain(|(_, alias)| wanted.is_none_or(|id| alias.target == id));
    if input.marker.as_ref().is_some_and(|marker| !marker.starts_with("alias/")) {
        return Err(fault::invalid_marker().into());
    }
    let page_size = limit(input.limit, 50, 100);
    let (aliases, next_marker) = page(all, |(key, _)| key.name.clone(), input.marker.as_deref(), page_size);
    let show = |(key, alias): (AliasKey, Alias)| AliasListEntry {
        alias_arn: Some(find::alias_arn(tx, &key.name)),
        alias_name: Some(key.name),
        target_key_id: Some(alias.target.to_string()),
        creation_date: Some(alias.created_at),
        last_updated_date: Some(alias.updated_at),
    };
    let aliases = aliases.into_iter().map(show).collect();
    Ok(ListAliasesOutput { aliases: Some(aliases), truncated: Some(next_marker.is_some()), next_marker })
}

async fn find_alias(tx: &mut Tx, name: String) -> Result<(AliasKey, Alias)> {
    let key = AliasKey { name };
    match tx.get(&key).await? {
        Some(alias) => Ok((key, alias)),
        None => Err(fault::no_such_alias(&find::alias_arn(tx, &key.name)).into()),
    }
}

fn check_name(name: &str) -> Result<(), Fault> {
    let Some(rest) = name.strip_prefix("alias/") else {
        let message = "Alias must start with the prefix \"alias/\".";
        return Err(Fault::validation(message));
    };
    if rest.is_empty() || rest.contains(':') {
        return Err(Fault::new("InvalidAliasNameException", format!("{name} is no valid name of an alias.")));
    }
    if name.starts_with(RESERVED) {
        return Err(Fault::new("NotAuthorizedException", ""));
    }
    Ok(())
}
