//! The operations on aliases of state machines.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    CreateStateMachineAliasInput, CreateStateMachineAliasOutput, DeleteStateMachineAliasInput,
    DeleteStateMachineAliasOutput, DescribeStateMachineAliasInput, DescribeStateMachineAliasOutput,
    ListStateMachineAliasesInput, ListStateMachineAliasesOutput, StateMachineAliasListItem,
    UpdateStateMachineAliasInput, UpdateStateMachineAliasOutput,
};
use crate::arn::{MachineRef, Qualifier, machine_arn};
use crate::fault;
use crate::keys::{AliasKey, MachineKey};
use crate::page;
use crate::version::{ALIASES_MAX, Alias, aliases, routes};

/// Creates an alias. The same request again answers as the first one did.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachineAlias.html>
pub(crate) async fn create_state_machine_alias(
    tx: &mut Tx,
    input: CreateStateMachineAliasInput,
) -> Result<CreateStateMachineAliasOutput> {
    if input.name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(fault::invalid_name(&input.name).into());
    }
    let (machine_key, machine, routes) = routes(tx, &input.routing_configuration).await?;
    let key = AliasKey { machine: machine_key.name.clone(), name: input.name };
    let arn = format!("{}:{}", machine_arn(tx.scope(), &key.machine), key.name);
    if let Some(known) = tx.get(&key).await? {
        if known.routes != routes || known.description != input.description {
            let why = "Failed to create alias because an alias with the same name and a different routing \
                       configuration already exists.";
            return Err(fault::conflict(why).into());
        }
        let creation_date = known.created_at;
        return Ok(CreateStateMachineAliasOutput { state_machine_alias_arn: arn, creation_date });
    }
    if aliases(tx, &key.machine, None, ALIASES_MAX).await?.len() >= ALIASES_MAX {
        let why = format!("The state machine has the maximum number of aliases: {ALIASES_MAX}");
        return Err(fault::quota(why).into());
    }
    let now = tx.now();
    tx.put(&key, &Alias { routes, created_at: now, updated_at: now, description: input.description })?;
    // Touched, so that none of the versions goes meanwhile.
    tx.put(&machine_key, &machine)?;
    Ok(CreateStateMachineAliasOutput { state_machine_alias_arn: arn, creation_date: now })
}

/// Gives an alias another description or other versions.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachineAlias.html>
pub(crate) async fn update_state_machine_alias(
    tx: &mut Tx,
    input: UpdateStateMachineAliasInput,
) -> Result<UpdateStateMachineAliasOutput> {
    if input.description.is_none() && input.routing_configuration.is_none() {
        let why = "Either the description or the routing configuration must be specified";
        return Err(Fault::validation(why).into());
    }
    let (key, mut alias) = find(tx, &input.state_machine_alias_arn).await?;
    if let Some(given) = &input.routing_configuration {
        let (machine_key, machine, routes) = routes(tx, given).await?;
        if machine_key.name != key.machine {
            let why = "Routing configuration must contain versions of the alias's state machine";
            return Err(Fault::validation(why).into());
        }
        alias.routes = routes;
        tx.put(&machine_key, &machine)?;
    }
    alias.description = input.description.or(alias.description);
    alias.updated_at = tx.now();
    tx.put(&key, &alias)?;
    Ok(UpdateStateMachineAliasOutput { update_date: alias.updated_at })
}

/// An alias with what it leads to.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineAlias.html>
pub(crate) async fn describe_state_machine_alias(
    tx: &mut Tx,
    input: DescribeStateMachineAliasInput,
) -> Result<DescribeStateMachineAliasOutput> {
    let (key, alias) = find(tx, &input.state_machine_alias_arn).await?;
    let routing = alias.routing(&machine_arn(tx.scope(), &key.machine));
    Ok(DescribeStateMachineAliasOutput {
        state_machine_alias_arn: Some(input.state_machine_alias_arn),
        name: Some(key.name),
        routing_configuration: Some(routing),
        creation_date: Some(alias.created_at),
        update_date: Some(alias.updated_at),
        description: alias.description,
    })
}

/// Deletes an alias. One that is gone is deleted already.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachineAlias.html>
pub(crate) async fn delete_state_machine_alias(
    tx: &mut Tx,
    input: DeleteStateMachineAliasInput,
) -> Result<DeleteStateMachineAliasOutput> {
    let key = key_of(tx, &input.state_machine_alias_arn)?;
    if tx.get(&key).await?.is_some() {
        tx.delete(&key);
    }
    Ok(DeleteStateMachineAliasOutput {})
}

/// The aliases of a machine, or those that lead to one of its versions, in the order of their names.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachineAliases.html>
pub(crate) async fn list_state_machine_aliases(
    tx: &mut Tx,
    input: ListStateMachineAliasesInput,
) -> Result<ListStateMachineAliasesOutput> {
    let arn = &input.state_machine_arn;
    let MachineRef { name, qualifier } = MachineRef::parse(tx.scope(), arn)?;
    let version = match qualifier {
        None => None,
        Some(Qualifier::Version(version)) => Some(version),
        Some(Qualifier::Alias(_)) => {
            return Err(fault::invalid_arn(&format!("Invalid ARN suffix: {arn}")).into());
        }
    };
    let key = MachineKey { name };
    if tx.peek(&key).await?.is_none() {
        return Err(fault::machine_does_not_exist(arn).into());
    }
    let limit = page::size(input.max_results);
    let after = input.next_token.as_deref().map(|token| page::place(arn, token)).transpose()?;
    let mut found = aliases(tx, &key.name, after, ALIASES_MAX).await?;
    if let Some(version) = version {
        found.retain(|(_, alias)| alias.routes.iter().any(|(known, _)| *known == version));
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next_token = match found.last() {
        Some((last, _)) if more => Some(page::token(arn, &last.name)?),
        _ => None,
    };
    let machine_arn = machine_arn(tx.scope(), &key.name);
    let item = |(key, alias): (AliasKey, Alias)| StateMachineAliasListItem {
        state_machine_alias_arn: format!("{machine_arn}:{}", key.name),
        creation_date: alias.created_at,
    };
    Ok(ListStateMachineAliasesOutput {
        state_machine_aliases: found.into_iter().map(item).collect(),
        next_token,
    })
}

fn key_of(tx: &Tx, arn: &str) -> Result<AliasKey> {
    let MachineRef { name, qualifier: Some(Qualifier::Alias(alias)) } = MachineRef::parse(tx.scope(), arn)?
    else {
        return Err(fault::invalid_arn(&format!("Invalid ARN suffix: {arn}")).into());
    };
    Ok(AliasKey { machine: name, name: alias })
}

async fn find(tx: &mut Tx, arn: &str) -> Result<(AliasKey, Alias)> {
    let key = key_of(tx, arn)?;
    match tx.get(&key).await? {
        Some(alias) => Ok((key, alias)),
        None => {
            Err(Fault::new("ResourceNotFound", "Request references a resource that does not exist.").into())
        }
    }
}
